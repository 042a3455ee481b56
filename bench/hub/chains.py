"""One hub, many registered chains, some of them active: what rest costs by their number, what load costs, and that chains which
stop hold up no other. Every chain is a dev chain with contracts of its own, hub and relay are run as an operator runs them.

Routes form a ring: each active chain sends over the hub to the next one. Then one of them is frozen (its endpoint takes
connections and says nothing), thawed, killed while the relay is started anew, and started again.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

from rich.console import Console
from rich.table import Table

from bench.chains_lane import ChainsLane, Sender, chains_lane
from bench.direct_lane import Process, children_of, cpu_ms_of

WARM_UP = 2
LOOK_S = 0.2
SETTLE_LIMIT_S = 300
MAX_BEHIND_S = 180
REST_AFTER_START_S = 10
"""What a start has to do is done, most of it before the relay is healthy."""
Figures = dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--registered", type=int, default=50, help="chains that the hub has a client of")
    parser.add_argument("--active", type=int, default=10, help="of them, which send and receive")
    parser.add_argument("--rest-s", type=float, default=30, help="of rest with the active and with all configured")
    parser.add_argument("--load-s", type=float, default=40, help="of load, and of load with a chain frozen")
    parser.add_argument("--rate", type=float, default=4, help="messages/s of all senders together")
    parser.add_argument("--network", type=Path, help="a directory to keep the connected chains in for the next run")
    parser.add_argument("--frozen", type=int, default=1, help="active chains that are frozen at once")


def main(console: Console, arguments: argparse.Namespace) -> None:
    figures: Figures = {}
    with (
        tempfile.TemporaryDirectory(prefix="hutong-bench-") as home,
        chains_lane(arguments.network or Path(home), registered=arguments.registered, active=arguments.active) as lane,
    ):
        for configured in sorted({arguments.active, arguments.registered}):
            lane.start_relay(configured)
            time.sleep(REST_AFTER_START_S)
            figures |= _rest(lane, configured, arguments.rest_s)
            if configured < arguments.registered:
                lane.stop_relay()
        say = _Telling(figures)
        _flow(lane, lane.senders, WARM_UP * len(lane.senders) / arguments.rate, arguments.rate)
        _until_delivered(lane.senders)
        say.tell(_load(lane, arguments.load_s, arguments.rate))
        say.tell(_frozen(lane, arguments.load_s, arguments.rate, arguments.frozen))
        say.tell(_killed(lane, arguments.registered, arguments.rate))
        say.tell(_settled(lane))
    title = f"{arguments.registered} chains registered, {arguments.active} active, {arguments.rate:g} messages/s"
    table = Table(title=title, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, figure in figures.items():
        table.add_row(name, f"{figure:,.2f}")
    console.print(table)


class _Telling:
    """A run takes minutes: what is known is printed, whatever comes after."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.tell({})

    def tell(self, more: Figures) -> None:
        self._figures |= more
        print(json.dumps({name: round(figure, 2) for name, figure in (more or self._figures).items()}), flush=True)


def _cpu_ms(lane: ChainsLane) -> dict[str, float]:
    assert lane.relay is not None
    relay = lane.relay.process.pid
    return {
        "relay": cpu_ms_of(relay),
        "queue": sum(map(cpu_ms_of, children_of(relay))),
        "hub": cpu_ms_of(lane.hub.process.pid),
        "active chains": sum(cpu_ms_of(sender.process.process.pid) for sender in lane.senders),
    }


def _rest(lane: ChainsLane, configured: int, rest_s: float) -> Figures:
    before = _cpu_ms(lane)
    time.sleep(rest_s)
    used = {name: (ms - before[name]) / rest_s for name, ms in _cpu_ms(lane).items()}
    assert lane.relay is not None
    memory = {name: _resident_mb(process) for name, process in (("relay", lane.relay), ("hub", lane.hub))}
    return {
        **{f"{configured} configured, at rest, CPU-ms per s: {name}": ms for name, ms in used.items()},
        **{f"{configured} configured, memory, MB: {name}": mb for name, mb in memory.items()},
    }


def _load(lane: ChainsLane, load_s: float, rate: float) -> Figures:
    before, started = _cpu_ms(lane), time.monotonic()
    first = _marks(lane.senders)
    _flow(lane, lane.senders, load_s, rate)
    _until_delivered(lane.senders)
    took_s = time.monotonic() - started
    used = {name: (ms - before[name]) / took_s for name, ms in _cpu_ms(lane).items()}
    found = _latencies(lane.senders, first)
    assert lane.relay is not None
    return {
        "under load, messages delivered": len(found),
        "under load, messages not delivered by then": sum(sender.waiting() for sender in lane.senders),
        "under load, messages/s to the last delivery": len(found) / took_s,
        **_quantiles("under load", found),
        **{f"under load, CPU-ms per s: {name}": ms for name, ms in used.items()},
        "under load, memory, MB: relay": _resident_mb(lane.relay),
        "under load, memory, MB: hub": _resident_mb(lane.hub),
    }


def _frozen(lane: ChainsLane, load_s: float, rate: float, count: int) -> Figures:
    """Chains that say nothing, with packets for and from them under way; the others' routes are timed."""
    frozen = lane.senders[:count]
    inward = [sender for sender in lane.senders if sender.to in [one.chain for one in frozen]]
    others = [sender for sender in lane.senders if sender not in frozen and sender not in inward]
    first = _marks(others)
    for sender in frozen:  # packets of theirs that the relay is to fetch when they say nothing
        sender.send()
    time.sleep(1.5)
    for sender in frozen:
        sender.process.process.send_signal(SIGSTOP)
    alive = [sender for sender in lane.senders if sender not in frozen]
    _flow(lane, alive, load_s, rate * len(alive) / len(lane.senders), look_at=others)
    _until_delivered(others)
    found = _latencies(others, first)
    waiting = sum(sender.waiting() for sender in others)
    for sender in frozen:
        sender.process.process.send_signal(SIGCONT)
    thawed = time.monotonic()
    _until_delivered(lane.senders)
    return {
        f"{count} frozen, messages of other routes delivered": len(found),
        f"{count} frozen, messages of other routes not delivered": waiting,
        **_quantiles(f"{count} frozen, other routes", found),
        f"{count} frozen, s from thawing until all is delivered": time.monotonic() - thawed,
    }


def _killed(lane: ChainsLane, registered: int, rate: float) -> Figures:
    """A relay that starts while a chain is away: the others' messages go their way."""
    dead = lane.senders[0]
    others = [sender for sender in lane.senders if dead.chain not in (sender.chain, sender.to)]
    dead.process.process.send_signal(SIGKILL)
    dead.process.process.wait()
    lane.stop_relay()
    first, started = _marks(others), time.monotonic()
    lane.start_relay(registered, wait=False)
    inward = [sender for sender in lane.senders if sender.to is dead.chain]
    _flow(lane, [*others, *inward], len(others) / rate, rate, look_at=others)
    _until_delivered(others, MAX_BEHIND_S)
    waiting = sum(sender.waiting() for sender in others)
    took_s = time.monotonic() - started
    found = _latencies(others, first)
    lane.restart(dead)
    back = time.monotonic()
    _until_delivered(lane.senders)
    return {
        "relay started beside a killed chain, messages of other routes delivered": len(found),
        "relay started beside a killed chain, messages of other routes not delivered": waiting,
        "relay started beside a killed chain, s from start to the last of them": took_s,
        "relay started beside a killed chain, s from its return until all is delivered": time.monotonic() - back,
    }


def _settled(lane: ChainsLane) -> Figures:
    """Of everything: sent, delivered, and acknowledged at home."""
    sent = sum(len(sender.sent_at_s) for sender in lane.senders)
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while (unsettled := sum(sender.unsettled() for sender in lane.senders)) and time.monotonic() < deadline:
        time.sleep(1)
    delivered = sum(len(sender.delivered_at_s) for sender in lane.senders)
    return {"messages sent": sent, "messages delivered": delivered, "messages not acknowledged at home": unsettled}


def _flow(
    lane: ChainsLane, senders: Sequence[Sender], for_s: float, rate: float, look_at: Sequence[Sender] | None = None
) -> None:
    """Send in turn at an even pace, and look in between."""
    started = time.monotonic()
    for number in range(round(for_s * rate)):
        while (now := time.monotonic()) < started + number / rate:
            for sender in lane.senders if look_at is None else look_at:
                sender.look()
            time.sleep(max(0.0, min(LOOK_S, started + number / rate - now)))
        senders[number % len(senders)].send()


def _until_delivered(senders: Sequence[Sender], limit_s: float = SETTLE_LIMIT_S) -> bool:
    deadline = time.monotonic() + limit_s
    while True:
        for sender in senders:
            sender.look()
        if not any(sender.waiting() for sender in senders):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)


def _marks(senders: Sequence[Sender]) -> list[int]:
    return [max(sender.sent_at_s, default=0) for sender in senders]


def _latencies(senders: Sequence[Sender], first: Sequence[int]) -> list[float]:
    """Of the messages sent after `first`, as far as they were delivered."""
    return [
        at_s - sender.sent_at_s[sequence]
        for sender, before in zip(senders, first, strict=True)
        for sequence, at_s in sender.delivered_at_s.items()
        if sequence > before
    ]


def _quantiles(what: str, latencies_s: Sequence[float]) -> Figures:
    if len(latencies_s) < 2:
        return {}
    cuts = statistics.quantiles(latencies_s, n=20)
    return {f"{what}, latency p50, s": statistics.median(latencies_s), f"{what}, latency p95, s": cuts[-1]}


def _resident_mb(process: Process) -> float:
    text = Path(f"/proc/{process.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")) / 1024
