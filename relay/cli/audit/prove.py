"""`hutong prove`: a record bundle from a chain's nodes, judged before it is written."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.relay.archive.written_places import ChainForm, parse_what
from hutong.relay.cli.audit.layout import LayoutOptions
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.printable import printable_reason
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.verdicts import failure_sentence

if TYPE_CHECKING:
    from hutong.relay.archive.record_bundle import What
    from hutong.relay.audit.records import RecordReport

RECORD_SUFFIX = ".record.json"

app = command_group("Record bundles: what a chain's state holds, for whoever has a checkpoint.")


@app.command()
def prove(
    chain: Annotated[str, typer.Argument(metavar="CHAIN", help="Its name in the configuration.")],
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT...",
            help="EVM: 0xACCOUNT:0xSLOT, 0xACCOUNT:'balances[0x…]' with --layout, 0xACCOUNT.balance (nonce, code_hash,"
            " storage_root). Cosmos: STORE/0xKEY. Hub: CLIENT: and one of these for what it has observed, with the"
            " client's epoch; or a key of its state, as text or 0x and hex.",
        ),
    ],
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", "-o", help=f"Where the bundle goes, such as balance{RECORD_SUFFIX}.")],
    at: Annotated[
        int | None,
        typer.Option("--at", min=1, help="Height of the header under which it is shown; without it the newest."),
    ] = None,
    layout: Annotated[
        Path | None, typer.Option(help="Storage layout of the contract, as `hutong layout` reads it.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="What you trust of the chain. Without it the node is believed for the block before."),
    ] = None,
    as_json: AsJson = False,
    *,
    options: LayoutOptions,
) -> None:
    """Show what a chain's state holds, in a file that `hutong audit record` judges offline. 0 written, 1 not to be had, 2 unusable."""
    from hutong.relay.administration.bundles.record_bundles import make_record
    from hutong.relay.administration.bundles.written import write_record
    from hutong.relay.cli.common.session import config_of, run_administration
    from hutong.relay.verify.bundles.inputs import read_checkpoint

    loaded = config_of(config)
    configured = next((one for one in loaded.chains if one.name == chain), None)
    if configured is None:
        raise Refused(f"no chain is called {chain[:80]}", UNUSABLE)
    whats = _whats(what, ChainForm(configured.kind), layout, options)
    trusted = None if checkpoint is None else read_checkpoint(checkpoint)
    made = run_administration(partial(make_record, loaded, chain, whats, at, trusted))
    report = write_record(out, made)
    if report.failure is not None:
        raise Refused(f"not written: {failure_sentence(report.failure.subject, report.failure.check)}", REFUSED)
    if as_json:
        from hutong.relay.verify.verdict_fields import record_fields

        typer.echo(json.dumps(record_fields(report) | {"file": str(out), "checkpoint": checkpoint is not None}))
        return
    _print(report, out, trusts_node=checkpoint is None)


def _whats(texts: list[str], form: ChainForm, layout: Path | None, options: LayoutOptions) -> "list[What]":
    try:
        read = None if layout is None else options.read(layout)
        return [one for text in texts for one in parse_what(text, form, read)]
    except (MalformedInput, UnsupportedOperation) as error:
        raise Refused(printable_reason(str(error)), UNUSABLE) from None


def _print(report: "RecordReport", out: Path, *, trusts_node: bool) -> None:
    from rich.console import Console

    from hutong.relay.cli.audit.record import print_summary

    print_summary(Console(soft_wrap=True, highlight=False), report)
    if trusts_node:
        typer.echo("believed: the node's word for the block before; give --checkpoint to judge it from what you trust")
    typer.echo(str(out))
