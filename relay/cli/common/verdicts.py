"""How `hutong verify` reads its inputs and prints what every predicate said.

Exit codes: 0 every predicate held, 1 one did not, 2 the input cannot be judged at all.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console

from hutong.light_clients.interface import CheckVerdict
from hutong.relay.cli.common.printable import printable, printable_reason
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.verify.verdict_fields import verdict_fields

if TYPE_CHECKING:
    from hutong.relay.audit import Verdict


def _as_json(verdicts: Sequence[CheckVerdict], subject: Mapping[str, str], *, valid: bool) -> str:
    checks = [verdict_fields(verdict) for verdict in verdicts]
    return json.dumps({"valid": valid, "subject": dict(subject), "checks": checks}, indent=2)


def print_verdict(console: Console, verdict: CheckVerdict) -> None:
    """One line, and the reason under it where the predicate failed; both made printable."""
    mark = "[green]held  [/]" if verdict.held else "[red]FAILED[/]"
    console.print(f"{mark}  {printable(verdict.name)}  [dim]{printable(verdict.source)}[/]")
    if verdict.error is not None:
        console.print(f"        {printable_reason(str(verdict.error))}")


def print_by_subject(console: Console, verdicts: "Iterable[Verdict]") -> None:
    """Every predicate under what it is about, which is said once for all that follow each other."""
    subject = ""
    for verdict in verdicts:
        if verdict.subject != subject:
            subject = verdict.subject
            console.print(f"[bold]{printable(subject)}[/]")
        print_verdict(console, verdict.check)


def failure_sentence(subject: str, verdict: CheckVerdict) -> str:
    """What failed of what, and why, made printable. The name stands once, also where the error begins with it."""
    reason = str(verdict.error).removeprefix(f"{verdict.name}: ")
    return printable_reason(f"{subject}: {verdict.name}: {reason}")


def report(verdicts: Sequence[CheckVerdict], subject: Mapping[str, str], *, as_json: bool) -> NoReturn:
    """Print what every rule said, and end the command. No verdicts at all are invalid.

    Args:
        subject: says what was judged (names to texts).

    Raises:
        typer.Exit: always: code 0 where every predicate held, else 1.
    """
    valid = bool(verdicts) and all(verdict.held for verdict in verdicts)
    console = Console(soft_wrap=True, highlight=False)
    if as_json:
        typer.echo(_as_json(verdicts, subject, valid=valid))
    else:
        for name, text in subject.items():
            console.print(f"{printable(name)}: {printable(text)}")
        for verdict in verdicts:
            print_verdict(console, verdict)
        held = sum(verdict.held for verdict in verdicts)
        console.print(f"[green]valid[/]: {held} predicates held" if valid else "[red]invalid[/]")
    raise typer.Exit(0 if valid else REFUSED)
