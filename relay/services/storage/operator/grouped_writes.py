"""SQLite written by many threads, each commit on disk before it returns, and one sync for all who wait at the same time."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


@dataclass(eq=False)
class _Ticket(Generic[Value]):
    change: Callable[[sqlite3.Connection], Value]
    is_done: bool = False
    value: Value | None = None
    error: BaseException | None = field(default=None, repr=False)


class GroupedWrites:
    """One database file. A change is one function of the connection: all of it is committed, or nothing where it raises."""

    def __init__(self, path: Path, schema: str, version: int) -> None:
        """Open a database, and make its tables where the file is new.

        Args:
            schema: statements that make the tables.
            version: of the schema, kept as SQLite's `user_version`.

        Raises:
            sqlite3.Error: it is not a database, or cannot be opened.
            ValueError: it is one of another version.
        """
        # In this mode each statement of ours begins and ends its transaction by itself: see `_commit`.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._using = threading.Lock()
        self._waiting: list[_Ticket[Any]] = []
        self._queueing = threading.Lock()
        self._connection.execute("PRAGMA journal_mode=WAL")
        # FULL syncs the log at each commit; NORMAL would lose the last ones with the power.
        self._connection.execute("PRAGMA synchronous=FULL")
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found == 0:
            self._connection.executescript(f"BEGIN;{schema};PRAGMA user_version={version};COMMIT")
        elif found != version:
            self._connection.close()
            raise ValueError(f"{path} has version {found} of its tables, and this program knows {version}")

    def write(self, change: Callable[[sqlite3.Connection], Value]) -> Value:
        """Apply a change and return what it returned, once it is on disk. Blocks.

        Raises:
            What the change raised, and sqlite3.Error: nothing of it was written.
        """
        ticket = _Ticket(change)
        with self._queueing:
            self._waiting.append(ticket)
        with self._using:
            if not ticket.is_done:
                self._commit()
        if ticket.error is not None:
            raise ticket.error
        return ticket.value  # type: ignore[return-value]  # set where there is no error

    def read(self, question: Callable[[sqlite3.Connection], Value]) -> Value:
        """What a question of the connection returns, on what was committed.

        Raises:
            What it raised, and sqlite3.Error.
        """
        with self._using:
            return question(self._connection)

    def close(self) -> None:
        """Nothing may be asked of it after this."""
        with self._using:
            self._connection.close()

    def _commit(self) -> None:
        """All who wait, in one transaction. `_using` is held."""
        with self._queueing:
            batch, self._waiting = self._waiting, []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for ticket in batch:
                self._apply(ticket)
            self._connection.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            for ticket in batch:
                ticket.error = ticket.error or error
            if not isinstance(error, Exception):
                raise
        finally:
            for ticket in batch:
                ticket.is_done = True

    def _apply(self, ticket: "_Ticket[Any]") -> None:
        """One change by itself, so that what it raises undoes nothing of the others."""
        self._connection.execute("SAVEPOINT one")
        try:
            ticket.value = ticket.change(self._connection)
        except Exception as error:
            self._connection.execute("ROLLBACK TO one")
            ticket.error = error
        self._connection.execute("RELEASE one")
