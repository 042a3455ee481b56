"""A period judged over several processes, each with headers of its own to remember, or read from a result file."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.acceptance import ACCEPTANCE_SUFFIX
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.source import BundleSource
from hutong.relay.audit import Auditor, MissingTrust
from hutong.relay.audit.identity import AcceptanceAuditor, AcceptanceTerms
from hutong.relay.audit.identity.entries import judge_acceptance_entry
from hutong.relay.audit.period import Entry, EntryState, Inputs, Replay, judge_entry, summarise, unreadable_entry
from hutong.relay.audit.period.agreement import demand_agreement
from hutong.relay.audit.period.document import MAX_REPLAY_BYTES, decode_replay
from hutong.relay.base.child_processes import WorkersDied, worker_pool
from hutong.relay.verify.bundles.inputs import open_bundles, read_expected, read_roots
from hutong.relay.verify.inputs import UnusableInput, read_file

FEW_ENTRIES = 64
"""So many are judged before another process has started."""
CHUNKS_A_PROCESS = 16
MAX_CHUNK = 256
"""Neighbours share headers, so they stay together; a chunk's end is also when the bar moves."""

Advance = Callable[[int], None]
"""Told how many more entries are judged."""
Progress = Callable[[int], AbstractContextManager[Advance]]
"""Opened with how many entries will be judged."""


class Judge:
    """Reads entries and judges them, one after another, with one memory of headers."""

    def __init__(
        self,
        source: BundleSource,
        checkpoints: Iterable[Checkpoint],
        now_ns: int,
        terms: AcceptanceTerms | None = None,
    ) -> None:
        """`terms` are of acceptances. Raises MissingTrust where two checkpoints are of one chain."""
        self._source = source
        known = tuple(checkpoints)
        self._auditor = Auditor(known, now_ns)
        self._acceptances = AcceptanceAuditor({one.chain_id: one for one in known}, now_ns, terms or AcceptanceTerms())

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
        if name.endswith(ACCEPTANCE_SUFFIX):
            return judge_acceptance_entry(self._acceptances, text, data)
        return judge_entry(self._auditor, text, data)


@dataclass(frozen=True, slots=True)
class Judging:
    """How periods are judged.

    Attributes:
        checkpoints: files and folders; what is believed of each chain.
        clock: the time to judge at in nanoseconds of Unix time, asked once for each period; checkpoints expire by it.
        jobs: processes at most.
        progress: shows how far it is.
        terms: of acceptances, None: the usual ones.
    """

    checkpoints: Sequence[Path]
    clock: Callable[[], int]
    jobs: int
    progress: Progress
    terms: AcceptanceTerms | None = None

    def replay(self, source: str, expect: Path | None = None) -> Replay:
        """A folder of bundles or an archive, judged.

        Args:
            expect: a list of packets that the reader knows of.

        Raises:
            UnusableInput: an input is unusable, or no entry at all could be judged for want of a checkpoint.
        """
        now_ns = self.clock()
        roots = read_roots(self.checkpoints)
        checkpoints = [found for found, _ in roots]
        expected = [] if expect is None else read_expected(expect, [one.chain_id for one in checkpoints])
        opened = open_bundles(source)
        try:
            with self.progress(len(opened.names)) as advance:
                entries = judge_all(
                    opened.source, opened.names, checkpoints, now_ns, jobs=self.jobs, advance=advance, terms=self.terms
                )
        except MissingTrust as error:
            raise UnusableInput(str(error)) from None
        if all(entry.state is EntryState.UNJUDGED for entry in entries):
            failure = entries[0].failure
            raise UnusableInput("no entry could be judged" if failure is None else failure.reason)
        inputs = Inputs(opened.text, now_ns, tuple(root for _, root in roots), metadata.version("hutong"))
        return summarise(inputs, entries, checkpoints, expected)

    def replay_or_result(self, text: str) -> Replay:
        """The same, or what a result file says, which is not judged here.

        Raises:
            UnusableInput: it is neither, or there is no checkpoint to judge it by.
        """
        path = Path(text)
        if path.is_file():
            name = path.name.encode(errors="backslashreplace").decode()
            try:
                replay = decode_replay(read_file(path, MAX_REPLAY_BYTES), name)
                demand_agreement(replay)
            except MalformedInput as error:
                raise UnusableInput(f"{text}: {error}") from None
            return replay
        if not self.checkpoints:
            raise UnusableInput(
                f"{text} is not a file: to judge a folder or an archive, give a --checkpoint for each chain"
            )
        return self.replay(text)


def judge_all(
    source: BundleSource,
    names: Sequence[str],
    checkpoints: Sequence[Checkpoint],
    now_ns: int,
    *,
    jobs: int,
    advance: Advance,
    terms: AcceptanceTerms | None = None,
) -> list[Entry]:
    """Every entry's verdict, in the order of `names`.

    Args:
        now_ns: nanoseconds of Unix time, by which checkpoints expire.
        jobs: processes at most; few entries are judged in this one.
        advance: called with how many more are judged, in this process.
        terms: of acceptances, None: the usual ones.

    Raises:
        MissingTrust: two checkpoints of one chain.
        UnusableInput: the system ended a process.
    """
    jobs = min(jobs, -(-len(names) // FEW_ENTRIES))
    here = Judge(source, checkpoints, now_ns, terms)
    if jobs <= 1:
        entries = []
        for name in names:
            entries.append(here.judge(name))
            advance(1)
        return entries
    size = min(MAX_CHUNK, -(-len(names) // (jobs * CHUNKS_A_PROCESS)))
    chunks = [names[start : start + size] for start in range(0, len(names), size)]
    found: list[Entry] = []
    with worker_pool(jobs, _start, (source, tuple(checkpoints), now_ns, terms)) as pool:
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


_judge: Judge | None = None
"""Of a worker process."""


def _start(source: BundleSource, checkpoints: Sequence[Checkpoint], now_ns: int, terms: AcceptanceTerms | None) -> None:
    global _judge  # noqa: PLW0603  a process pool has no other place for what each process keeps
    _judge = Judge(source, checkpoints, now_ns, terms)


def _judge_chunk(names: Sequence[str]) -> list[Entry]:
    if _judge is None:
        raise RuntimeError("the process was not started for this")
    return [_judge.judge(name) for name in names]
