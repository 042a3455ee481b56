"""`hutong audit case`: evidence of an application case, judged offline from checkpoints and what the reader means by names."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.verdicts import failure_sentence, print_by_subject
from hutong.relay.verify.case_evidence import CaseReport, audit_case, case_fields
from hutong.relay.verify.verdict_fields import check_fields


def case(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Evidence, as `hutong city test` writes it.")],
    checkpoint: Annotated[
        list[Path],
        typer.Option("--checkpoint", help="What you trust of a chain; one for each chain, or a folder of them."),
    ],
    trust: Annotated[
        Path, typer.Option("--trust", help="Which contracts and people you mean: the city's file, or the case's.")
    ],
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Judge what a case left, and compute its conclusion again: 0 all holds, 1 something is refused, 2 it cannot be judged."""
    report = audit_case(file, checkpoint, trust, judged_at_ns(now))
    print_case(report, as_json=as_json)
    raise typer.Exit(0 if report.is_valid else REFUSED)


def print_case(report: CaseReport, *, as_json: bool) -> None:
    """Every rule under what it is about, the trust that was used, and the conclusion.

    Args:
        as_json: one JSON object instead.
    """
    if as_json:
        typer.echo(
            json.dumps(case_fields(report) | {"checks": [check_fields(one) for one in report.verdicts]}, indent=2)
        )
        return
    console = Console(soft_wrap=True, highlight=False)
    _print_summary(console, report)
    print_by_subject(console, report.verdicts)
    for chain_id, mode in report.trust.items():
        console.print(f"trust: {printable(chain_id)} {printable(mode)}")
    _print_summary(console, report)


def _print_summary(console: Console, report: CaseReport) -> None:
    failure = report.failure
    if failure is not None:
        console.print(f"[red]invalid[/]: {failure_sentence(failure.subject, failure.check)}")
        return
    for name, value in report.conclusion.items():
        console.print(f"concluded: {printable(name)} {printable(json.dumps(value))}")
    console.print(f"[green]valid[/]: {len(report.verdicts)} predicates held")
