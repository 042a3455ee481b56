"""`hutong directory policy`: what a policy says and who enforces it, what it permits, and whether an agreement keeps to its offer."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.services.directory.rules.policy.deciding import DecisionReport, decide, why_not
from hutong.relay.services.directory.rules.policy.policy import Policy
from hutong.relay.verify.directory.policies import (
    compare,
    decision_fields,
    policy_fields,
    read_policy_file,
    read_request_file,
    read_trees_file,
    terms_of,
    unenforceable,
)

app = command_group("Policies of the profile urn:hutong:odrl:1, judged on this machine.")

Hierarchies = Annotated[
    Path | None,
    typer.Option(
        "--hierarchies",
        help='Published names by operand, each with the one above it: {"purpose": {"urn:a": null, "urn:b": "urn:a"}}.',
    ),
]


@app.command()
def explain(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="An offer, agreement or set, as JSON.")],
    as_json: AsJson = False,
) -> None:
    """Say what a policy means: each rule with who enforces it, and its hash. 0 it can be enforced, 1 a permission uses a word that is not of the profile, 2 it cannot be read."""
    read = read_policy_file(policy)
    if as_json:
        typer.echo(json.dumps(policy_fields(read), indent=2, ensure_ascii=False))
    else:
        _print_policy(read)
    raise typer.Exit(0 if unenforceable(read) is None else REFUSED)


@app.command("decide")
def decide_command(
    policy: Annotated[Path, typer.Argument(metavar="AGREEMENT", help="The agreement, as JSON.")],
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help="Who asks for what, and what is known, as JSON.")],
    hierarchies: Hierarchies = None,
    as_json: AsJson = False,
) -> None:
    """Say whether an agreement permits a request, and which constraint says so: 0 permitted, 1 denied, 2 an input cannot be read."""
    report = decide(read_policy_file(policy), read_request_file(request), read_trees_file(hierarchies))
    if as_json:
        typer.echo(json.dumps(decision_fields(report), indent=2, ensure_ascii=False))
    else:
        _print_decision(report)
    raise typer.Exit(0 if report.permitted else REFUSED)


@app.command("compare")
def compare_command(
    offer: Annotated[Path, typer.Argument(metavar="OFFER", help="What was offered, as JSON.")],
    agreement: Annotated[Path, typer.Argument(metavar="AGREEMENT", help="What is to be agreed, as JSON.")],
    hierarchies: Hierarchies = None,
    as_json: AsJson = False,
) -> None:
    """Say whether an agreement permits nothing beyond its offer and keeps all duties: 0 it does, 1 it was downgraded, 2 an input cannot be read."""
    verdicts = compare(read_policy_file(offer), read_policy_file(agreement), read_trees_file(hierarchies))
    if as_json:
        rules = [{"rule": one.name, "error": None if one.error is None else str(one.error)} for one in verdicts]
        typer.echo(json.dumps({"refines": verdicts[-1].held, "rules": rules}, indent=2, ensure_ascii=False))
    else:
        console = Console(soft_wrap=True)
        for one in verdicts:
            mark = "[green]holds[/]" if one.held else "[red]refused[/]"
            console.print(f"{mark} {one.name}" + ("" if one.error is None else f": {printable(str(one.error))}"))
    raise typer.Exit(0 if verdicts[-1].held else REFUSED)


def _print_policy(policy: Policy) -> None:
    console = Console(soft_wrap=True)
    console.print(f"{policy.type.value} {printable(policy.id or 'without a name')}, hash {policy.hash.hex()}")
    table = Table(box=None, pad_edge=False)
    for title in ("what", "says", "who enforces it"):
        table.add_column(title, overflow="fold")
    for term in terms_of(policy):
        says = term.says if term.reason is None else f"{term.says} ({term.reason})"
        table.add_row(term.kind, printable(says), term.enforcement.value)
    console.print(table)
    reason = unenforceable(policy)
    if reason is not None:
        console.print(
            f"[red]cannot be enforced[/]: a permission has {printable(reason)}; say it as a duty, which is promised"
        )


def _print_decision(report: DecisionReport) -> None:
    console = Console(soft_wrap=True)
    console.print("[green]permitted[/]" if report.permitted else f"[red]denied[/]: {printable(why_not(report))}")
    table = Table(box=None, pad_edge=False)
    for title in ("rule", "asks", "found", "is", "who enforces it"):
        table.add_column(title, overflow="fold")
    for one in report.rules:
        for premise in one.premises:
            found = "unknown" if premise.value is None else printable(premise.value)
            row = (one.kind.value, printable(premise.what), found, premise.truth.value, premise.enforcement.value)
            table.add_row(*row)
    console.print(table)
