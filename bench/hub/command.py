"""A real hub between two anvils, under load and idle: messages/s, latency, and the processor time of every process.

The machine may be shared, so messages/s say little: `CPU-ms per message` is what a change is judged by. From it follows what
this machine could do alone. Processor time itself is longer beside other work: a loop that is always the same says by how much.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from bench.direct_lane import children_of, cpu_ms_of
from bench.hub.lane import HubLane, hub_lane

WARM_UP = 10
LIMIT_S = 600
POLL_S = 0.25
LOOK_S = 0.01
LOOP = 10_000
QUIET_SLICES = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=400, help="sent at once; 0: no load is measured")
    parser.add_argument("--single", type=int, default=20, help="sent one by one on an idle lane, for latency")
    parser.add_argument(
        "--idle-s", type=float, default=10, help="of rest before the load, to know what time alone costs"
    )
    parser.add_argument("--rate", type=float, default=120, help="messages/s at which the costs are added up")
    parser.add_argument("--keys", type=int, default=100_000, help="in each chain's state beforehand")
    parser.add_argument("--validators", type=int, default=1, help="of the hub, a process each")
    parser.add_argument("--profiles", type=Path, help="a directory for what the sampler finds in each process")


def main(console: Console, arguments: argparse.Namespace) -> None:
    if arguments.profiles is not None:
        arguments.profiles.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="hutong-bench-") as home,
        hub_lane(Path(home), keys=arguments.keys, validators=arguments.validators, profiles=arguments.profiles) as lane,
    ):
        _send_and_settle(lane, WARM_UP)
        title = f"anvil → hub of {arguments.validators} → anvil, {arguments.keys:,} keys in each state"
        table = Table(title=title, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        figures: dict[str, float] = {}
        if arguments.single:
            figures |= _latency(lane, arguments.single)
        if arguments.messages:
            figures |= _load(lane, arguments.messages, arguments.idle_s, arguments.rate)
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


def _load(lane: HubLane, messages: int, idle_s: float, rate: float) -> dict[str, float]:
    """Costs in two parts, of time alone and of each message more, from which follows the cost at any rate."""
    lane.sign(messages)
    resting = _cpu_ms(lane)
    time.sleep(idle_s)
    before = _cpu_ms(lane)
    idle = {name: (used - resting[name]) / idle_s for name, used in before.items()}
    slices = [_slice_ns() for _ in range(QUIET_SLICES)]
    least = min(slices)
    slices.clear()
    started = time.monotonic()
    course = _send_and_settle(lane, messages, slices)
    slowed = max(1.0, statistics.median(slices) / min(least, *slices))
    took_s = time.monotonic() - started
    spent = {name: used - before[name] for name, used in _cpu_ms(lane).items()}
    each = {name: max(0.0, used - idle[name] * took_s) / messages for name, used in spent.items()}
    at_rate = {name: more + idle[name] / rate for name, more in each.items()}
    python = {process.name for process in lane.processes}
    cores = os.cpu_count() or 1
    # Idle cost comes off the capacity, what is left pays for messages.
    by_cores = (cores * 1000 - sum(idle.values())) / sum(each.values())
    by_process = min((1000 - idle[name]) / each[name] for name in python)
    return {
        "messages/s from a tenth to nine tenths delivered": course.steady_rate(messages),
        "messages/s to the last delivery": messages / course.reached_s(messages),
        "messages/s to the last acknowledgement": messages / course.settled_s,
        "cores that were ours meanwhile": sum(spent.values()) / 1000 / took_s,
        "a fixed loop's processor time meanwhile over its least": slowed,
        **{f"idle, CPU-ms per s: {name}": used for name, used in idle.items()},
        **{f"CPU-ms per message at {rate:g}/s: {name}": used for name, used in at_rate.items()},
        f"CPU-ms per message at {rate:g}/s: all": sum(at_rate.values()),
        f"CPU-ms per message at {rate:g}/s: all, over that": sum(at_rate.values()) / slowed,
        f"messages/s that {cores} cores pay for": by_cores,
        "messages/s that one core pays for in the busiest Python process": by_process,
        f"messages/s that {cores} cores pay for, times that": by_cores * slowed,
        "messages/s that one core pays for in the busiest Python process, times that": by_process * slowed,
    }


def _slice_ns() -> int:
    """Processor time of a loop that is always the same: more while other work shares the caches and the core's turbo."""
    began = time.thread_time_ns()
    sum(number * number for number in range(LOOP))
    return time.thread_time_ns() - began


@dataclass(slots=True)
class _Course:
    """How a load went: seconds since it was sent, with the messages delivered by then, and to the last acknowledgement."""

    looks: list[tuple[float, int]] = field(default_factory=list)
    settled_s: float = 0.0

    def reached_s(self, count: int) -> float:
        return next(at_s for at_s, delivered in self.looks if delivered >= count)

    def steady_rate(self, messages: int) -> float:
        """Messages/s between the looks that saw a tenth and nine tenths delivered: neither the first ones' latency nor the
        last block's emptiness is in it."""
        first = next(look for look in self.looks if look[1] >= messages // 10)
        last = next(look for look in self.looks if look[1] >= messages - messages // 10)
        return (last[1] - first[1]) / (last[0] - first[0]) if last[0] > first[0] else float("nan")


def _send_and_settle(lane: HubLane, count: int, slices: list[int] | None = None) -> _Course:
    before, goal = lane.delivered(), lane.settled() + count
    course, started = _Course(), time.monotonic()
    lane.dispatch(count)
    deadline = started + LIMIT_S
    while True:
        settled, delivered = lane.settled(), lane.delivered() - before
        course.settled_s = time.monotonic() - started
        course.looks.append((course.settled_s, delivered))
        if settled >= goal:
            return course
        if time.monotonic() > deadline:
            raise SystemExit(f"{goal - settled} of {count} messages are not settled after {LIMIT_S} s")
        if slices is not None:
            slices.append(_slice_ns())
        time.sleep(POLL_S)


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
