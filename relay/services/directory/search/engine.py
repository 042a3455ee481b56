"""What every search engine of the directory does. Two engines that read the same operations answer alike, to the order of the hits.

An engine holds the entries that stand: the last operation of each. It is made from the log alone and can be made again at any time. Ranking
is by age, newest first: a rule that any reader can check, and of which a page is the continuation of another one, whatever was added.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from hutong.relay.services.directory.rules.terms.entry_texts import EntryText
from hutong.relay.services.directory.rules.terms.query import Query

MAX_PAGE_HITS: Final = 1_000


class SearchUnavailable(Exception):
    """The index cannot be opened, read or written; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class EntryOperation:
    """An operation of the log: `entry` is the entry's identifier, and `text` what can be searched of it.

    `text` is None where the entry was withdrawn, or its document is withheld: it is then found by nothing.
    """

    sequence: int
    entry: str
    text: EntryText | None


class OperationSource(Protocol):
    """The log, for engines and for the authenticated index."""

    def operations(self, first: int) -> Iterator[EntryOperation]:
        """Those from number `first` on, ascending; numbers may be left out."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An entry that matches, by its last operation."""

    sequence: int
    entry: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Hits, newest first; `total` of all pages; `size` is how many operations of the log the engine has read.

    `before` is the cursor of the next page, and None on the last one.
    """

    hits: tuple[SearchHit, ...]
    total: int
    size: int
    before: int | None


class SearchEngine(Protocol):
    """An index that is open. One process writes; any number of threads and processes search."""

    @property
    def size(self) -> int:
        """How many operations of the log have been read: the next one that is needed.

        Raises:
            SearchUnavailable: the index cannot be read.
        """

    def apply(self, operations: Iterable[EntryOperation], size: int | None = None) -> None:
        """Read on: after it all of these operations can be found, and after an error or a crash none.

        Args:
            operations: ascending, from `self.size` on.
            size: how many operations the log has, if it goes on after the last of these; None if it does not.

        Raises:
            ValueError: one is not of these, or they do not ascend.
            SearchUnavailable: the index cannot be written.
        """

    def search(self, query: Query, before: int | None = None, limit: int = 20) -> SearchPage:
        """One page of what matches.

        Args:
            before: the cursor that the page before gave; None for the first page.
            limit: hits at most, 1 to MAX_PAGE_HITS.

        Raises:
            ValueError: another limit.
            SearchUnavailable: the index cannot be read.
        """

    def close(self) -> None:
        """Let go of files and connections."""


class DatabaseEngine(SearchEngine, Protocol):
    """One whose entries stand elsewhere than in a folder of ours."""

    def replace(self, operations: Iterable[EntryOperation]) -> None:
        """Read the whole log anew: until all of it is read others find the old entries, and after an error they still do.

        Raises:
            ValueError: operations do not ascend. SearchUnavailable: the database cannot be written.
        """


class InOrder:
    """Operations on their way into an index, each after the one before it. `size` is one more than the last number so far."""

    def __init__(self, operations: Iterable[EntryOperation], first: int) -> None:
        self._operations = operations
        self.size = first

    def __iter__(self) -> Iterator[EntryOperation]:
        """Each operation.

        Raises:
            ValueError: one that is not after the one before it.
        """
        for operation in self._operations:
            if operation.sequence < self.size:
                raise ValueError(f"operation {operation.sequence} comes after {self.size} operations")
            self.size = operation.sequence + 1
            yield operation

    def size_of_log(self, said: int | None) -> int:
        """How many operations the log has.

        Raises:
            ValueError: fewer are said than were read.
        """
        if said is not None and said < self.size:
            raise ValueError(f"a log of {said} operations has no {self.size}")
        return self.size if said is None else said


def checked_limit(limit: int) -> int:
    """Hits of a page.

    Raises:
        ValueError: not 1 to MAX_PAGE_HITS.
    """
    if not 1 <= limit <= MAX_PAGE_HITS:
        raise ValueError(f"a page has 1 to {MAX_PAGE_HITS} hits, not {limit}")
    return limit
