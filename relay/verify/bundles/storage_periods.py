"""A folder of storage audits judged over several processes, each with headers of its own to remember."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.storage import (
    Demand,
    EntryFailure,
    PeriodEntry,
    StorageAuditor,
    StoragePeriod,
    judge_file,
    summarise,
)
from hutong.relay.audit.storage.entries import AUDIT_SUFFIX, RECORD_SUFFIX
from hutong.relay.base.child_processes import WorkersDied, worker_pool
from hutong.relay.verify.bundles.audit_sources import AuditFolder, AuditSource
from hutong.relay.verify.inputs import UnusableInput

MAX_FILES = 200_000
CHUNK = 64
"""Neighbours by name are of one epoch, and share a header."""
FEW_FILES = 64
"""So many are judged before another process has started."""

Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True, slots=True)
class _Judge:
    source: AuditSource
    auditor: StorageAuditor

    def judge(self, name: str) -> PeriodEntry:
        """The verdict, whatever is wrong with the file."""
        text = name.encode(errors="backslashreplace").decode()  # not every name of a file is text
        try:
            data = self.source.read(name)
        except UnusableInput as error:
            return PeriodEntry(text, sha256().digest(), EntryFailure("", str(error)))
        return judge_file(self.auditor, text, data)


def period_files(source: AuditSource) -> list[str]:
    """Names of the audit files and record bundles of a source, ascending.

    Raises:
        UnusableInput: it cannot be listed, has none, or more than `MAX_FILES`.
    """
    names = source.names()
    if not names:
        raise UnusableInput(f"there is no *{AUDIT_SUFFIX} and no *{RECORD_SUFFIX}")
    if len(names) > MAX_FILES:
        raise UnusableInput(f"there are more than {MAX_FILES} files")
    return names


def judge_period(
    place: Path | AuditSource,
    checkpoint: Checkpoint,
    now_ns: int,
    demand: Demand,
    *,
    jobs: int,
    progress: Progress,
) -> StoragePeriod:
    """Every file of a period, and what they add up to.

    Args:
        place: a path is that of a folder.
        now_ns: nanoseconds of Unix time, by which the checkpoint expires.
        jobs: processes at most; few files are judged in this one.

    Raises:
        UnusableInput: the place is unusable, its files are of another hub, or the system ended a process.
    """
    source = AuditFolder(place) if isinstance(place, Path) else place
    names = period_files(source)
    try:
        with progress(len(names)) as advance:
            entries = _judged(source, names, checkpoint, now_ns, jobs, advance)
    except MissingTrust as error:
        raise UnusableInput(str(error)) from None
    return summarise(checkpoint.chain_id, entries, demand)


def _judged(
    source: AuditSource,
    names: Sequence[str],
    checkpoint: Checkpoint,
    now_ns: int,
    jobs: int,
    advance: Callable[[int], None],
) -> list[PeriodEntry]:
    found: list[PeriodEntry] = []
    if min(jobs, -(-len(names) // FEW_FILES)) <= 1:
        here = _Judge(source, StorageAuditor(checkpoint, now_ns))
        for name in names:
            found.append(here.judge(name))
            advance(1)
        return found
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    with worker_pool(jobs, _start, (source, checkpoint, now_ns)) as pool:
        try:
            for entries in pool.map(_judge_chunk, chunks):
                found += entries
                advance(len(entries))
        except WorkersDied:
            raise UnusableInput("the system ended a process (memory?): try fewer with --jobs") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


_judge: _Judge | None = None
"""Of a worker process."""


def _start(source: AuditSource, checkpoint: Checkpoint, now_ns: int) -> None:
    global _judge  # noqa: PLW0603  a process pool has no other place for what each process keeps
    _judge = _Judge(source, StorageAuditor(checkpoint, now_ns))


def _judge_chunk(names: Sequence[str]) -> list[PeriodEntry]:
    if _judge is None:
        raise RuntimeError("the process was not started for this")
    return [_judge.judge(name) for name in names]
