"""Tantivy in this process: the engine of one machine. A folder of its own files, and nothing else to run.

Its query parser is never called: a query becomes term, phrase and boolean objects. Numbers are fields of signed integers, because a Python
number in an unsigned field ends Tantivy's writer with an error that names the disk.
"""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from hutong.relay.base.extras import install_hint
from hutong.relay.services.directory.rules.terms.entry_texts import EntryText
from hutong.relay.services.directory.rules.terms.query import Query
from hutong.relay.services.directory.rules.terms.words import is_single_character
from hutong.relay.services.directory.search.engine import (
    EntryOperation,
    InOrder,
    SearchHit,
    SearchPage,
    SearchUnavailable,
    checked_limit,
)

WRITER_BYTES: Final = 128_000_000
"""Of memory for documents that are not yet in files."""
_STATE: Final = "state"
_STATE_MARK: Final = "state"
_TERMS, _SINGLES, _MARKS, _SEQUENCE, _ENTRY = "terms", "singles", "marks", "sequence", "entry"


def _tantivy() -> Any:
    try:
        return import_module("tantivy")
    except ImportError:
        raise SearchUnavailable(f"the search index needs the extra tantivy; {install_hint('tantivy')}") from None


def _schema(tantivy: Any) -> Any:
    builder = tantivy.SchemaBuilder()
    # Terms are ours, and have no spaces: the engine's tokenizer puts nothing of its own between them.
    builder.add_text_field(_TERMS, tokenizer_name="whitespace", index_option="position")
    builder.add_text_field(_SINGLES, tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field(_MARKS, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(_ENTRY, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field(_SEQUENCE, stored=True, indexed=True, fast=True)
    return builder.build()


def _mark(name: str, value: str) -> str:
    return f"{name}={value}"


class TantivyEngine:
    """An index in a folder; see `SearchEngine`."""

    def __init__(self, folder: Path, *, begins: bool = True) -> None:
        """Open the index in `folder`, or begin one there.

        Args:
            begins: False where there has to be one: who only searches makes no empty index in the place of one that is gone.

        Raises:
            SearchUnavailable: Tantivy is not installed, or the folder cannot be used.
        """
        self._tantivy = _tantivy()
        self._schema = _schema(self._tantivy)
        try:
            if begins:
                folder.mkdir(parents=True, exist_ok=True)
                self._index = self._tantivy.Index(self._schema, path=str(folder))
            else:
                self._index = self._tantivy.Index.open(str(folder))
        except (OSError, ValueError) as error:
            raise SearchUnavailable(f"the index in {folder} cannot be opened: {error}") from None
        self._folder = folder

    @property
    def size(self) -> int:
        """Operations read; see `SearchEngine`."""
        return self._size(self._searcher())

    def _searcher(self) -> Any:
        try:
            self._index.reload()
            return self._index.searcher()
        except (OSError, ValueError) as error:
            if not self._folder.exists():
                # a newer index took its place: what is open is read on, until it is opened again
                return self._index.searcher()
            raise SearchUnavailable(f"the index in {self._folder} cannot be read: {error}") from None

    def _size(self, searcher: Any) -> int:
        """It stands in a document of its own, so that it and the entries are written by one commit."""
        found = searcher.search(self._term(_MARKS, _STATE_MARK), 1).hits
        return int(searcher.doc(found[0][1])[_SEQUENCE][0]) if found else 0

    def apply(self, operations: Iterable[EntryOperation], size: int | None = None) -> None:
        """Read on; see `SearchEngine`."""
        ordered = InOrder(operations, self.size)
        try:
            writer = self._index.writer(WRITER_BYTES, 1)
        except (OSError, ValueError) as error:
            raise SearchUnavailable(f"the index in {self._folder} cannot be written: {error}") from None
        try:
            self._write(writer, ordered, is_new=ordered.size == 0)
            writer.delete_documents_by_term(_MARKS, _STATE_MARK)
            writer.add_document(self._document({_MARKS: [_STATE_MARK], _SEQUENCE: [ordered.size_of_log(size)]}))
            writer.commit()
        except OSError as error:
            raise SearchUnavailable(f"the index in {self._folder} cannot be written: {error}") from None
        except BaseException:
            writer.rollback()
            raise
        finally:
            writer.wait_merging_threads()

    def _write(self, writer: Any, operations: Iterable[EntryOperation], *, is_new: bool) -> None:
        seen: set[str] = set()
        for operation in operations:
            if not is_new or operation.entry in seen:
                writer.delete_documents_by_term(_ENTRY, operation.entry)
            seen.add(operation.entry)
            if operation.text is not None:
                writer.add_document(self._document(_fields(operation, operation.text)))

    def _document(self, fields: dict[str, list[Any]]) -> Any:
        document = self._tantivy.Document()
        for name, values in fields.items():
            add = document.add_integer if name == _SEQUENCE else document.add_text
            for value in values:
                add(name, value)
        return document

    def search(self, query: Query, before: int | None = None, limit: int = 20) -> SearchPage:
        """One page; see `SearchEngine`."""
        searcher, must = self._searcher(), self._tantivy.Occur.Must
        parts = [(must, part) for part in self._parts(query)]
        whole = self._tantivy.Query.boolean_query(parts)
        total = int(searcher.search(whole, 1).count)
        if before is not None:
            older = self._tantivy.Query.range_query(
                self._schema, _SEQUENCE, self._tantivy.FieldType.Integer, None, before, include_upper=False
            )
            whole = self._tantivy.Query.boolean_query([*parts, (must, older)])
        found = searcher.search(whole, checked_limit(limit) + 1, count=False, order_by_field=_SEQUENCE).hits
        documents = [searcher.doc(address) for _, address in found[:limit]]
        hits = tuple(SearchHit(int(one[_SEQUENCE][0]), str(one[_ENTRY][0])) for one in documents)
        return SearchPage(hits, total, self._size(searcher), hits[-1].sequence if len(found) > limit else None)

    def _term(self, field: str, value: str) -> Any:
        return self._tantivy.Query.term_query(self._schema, field, value, "basic")

    def _parts(self, query: Query) -> list[Any]:
        """Objects that all have to match."""
        make, should = self._tantivy.Query, self._tantivy.Occur.Should
        parts = [self._term(_MARKS, _mark(name, value)) for name, value in query.facets]
        for term in query.terms:
            if is_single_character(term):
                either = [(should, self._term(field, term)) for field in (_TERMS, _SINGLES)]
                parts.append(make.boolean_query(either))
            else:
                parts.append(self._term(_TERMS, term))
        parts += [make.phrase_query(self._schema, _TERMS, list(phrase)) for phrase in query.phrases]
        # a distance of 0 is the term itself, and with it whatever begins so
        parts += [
            make.fuzzy_term_query(self._schema, _TERMS, prefix, distance=0, prefix=True) for prefix in query.prefixes
        ]
        return parts

    def close(self) -> None:
        """See `SearchEngine`; files are let go of with the object."""


def _fields(operation: EntryOperation, text: EntryText) -> dict[str, list[Any]]:
    in_order_terms = [" ".join(terms) for terms in text.sequences if terms]
    singles = text.terms.difference(*text.sequences)
    return {
        _TERMS: in_order_terms,
        _SINGLES: [" ".join(sorted(singles))] if singles else [],
        _MARKS: [_mark(name, value) for name, values in text.facets.items() for value in values],
        _ENTRY: [operation.entry],
        _SEQUENCE: [operation.sequence],
    }
