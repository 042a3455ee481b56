"""A real hub between two anvils, under load and idle: messages/s, latency, and the processor time of every process.

The machine may be shared, so messages/s say little: `CPU-ms per message` is what a change is judged by. From it follows what
this machine could do alone: its cores over the sum, or one core over the busiest Python process, whichever is less.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from bench.direct_lane import children_of, cpu_ms_of
from bench.hub_lane import HubLane, hub_lane

WARM_UP = 10
LIMIT_S = 600
POLL_S = 0.25
LOOK_S = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=400, help="sent at once; 0: no load is measured")
    parser.add_argument("--single", type=int, default=20, help="sent one by one on an idle lane, for latency")
    parser.add_argument("--keys", type=int, default=100_000, help="in each chain's state beforehand")
    parser.add_argument("--profiles", type=Path, help="a directory for what the sampler finds in each process")


def main(console: Console, arguments: argparse.Namespace) -> None:
    if arguments.profiles is not None:
        arguments.profiles.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="hutong-bench-") as home,
        hub_lane(Path(home), keys=arguments.keys, profiles=arguments.profiles) as lane,
    ):
        _send_and_settle(lane, WARM_UP)
        table = Table(title=f"anvil → hub → anvil, {arguments.keys:,} keys in each state", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        figures: dict[str, float] = {}
        if arguments.single:
            figures |= _latency(lane, arguments.single)
        if arguments.messages:
            figures |= _load(lane, arguments.messages)
        for name, figure in figures.items():
            table.add_row(name, f"{figure:,.2f}")
        console.print(table)
        print(json.dumps({name: round(figure, 2) for name, figure in figures.items()}))


def _processes(lane: HubLane) -> dict[str, int]:
    """Process identifiers by name: ours, the relay's queue server, both anvils."""
    found: dict[str, int] = {}
    for process in lane.processes:
        found[process.name] = process.process.pid
        for child in children_of(process.process.pid):
            found[_command(child)] = child
    return found | {"anvil a": lane.a.pid, "anvil b": lane.b.pid}


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _all_of(pid: int) -> float:
    """anvil is started through a script of npm, which waits for it."""
    return cpu_ms_of(pid) + sum(_all_of(child) for child in children_of(pid))


def _cpu_ms(lane: HubLane) -> dict[str, float]:
    return {
        name: _all_of(pid) if name.startswith("anvil") else cpu_ms_of(pid) for name, pid in _processes(lane).items()
    }


def _load(lane: HubLane, messages: int) -> dict[str, float]:
    lane.sign(messages)
    before = _cpu_ms(lane)
    started = time.monotonic()
    delivered_s, settled_s = _send_and_settle(lane, messages)
    took_s = time.monotonic() - started
    after = _cpu_ms(lane)
    cpu = {name: (after[name] - used) / messages for name, used in before.items()}
    python = max(used for name, used in cpu.items() if name in {process.name for process in lane.processes})
    cores = os.cpu_count() or 1
    return {
        "messages/s to the last delivery": messages / delivered_s,
        "messages/s to the last acknowledgement": messages / settled_s,
        **{f"CPU-ms per message: {name}": used for name, used in cpu.items()},
        "CPU-ms per message: all": sum(cpu.values()),
        f"messages/s that {cores} cores alone allow": min(cores * 1000 / sum(cpu.values()), 1000 / python),
        "cores that were ours meanwhile": sum(cpu.values()) * messages / 1000 / took_s,
    }


def _send_and_settle(lane: HubLane, count: int) -> tuple[float, float]:
    """Seconds to the last delivery and to the last acknowledgement."""
    goal = lane.settled() + count
    started = time.monotonic()
    lane.dispatch(count)
    deadline = started + LIMIT_S
    delivered_s = 0.0
    while (settled := lane.settled()) < goal:
        if not delivered_s and lane.delivered() >= goal:
            delivered_s = time.monotonic() - started
        if time.monotonic() > deadline:
            raise SystemExit(f"{goal - settled} of {count} messages are not settled after {LIMIT_S} s")
        time.sleep(POLL_S)
    settled_s = time.monotonic() - started
    return delivered_s or settled_s, settled_s


def _latency(lane: HubLane, messages: int) -> dict[str, float]:
    """From the block of A that holds the message to the block of B that delivers it, each as soon as its node has it."""
    random = Random(7)
    before, started = _cpu_ms(lane), time.monotonic()
    waits_s: list[float] = []
    for _ in range(messages):
        time.sleep(random.random())
        first = lane.height_of_b() + 1
        lane.sign(1)
        digest = lane.send_signed(1)
        deadline = time.monotonic() + LIMIT_S
        while lane.mined_height(digest) is None:
            _pause(deadline, "a message was not mined")
        mined = time.monotonic()
        while not lane.delivered_by_height(first):
            _pause(deadline, "a message was not delivered")
        waits_s.append(time.monotonic() - mined)
    took_s = time.monotonic() - started
    used = {name: ms - before[name] for name, ms in _cpu_ms(lane).items()}
    return {
        "idle latency p50, s": statistics.median(waits_s),
        "idle latency p95, s": statistics.quantiles(waits_s, n=20, method="inclusive")[-1],
        **{f"idle, CPU-ms per s: {name}": ms / took_s for name, ms in used.items() if not name.startswith("anvil")},
    }


def _pause(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise SystemExit(f"{what} in {LIMIT_S} s")
    time.sleep(LOOK_S)
