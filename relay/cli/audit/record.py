"""`hutong audit record`: what a chain's state held, judged offline from a record bundle and the reader's checkpoint."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput
from hutong.relay.archive.record_bundle import MAX_RECORD_BUNDLE_BYTES
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.records import Asked, RecordAuditor, RecordReport, statement_text, time_text
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.verdicts import failure_sentence, print_by_subject
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.verdict_fields import check_fields, record_fields


def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record bundle, as `hutong prove` writes it.")],
    checkpoint: Annotated[Path, typer.Option(help="What you trust of the chain.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="Your time, RFC 3339 or Unix seconds: ages are counted to it. Without it they are counted to the header's,"
            " and the checkpoint expires by the host's clock."
        ),
    ] = None,
    max_age: Annotated[
        int | None, typer.Option(min=1, help="Seconds that header and observed block may be old; without it any age.")
    ] = None,
    min_trust: Annotated[
        int, typer.Option(min=0, help="0 anything; N proven, or attested by at least N; 255 proven alone.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Judge a record bundle offline: 0 it holds and may be read, 1 it is refused, 2 it cannot be judged."""
    from hutong.relay.verify.bundles.inputs import read_checkpoint

    now_ns = judged_at_ns(at, "--at")
    asked = Asked(None if at is None else now_ns // NANOSECONDS_PER_SECOND, max_age, min_trust)
    auditor = RecordAuditor(read_checkpoint(checkpoint), now_ns, asked)
    try:
        asked.demand(0, 0)
        report = auditor.audit(read_file(file, MAX_RECORD_BUNDLE_BYTES))
    except (MissingTrust, MalformedInput) as error:
        raise UnusableInput(f"{file}: {error}") from None
    print_record(report, as_json=as_json)
    raise typer.Exit(0 if report.is_valid else REFUSED)


def print_record(report: RecordReport, *, as_json: bool) -> None:
    """What holds, every predicate under what it is about, the trust that was used, and what holds again.

    Args:
        as_json: one JSON object instead.
    """
    if as_json:
        typer.echo(
            json.dumps(record_fields(report) | {"checks": [check_fields(one) for one in report.verdicts]}, indent=2)
        )
        return
    console = Console(soft_wrap=True, highlight=False)
    print_summary(console, report)
    print_by_subject(console, report.verdicts)
    if report.bundle is not None and report.state is not None:
        console.print(f"trust: {printable(report.bundle.chain.chain_id)} {printable(report.state.mode)}")
    print_summary(console, report)


def print_summary(console: Console, report: RecordReport) -> None:
    """What is shown, a line a statement, or why the bundle is refused."""
    failure = report.failure
    if failure is not None:
        console.print(f"[red]invalid[/]: {failure_sentence(failure.subject, failure.check)}")
        return
    if report.bundle is None or report.state is None:
        raise TypeError("a valid report has a bundle and a state")
    where = f"{report.bundle.chain.chain_id} at height {report.bundle.height} of {time_text(report.state.time_ns)}"
    console.print(f"shown: {printable(where)} held")
    for finding in report.findings:
        console.print(f"  {printable(statement_text(finding.statement, finding.said))}")
    console.print(f"[green]valid[/]: {len(report.verdicts)} predicates held")
