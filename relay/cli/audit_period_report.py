"""How replays and their differences are printed for people."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from relay.audit.period import EntryState, Finding, Replay
from relay.audit.period.differences import Changed, Differences
from relay.audit.period.supply import Conservation
from relay.audit.period.totals import DeliveryState
from relay.cli.verdicts import printable

MAX_LISTED = 200
"""Lines of one list; `--json` has them all."""

CONSERVATION = {
    Conservation.HELD: "[green]held[/]",
    Conservation.UNDETERMINED: "[yellow]needs earlier packets[/]",
    Conservation.VIOLATED: "[red]VIOLATED[/]",
}


def print_replay(replay: Replay) -> None:
    """Sums first, then what is wrong, then the verdict: the last line is what a person looks for."""
    console = Console(soft_wrap=True, highlight=False)
    _print_chains(console, replay)
    _print_routes(console, replay)
    _print_supply(console, replay)
    for chain_id, mode in replay.modes:
        console.print(f"trust: {printable(chain_id)} {printable(mode)}")
    _print_findings(console, replay.findings)
    proven = replay.count(EntryState.PROVEN)
    console.print(
        f"{proven} of {len(replay.entries)} entries proven, {replay.deliveries} deliveries, {replay.predicates} predicates"
    )
    if replay.is_clean:
        console.print("[green]clean[/]: every delivery is proven, and nothing is missing, twice or contradictory")
    else:
        console.print(f"[red]{len(replay.findings)} found[/]")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index == 0 else "right", overflow="fold")
    return table


def _print_chains(console: Console, replay: Replay) -> None:
    if not replay.chains:
        return
    table = _table(
        "chains", "chain", "sent", "received", "transfers", "messages", "refused", "timed out", "open", "settled"
    )
    for one in replay.chains:
        counts = (one.sent, one.received, one.transfers_sent, one.messages_sent, one.refused, one.timed_out, one.open)
        table.add_row(printable(one.chain_id), *map(str, (*counts, one.settled)))
    console.print(table)


def _print_routes(console: Console, replay: Replay) -> None:
    if not replay.routes:
        return
    table = _table(
        "routes", "route", "deliveries", "messages", "transfers", "succeeded", "refused", "timed out", "open"
    )
    for route in replay.routes:
        states = [str(route.states[state]) for state in DeliveryState]
        counts = map(str, (route.deliveries, route.messages, route.transfers))
        table.add_row(printable(" > ".join(route.chains)), *counts, *states)
    console.print(table)
    if not any(route.tokens for route in replay.routes):
        return
    tokens = _table("tokens", "route", "token", "transfers", "delivered", "refunded", "open")
    for route in replay.routes:
        for row in route.tokens.values():
            amounts = map(str, (row.transfers, row.delivered, row.refunded, row.open))
            tokens.add_row(printable(" > ".join(route.chains)), printable(row.token), *amounts)
    console.print(tokens)


def _print_supply(console: Console, replay: Replay) -> None:
    if not replay.supply:
        return
    table = _table(
        "supply",
        "left from",
        "denomination",
        "sent",
        "open",
        "refunded",
        "came home",
        "open home",
        "no more home than sent",
    )
    for line in replay.supply:
        amounts = (line.sent, line.sent_open, line.sent_back, line.came_home, line.home_open)
        said = CONSERVATION[line.conservation]
        if line.unexplained:
            said += f" ({line.unexplained} beyond this period)"
        table.add_row(printable(f"{line.chain_id}/{line.client_id}"), printable(line.denom), *map(str, amounts), said)
    console.print(table)


def _print_findings(console: Console, findings: Sequence[Finding]) -> None:
    for finding in findings[:MAX_LISTED]:
        about = ", ".join([*finding.entries, *finding.packets])
        console.print(f"[red]{finding.kind.value.replace('_', ' ')}[/]  {printable(about)}")
        where = f"{finding.subject}: {finding.predicate}: " if finding.predicate else ""
        console.print(f"        {printable(where + finding.reason)}")
    if len(findings) > MAX_LISTED:
        console.print(f"… and {len(findings) - MAX_LISTED} more: --json lists them all")


def print_differences(found: Differences) -> None:
    """What is in one alone, then what differs."""
    console = Console(soft_wrap=True, highlight=False)
    _print_list(console, "only in A", found.only_a)
    _print_list(console, "only in B", found.only_b)
    _print_changes(console, "differs", found.packets)
    _print_list(console, "found in A alone", found.findings_a)
    _print_list(console, "found in B alone", found.findings_b)
    _print_changes(console, "sum", found.sums)
    if found.are_none:
        console.print("[green]no difference[/]: both prove the same of the same packets")


def _print_list(console: Console, what: str, items: Sequence[str]) -> None:
    for item in items[:MAX_LISTED]:
        console.print(f"[bold]{what}[/]  {printable(item)}")
    if len(items) > MAX_LISTED:
        console.print(f"… and {len(items) - MAX_LISTED} more: --json lists them all")


def _print_changes(console: Console, what: str, changes: Iterable[Changed]) -> None:
    lines = [f"{change.what}: {change.a} in A, {change.b} in B" for change in changes]
    _print_list(console, what, lines)
