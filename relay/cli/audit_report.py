"""How `hutong audit verify` prints its reports: one bundle predicate by predicate, many a line each."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from relay.audit import Report, Verdict
from relay.cli.verdicts import print_verdict, printable, verdict_fields


def print_one(report: Report, *, as_json: bool) -> None:
    """Every predicate under what it is about, then the trust that was used, then the verdict."""
    if as_json:
        typer.echo(json.dumps(_as_fields(report) | {"checks": [_check(one) for one in report.verdicts]}, indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    subject = ""
    for verdict in report.verdicts:
        if verdict.subject != subject:
            subject = verdict.subject
            console.print(f"[bold]{printable(subject)}[/]")
        print_verdict(console, verdict.check)
    for chain_id, mode in report.trust.items():
        console.print(f"trust: {printable(chain_id)} {printable(mode)}")
    if report.is_valid:
        console.print(f"shown: {printable(report.outcome)}")
        console.print(f"[green]valid[/]: {len(report.verdicts)} predicates held")
    else:
        console.print("[red]invalid[/]")


def print_many(reports: Sequence[tuple[Path, Report]], *, as_json: bool) -> None:
    """A line a bundle, and how many are valid."""
    valid = sum(report.is_valid for _, report in reports)
    if as_json:
        bundles = [{"file": str(file)} | _as_fields(report) for file, report in reports]
        summary = {"valid": valid == len(reports), "bundles": len(reports), "refused": len(reports) - valid}
        typer.echo(json.dumps(summary | {"reports": bundles}, indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    modes: dict[str, None] = {}
    for file, report in reports:
        failure = report.failure
        if failure is None:
            console.print(f"[green]valid  [/]  {printable(file.name)}  {printable(report.outcome)}")
        else:
            reason = f"{failure.subject}: {failure.check.name}: {failure.check.error}"
            console.print(f"[red]REFUSED[/]  {printable(file.name)}  {printable(reason)}")
        modes |= dict.fromkeys(f"{chain_id} {mode}" for chain_id, mode in report.trust.items())
    for mode in modes:
        console.print(f"trust: {printable(mode)}")
    console.print(f"{valid} of {len(reports)} bundles are valid")


def _as_fields(report: Report) -> dict[str, Any]:
    return {
        "valid": report.is_valid,
        "packet": report.packet_id,
        "outcome": report.outcome,
        "trust": dict(report.trust),
        "predicates": len(report.verdicts),
        "failure": None if report.failure is None else _check(report.failure),
    }


def _check(verdict: Verdict) -> dict[str, Any]:
    return {"subject": verdict.subject} | verdict_fields(verdict.check)
