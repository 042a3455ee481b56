"""A year of storage audits: made, judged offline by several processes, and judged again with damage planted, which has to be named.

Operators have shards of 8 MiB in batches of a thousand, so that paths have the length they have at 100 TiB; a hub of four
validators signs every header. The default is all of it: 365 epochs of 14 operators with 459 probes each, 5 GB of files.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

from rich.console import Console

from hutong.relay.audit.storage import Demand, StorageFindingKind, StoragePeriod
from hutong.relay.audit.storage.document import encode_period
from hutong.relay.base.child_processes import worker_pool
from hutong.relay.verify.bundles.storage_periods import judge_period
from tests.relay.audit.storage.made_period import MadePeriod, Plan

MOST_S = 600
_MADE: MadePeriod | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--epochs", type=int, default=365)
    parser.add_argument("--operators", type=int, default=14)
    parser.add_argument("--probes", type=int, default=459, help="of each operator in each epoch")
    parser.add_argument(
        "--batches", type=int, default=512, help="of each operator when the year begins; one more an epoch"
    )
    parser.add_argument("--entries", type=int, default=1_024, help="shards of a batch")
    parser.add_argument("--height", type=int, default=13, help="of a shard's tree: 13 is 8 MiB")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--home", type=Path, help="an empty folder for the files, which stay; else a temporary one")


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Figures, and exit code 1 where the year is not clean, the damage is not named, or it took too long."""
    plan = Plan(
        arguments.epochs,
        arguments.operators,
        arguments.probes,
        3,
        arguments.entries,
        arguments.height,
        arguments.batches,
    )
    with _folder(arguments.home) as home:
        folder = home / "audits"
        folder.mkdir()
        size, took = _make(plan, folder, arguments.jobs)
        console.print(f"made {plan.epochs} epochs of {plan.operators} operators: {size / 1e9:.2f} GB, {took}")
        made = MadePeriod(plan)
        began, before = time.monotonic(), _processor_s()
        period = _judge(made, folder, arguments.jobs)
        wall_s = time.monotonic() - began
        probes = sum(one.held for one in period.operators)
        console.print(
            f"judged {period.audits} audits, {probes:,} probes in {wall_s:.0f} s on {arguments.jobs} processes"
            f" ({_processor_s() - before:.0f} s of processor): {'clean' if period.is_clean else period.findings[:3]}"
        )
        damaged = _judge(made, _with_damage(made, folder, home / "damaged", console), arguments.jobs)
        kinds = [one.kind for one in damaged.findings]
        for finding in damaged.findings:
            console.print(f"named: {finding.kind} epoch {finding.epoch} {finding.file} {finding.reason[:100]}")
        same = _same_from_a_copy(made, folder, home / "copy", period, arguments.jobs)
        console.print(f"the result of a copy in another order of names is {'the same' if same else 'ANOTHER'}")
    kind = StorageFindingKind
    named = kinds == [kind.REFUSED, kind.MISSING_EPOCH, kind.GAP]
    if not period.is_clean or not named or not same or wall_s > MOST_S:
        raise SystemExit(1)


@contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    if home is not None:
        home.mkdir(exist_ok=True)
        yield home
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def _processor_s() -> float:
    mine, theirs = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


def _make(plan: Plan, folder: Path, jobs: int) -> tuple[int, str]:
    began = time.monotonic()
    step = max(1, plan.epochs // (jobs * 4))
    rows = [range(first, min(first + step, plan.epochs + 1)) for first in range(1, plan.epochs + 1, step)]
    with worker_pool(jobs, _start, (plan,)) as pool:
        size = sum(pool.map(_write, rows, [folder] * len(rows)))
    return size, f"{time.monotonic() - began:.0f} s"


def _start(plan: Plan) -> None:
    global _MADE  # noqa: PLW0603  a process pool has no other place for what each process keeps
    _MADE = MadePeriod(plan)


def _write(epochs: range, folder: Path) -> int:
    if _MADE is None:
        raise RuntimeError("the process was not started for this")
    return _MADE.write(folder, epochs)


@contextmanager
def _silent(_: int) -> Iterator[Callable[[int], None]]:
    yield lambda _done: None


def _judge(made: MadePeriod, folder: Path, jobs: int) -> StoragePeriod:
    demand = Demand(1, made.plan.epochs, tuple(operator.id for operator in made.operators))
    return judge_period(folder, made.checkpoint, made.now_ns, demand, jobs=jobs, progress=_silent)


def _with_damage(made: MadePeriod, folder: Path, damaged: Path, console: Console) -> Path:
    """The same files, but for one changed byte and one epoch that is gone."""
    random = Random(13)
    shutil.copytree(folder, damaged, copy_function=os.link)
    gone, changed = random.sample(range(1, made.plan.epochs + 1), 2)
    for path in damaged.glob(f"{gone:06}*"):
        path.unlink()
    victim = damaged / f"{changed:06}-{random.randrange(made.plan.operators):03}.audit"
    octets = bytearray(victim.read_bytes())
    place = random.randrange(len(octets))
    octets[place] ^= 1
    victim.unlink()
    victim.write_bytes(octets)
    console.print(f"planted: byte {place} of {victim.name}, and epoch {gone} taken away")
    return damaged


def _same_from_a_copy(made: MadePeriod, folder: Path, copy: Path, period: StoragePeriod, jobs: int) -> bool:
    copy.mkdir()
    for path in folder.iterdir():
        name, dot, rest = path.name.partition(".")
        os.link(path, copy / f"{name[::-1]}{dot}{rest}")
    return encode_period(_judge(made, copy, jobs)) == encode_period(period)
