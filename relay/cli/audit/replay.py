"""A period judged over several processes, each with headers of its own to remember; progress only where a person
looks."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.source import BundleSource
from hutong.relay.audit import Auditor
from hutong.relay.audit.period import Entry, judge_entry, unreadable_entry
from hutong.relay.base.child_processes import WorkersDied, worker_pool
from hutong.relay.verify.inputs import UnusableInput

FEW_ENTRIES = 64
"""So many are judged before another process has started."""
CHUNKS_A_PROCESS = 16
MAX_CHUNK = 256
"""Neighbours share headers, so they stay together; a chunk's end is also when the bar moves."""

Advance = Callable[[int], None]


class Judge:
    """Reads entries and judges them, one after another, with one memory of headers."""

    def __init__(self, source: BundleSource, checkpoints: Iterable[Checkpoint], now_ns: int) -> None:
        """Raises MissingTrust where two checkpoints are of one chain."""
        self._source = source
        self._auditor = Auditor(checkpoints, now_ns)

    def judge(self, name: str) -> Entry:
        """The verdict, whatever is wrong with the entry: one that cannot be read is a verdict too.

        Args:
            name: as `BundleSource.names` lists it.
        """
        text = name.encode(errors="backslashreplace").decode()  # not every name of a file is text
        try:
            data = self._source.read(name)
        except (ArchiveUnavailable, MalformedInput) as error:
            return unreadable_entry(text, str(error).encode(errors="backslashreplace").decode())
        return judge_entry(self._auditor, text, data)


def default_jobs() -> int:
    """As many as there are processors for this process, at least one."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def judge_all(
    source: BundleSource,
    names: Sequence[str],
    checkpoints: Sequence[Checkpoint],
    now_ns: int,
    *,
    jobs: int,
    advance: Advance,
) -> list[Entry]:
    """Every entry's verdict, in the order of `names`.

    Args:
        now_ns: nanoseconds of Unix time, by which checkpoints expire.
        jobs: processes at most; few entries are judged in this one.
        advance: called with how many more are judged, in this process.

    Raises:
        MissingTrust: two checkpoints of one chain.
        UnusableInput: the system ended a process.
    """
    jobs = min(jobs, -(-len(names) // FEW_ENTRIES))
    here = Judge(source, checkpoints, now_ns)
    if jobs <= 1:
        entries = []
        for name in names:
            entries.append(here.judge(name))
            advance(1)
        return entries
    size = min(MAX_CHUNK, -(-len(names) // (jobs * CHUNKS_A_PROCESS)))
    chunks = [names[start : start + size] for start in range(0, len(names), size)]
    found: list[Entry] = []
    with worker_pool(jobs, _start, (source, tuple(checkpoints), now_ns)) as pool:
        try:
            for entries in pool.map(_judge_chunk, chunks):
                found += entries
                advance(len(entries))
        except WorkersDied:
            raise UnusableInput("the system ended a process of the replay (memory?): try fewer with --jobs") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


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


_judge: Judge | None = None
"""Of a worker process."""


def _start(source: BundleSource, checkpoints: Sequence[Checkpoint], now_ns: int) -> None:
    global _judge  # noqa: PLW0603  a process pool has no other place for what each process keeps
    _judge = Judge(source, checkpoints, now_ns)


def _judge_chunk(names: Sequence[str]) -> list[Entry]:
    if _judge is None:
        raise RuntimeError("the process was not started for this")
    return [_judge.judge(name) for name in names]
