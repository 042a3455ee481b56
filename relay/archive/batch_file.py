"""Names of files that hold the evidence of a batch: `<write>.<sequences>.<kind>.jsonl`, sequences as `5-40+43`.

The name alone says of which packets a file is, so that nothing else has to be kept right beside the files.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hutong.light_clients.interface.height import MAX_UINT64

A_FOLDER = 1_000
"""Sequences whose files are together."""
MAX_SEQUENCES_CHARS = 200
"""File systems take names of 255 bytes."""
MAX_WRITES = 10**10 - 1
KNOWN_FOLDERS = 256

_NAME = re.compile(r"([0-9]{10})\.([0-9+-]{1,200})\.(receive|acknowledge|timeout)\.jsonl")
_RANGE = re.compile(r"([1-9][0-9]{0,19})(?:-([1-9][0-9]{0,19}))?")


@dataclass(frozen=True, slots=True)
class BatchName:
    """`write` counts the writes into a folder: of two files with one step, the later write holds, which is the one whose
    name sorts last."""

    write: int
    ranges: tuple[range, ...]
    kind: str

    def __contains__(self, sequence: int) -> bool:
        return any(sequence in each for each in self.ranges)

    @property
    def sequences(self) -> Iterator[int]:
        """Every sequence that the file is of, ascending."""
        for each in self.ranges:
            yield from each

    def __str__(self) -> str:
        return f"{self.write:010d}.{_text(self.ranges)}.{self.kind}.jsonl"


@lru_cache(maxsize=16_384)
def parse_batch_name(name: str) -> BatchName | None:
    """The parts of a file's name; None for another name, or one that `str` of a BatchName would spell otherwise.

    All sequences of a name are of one folder (A_FOLDER), ascending, with neighbours joined into one range.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    ranges: list[range] = []
    for part in match[2].split("+"):
        found = _RANGE.fullmatch(part)
        if found is None:
            return None
        first, last = int(found[1]), int(found[2] or found[1])
        if last > MAX_UINT64 or last < first or last // A_FOLDER != first // A_FOLDER:
            return None
        if ranges and (first <= ranges[-1].stop or first // A_FOLDER != ranges[0][0] // A_FOLDER):
            return None
        ranges.append(range(first, last + 1))
    parsed = BatchName(int(match[1]), tuple(ranges), match[3])
    return parsed if str(parsed) == name else None


def name_batches(write: int, sequences: Sequence[int], kind: str) -> list[BatchName]:
    """One name for all of `sequences`, or several where one would be longer than a file system takes.

    Args:
        write: see `WriteCounter`; all the names have this number.
        sequences: ascending, each once, of one folder. No sequences give no name.
    """
    ranges: list[range] = []
    for sequence in sequences:
        if ranges and ranges[-1].stop == sequence:
            ranges[-1] = range(ranges[-1].start, sequence + 1)
        else:
            ranges.append(range(sequence, sequence + 1))
    names, part = [], list[range]()
    for each in ranges:
        if part and len(_text([*part, each])) > MAX_SEQUENCES_CHARS:
            names.append(BatchName(write, tuple(part), kind))
            part = []
        part.append(each)
    return [*names, BatchName(write, tuple(part), kind)] if part else names


def _text(ranges: Sequence[range]) -> str:
    return "+".join(f"{each[0]}" if len(each) == 1 else f"{each[0]}-{each[-1]}" for each in ranges)


class WriteCounter:
    """The next write's number by folder, from any thread. One process writes into a folder (the lock of relay.home)."""

    def __init__(self) -> None:
        self._next: dict[Path, int] = {}
        self._lock = threading.Lock()

    def take(self, folder: Path) -> int:
        """The number of the next write into `folder`, which must be there. Blocks: a folder that is new to it is
        listed.

        Raises:
            OSError: the folder cannot be listed, or has had MAX_WRITES writes.
        """
        with self._lock:
            number = self._next.pop(folder, None)
            if number is None:
                kept = [parse_batch_name(file.name) for file in folder.iterdir()]
                number = max((name.write for name in kept if name is not None), default=-1) + 1
            if number > MAX_WRITES:
                raise OSError(75, "too many writes into one folder of evidence")
            while len(self._next) >= KNOWN_FOLDERS:
                del self._next[next(iter(self._next))]
            self._next[folder] = number + 1
            return number
