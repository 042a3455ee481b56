"""`hutong archive`: the archive of proof bundles, and proofs of what is in it.

What judges needs neither relay nor network; what asks the chains is imported when it is called.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hutong.relay.base.durations import DAY_S
from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName, Keystore
from hutong.relay.cli.common.output_files import make_folder, write_file
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, Refused
from hutong.relay.cli.common.verdicts import print_verdict, verdict_fields
from hutong.relay.verify.inputs import UnusableInput, read_file

if TYPE_CHECKING:
    from hutong.relay.archive.anchor import Anchor
    from hutong.relay.archive.store import BundleArchive
    from hutong.relay.audit import Verdict

MAX_SHOWN = 1_000
"""Damages that are printed; the number of all is said."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

app = command_group("The archive of proof bundles.")

Location = Annotated[str, typer.Argument(metavar="ARCHIVE", help="A folder, or s3://bucket/prefix.")]
AnchorFile = Annotated[Path | None, typer.Option("--anchor", help="Proof of an anchor on the hub.")]
HubCheckpoint = Annotated[Path | None, typer.Option("--checkpoint", help="What you trust of the hub.")]
ContractAddress = Annotated[
    str | None, typer.Option("--contract", help="The anchor's contract, as the operator named it to you before.")
]
PublisherAddress = Annotated[
    str | None, typer.Option("--publisher", help="Who anchors, as the operator named it to you before.")
]


Output = Annotated[Path, typer.Option("--output", "-o", help="Where it goes.")]


@app.command()
def status(location: Location, as_json: AsJson = False) -> None:
    """How much is in it, under which root. Hashes no object: that is what `verify` does."""
    with _opened(location) as archive:
        head = archive.head
        fields = {
            "location": archive.location,
            "entries": head.size,
            "root": head.root.hex(),
            "packets": len(archive.newest),
            "settled": sum(kept.is_settled for kept in archive.newest.values()),
            "pruned_packets": len(archive.pruned - archive.newest.keys()),
            "writing": head.writer is not None,
            "damages": [str(one) for one in archive.log.damages],
        }
    typer.echo(json.dumps(fields, indent=2) if as_json else "\n".join(f"{name}: {fields[name]}" for name in fields))
    if archive.log.damages:
        raise typer.Exit(REFUSED)


@app.command()
def verify(
    location: Location,
    anchor: AnchorFile = None,
    checkpoint: HubCheckpoint = None,
    contract: ContractAddress = None,
    publisher: PublisherAddress = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Hash every object and entry; with an anchor, judge that the log began as the hub says: 0 whole, 1 not, 2 unusable."""
    from hutong.light_clients.interface import audit
    from hutong.relay.archive.store import verify as verify_archive
    from hutong.relay.audit import Verdict
    from hutong.relay.audit.anchor import judge_log

    verdicts, anchored, trust = _judged_anchor(anchor, checkpoint, contract, publisher, now)
    with _opened(location) as archive:
        findings = verify_archive(archive)
        if anchored is not None:
            leaves = archive.log.leaves
            verdicts += [Verdict("the log", one) for one in audit(judge_log, leaves, anchored)]
    valid = findings.is_whole and all(one.check.held for one in verdicts)
    fields = {
        "entries": findings.head.size,
        "root": findings.head.root.hex(),
        "bundles": findings.bundles,
        "superseded": findings.superseded,
        "pruned": findings.pruned,
        "objects": findings.objects,
        "unneeded_objects": findings.unneeded,
    }
    if as_json:
        damages = [{"subject": one.subject, "reason": one.reason} for one in findings.damages]
        checks = [{"subject": one.subject, **verdict_fields(one.check)} for one in verdicts]
        typer.echo(
            json.dumps({"valid": valid, **fields, "damages": damages, "trust": trust, "checks": checks}, indent=2)
        )
    else:
        console = _print_verdicts(verdicts, trust)
        for name, value in fields.items():
            console.print(f"{name}: {value}")
        for one in findings.damages[:MAX_SHOWN]:
            console.print(f"[red]DAMAGED[/]  {printable(str(one))}")
        if findings.damages:
            console.print(f"damages in all: {len(findings.damages)}")
        console.print("[green]whole[/]" if valid else "[red]not whole[/]")
    if not valid:
        raise typer.Exit(REFUSED)


@app.command()
def export(
    location: Location,
    output: Output,
    packet: Annotated[list[str], typer.Option("--packet", help="chain id/client/sequence; without it all.")] = [],  # noqa: B006  typer copies it
    checkpoint: Annotated[
        list[Path], typer.Option("--checkpoint", help="Copied beside the bundles, for who gets the folder.")
    ] = [],  # noqa: B006  typer copies it
) -> None:
    """Write the newest bundle of each packet as a file. One that is damaged is named, and does not stop the rest."""
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.archive.store import ArchiveSource
    from hutong.relay.cli.audit.bundle_names import bundle_file_names
    from hutong.relay.cli.audit.inputs import read_checkpoints

    checkpoints = read_checkpoints(checkpoint)
    with _opened(location):
        source = ArchiveSource(location)
    names = source.names()
    if unknown := sorted(set(packet) - set(names)):
        raise UnusableInput(f"the archive has no bundle of {unknown[0][:160]}")
    files = bundle_file_names(packet or names)
    roots = [f"{trusted.chain_id}.checkpoint.json" for trusted in checkpoints]
    if twice := sorted({root for root in roots if roots.count(root) > 1}):
        raise UnusableInput(f"two checkpoints would both be {twice[0]}: give one a chain")
    make_folder(output)
    for root, path in zip(roots, checkpoint, strict=True):
        write_file(output / root, read_file(path))
    written, damaged = 0, 0
    for name, file in files.items():
        try:
            data = source.read(name)
        except MalformedInput as error:
            damaged += 1
            typer.echo(printable(str(error)), err=True)
            continue
        write_file(output / file, data)
        written += 1
    typer.echo(f"{written} bundles in {output}, {damaged} damaged, {len(source.pruned)} packets pruned before")
    if damaged:
        raise typer.Exit(REFUSED)


@app.command()
def append(
    location: Location,
    bundles: Annotated[
        list[Path], typer.Argument(metavar="[BUNDLE]...", help="Bundle files, or folders of *.bundle.json.")
    ] = [],  # noqa: B006  typer copies it
    config: Annotated[
        Path | None, typer.Option("--config", help="In place of files: export what the relay has evidence of.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also bundles that say no more of a packet than what is there.")
    ] = False,
) -> None:
    """Keep bundles; makes the archive where there is none. What is there already is not kept twice."""
    from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
    from hutong.relay.archive.store import BundleArchive, open_backend
    from hutong.relay.cli.audit.inputs import bundle_files

    if bool(bundles) is (config is not None):
        raise UnusableInput("give bundles, or --config to export them")
    given: Iterator[tuple[str, bytes]]
    if config is None:
        given = ((str(path), read_file(path, MAX_BUNDLE_BYTES)) for path in bundle_files(bundles))
    else:
        from hutong.relay.cli.audit.archive_chains import exported_bundles

        given = iter(exported_bundles(config))
    with _usable():
        done = BundleArchive.create(open_backend(location)).append(given, int(time.time()), again=again)
    for name, reason in done.refused.items():
        typer.echo(printable(f"{name}: {reason}"), err=True)
    typer.echo(f"{len(done.indices)} appended, {done.known} known before, {len(done.refused)} refused")
    if done.refused:
        raise typer.Exit(REFUSED)


@app.command()
def prune(
    location: Location,
    older_than_days: Annotated[int, typer.Option(min=1, max=36_500, help="Days since a bundle was appended.")],
) -> None:
    """Let old bundles go. Their leaf hashes stay, so that every root and proof holds, and what went is named."""
    with _opened(location) as archive:
        now_s = int(time.time())
        done = archive.prune(now_s - older_than_days * DAY_S, now_s)
    typer.echo(f"{done.entries} entries pruned, {done.objects} objects deleted")
    if done.kept_because is not None:
        raise Refused(f"objects stay while it is not known what needs them: {printable(done.kept_because)}", REFUSED)


@app.command()
def proof(
    location: Location,
    packet_id: Annotated[str, typer.Argument(metavar="ID", help="chain id/client/sequence of the sending end.")],
    output: Output,
    anchor: AnchorFile = None,
) -> None:
    """Write the proof that a packet's entry is in the log: under the archive's head, or under an anchor's root."""
    from hutong.light_clients.interface import MalformedInput
    from hutong.light_clients.proofs.merkle import prove_leaf
    from hutong.relay.archive.anchor import MAX_ANCHOR_BYTES, EntryProof, decode_anchor, encode_entry_proof
    from hutong.relay.archive.store import BundleEntry

    with _opened(location) as archive:
        size, root = archive.head.size, archive.head.root
        if anchor is not None:
            try:
                anchored = decode_anchor(read_file(anchor, MAX_ANCHOR_BYTES)).anchor
            except MalformedInput as error:
                raise UnusableInput(f"{anchor}: {error}") from None
            if anchored.size > size:
                raise UnusableInput(f"{location} has {size} entries, the anchor is over {anchored.size}")
            size, root = anchored.size, anchored.root
        kept = archive.newest.get(packet_id)
        index = None if kept is None else kept.index
        entry = None if index is None else archive.entry(index)
        while isinstance(entry, BundleEntry) and index is not None and index >= size:
            index = entry.supersedes
            entry = None if index is None else archive.entry(index)
        if index is None or not isinstance(entry, BundleEntry):
            raise UnusableInput(
                f"no entry of packet {packet_id[:160]} is among the first {size}; chains are named by their ids, as in `hutong archive export`"
            )
        made = EntryProof(entry, root, prove_leaf(archive.log.leaves[:size], index))
        write_file(output, encode_entry_proof(made))
    typer.echo(f"entry {index} of {size}, root {root.hex()}")


@app.command("check-proof")
def check_proof(
    file: Annotated[Path, typer.Argument(metavar="PROOF", help="What `hutong archive proof` wrote.")],
    bundle: Annotated[Path | None, typer.Option(help="The bundle that the entry must be of.")] = None,
    anchor: AnchorFile = None,
    checkpoint: HubCheckpoint = None,
    contract: ContractAddress = None,
    publisher: PublisherAddress = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Judge offline that an entry is in a log, of a bundle, under a root on the hub: 0 it is, 1 it is not, 2 unusable."""
    from hutong.relay.archive.anchor import MAX_PROOF_FILE_BYTES
    from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
    from hutong.relay.archive.store.manifest import digest_of
    from hutong.relay.audit.anchor import judge_entry

    verdicts, anchored, trust = _judged_anchor(anchor, checkpoint, contract, publisher, now)
    digest = None if bundle is None else digest_of(read_file(bundle, MAX_BUNDLE_BYTES))
    if all(one.check.held for one in verdicts):
        verdicts += judge_entry(read_file(file, MAX_PROOF_FILE_BYTES), anchored, digest).verdicts
    valid = all(one.check.held for one in verdicts)
    if as_json:
        checks = [{"subject": one.subject, **verdict_fields(one.check)} for one in verdicts]
        typer.echo(json.dumps({"valid": valid, "trust": trust, "checks": checks}, indent=2))
    else:
        console = _print_verdicts(verdicts, trust)
        if anchored is None:
            console.print("trust: none; the proof's own root stands on no chain: give --anchor and what goes with it")
        console.print(f"[green]valid[/]: {len(verdicts)} predicates held" if valid else "[red]invalid[/]")
    if not valid:
        raise typer.Exit(REFUSED)


@app.command()
def anchor(config: ConfigFile) -> None:
    """Write the archive's root down on the hub now, with the key that the configuration names."""
    from hutong.relay.cli.audit.archive_chains import publish_now

    publish_now(config)


@app.command("prove-anchor")
def prove_anchor(
    config: ConfigFile,
    output: Output,
    checkpoint: HubCheckpoint = None,
    publisher: Annotated[
        str | None, typer.Option(help="Address of another publisher; without it that of the configured key.")
    ] = None,
) -> None:
    """Write the proof of the newest anchor on the hub; with a checkpoint, one that can be judged from it at any time."""
    from hutong.relay.cli.audit.archive_chains import write_anchor_proof

    write_anchor_proof(config, output, checkpoint, publisher)


@app.command("deploy-anchor")
def deploy_anchor(
    config: ConfigFile,
    keystore: Keystore,
    password_file: Annotated[Path | None, typer.Option(help="File with its password, mode 0600.")] = None,
    password_env: Annotated[str | None, typer.Option(help="Environment variable with its password.")] = None,
    hub: HubName = None,
) -> None:
    """Put an ArchiveAnchor contract onto the hub. One serves any number of archives, each under its publisher's address."""
    from hutong.relay.cli.audit.archive_chains import deploy

    deploy(config, keystore, password_file, password_env, hub)


def _judged_anchor(
    file: Path | None, checkpoint: Path | None, contract: str | None, publisher: str | None, now: str | None
) -> "tuple[list[Verdict], Anchor | None, str]":
    from hutong.relay.archive.anchor import MAX_ANCHOR_BYTES
    from hutong.relay.audit import MissingTrust
    from hutong.relay.audit.anchor import judge_anchor
    from hutong.relay.cli.audit.inputs import read_checkpoint

    if file is None and checkpoint is None and contract is None and publisher is None:
        return [], None, ""
    if file is None or checkpoint is None or contract is None or publisher is None:
        raise UnusableInput(
            "an anchor is believed from a checkpoint of its hub, and of one contract and publisher: "
            "give all of --anchor, --checkpoint, --contract and --publisher"
        )
    expected = {"contract": _address(contract, "--contract"), "publisher": _address(publisher, "--publisher")}
    trusted = read_checkpoint(checkpoint)
    now_ns = judged_at_ns(now)
    try:
        report = judge_anchor(read_file(file, MAX_ANCHOR_BYTES), trusted, now_ns, **expected)
    except MissingTrust as error:
        raise UnusableInput(str(error)) from None
    return list(report.verdicts), report.anchor, report.trust


def _address(text: str, option: str) -> bytes:
    if _ADDRESS.fullmatch(text) is None:
        raise UnusableInput(f"{option} is not an address: 0x and 40 digits of hex")
    return bytes.fromhex(text[2:])


def _print_verdicts(verdicts: "list[Verdict]", trust: str) -> Console:
    console = Console(soft_wrap=True, highlight=False)
    subject = ""
    for verdict in verdicts:
        if verdict.subject != subject:
            subject = verdict.subject
            console.print(f"[bold]{printable(subject)}[/]")
        print_verdict(console, verdict.check)
    if trust:
        console.print(f"trust: {printable(trust)}")
    return console


@contextmanager
def _usable() -> Iterator[None]:
    """An archive that cannot be read or written, as UnusableInput."""
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.archive.errors import ArchiveUnavailable
    from hutong.relay.archive.store import WriteConflict

    try:
        yield
    except (ArchiveUnavailable, WriteConflict, MalformedInput) as error:
        raise UnusableInput(str(error)) from None


@contextmanager
def _opened(location: str) -> "Iterator[BundleArchive]":
    from hutong.relay.archive.store import BundleArchive, open_backend

    with _usable():
        yield BundleArchive(open_backend(location))
