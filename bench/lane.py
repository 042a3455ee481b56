"""The whole lane: anvil, hub, anvil, with many keys in each state; then the gas of what the relay submits there."""

import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.hub.lane import HubLane, hub_lane
from bench.lane_gas import POOL_BYTES, GasRow
from bench.lane_gas import run as run_gas

WARM_UP = 10
LIMIT_S = 600
POLL_S = 0.2
PEERS = (
    ("Solidity IBC, receive alone / of 50 (published)", "524,000 / 173,000"),
    ("Hyperlane, process (published)", "152,000 to 209,000"),
)


def run(console: Console, messages: int, keys: int) -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as home, hub_lane(Path(home), keys=keys) as lane:
        _wait(lane, WARM_UP)
        cpu = {process.name: process.cpu_ms() for process in lane.processes}
        started = time.monotonic()
        delivered_s, settled_s = _wait(lane, messages, started)
        table = _table(f"{messages} messages anvil → hub → anvil, {keys:,} keys in each state")
        table.add_row("messages/s to the last delivery", f"{messages / delivered_s:.1f}")
        table.add_row("messages/s to the last acknowledgement", f"{messages / settled_s:.1f}")
        for process in lane.processes:
            used = (process.cpu_ms() - cpu[process.name]) / messages
            table.add_row(f"CPU-ms per message: {process.name}", f"{used:.1f}")
            table.add_row(f"peak memory: {process.name}", f"{process.peak_mb():.0f} MB")
        console.print(table)
    console.print(_gas_table(run_gas(keys), keys))


def _wait(lane: HubLane, count: int, started: float = 0.0) -> tuple[float, float]:
    """Send and wait for all; seconds from `started` to the last delivery and to the last acknowledgement."""
    goal = lane.settled() + count
    lane.dispatch(count)
    deadline = time.monotonic() + LIMIT_S
    delivered_s = 0.0
    while (settled := lane.settled()) < goal:
        if not delivered_s and lane.delivered() >= goal:
            delivered_s = time.monotonic() - started
        if time.monotonic() > deadline:
            raise SystemExit(f"{goal - settled} of {count} messages are not settled after {LIMIT_S} s")
        time.sleep(POLL_S)
    settled_s = time.monotonic() - started
    return delivered_s or settled_s, settled_s


def _table(title: str) -> Table:
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    return table


def _gas_table(rows: list[GasRow], keys: int) -> Table:
    table = Table(title=f"gas on anvil, {keys:,} keys in each state; a batch has one update", title_justify="left")
    for name in ("what", "batch", "gas", "gas each", "calldata bytes"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in rows:
        fits = "" if row.fits else f" (over {POOL_BYTES // 1024} KiB: the relay splits it)"
        table.add_row(row.what, str(row.batch), f"{row.gas:,}", f"{row.gas_each:,}", f"{row.calldata_bytes:,}{fits}")
    for name, figure in PEERS:
        table.add_row(name, "", "", figure, "")
    return table
