"""A fee-free hub under a stranger's spam: the latency of others' messages beside that of an idle hub, and what the stranger got.

The stranger floods pool, blocks, disk, calls and subscriptions at once (`bench.spam_stranger`), and fills the quota of the
far chain by messages that nobody can receive; legitimate messages go on meanwhile.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from bench.hub.lane import HubLane, hub_lane

WARM_UP = 5
LIMIT_S = 300
BURNER = "0x" + "bb" * 20
BURNING_CODE = "0x5b600056"
"""JUMPDEST, PUSH1 0, JUMP: burns whatever gas it is given."""
BURNING_EACH = 10
"""Messages to it for each legitimate one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every-s", type=float, default=5, help="between legitimate messages")
    parser.add_argument("--idle-messages", type=int, default=40)
    parser.add_argument("--keys", type=int, default=10_000, help="in each chain's state beforehand")
    parser.add_argument("--seed", type=int, default=1)


def main(console: Console, arguments: argparse.Namespace) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="hutong-bench-") as home,
        hub_lane(Path(home), keys=arguments.keys) as lane,
    ):
        random = Random(arguments.seed)
        for _ in range(WARM_UP):
            _delivered_after_s(lane)
        idle = _series(lane, arguments.idle_messages, arguments.every_s, random)
        spam_s = arguments.minutes * 60
        host, port = lane.hub_url.removeprefix("http://").split(":")
        stranger = subprocess.Popen(
            [sys.executable, "-m", "bench.spam_stranger", host, port, str(spam_s), str(arguments.seed)],
            stdout=subprocess.PIPE,
            text=True,
        )
        spammed: list[float] = []
        sent = 0
        until = time.monotonic() + spam_s
        lane.b.request("anvil_setCode", BURNER, BURNING_CODE)
        while time.monotonic() < until:
            # Nobody can deliver these: they fill the far chain's quota, and the relay's list of what fails.
            lane.sign(BURNING_EACH, BURNER)
            lane.send_signed(BURNING_EACH)
            spammed += _series(lane, 1, arguments.every_s, random)
            sent += 1
        said, _ = stranger.communicate(timeout=LIMIT_S)
        p95 = {name: _p95(waits) for name, waits in (("idle", idle), ("under spam", spammed))}
        figures = {
            "messages idle": len(idle),
            "messages under spam": sent,
            "delivered under spam": len(spammed),
            **{f"p50 {name}, s": statistics.median(waits) for name, waits in (("idle", idle), ("under spam", spammed))},
            **{f"p95 {name}, s": value for name, value in p95.items()},
            "p95 under spam over p95 idle": p95["under spam"] / p95["idle"],
            "hub database, MiB": lane.hub_database_bytes() / 1024**2,
        }
        table = Table(title=f"a stranger for {arguments.minutes:g} minutes", show_header=False)
        for name, figure in figures.items():
            table.add_row(name, f"{figure:,.2f}")
        console.print(table)
        print(json.dumps({"figures": figures, "stranger": json.loads(said)}))


def _series(lane: HubLane, count: int, every_s: float, random: Random) -> list[float]:
    waits = []
    for _ in range(count):
        began = time.monotonic()
        waits.append(_delivered_after_s(lane))
        time.sleep(max(0.0, began + every_s * (0.5 + random.random()) - time.monotonic()))
    return waits


def _delivered_after_s(lane: HubLane) -> float:
    """From the block of A that holds the message to the block of B that delivers it. Exits where one is not delivered."""
    first = lane.height_of_b() + 1
    lane.sign(1)
    digest = lane.send_signed(1)
    deadline = time.monotonic() + LIMIT_S
    while lane.mined_height(digest) is None:
        _pause(deadline, "mined")
    mined = time.monotonic()
    while not lane.delivered_by_height(first):
        _pause(deadline, "delivered")
    return time.monotonic() - mined


def _pause(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise SystemExit(f"a message was not {what} within {LIMIT_S} s")
    time.sleep(0.02)


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20, method="inclusive")[-1]
