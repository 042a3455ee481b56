"""What the hub says of batches and logs, kept in the repairer's home so that a start does not read all blocks again. A cache: it may be deleted."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hutong.relay.base.durable_files import make_folder_durably
from hutong.relay.services.storage.repairer.hub_door import LoggedEntry
from hutong.relay.services.storage.rules.commitments.entries import (
    BatchPart,
    LogEntry,
    decode_log_entry,
    encode_log_entry,
)
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.records.batches import BatchRecord, decode_batch_record, encode_batch_record

FILE: Final = "repairer.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS batches (number INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
    batch INTEGER NOT NULL, number INTEGER NOT NULL, operator BLOB NOT NULL, leaves INTEGER NOT NULL,
    entries INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY (batch, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logged (
    operator BLOB NOT NULL, position INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (operator, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
"""


class LedgerUnusable(Exception):
    """The file cannot be used, or the hub tells what cannot follow on it; one sentence."""


@dataclass(frozen=True, slots=True)
class KnownBatch:
    """A batch of the hub. `parts` is empty where the hub's node did not say them all."""

    number: int
    record: BatchRecord
    parts: tuple[OperatorPart, ...]


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch as it is taken up."""

    number: int
    record: BatchRecord
    parts: Sequence[OperatorPart]


class Ledger:
    """One process has it, under the lock of the home. Calls block."""

    def __init__(self, home: Path, hub: bytes) -> None:
        """Open or begin it.

        Raises:
            LedgerUnusable: it cannot be used, or is of another hub.
        """
        make_folder_durably(home)
        self._hub = hub
        try:
            self._use = sqlite3.connect(home / FILE, check_same_thread=False)
            self._use.executescript("PRAGMA journal_mode=WAL;" + _SCHEMA)
            said = self._fact("hub")
            if said not in (None, hub.hex()):
                raise LedgerUnusable(f"{home / FILE} is of another hub; remove it or take another home")
            self._use.execute("INSERT OR IGNORE INTO facts VALUES ('hub', ?)", (hub.hex(),))
            self._use.commit()
        except sqlite3.Error as error:
            raise LedgerUnusable(
                f"{home / FILE} cannot be used: {error}; it may be removed and is made again"
            ) from None

    def close(self) -> None:
        """End using it."""
        self._use.close()

    @property
    def followed(self) -> int:
        """Up to which height it knows the hub."""
        return int(self._fact("followed") or 0)

    def knows(self, batch: int) -> bool:
        """Whether a batch was taken up."""
        return self._use.execute("SELECT 1 FROM batches WHERE number = ?", (batch,)).fetchone() is not None

    def take_up(self, height: int, entries: Iterable[LoggedEntry], batches: Iterable[NewBatch]) -> None:
        """What blocks up to a height brought, in one transaction.

        Raises:
            LedgerUnusable: another entry stands there already: the hub is another, or went back.
        """
        with self._use:
            for one in entries:
                octets = encode_log_entry(one.entry)
                key = (one.operator, one.position)
                self._use.execute("INSERT OR IGNORE INTO logged VALUES (?, ?, ?)", (*key, octets))
                stands = "SELECT entry FROM logged WHERE operator = ? AND position = ?"
                if self._use.execute(stands, key).fetchone()[0] != octets:
                    raise LedgerUnusable(
                        f"the hub tells of another entry {one.position} of operator {one.operator.hex()[:16]}"
                    )
            for batch in batches:
                self._use.execute(
                    "INSERT OR REPLACE INTO batches VALUES (?, ?)", (batch.number, encode_batch_record(batch.record))
                )
                rows = [
                    (batch.number, at, part.operator, part.part.leaves, part.part.entries, part.part.root)
                    for at, part in enumerate(batch.parts)
                ]
                self._use.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._use.execute("INSERT OR REPLACE INTO facts VALUES ('followed', ?)", (str(height),))

    def batches(self) -> list[KnownBatch]:
        """All of them, ascending."""
        parts: dict[int, list[tuple[bytes, BatchPart]]] = defaultdict(list)
        for batch, operator, *part in self._use.execute(
            "SELECT batch, operator, leaves, entries, root FROM parts ORDER BY batch, number"
        ):
            parts[batch].append((operator, BatchPart(*part)))
        found = []
        for number, octets in self._use.execute("SELECT number, record FROM batches ORDER BY number"):
            record = decode_batch_record(octets)
            named = tuple(
                OperatorPart(self._hub, record.writer, record.sequence, operator, part)
                for operator, part in parts[number]
            )
            found.append(KnownBatch(number, record, named))
        return found

    def logs(self) -> Mapping[bytes, list[LogEntry]]:
        """Each operator's log, whose entries follow one another from 0.

        Raises:
            LedgerUnusable: one is missing between others.
        """
        found: dict[bytes, list[LogEntry]] = defaultdict(list)
        for operator, position, octets in self._use.execute("SELECT * FROM logged ORDER BY operator, position"):
            if position != len(found[operator]):
                raise LedgerUnusable(f"entry {len(found[operator])} of operator {operator.hex()[:16]}'s log is missing")
            found[operator].append(decode_log_entry(octets))
        return found

    def _fact(self, name: str) -> str | None:
        row = self._use.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]
