"""An index of the directory in a folder: the engine's files, and the authenticated index beside them, both of the same operations."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from hutong.relay.services.directory.rules.terms.index import ProvableIndex, TermIndex, TermsHead
from hutong.relay.services.directory.search.engine import (
    DatabaseEngine,
    EntryOperation,
    OperationSource,
    SearchUnavailable,
)
from hutong.relay.services.directory.search.generations import build_generation, current_generation
from hutong.relay.services.directory.search.tantivy_engine import TantivyEngine
from hutong.relay.services.directory.search.terms_file import read_terms, write_terms

_ENGINE: Final = "engine"
_TERMS: Final = "terms"
Opened = TypeVar("Opened")


def build_index(home: Path, source: OperationSource, database: DatabaseEngine | None = None) -> TermsHead:
    """Read the whole log into a new index, which takes the place of the old one when it is whole. Returns the head to be published.

    Args:
        database: where the entries are to stand; None for Tantivy in the folder. The database changes first: until the folder does, proofs
            are of the older log, and say so.

    Raises:
        SearchUnavailable: the index cannot be written. What the source raises, too: the old index stays.
    """
    folder = build_generation(home, lambda unfinished: _make(unfinished, source, database))
    return read_terms(folder / _TERMS).head


def _make(folder: Path, source: OperationSource, database: DatabaseEngine | None) -> None:
    terms = TermIndex()
    operations = with_terms(source.operations(0), terms)
    if database is None:
        TantivyEngine(folder / _ENGINE).apply(operations)
    else:
        database.replace(operations)
    write_terms(folder / _TERMS, terms.provable())


def with_terms(operations: Iterable[EntryOperation], terms: TermIndex) -> Iterator[EntryOperation]:
    """The operations, each of which is also added to the authenticated index on its way."""
    for operation in operations:
        terms.add(operation.sequence, () if operation.text is None else operation.text.terms)
        yield operation


def open_index(home: Path) -> TantivyEngine:
    """The engine of the index that is searched.

    Raises:
        SearchUnavailable: there is none, or it cannot be opened.
    """
    return of_current(home, lambda folder: TantivyEngine(folder / _ENGINE, begins=False))


def open_terms(home: Path) -> ProvableIndex:
    """The authenticated index.

    Raises:
        SearchUnavailable: there is none, or it was changed.
    """
    return of_current(home, lambda folder: read_terms(folder / _TERMS))


def of_current(home: Path, opened: Callable[[Path], Opened]) -> Opened:
    """What `opened` makes of the current generation; once more where a newer one took its place meanwhile."""
    folder = current_generation(home)
    try:
        return opened(folder)
    except SearchUnavailable:
        newer = current_generation(home)
        if newer == folder:
            raise
        return opened(newer)
