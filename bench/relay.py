"""The direct path between two anvil nodes, beside the Hyperlane relayer from npm on the same work in the same run.

Same work: N messages from a sender on one node to a receiver on the other; origin blocks every second, or one for each
transaction; the destination makes a block for each transaction. Ours also carries every acknowledgement home and proves
what it relays to itself first; the peer's does neither. Both relayers run as an operator would run them, with our
transactions signed and the peer's checkpoints made beforehand, so that no one waits for a validator.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console

from bench.direct_lane import DirectLane, direct_lane

PEER_PACKAGE = "package.json"
PEER_SCRIPT = "relay_bench.mjs"
PEER_LIMIT_S = 400
INSTALL_LIMIT_S = 900
GIVE_UP_S = 20.0
"""Without a new delivery; what is missing then is lost."""
WATCH_S = 0.02
WARM_UP = 20
WARM_UP_LIMIT_S = 60

Row = dict[str, Any]


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _figures(lane: DirectLane, cpu_before: dict[str, float], messages: int) -> Row:
    peaks = {process.name: round(process.peak_mb()) for process in lane.processes}
    return {
        "peak_mb": sum(peaks.values()),
        "peak_mb_each": peaks,
        "cpu_ms_per_message": {
            process.name: round((process.cpu_ms() - cpu_before[process.name]) / messages, 2)
            for process in lane.processes
        },
    }


def _cpu(lane: DirectLane) -> dict[str, float]:
    return {process.name: process.cpu_ms() for process in lane.processes}


def service(lane: DirectLane, messages: int) -> Row:
    """From the first transaction to the last delivery, all messages sent as fast as the node takes them."""
    lane.sign(messages)
    _, block = lane.count_by_blocks(0)
    cpu = _cpu(lane)
    started = time.monotonic()
    lane.dispatch(messages)
    dispatched = time.monotonic()
    delivered, last = 0, dispatched
    while delivered < messages and time.monotonic() - last < GIVE_UP_S:
        new, block = lane.count_by_blocks(block)
        if new:
            delivered, last = delivered + new, time.monotonic()
        time.sleep(WATCH_S)
    seconds = last - started
    row = {
        "delivered": delivered,
        "lost": messages - delivered,
        "dispatch_s": round(dispatched - started, 2),
        "secs": round(seconds, 2),
        "msgs_per_s": round(delivered / seconds, 1),
        "most_a_block": lane.most_a_block(),
    }
    settled_by = time.monotonic() + GIVE_UP_S
    while (settled := lane.settled()) < lane.sent and time.monotonic() < settled_by:
        time.sleep(0.1)
    row["settled_s"] = round(time.monotonic() - started, 2) if settled == lane.sent else None
    return row | _figures(lane, cpu, messages)


def latency(lane: DirectLane, messages: int, random: Random) -> Row:
    """One message at a time, from before it is sent until the destination's block holds it."""
    lane.sign(messages)
    _, block = lane.count_by_blocks(0)
    cpu = _cpu(lane)
    waits_ms: list[float] = []
    for _ in range(messages):
        time.sleep(random.random())
        started = time.monotonic()
        lane.dispatch(1)
        while True:
            new, block = lane.count_by_blocks(block)
            if new:
                break
            if time.monotonic() - started > GIVE_UP_S:
                raise SystemExit("a message was not delivered")
            time.sleep(0.002)
        waits_ms.append((time.monotonic() - started) * 1000)
    return {
        "lat_p50_ms": round(statistics.median(waits_ms)),
        "lat_min_ms": round(min(waits_ms)),
        "lat_max_ms": round(max(waits_ms)),
        "lat_p95_ms": round(_percentile(waits_ms, 0.95)),
    } | _figures(lane, cpu, messages)


def warm_up(lane: DirectLane) -> None:
    """Some messages there and back, so that neither side's first reads are measured."""
    lane.sign(WARM_UP)
    lane.dispatch(WARM_UP)
    deadline = time.monotonic() + WARM_UP_LIMIT_S
    while lane.settled() < WARM_UP:
        if time.monotonic() > deadline:
            logs = "\n".join(process.log.read_text()[-2000:] for process in lane.processes)
            raise SystemExit(f"the warm-up was not settled in {WARM_UP_LIMIT_S} s\n{logs}")
        time.sleep(0.1)


def ours(mode: str, messages: int, *, poll_ms: int, origin_block_s: float, origin_gas_limit: int | None = None) -> Row:
    with (
        tempfile.TemporaryDirectory(prefix="hutong-bench-") as home,
        direct_lane(
            Path(home), origin_block_s=origin_block_s, poll_ms=poll_ms, origin_gas_limit=origin_gas_limit
        ) as lane,
    ):
        warm_up(lane)
        measured = service(lane, messages) if mode == "service" else latency(lane, messages, Random(7))
    return {
        "who": "hutong",
        "mode": mode,
        "n": messages,
        "poll_ms": poll_ms,
        "origin_block_s": origin_block_s,
    } | measured


def install_peer(directory: Path, source: Path | None) -> None:
    """A copy of the peer's package outside of the repository, with its dependencies from npm."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in (PEER_PACKAGE, PEER_SCRIPT):
        if not (directory / name).exists():
            if source is None:
                raise SystemExit(f"{directory} has no {name}: name the peer's package with --peer-source")
            (directory / name).write_bytes((source / name).read_bytes())
    if not (directory / "node_modules" / "@hyperlane-xyz" / "relayer").is_dir():
        command = ["npm", "install", "--ignore-scripts", "--no-fund", "--no-audit"]
        subprocess.run(command, cwd=directory, check=True, stdout=sys.stderr, timeout=INSTALL_LIMIT_S)


def peer(directory: Path, mode: str, messages: int, *, poll_ms: int, origin_block_s: float) -> Row:
    command = ["node", PEER_SCRIPT, mode, str(messages), str(poll_ms), f"{origin_block_s:g}", "0"]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=PEER_LIMIT_S)
    if result.returncode != 0:
        raise SystemExit(f"the peer failed: {result.stderr[-2000:]}")
    said = json.loads(result.stdout.splitlines()[-1])
    row: Row = {"who": "hyperlane", "mode": mode, "n": messages, "poll_ms": poll_ms, "origin_block_s": origin_block_s}
    names = ("delivered", "dispatch_s", "secs", "msgs_per_s", "lat_p50_ms", "lat_min_ms", "lat_max_ms", "lat_p95_ms")
    row |= {name: said[name] for name in names if name in said}
    if "delivered" in said:
        row["lost"] = messages - said["delivered"]
    return row | {"peak_mb": said["relayer_peak_rss_mb"]}


SCENARIOS = {
    "100": ("service", 100, 100, 1.0),
    "1000": ("service", 1000, 100, 1.0),
    "latency": ("latency", 30, 100, 0.0),
    "burst": ("service", 200, 2_000, 0.0),
    "wide": ("service", 1000, 100, 1.0),
}
"""`burst`: every message is a block, and 50 blocks and more come between two polls. `wide`: as `1000` with origin blocks of
200 million gas for us, since anvil's 30 million hold some 200 of our messages, which then is what is measured."""
WIDE_GAS = 200_000_000


def run(names: list[str], peer_directory: Path | None) -> Iterator[Row]:
    """Rows of ours and of the peer, scenario by scenario."""
    for name in names:
        mode, messages, poll_ms, origin_block_s = SCENARIOS[name]
        limit = WIDE_GAS if name == "wide" else None
        row = ours(mode, messages, poll_ms=poll_ms, origin_block_s=origin_block_s, origin_gas_limit=limit)
        yield {"scenario": name} | row
        if peer_directory is not None:
            row = peer(peer_directory, mode, messages, poll_ms=poll_ms, origin_block_s=origin_block_s)
            yield {"scenario": name} | row


def add_arguments(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get("HUTONG_PEER", str(Path.home() / ".cache" / "hutong" / "hyperlane"))
    source = os.environ.get("HUTONG_PEER_SOURCE")
    parser.add_argument("--peer", default=default, help="directory of the peer's copy (environment: HUTONG_PEER)")
    parser.add_argument("--peer-source", default=source, help="where its package.json and script are copied from")
    parser.add_argument("--no-peer", action="store_true", help="our side alone")
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS), help="one or more; all by default")


def main(_: Console, arguments: argparse.Namespace) -> None:
    """Print one JSON object a line."""
    directory = None if arguments.no_peer else Path(arguments.peer)
    if directory is not None:
        install_peer(directory, None if arguments.peer_source is None else Path(arguments.peer_source))
    for row in run(arguments.scenario or list(SCENARIOS), directory):
        print(json.dumps(row), flush=True)
