"""The catalogue's connection: statements with `?`, transactions one at a time, errors as one sentence."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import trio
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from hutong.relay.ledger.store.engine import open_engine, reason_of
from hutong.relay.ledger.values.errors import LedgerUnavailable
from hutong.relay.services.storage.catalogue.tables import VERSION, create_statements

FILE = "catalogue.sqlite"
CACHE_KIB = 256 * 1024
"""Pages that SQLite keeps: the inner nodes of a tree of 2 GB, and the leaves in use."""
CHECKPOINT_PAGES = 16 * 1024
"""Of the log, 64 MiB, before they are copied into the tree. A leaf that many commits changed is copied once for all of them."""
Answer = TypeVar("Answer")
Values = tuple[Any, ...]


class CatalogueUnavailable(Exception):
    """The database cannot be opened, read or written; one sentence, without a password or a row."""


class RowTaken(CatalogueUnavailable):
    """A row that may be there once is there already."""


class Statements:
    """One transaction, in the words of either dialect."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    def _words(self, statement: str) -> str:
        return statement if self._is_sqlite else statement.replace("?", "%s")

    def rows(self, statement: str, values: Values = ()) -> Sequence[Any]:
        """All rows of a query; whoever asks bounds them by LIMIT."""
        return self._connection.exec_driver_sql(self._words(statement), values).fetchall()

    def row(self, statement: str, values: Values = ()) -> Any:
        """The first row; None where there is none."""
        return self._connection.exec_driver_sql(self._words(statement), values).fetchone()

    def run(self, statement: str, values: Values = ()) -> int:
        """Change rows; returns how many."""
        return self._connection.exec_driver_sql(self._words(statement), values).rowcount

    def run_each(self, statement: str, values: Sequence[Values]) -> None:
        """One statement for each tuple of values."""
        if values:
            self._connection.exec_driver_sql(self._words(statement), list(values))

    def apart(self, changes: Callable[[], None]) -> Exception | None:
        """Make some changes of a transaction that has changed something before. Returns what they failed by; these alone are undone then.

        A row that is there already is a `RowTaken`. What the database itself fails by is raised, and ends the transaction.
        """
        self.run("SAVEPOINT apart")
        failed: Exception | None = None
        try:
            changes()
        except IntegrityError:
            failed = RowTaken("a row that may be there once is there already")
        except SQLAlchemyError:
            raise
        except Exception as error:
            failed = error
        if failed is not None:
            self.run("ROLLBACK TO SAVEPOINT apart")
        self.run("RELEASE SAVEPOINT apart")
        return failed


class CatalogueDatabase:
    """A database of one gateway."""

    def __init__(self, engine: Engine) -> None:
        """Make the tables where they are missing.

        Raises:
            CatalogueUnavailable: it cannot be reached, or another version of hutong wrote it.
        """
        self._engine = engine
        self._one_at_a_time = trio.CapacityLimiter(1)
        written = self.run_now(_prepare)
        if written != VERSION:
            raise CatalogueUnavailable(f"the catalogue has version {written}; this hutong reads version {VERSION}")

    async def run(self, transaction: Callable[[Statements], Answer]) -> Answer:
        """What `transaction` returns, once all that it wrote is on the disk; what it raises undoes all of it.

        Raises:
            CatalogueUnavailable: the database refuses.
        """
        return await trio.to_thread.run_sync(self.run_now, transaction, limiter=self._one_at_a_time)

    def run_now(self, transaction: Callable[[Statements], Answer]) -> Answer:
        """As `run`, in the caller's thread.

        Raises:
            CatalogueUnavailable: the database refuses.
        """
        try:
            with self._engine.begin() as connection:
                return transaction(Statements(connection))
        except IntegrityError as error:
            raise RowTaken(self._reason(error)) from None
        except SQLAlchemyError as error:
            raise CatalogueUnavailable(self._reason(error)) from None

    def _reason(self, error: SQLAlchemyError) -> str:
        password = self._engine.url.password
        return reason_of(error, None if password is None else str(password), self._engine.url.database)


def _prepare(statements: Statements) -> int:
    for statement in create_statements("sqlite" if statements._is_sqlite else "postgresql"):
        statements.run(statement)
    found = statements.row("SELECT version FROM storage_version")
    if found is None:
        statements.run("INSERT INTO storage_version (version) VALUES (?)", (VERSION,))
        return VERSION
    return int(found[0])


def _hold_more(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    cursor.close()


@contextmanager
def open_catalogue(home: Path, url: str | None = None, password: str | None = None) -> Iterator[CatalogueDatabase]:
    """The catalogue in a SQLite file of `home`, or in the PostgreSQL database of `url`; closed with the block.

    Raises:
        CatalogueUnavailable: no such database, its driver is missing, or another version wrote it.
    """
    try:
        engine = open_engine(url or f"sqlite:///{home / FILE}", password)
    except LedgerUnavailable as error:
        raise CatalogueUnavailable(str(error)) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _hold_more)
    try:
        yield CatalogueDatabase(engine)
    finally:
        engine.dispose()
