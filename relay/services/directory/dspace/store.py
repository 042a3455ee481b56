"""Processes, agreements and undelivered messages in one SQLite file: a change of state and the message that tells it are one transaction."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, TypeVar

import trio

from hutong.relay.services.directory.dspace.process import OPEN, HeldAgreement, Outgoing, Process
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State

FILE: Final = "connector.sqlite"
VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS process (
  pid TEXT PRIMARY KEY, is_transfer INTEGER NOT NULL, role TEXT NOT NULL, participant TEXT NOT NULL, their_pid TEXT,
  state TEXT NOT NULL, changed INTEGER NOT NULL, body TEXT NOT NULL,
  UNIQUE (participant, is_transfer, role, their_pid)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS process_changed ON process (changed);
CREATE INDEX IF NOT EXISTS process_state ON process (state);
CREATE INDEX IF NOT EXISTS process_open ON process (participant, state);
CREATE INDEX IF NOT EXISTS process_agreement ON process (json_extract(body, '$.agreement_id')) WHERE is_transfer = 0;
CREATE TABLE IF NOT EXISTS agreement (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outgoing (
  number INTEGER PRIMARY KEY AUTOINCREMENT, pid TEXT NOT NULL, kind TEXT NOT NULL, participant TEXT NOT NULL, url TEXT NOT NULL,
  body BLOB NOT NULL, attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL
) STRICT;
"""
Answer = TypeVar("Answer")


class StoreUnusable(Exception):
    """The database cannot be read or written; one sentence."""


class Rows:
    """The tables inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def process(self, pid: str) -> Process | None:
        """By our identifier."""
        return self._one("SELECT body FROM process WHERE pid = ?", (pid,))

    def process_of(self, participant: str, their_pid: str, role: Role, *, is_transfer: bool) -> Process | None:
        """By the counterparty's identifier, where we are `role`."""
        return self._one(
            "SELECT body FROM process WHERE participant = ? AND is_transfer = ? AND role = ? AND their_pid = ?",
            (participant, int(is_transfer), role.value, their_pid),
        )

    def is_taken(self, process: Process, their_pid: str) -> bool:
        """Whether the counterparty has given this identifier to another process in which we are the same."""
        found = self.process_of(process.participant, their_pid, process.role, is_transfer=process.is_transfer)
        return found is not None and found.pid != process.pid

    def processes(self, after: int, limit: int, *, is_transfer: bool) -> list[Process]:
        """Those that changed after `after`, in the order of their changes."""
        found = self._connection.execute(
            "SELECT body FROM process WHERE changed > ? AND is_transfer = ? ORDER BY changed LIMIT ?",
            (after, int(is_transfer), limit),
        )
        return [Process.of(json.loads(body)) for (body,) in found]

    def in_states(self, states: Sequence[State]) -> list[Process]:
        """Those in one of some states, oldest change first."""
        found = self._connection.execute(
            "SELECT body FROM process WHERE state IN (SELECT value FROM json_each(?)) ORDER BY changed",
            (json.dumps([one.value for one in states]),),
        )
        return [Process.of(json.loads(body)) for (body,) in found]

    def open_with(self, participant: str) -> int:
        """How many processes with a participant are in one of the states OPEN."""
        found = self._connection.execute(
            "SELECT count(*) FROM process WHERE participant = ? AND state IN (SELECT value FROM json_each(?))",
            (participant, json.dumps([one.value for one in OPEN])),
        )
        (count,) = found.fetchone()
        return int(count)

    def put(self, process: Process) -> Process:
        """Keep a process, new or changed; returns it as kept."""
        (last,) = self._connection.execute("SELECT coalesce(max(changed), 0) FROM process").fetchone()
        kept = replace(process, changed=last + 1)
        self._connection.execute(
            "INSERT INTO process (pid, is_transfer, role, participant, their_pid, state, changed, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pid) DO UPDATE SET"
            " their_pid = excluded.their_pid, state = excluded.state, changed = excluded.changed, body = excluded.body",
            (
                kept.pid,
                int(kept.is_transfer),
                kept.role.value,
                kept.participant,
                kept.their_pid,
                kept.state.value,
                kept.changed,
                json.dumps(kept.fields()),
            ),
        )
        return kept

    def agreement(self, name: str) -> HeldAgreement | None:
        """By its `@id`."""
        row = self._connection.execute("SELECT body FROM agreement WHERE id = ?", (name,)).fetchone()
        if row is None:
            return None
        fields = json.loads(row[0])
        return HeldAgreement(**(fields | {"role": Role(fields["role"])}))

    def agreement_is_of_another(self, name: str, pid: str) -> bool:
        """Whether another negotiation than `pid` has an agreement of this name, or is about to; or one was brought in."""
        held = self.agreement(name)
        if held is not None:
            return held.negotiation != pid
        found = self._connection.execute(
            "SELECT 1 FROM process WHERE json_extract(body, '$.agreement_id') = ? AND is_transfer = 0 AND pid <> ?"
            " AND state <> ? LIMIT 1",
            (name, pid, State.TERMINATED.value),
        )
        return found.fetchone() is not None

    def agreements(self, after: str, limit: int) -> list[str]:
        """Identifiers in their order, from the one after `after` on."""
        found = self._connection.execute("SELECT id FROM agreement WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        return [name for (name,) in found]

    def put_agreement(self, held: HeldAgreement) -> None:
        """Keep an agreement; the same identifier again replaces it."""
        body = json.dumps(asdict(held) | {"role": held.role.value})
        self._connection.execute("INSERT OR REPLACE INTO agreement (id, body) VALUES (?, ?)", (held.id, body))

    def send(self, outgoing: Outgoing) -> None:
        """Have a message delivered, after those of its process that are not yet."""
        self._connection.execute(
            "INSERT INTO outgoing (pid, kind, participant, url, body, attempts, first_ms, due_ms) VALUES (?,?,?,?,?,?,?,?)",
            (
                outgoing.pid,
                outgoing.kind.value,
                outgoing.participant,
                outgoing.url,
                outgoing.body,
                outgoing.attempts,
                outgoing.first_ms,
                outgoing.due_ms,
            ),
        )

    def first_of_each(self, limit: int, most_of_one: int) -> list[Outgoing]:
        """The oldest undelivered message of each process, by when it is due; of one participant at most `most_of_one`."""
        found = self._connection.execute(
            "SELECT number, pid, kind, participant, url, body, attempts, first_ms, due_ms FROM (SELECT *,"
            " row_number() OVER (PARTITION BY participant ORDER BY due_ms, number) AS place FROM outgoing"
            " WHERE number IN (SELECT min(number) FROM outgoing GROUP BY pid))"
            " WHERE place <= ? ORDER BY due_ms, number LIMIT ?",
            (most_of_one, limit),
        )
        return [
            Outgoing(pid, Kind(kind), participant, url, body, number, attempts, first_ms, due_ms)
            for number, pid, kind, participant, url, body, attempts, first_ms, due_ms in found
        ]

    def undelivered(self) -> int:
        """How many messages wait."""
        (count,) = self._connection.execute("SELECT count(*) FROM outgoing").fetchone()
        return int(count)

    def put_off(self, outgoing: Outgoing, due_ms: int) -> None:
        """Try a message again at a later time."""
        self._connection.execute(
            "UPDATE outgoing SET attempts = attempts + 1, due_ms = ? WHERE number = ?", (due_ms, outgoing.number)
        )

    def sent(self, outgoing: Outgoing) -> None:
        """Forget a message."""
        self._connection.execute("DELETE FROM outgoing WHERE number = ?", (outgoing.number,))

    def forget(self, pid: str) -> None:
        """Forget every undelivered message of a process that has ended."""
        self._connection.execute("DELETE FROM outgoing WHERE pid = ?", (pid,))

    def _one(self, statement: str, values: Sequence[object]) -> Process | None:
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else Process.of(json.loads(row[0]))


class ConnectorStore:
    """The database of one connector."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._one_at_a_time = trio.CapacityLimiter(1)

    async def run(self, transaction: Callable[[Rows], Answer]) -> Answer:
        """What `transaction` returns, once all that it wrote is on the disk; what it raises undoes all of it.

        Raises:
            StoreUnusable: the disk is full, or the file is not a database.
        """
        return await trio.to_thread.run_sync(self._run, transaction, limiter=self._one_at_a_time)

    def _run(self, transaction: Callable[[Rows], Answer]) -> Answer:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                answer = transaction(Rows(self._connection))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreUnusable(f"the connector's database refuses: {error}") from None
        return answer


@contextmanager
def open_store(home: Path) -> Iterator[ConnectorStore]:
    """The database in `home`, made where it is missing; closed with the block.

    Raises:
        StoreUnusable: it cannot be opened, or another version wrote it.
    """
    try:
        connection = sqlite3.connect(home / FILE, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # What was answered with 200 is on the disk: nothing that a counterparty was told is lost with the power.
        connection.execute("PRAGMA synchronous = FULL")
        (written,) = connection.execute("PRAGMA user_version").fetchone()
        if written not in (0, VERSION):
            raise StoreUnusable(f"the connector's database has version {written}; this hutong reads version {VERSION}")
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except sqlite3.Error as error:
        raise StoreUnusable(f"the connector's database cannot be opened: {error}") from None
    try:
        yield ConnectorStore(connection)
    finally:
        connection.close()
