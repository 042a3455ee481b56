"""PostgreSQL: the engine of several machines, whose replicas are its own. Full text by a GIN index over our terms, not over its own parsing.

A query is put together by functions and operators of the type `tsquery`; a text of PostgreSQL's query language has one quoted term of ours, and
is a parameter. Phrases are found among the first 16 383 terms of an entry, and 255 places of each term, which is what a `tsvector` holds.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from hutong.relay.ledger import LedgerUnavailable
from hutong.relay.ledger.store.engine import open_engine
from hutong.relay.services.directory.rules.terms.entry_texts import EntryText
from hutong.relay.services.directory.rules.terms.query import Query
from hutong.relay.services.directory.search.engine import (
    EntryOperation,
    InOrder,
    SearchHit,
    SearchPage,
    SearchUnavailable,
    checked_limit,
)

BATCH: Final = 500
_TABLES: Final = (
    "SELECT pg_advisory_xact_lock(7238531)",
    "CREATE TABLE IF NOT EXISTS directory_index (one boolean PRIMARY KEY CHECK (one), size bigint NOT NULL)",
    "INSERT INTO directory_index VALUES (true, 0) ON CONFLICT DO NOTHING",
    # Names are bytes: any JSON text is one, PostgreSQL's own texts have no zero byte, and no locale orders them.
    """CREATE TABLE IF NOT EXISTS directory_entries (sequence bigint PRIMARY KEY, entry bytea NOT NULL UNIQUE,
       marks bytea[] NOT NULL, terms tsvector NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS directory_entries_terms ON directory_entries USING gin (terms)",
    "CREATE INDEX IF NOT EXISTS directory_entries_marks ON directory_entries USING gin (marks)",
)
_DELETE: Final = text("DELETE FROM directory_entries WHERE entry = ANY(:entries)")
_INSERT: Final = text("INSERT INTO directory_entries VALUES (:sequence, :entry, :marks, CAST(:terms AS tsvector))")
_GAP: Final = 2
"""Between the places of two texts, so that no phrase reaches from one into the other."""
_MOST_PLACES: Final = 16_383
_MOST_PLACES_OF_A_TERM: Final = 255


class PostgresqlEngine:
    """An index in a database; see `SearchEngine`. Tables are made where they are missing."""

    def __init__(self, url: str, password: str | None = None) -> None:
        """`url` is `postgresql://…`, without a password: that comes apart, or as libpq finds it (PGPASSWORD, .pgpass).

        Raises:
            SearchUnavailable: the database cannot be reached or used, or its driver is missing.
        """
        try:
            self._engine = open_engine(url, password)
            with self._engine.begin() as connection:
                if connection.dialect.name != "postgresql":
                    raise SearchUnavailable("the search index is in a folder, or in postgresql://…")
                for statement in _TABLES:
                    connection.exec_driver_sql(statement)
        except (LedgerUnavailable, SQLAlchemyError) as error:
            raise _unavailable(error) from None

    @property
    def size(self) -> int:
        """Operations read; see `SearchEngine`."""
        try:
            with self._engine.begin() as connection:
                return _size(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from None

    def apply(self, operations: Iterable[EntryOperation], size: int | None = None) -> None:
        """Read on; see `SearchEngine`. One transaction: until its end others find what was there."""
        self._write(operations, size, is_whole=False)

    def replace(self, operations: Iterable[EntryOperation]) -> None:
        """Read the whole log anew, in one transaction: until its end others find the old entries, and after an error they still do.

        Raises:
            ValueError: operations do not ascend. SearchUnavailable: the database cannot be written.
        """
        self._write(operations, None, is_whole=True)

    def _write(self, operations: Iterable[EntryOperation], size: int | None, *, is_whole: bool) -> None:
        try:
            with self._engine.begin() as connection:
                # a long transaction is no mistake here, and the next writer waits for it
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                first = int(connection.exec_driver_sql("SELECT size FROM directory_index FOR UPDATE").scalar_one())
                if is_whole:
                    first = 0
                    connection.exec_driver_sql("DELETE FROM directory_entries")
                ordered = InOrder(operations, first)
                for batch in _batches(ordered):
                    _put(connection, batch)
                parameters = {"size": ordered.size_of_log(size)}
                connection.execute(text("UPDATE directory_index SET size = :size"), parameters)
        except SQLAlchemyError as error:
            raise _unavailable(error) from None

    def search(self, query: Query, before: int | None = None, limit: int = 20) -> SearchPage:
        """One page; see `SearchEngine`."""
        where, parameters = _condition(query)
        page = f"SELECT sequence, entry FROM directory_entries WHERE {where}"  # noqa: S608  names of parameters alone
        page += " AND sequence < :before" if before is not None else ""
        parameters |= {"before": before, "most": checked_limit(limit) + 1}
        try:
            with self._engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
                total = connection.execute(text(f"SELECT count(*) FROM directory_entries WHERE {where}"), parameters)  # noqa: S608
                count = int(total.scalar_one())
                rows = connection.execute(text(page + " ORDER BY sequence DESC LIMIT :most"), parameters).all()
                size = _size(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from None
        hits = tuple(SearchHit(int(row.sequence), bytes(row.entry).decode()) for row in rows[:limit])
        return SearchPage(hits, count, size, hits[-1].sequence if len(rows) > limit else None)

    def close(self) -> None:
        """See `SearchEngine`."""
        self._engine.dispose()


def _unavailable(error: Exception) -> SearchUnavailable:
    # the driver's own words: statements and parameters are left out
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return SearchUnavailable(f"the search index in PostgreSQL cannot be used: {said}")


def _size(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT size FROM directory_index").scalar_one())


def _batches(operations: Iterable[EntryOperation]) -> Iterator[list[EntryOperation]]:
    rest = iter(operations)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _put(connection: Connection, batch: Sequence[EntryOperation]) -> None:
    last = {operation.entry: operation for operation in batch}
    connection.execute(_DELETE, {"entries": [entry.encode() for entry in last]})
    rows = [_row(operation, operation.text) for operation in last.values() if operation.text is not None]
    if rows:
        connection.execute(_INSERT, rows)


def _row(operation: EntryOperation, said: EntryText) -> dict[str, Any]:
    marks = [_mark(name, value) for name, values in said.facets.items() for value in values]
    return {
        "sequence": operation.sequence,
        "entry": operation.entry.encode(),
        "marks": marks,
        "terms": _vector(said),
    }


def _mark(name: str, value: str) -> bytes:
    return f"{name}={value}".encode()


def _vector(said: EntryText) -> str:
    """The text form of a `tsvector`: each term, quoted, with its places; single characters of pairs have none."""
    places: dict[str, list[int]] = {term: [] for term in sorted(said.terms)}
    at = 1
    for terms in said.sequences:
        for term in terms:
            if at <= _MOST_PLACES and len(places[term]) < _MOST_PLACES_OF_A_TERM:
                places[term].append(at)
            at += 1
        at += _GAP
    return " ".join(
        _quoted(term) + (":" + ",".join(map(str, found)) if found else "") for term, found in places.items()
    )


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _condition(query: Query) -> tuple[str, dict[str, Any]]:
    """A condition whose only variable parts are names of parameters."""
    leaves = [_quoted(term) for term in query.terms] + [f"{_quoted(prefix)}:*" for prefix in query.prefixes]
    parameters: dict[str, Any] = {f"leaf{number}": leaf for number, leaf in enumerate(leaves)}
    parts = [f"CAST(:leaf{number} AS tsquery)" for number in range(len(leaves))]
    for number, phrase in enumerate(query.phrases):
        names = [f"phrase{number}_{place}" for place in range(len(phrase))]
        parameters |= {name: _quoted(term) for name, term in zip(names, phrase, strict=True)}
        joined = f"CAST(:{names[0]} AS tsquery)"
        for name in names[1:]:
            joined = f"tsquery_phrase({joined}, CAST(:{name} AS tsquery))"
        parts.append(joined)
    conditions = [f"terms @@ ({' && '.join(parts)})"] if parts else []
    if query.facets:
        parameters["marks"] = [_mark(name, value) for name, value in query.facets]
        conditions.append("marks @> :marks")
    return " AND ".join(conditions), parameters
