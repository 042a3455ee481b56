"""How replays, their differences and the way to them are printed for people."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from hutong.relay.audit.period import EntryState, Finding, Replay
from hutong.relay.audit.period.differences import Changed, Differences
from hutong.relay.audit.period.supply import Conservation
from hutong.relay.audit.period.totals import DeliveryState
from hutong.relay.cli.common.printable import printable, printable_reason
from hutong.relay.verify.bundles.period import Advance

MAX_LISTED = 200
"""Lines of one list; `--json` has them all."""

CONSERVATION = {
    Conservation.HELD: "[green]no more home than sent[/]",
    Conservation.UNDETERMINED: "[yellow]undetermined[/]",
    Conservation.VIOLATED: "[red]MORE HOME THAN SENT[/]",
}


def print_replay(replay: Replay) -> None:
    """Sums first, then what is wrong, then the verdict: the last line is what a person looks for.

    Findings are listed up to MAX_LISTED. What comes from files is made printable.
    """
    console = Console(soft_wrap=True, highlight=False)
    _print_chains(console, replay)
    _print_routes(console, replay)
    _print_ranges(console, replay)
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
        count = len(replay.findings)
        console.print(f"[red]{count} finding{'' if count == 1 else 's'}[/]" if count else "[red]nothing is proven[/]")


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
    for route in replay.routes:
        said = ", ".join(f"{route.states[state]} {state.value.replace('_', ' ')}" for state in DeliveryState)
        kinds = f"{route.messages} messages, {route.transfers} transfers"
        console.print(f"route {printable(' > '.join(route.chains))}: {route.deliveries} deliveries ({kinds}): {said}")
        for row in route.tokens.values():
            amounts = f"{row.delivered} delivered, {row.refunded} refunded, {row.open} open"
            console.print(f"      {printable(row.token)}: {row.transfers} transfers: {amounts}")


def _print_ranges(console: Console, replay: Replay) -> None:
    """Where a period starts and ends is for the reader to compare: what is absent there leaves no gap."""
    for one in replay.ranges:
        absent = sum(last - first + 1 for first, last in one.gaps)
        said = "none missing between" if not absent else f"{absent} missing between"
        where = printable(f"{one.chain_id}/{one.client_id}")
        console.print(f"sent over {where}: {one.first} to {one.last}, {one.proven} proven, {said}")


def _print_supply(console: Console, replay: Replay) -> None:
    for line in replay.supply:
        console.print(f"supply {printable(f'{line.chain_id}/{line.client_id}')}  {printable(line.denom)}")
        said = CONSERVATION[line.conservation]
        if line.unexplained:
            said += f" ({line.unexplained} beyond what is here)"
        if line.reason:
            said += f": {printable_reason(line.reason)}"
        out = f"{line.sent} sent ({line.sent_open} open, {line.sent_back} refunded)"
        console.print(f"      {out}, {line.came_home} came home ({line.home_open} open): {said}")


def _print_findings(console: Console, findings: Sequence[Finding]) -> None:
    for finding in findings[:MAX_LISTED]:
        about = ", ".join([*finding.entries, *finding.packets])
        console.print(f"[red]{finding.kind.value.replace('_', ' ')}[/]  {printable(about)}")
        where = f"{finding.subject}: {finding.predicate}: " if finding.predicate else ""
        console.print(f"        {printable_reason(where + finding.reason)}")
    if len(findings) > MAX_LISTED:
        console.print(f"… and {len(findings) - MAX_LISTED} more: --json lists them all")


def print_differences(found: Differences) -> None:
    """What is in one alone, then what differs, each list up to MAX_LISTED."""
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


@contextmanager
def progress_on_terminal(total: int) -> Iterator[Advance]:
    """A bar on standard error if that is a terminal, else nothing, while the block lasts.

    Args:
        total: how many entries will be judged.

    Returns:
        What is to be called with how many more are done.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("judged"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("judged", total=total)
        yield lambda count: progress.advance(task, count)
