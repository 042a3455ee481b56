"""Writes that may wait for the next transaction: what a crash takes of them is on the chains and is found there again."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hutong.relay.ledger.writing.journal import Entry, Journal

Write = Callable[[Connection], object]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one transaction writes: entries noted before it, and owed writes in the order in which they came."""

    entries: list[Entry]
    ends: list[Write]
    cursors: dict[str, Write]

    def __bool__(self) -> bool:
        return bool(self.entries or self.ends or self.cursors)

    @property
    def writes(self) -> list[Write]:
        """Cursors last: nothing below them may be missing."""
        return [*self.ends, *self.cursors.values()]


class Owed:
    """A write and the entries that belong to it are taken by one transaction, from any thread."""

    def __init__(self) -> None:
        self._journal = Journal()
        self._ends: list[Write] = []
        self._cursors: dict[str, Write] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._journal) + self.writes

    @property
    def writes(self) -> int:
        """How many ends and cursors are not taken yet; notes are not counted."""
        return len(self._ends) + len(self._cursors)

    def note(self, entries: Sequence[Entry]) -> None:
        """Keep entries for the next transaction; the oldest notes are forgotten beyond `journal.MAX_NOTES`."""
        with self._lock:
            self._journal.add(entries)

    def end(self, write: Write, entries: Sequence[Entry]) -> None:
        """Keep a write and the entries that belong to it: one `take` gives them together."""
        with self._lock:
            self._ends.append(write)
            self._journal.add(entries)

    def cursor(self, chain: str, write: Write) -> None:
        """Keep the write of a chain's cursor, in place of an earlier one of the chain."""
        with self._lock:
            self._cursors[chain] = write

    def take(self) -> Taken:
        """Everything kept so far, which is then the caller's: what is not written must go back with `put_back`."""
        with self._lock:
            taken = Taken(self._journal.take(), self._ends, self._cursors)
            self._ends, self._cursors = [], {}
            return taken

    def put_back(self, taken: Taken) -> None:
        """Give back what was not written: it comes before what was kept since. A cursor that was told again since
        stays.
        """
        with self._lock:
            self._journal.put_back(taken.entries)
            self._ends = [*taken.ends, *self._ends]
            self._cursors = {**taken.cursors, **self._cursors}
