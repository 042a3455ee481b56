"""How `hutong audit verify` prints its reports: one bundle predicate by predicate, many a line each."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from hutong.relay.audit import Report
from hutong.relay.audit.period import Entry, EntryState
from hutong.relay.cli.common.printable import printable, printable_reason
from hutong.relay.cli.common.verdicts import failure_sentence, print_by_subject
from hutong.relay.verify.verdict_fields import check_fields, entry_fields, report_fields


def print_one(report: Report, *, as_json: bool) -> None:
    """Every predicate under what it is about, then the trust that was used, then the verdict.

    Args:
        as_json: one JSON object instead, with every predicate.
    """
    if as_json:
        typer.echo(
            json.dumps(report_fields(report) | {"checks": [check_fields(one) for one in report.verdicts]}, indent=2)
        )
        return
    console = Console(soft_wrap=True, highlight=False)
    _print_summary(console, report)
    print_by_subject(console, report.verdicts)
    for chain_id, mode in report.trust.items():
        console.print(f"trust: {printable(chain_id)} {printable(mode)}")
    _print_summary(console, report)


def _print_summary(console: Console, report: Report) -> None:
    """Before thousands of predicates and after them: nobody has to look for it."""
    failure = report.failure
    if failure is None:
        console.print(f"shown: {printable(report.outcome)}")
        console.print(f"[green]valid[/]: {len(report.verdicts)} predicates held")
    else:
        console.print(f"[red]invalid[/]: {failure_sentence(failure.subject, failure.check)}")


def print_many(judged: Sequence[tuple[Path, Entry]], *, as_json: bool) -> None:
    """How many are valid, a line for each, and that again.

    Args:
        judged: each file with its verdict, in the order of the lines.
        as_json: one JSON object instead, without the predicates of each.
    """
    entries = [entry for _, entry in judged]
    counts = {state: sum(entry.state is state for entry in entries) for state in EntryState}
    if as_json:
        summary = {"valid": counts[EntryState.PROVEN] == len(entries), "bundles": len(entries)}
        summary |= {state.value: counts[state] for state in EntryState if state is not EntryState.PROVEN}
        typer.echo(json.dumps(summary | {"reports": [entry_fields(file, entry) for file, entry in judged]}, indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    others = "".join(
        f", {counts[state]} {state.value}" for state in EntryState if state is not EntryState.PROVEN and counts[state]
    )
    total = f"{counts[EntryState.PROVEN]} of {len(entries)} bundles are valid{others}"
    console.print(total)
    modes: dict[str, None] = {}
    for entry in entries:
        failure = entry.failure
        if failure is None:
            console.print(f"[green]valid     [/]  {printable(entry.name)}  {printable(entry.outcome)}")
        else:
            said = failure.reason.removeprefix(f"{failure.predicate}: ")
            reason = f"{failure.subject}: {failure.predicate}: {said}"
            console.print(
                f"[red]{entry.state.value.upper():10}[/]  {printable(entry.name)}  {printable_reason(reason)}"
            )
        modes |= dict.fromkeys(f"{chain_id} {mode}" for chain_id, mode in entry.trust)
    for mode in modes:
        console.print(f"trust: {printable(mode)}")
    console.print(total)
