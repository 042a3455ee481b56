"""A period replayed: how many deliveries a second `hutong audit replay` judges, and whether planted damage is all it names.

The period is made by simulated chains with real keys, trees and proofs (tests/relay/audit/simulated_period.py): both
directions between two QBFT chains over a hub, messages and tokens, a batch of each direction a block. It is kept in the
temporary folder and used again. The command runs as a user runs it; its start is in the figure.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from hutong.relay.archive.checkpoint import encode_checkpoint
from tests.relay.audit.simulated_period import Period, encoded

LEAST_RATE_PER_S = 500
MADE = "made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench audit`."""
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=25, help="of each direction in a block")
    parser.add_argument("--jobs", type=int, default=2)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run of the command. `processor_s` is what its processes took together."""

    code: int
    result: dict[str, Any]
    wall_s: float
    processor_s: float


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Make or find the period, replay it clean and damaged; SystemExit where it says anything else than it should."""
    folder = period_folder(console, arguments.deliveries, arguments.batch)
    bundles = folder / "bundles"
    clean = replay(folder, bundles, arguments.jobs)
    summary = clean.result["summary"]
    rate = arguments.deliveries / clean.wall_s
    console.print(
        f"{summary['deliveries']} deliveries, {summary['predicates']:,} predicates in {clean.wall_s:.1f} s with "
        f"{arguments.jobs} processes: {rate:,.0f} deliveries/s ({clean.processor_s:.1f} s of processor time: "
        f"{arguments.deliveries / clean.processor_s:,.0f} a second and core)"
    )
    _demand(clean.code == 0 and clean.result["clean"], "an honest period is clean")
    _demand(summary["proven"] == summary["deliveries"] == arguments.deliveries, "every delivery is proven")
    with tempfile.TemporaryDirectory() as damaged:
        planted = _plant(bundles, Path(damaged) / "bundles")
        _demand(_named(replay(folder, Path(damaged) / "bundles", arguments.jobs)) == planted, "the three are named")
    for kind, what in planted.items():
        console.print(f"planted and named: {kind}: {', '.join(sorted(what))}")
    if rate < LEAST_RATE_PER_S:
        console.print(f"below {LEAST_RATE_PER_S} deliveries/s: is the machine busy with something else?")


def _demand(held: bool, what: str) -> None:
    if not held:
        raise SystemExit(f"not so: {what}")


def period_folder(console: Console, deliveries: int, batch: int) -> Path:
    """Where a period of so many deliveries lies, made if it is not there yet."""
    folder = Path(tempfile.gettempdir()) / f"hutong-bench-period-{deliveries}-{batch}"
    if (folder / MADE).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "bundles").mkdir(parents=True)
    started = time.monotonic()
    period = Period()
    for name, data in encoded(period, deliveries, batch):
        (folder / "bundles" / name).write_bytes(data)
    for checkpoint in period.checkpoints:
        (folder / f"{checkpoint.chain_id}.checkpoint.json").write_bytes(encode_checkpoint(checkpoint))
    (folder / MADE).write_text(str(period.now_ns // 10**9))
    console.print(f"made {deliveries} deliveries in {time.monotonic() - started:.0f} s")
    return folder


def replay(folder: Path, bundles: Path, jobs: int) -> Replayed:
    """`hutong audit replay` of these bundles, under the period's checkpoints. SystemExit where it cannot be run."""
    roots = [part for path in sorted(folder.glob("*.checkpoint.json")) for part in ("--checkpoint", str(path))]
    now = (folder / MADE).read_text()
    command = [sys.executable, "-m", "hutong.relay.cli", "audit", "replay", str(bundles), *roots]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run([*command, "--now", now, "--jobs", str(jobs), "--json"], capture_output=True, check=False)
    wall_s = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.decode())
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Replayed(done.returncode, json.loads(done.stdout), wall_s, processor_s)


def _plant(bundles: Path, folder: Path) -> dict[str, set[str]]:
    """A changed byte, a removed and a copied delivery; what must be named of each, by kind of finding."""
    folder.mkdir()
    names = sorted(path.name for path in bundles.iterdir())
    middle = len(names) // 4  # of each chain's sequences: what is missing at an end is missing to nobody
    tampered, removed, copied = (
        f"{chain}-client-0-{sequence}.bundle.json"
        for chain, sequence in (("1001", middle), ("1002", middle + 1), ("1001", middle + 2))
    )
    for name in names:
        if name not in (tampered, removed):
            (folder / name).symlink_to(bundles / name)
    data = bytearray((bundles / tampered).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / tampered).write_bytes(data)
    shutil.copy(bundles / copied, folder / "copy.bundle.json")
    legs = {name: _packets(bundles / name) for name in (removed, copied)}
    return {
        "refused": {tampered},
        "missing": legs[removed],
        "duplicate": {copied, "copy.bundle.json", *legs[copied]},
    }


def _packets(path: Path) -> set[str]:
    from hutong.relay.archive.bundle import decode_bundle

    return {leg.packet_id for leg in decode_bundle(path.read_bytes()).legs}


def _named(replayed: Replayed) -> dict[str, set[str]]:
    """What each finding names; of a refused entry the file, since its packets are only claimed."""
    found: dict[str, set[str]] = {}
    for finding in replayed.result["findings"]:
        about = found.setdefault(finding["kind"], set())
        about.update(finding["entries"])
        if finding["kind"] != "refused":
            about.update(finding["packets"])
    return found if len(replayed.result["findings"]) == 3 else {}
