"""How `hutong verify` reads its inputs and prints what every predicate said.

Exit codes: 0 every predicate held, 1 one did not, 2 the input cannot be judged at all.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

import typer
from rich.console import Console

from hutong.light_clients.interface import CheckVerdict
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED


def _as_json(verdicts: Sequence[CheckVerdict], subject: Mapping[str, str], *, valid: bool) -> str:
    checks = [verdict_fields(verdict) for verdict in verdicts]
    return json.dumps({"valid": valid, "subject": dict(subject), "checks": checks}, indent=2)


def verdict_fields(verdict: CheckVerdict) -> dict[str, str | bool | None]:
    """A verdict as JSON has it; `reason` is null where the predicate held."""
    return {
        "name": verdict.name,
        "source": verdict.source,
        "held": verdict.held,
        "reason": None if verdict.error is None else str(verdict.error),
    }


def print_verdict(console: Console, verdict: CheckVerdict) -> None:
    """One line, and the reason under it where the predicate failed; both made printable."""
    mark = "[green]held  [/]" if verdict.held else "[red]FAILED[/]"
    console.print(f"{mark}  {printable(verdict.name)}  [dim]{printable(verdict.source)}[/]")
    if verdict.error is not None:
        console.print(f"        {printable(str(verdict.error))}")


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
