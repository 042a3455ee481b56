"""`hutong anchor`: roots over the entries of a window of time, written on a chain, and entries proven under them."""

import json
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.administration.addresses import address_of
from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.endpoint_options import ChainId, Rpc
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.common.signers import SignerOptions

if TYPE_CHECKING:
    from hutong.relay.archive.anchored_root import AnchoredRoot
    from hutong.relay.audit.anchored_entries import ExpectedAnchor
    from hutong.relay.verify.bundles.anchored_entry import JudgedEntry

app = command_group("Roots over the entries of a window of time, on a chain.")

Contract = Annotated[str, typer.Option(help="Address of the chain's Anchor, as you were told it.")]
Publisher = Annotated[str, typer.Option(help="Account that anchors, as you were told it.")]
Entries = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="The window's entries in their order: a file is one.")
]
Lines = Annotated[bool, typer.Option("--lines", help="Every line of a file is an entry.")]


@app.command()
def deploy(rpc: Rpc, chain_id: ChainId, as_json: AsJson = False, *, payer: SignerOptions) -> None:
    """Deploy an Anchor. Anybody may, and one serves every publisher of the chain: nobody has rights in it."""
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.anchor import deploy_on

    chain, signer = endpoint_of(rpc, chain_id, "--rpc"), payer.open()
    deployed = run_administration(partial(deploy_on, chain, signer), as_json=as_json)
    print_values({"anchor": deployed, "chain_id": chain_id}, as_json=as_json)


@app.command()
def publish(
    files: Entries,
    rpc: Rpc,
    chain_id: ChainId,
    contract: Contract,
    since: Annotated[str, typer.Option("--from", help="Begin of the window: RFC 3339 or Unix seconds.")],
    until: Annotated[str, typer.Option("--to", help="Its end, which is not in it: not later than the block's time.")],
    lines: Lines = False,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
) -> None:
    """Write the root over a window's entries on a chain. Keep the entries: a proof needs all of them."""
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.anchor import publish_window, window_of
    from hutong.relay.verify.bundles.anchored_entry import read_entries

    chain, address = endpoint_of(rpc, chain_id, "--rpc"), address_of(contract, "--contract")
    window = window_of(read_entries(files, lines=lines), _seconds(since, "--from"), _seconds(until, "--to"))
    signer = payer.open()
    written = run_administration(partial(publish_window, chain, address, window, signer), as_json=as_json)
    said = {
        "contract": contract,
        "publisher": signer.address,
        "anchor": written.index,
        "root": f"0x{window.root.hex()}",
        "count": window.count,
        "from_time_s": window.from_time_s,
        "to_time_s": window.to_time_s,
        "height": written.height,
    }
    print_values(said, as_json=as_json)


@app.command()
def prove(
    files: Entries,
    rpc: Rpc,
    chain_id: ChainId,
    contract: Contract,
    publisher: Publisher,
    number: Annotated[int, typer.Option("--entry", help="Which entry, from 0.", min=0)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the proof goes, such as hour.proof.json.")],
    anchor: Annotated[
        int | None, typer.Option(help="Index of the anchor in the publisher's list; the newest unless given.", min=0)
    ] = None,
    lines: Lines = False,
    as_json: AsJson = False,
) -> None:
    """Write the proof of one entry of a window, and say which slots a record of the chain must show for it.

    The node's anchor must be that of these entries: 0 written, 1 it is another, 2 unusable input.
    """
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.anchor import AnchorAccount, prove_anchored
    from hutong.relay.archive.anchor_proof import encode_anchored_entry
    from hutong.relay.archive.anchored_root import item_slots
    from hutong.relay.verify.bundles.anchored_entry import read_entries

    account = AnchorAccount(
        endpoint_of(rpc, chain_id, "--rpc"), address_of(contract, "--contract"), address_of(publisher, "--publisher")
    )
    entries = read_entries(files, lines=lines)
    if number >= len(entries):
        raise Refused(f"--entry {number}: these are {len(entries)} entries, counted from 0", UNUSABLE)
    shown, anchored = run_administration(partial(prove_anchored, account, entries, number, anchor), as_json=as_json)
    try:
        write_durably(out, encode_anchored_entry(shown), READABLE)
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}", UNUSABLE) from None
    slots = [f"{contract}:0x{slot.hex()}" for slot in item_slots(account.publisher, shown.place.index)]
    print_values({"file": str(out), "anchor": shown.place.index, **_window(anchored), "slots": slots}, as_json=as_json)


@dataclass(frozen=True, slots=True)
class ChainTrust:
    """Where an anchor is believed from: a record of the chain, offline, or a node of it."""

    record: Annotated[
        Path | None, typer.Option(help="Record bundle that shows the anchor's two slots; with --checkpoint.")
    ] = None
    checkpoint: Annotated[Path | None, typer.Option(help="What you trust of the record's chain.")] = None
    client: Annotated[str | None, typer.Option(help="The hub's client of the chain, where the record is a hub's.")] = (
        None
    )
    rpc: Annotated[str | None, typer.Option(help="A node of the chain, which is believed; with --chain-id.")] = None
    chain_id: Annotated[int | None, typer.Option(help="EIP-155 id that the node must have.", min=1)] = None

    def judge(self, proof: Path, expected: "ExpectedAnchor") -> "JudgedEntry":
        """Judge a proof file.

        Raises:
            Refused: neither record nor node is given, or both.
            UnusableInput: a file is unusable.
        """
        from hutong.relay.verify.bundles.anchored_entry import RecordFiles, judge_by_record

        by_record = self.record is not None and self.checkpoint is not None
        by_node = self.rpc is not None and self.chain_id is not None
        some_of_both = None not in ((self.record or self.checkpoint or self.client), (self.rpc or self.chain_id))
        if by_record == by_node or some_of_both:
            raise Refused(
                "give --record with --checkpoint, or --rpc with --chain-id: a proof believes nothing", UNUSABLE
            )
        if self.record is not None and self.checkpoint is not None:
            files = RecordFiles(self.record, self.checkpoint, self.client)
            return judge_by_record(proof, expected, files, time.time_ns())
        return self._judge_by_node(proof, expected)

    def _judge_by_node(self, proof: Path, expected: "ExpectedAnchor") -> "JudgedEntry":
        from hutong.relay.administration.evm.access import endpoint_of
        from hutong.relay.administration.evm.anchor import AnchorAccount, anchored_root
        from hutong.relay.archive.anchor_proof import MAX_PROOF_FILE_BYTES
        from hutong.relay.audit.anchored_entries import judge_anchored_entry
        from hutong.relay.verify.bundles.anchored_entry import JudgedEntry, judge_by_root
        from hutong.relay.verify.inputs import read_file

        data = read_file(proof, MAX_PROOF_FILE_BYTES)
        alone = judge_anchored_entry(data, expected)
        if alone.shown is None:
            return JudgedEntry(alone.verdicts, None)
        account = AnchorAccount(
            endpoint_of(self.rpc or "", self.chain_id or 0, "--rpc"), expected.contract, expected.publisher
        )
        anchored = run_administration(partial(anchored_root, account, alone.shown.place.index), as_json=True)
        return judge_by_root(data, expected, anchored)


@app.command()
def verify(
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="A proof, as `hutong anchor prove` writes it.")],
    contract: Contract,
    publisher: Publisher,
    entry: Annotated[Path | None, typer.Option(help="The entry that you have, which the proof must be of.")] = None,
    as_json: AsJson = False,
    *,
    trust: ChainTrust,
) -> None:
    """Judge whether an entry is under a publisher's anchor: 0 it is, 1 it is not, 2 it cannot be judged.

    With --record and --checkpoint offline: `hutong prove` makes the record.
    """
    from hutong.relay.audit.anchored_entries import ExpectedAnchor
    from hutong.relay.verify.bundles.anchored_entry import read_entry

    expected = ExpectedAnchor(
        address_of(contract, "--contract"),
        address_of(publisher, "--publisher"),
        None if entry is None else read_entry(entry),
    )
    judged = trust.judge(proof, expected)
    _print_judged(judged, by_node=trust.rpc is not None, as_json=as_json)
    raise typer.Exit(0 if judged.anchored is not None else REFUSED)


def _print_judged(judged: "JudgedEntry", *, by_node: bool, as_json: bool) -> None:
    from rich.console import Console

    from hutong.relay.cli.common.verdicts import failure_sentence, print_by_subject
    from hutong.relay.verify.verdict_fields import check_fields

    if as_json:
        said = {} if judged.anchored is None else _window(judged.anchored)
        checks = [check_fields(one) for one in judged.verdicts]
        document = {"valid": judged.anchored is not None, "node_believed": by_node, **said, "checks": checks}
        typer.echo(json.dumps(document, indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    print_by_subject(console, judged.verdicts)
    if judged.anchored is None:
        failure = judged.verdicts[-1]
        console.print(f"[red]invalid[/]: {failure_sentence(failure.subject, failure.check)}")
        return
    for name, value in _window(judged.anchored).items():
        console.print(f"{name} = {value}")
    if by_node:
        console.print("believed: the node's word for the anchor; give --record and --checkpoint to judge it offline")
    console.print(f"[green]valid[/]: {len(judged.verdicts)} predicates held")


def _window(anchored: "AnchoredRoot") -> dict[str, object]:
    return asdict(anchored) | {"root": f"0x{anchored.root.hex()}"}


def _seconds(text: str, option: str) -> int:
    from hutong.relay.verify.tendermint import parse_time

    return parse_time(text, option) // NANOSECONDS_PER_SECOND
