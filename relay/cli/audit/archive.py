"""`hutong archive`: the archive of proof bundles, and proofs of what is in it.

What judges needs neither relay nor network; what asks the chains is imported when it is called.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hutong.relay.base.durations import DAY_S
from hutong.relay.cli.audit.archive_chains import (
    HubCheckpoint,
    Output,
    anchor,
    deploy_anchor,
    exported_bundles,
    prove_anchor,
)
from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, Refused
from hutong.relay.cli.common.verdicts import print_by_subject
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.output_files import write_file

if TYPE_CHECKING:
    from hutong.relay.archive.store import Appended
    from hutong.relay.audit import Verdict
    from hutong.relay.verify.bundles.anchored import JudgedAnchor

MAX_SHOWN = 1_000
"""Damages that are printed; the number of all is said."""

app = command_group("The archive of proof bundles.")

Location = Annotated[str, typer.Argument(metavar="ARCHIVE", help="A folder, or s3://bucket/prefix.")]
AnchorFile = Annotated[Path | None, typer.Option("--anchor", help="Proof of an anchor on the hub.")]


@dataclass(frozen=True, slots=True)
class AnchorOptions:
    """An anchor on the hub, and what is believed of it."""

    anchor: AnchorFile = None
    checkpoint: HubCheckpoint = None
    contract: Annotated[
        str | None, typer.Option("--contract", help="The anchor's contract, as the operator named it to you before.")
    ] = None
    publisher: Annotated[
        str | None, typer.Option("--publisher", help="Who anchors, as the operator named it to you before.")
    ] = None
    now: Now = None

    def judge(self) -> "JudgedAnchor":
        """What the anchor shows; nothing where no option is given.

        Raises:
            UnusableInput: an option lacks another one, or is unusable.
        """
        from hutong.relay.verify.bundles.anchored import NO_ANCHOR, AnchorFiles

        given = (self.anchor, self.checkpoint, self.contract, self.publisher)
        if given == (None, None, None, None):
            return NO_ANCHOR
        if self.anchor is None or self.checkpoint is None or self.contract is None or self.publisher is None:
            raise UnusableInput(
                "an anchor is believed from a checkpoint of its hub, and of one contract and publisher: "
                "give all of --anchor, --checkpoint, --contract and --publisher"
            )
        files = AnchorFiles(self.anchor, self.checkpoint, self.contract, self.publisher)
        return files.judge(judged_at_ns(self.now))


@app.command()
def status(location: Location, as_json: AsJson = False) -> None:
    """How much is in it, under which root. Hashes no object: that is what `verify` does."""
    from hutong.relay.verify.bundles.judged_archive import archive_fields

    fields = archive_fields(location)
    typer.echo(json.dumps(fields, indent=2) if as_json else "\n".join(f"{name}: {fields[name]}" for name in fields))
    if fields["damages"]:
        raise typer.Exit(REFUSED)


@app.command()
def verify(location: Location, as_json: AsJson = False, *, on_hub: AnchorOptions) -> None:
    """Hash every object and entry; with an anchor, judge that the log began as the hub says: 0 whole, 1 not, 2 unusable."""
    from hutong.relay.verify.bundles.judged_archive import judge_archive

    judged = judge_archive(location, on_hub.judge())
    if as_json:
        typer.echo(json.dumps(judged.as_dict(), indent=2))
    else:
        console = _print_verdicts(judged.verdicts, judged.trust)
        for name, value in judged.counts().items():
            console.print(f"{name}: {value}")
        damages = judged.findings.damages
        for one in damages[:MAX_SHOWN]:
            console.print(f"[red]DAMAGED[/]  {printable(str(one))}")
        if damages:
            console.print(f"damages in all: {len(damages)}")
        console.print("[green]whole[/]" if judged.is_whole else "[red]not whole[/]")
    if not judged.is_whole:
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
    from hutong.relay.verify.bundles.archives import copy_bundles

    done = copy_bundles(location, output, packet, checkpoint)
    for reason in done.damaged:
        typer.echo(printable(reason), err=True)
    typer.echo(f"{done.written} bundles in {output}, {len(done.damaged)} damaged, {done.pruned} packets pruned before")
    if done.damaged:
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
    audits: Annotated[
        Path | None,
        typer.Option("--audits", help="In place of bundles: what a storage auditor keeps, each file whole."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also bundles that say no more of a packet than what is there.")
    ] = False,
) -> None:
    """Keep bundles; makes the archive where there is none. What is there already is not kept twice."""
    from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
    from hutong.relay.archive.store import BundleArchive, open_backend
    from hutong.relay.verify.bundles.archives import usable_archive
    from hutong.relay.verify.bundles.inputs import bundle_files

    if bool(bundles) + (config is not None) + (audits is not None) != 1:
        raise UnusableInput("give bundles, or --config to export them, or --audits")
    if audits is not None:
        _said_appended(_append_audits(location, audits))
        return
    given: Iterator[tuple[str, bytes]]
    if config is None:
        given = ((str(path), read_file(path, MAX_BUNDLE_BYTES)) for path in bundle_files(bundles))
    else:
        given = iter(exported_bundles(config))
    with usable_archive():
        done = BundleArchive.create(open_backend(location)).append(given, int(time.time()), again=again)
    _said_appended(done)


def _append_audits(location: str, folder: Path) -> "Appended":
    from hutong.relay.archive.store import BundleArchive, open_backend
    from hutong.relay.verify.bundles.archives import usable_archive
    from hutong.relay.verify.bundles.audit_sources import AuditFolder

    source = AuditFolder(folder)
    given = ((name, source.read(name)) for name in source.names())
    with usable_archive():
        return BundleArchive.create(open_backend(location)).append_files(given, int(time.time()))


def _said_appended(done: "Appended") -> None:
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
    from hutong.relay.verify.bundles.archives import opened_archive

    with opened_archive(location) as archive:
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
    from hutong.relay.archive.anchor import encode_entry_proof
    from hutong.relay.verify.bundles.anchored import prove_entry
    from hutong.relay.verify.bundles.archives import opened_archive

    with opened_archive(location) as archive:
        made = prove_entry(archive, packet_id, anchor)
        write_file(output, encode_entry_proof(made.proof))
    typer.echo(f"entry {made.index} of {made.size}, root {made.proof.root.hex()}")


@app.command("check-proof")
def check_proof(
    file: Annotated[Path, typer.Argument(metavar="PROOF", help="What `hutong archive proof` wrote.")],
    bundle: Annotated[Path | None, typer.Option(help="The bundle that the entry must be of.")] = None,
    as_json: AsJson = False,
    *,
    on_hub: AnchorOptions,
) -> None:
    """Judge offline that an entry is in a log, of a bundle, under a root on the hub: 0 it is, 1 it is not, 2 unusable."""
    from hutong.relay.verify.bundles.judged_archive import judge_entry_proof
    from hutong.relay.verify.verdict_fields import check_fields

    judged = on_hub.judge()
    verdicts = judge_entry_proof(file, bundle, judged)
    valid = all(one.check.held for one in verdicts)
    if as_json:
        checks = [check_fields(one) for one in verdicts]
        typer.echo(json.dumps({"valid": valid, "trust": judged.trust, "checks": checks}, indent=2))
    else:
        console = _print_verdicts(verdicts, judged.trust)
        if judged.anchor is None:
            console.print("trust: none; the proof's own root stands on no chain: give --anchor and what goes with it")
        console.print(f"[green]valid[/]: {len(verdicts)} predicates held" if valid else "[red]invalid[/]")
    if not valid:
        raise typer.Exit(REFUSED)


app.command()(anchor)
app.command("prove-anchor")(prove_anchor)
app.command("deploy-anchor")(deploy_anchor)


def _print_verdicts(verdicts: "Sequence[Verdict]", trust: str) -> Console:
    console = Console(soft_wrap=True, highlight=False)
    print_by_subject(console, verdicts)
    if trust:
        console.print(f"trust: {printable(trust)}")
    return console
