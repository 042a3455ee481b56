"""What an operator holds: its shards with their receipts, the parts that it signed, and its log as the hub has it.

SQLite in the operator's home. The bytes are the engine's; this is how they are found, and what they were receipted as.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from hutong.relay.services.storage.operator.grouped_writes import GroupedWrites
from hutong.relay.services.storage.rules.commitments.entries import (
    SHARD_ENTRY_BYTES,
    BatchPart,
    LogEntry,
    ShardEntry,
    decode_shard_entry,
    encode_shard_entry,
)
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES

FILE: Final = "index.sqlite"
VERSION: Final = 1
MAX_SQLITE: Final = 2**63 - 1
_SCHEMA: Final = """
CREATE TABLE writers (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE shards (
    writer INTEGER NOT NULL, pack BLOB NOT NULL, shard INTEGER NOT NULL, height INTEGER NOT NULL, root BLOB NOT NULL,
    retain_until BLOB NOT NULL, tag BLOB NOT NULL, stored_at INTEGER NOT NULL, signature BLOB NOT NULL,
    state INTEGER NOT NULL, part INTEGER, damaged_at INTEGER, deleted_at INTEGER, deletion BLOB,
    PRIMARY KEY (writer, pack, shard)
) WITHOUT ROWID;
CREATE INDEX shards_damaged ON shards (damaged_at) WHERE damaged_at IS NOT NULL;
CREATE INDEX shards_pending ON shards (stored_at) WHERE state = 1;
CREATE INDEX shards_signed ON shards (part) WHERE state = 2;
CREATE TABLE parts (
    number INTEGER PRIMARY KEY, writer INTEGER NOT NULL, owner INTEGER NOT NULL, sequence BLOB NOT NULL, leaves INTEGER NOT NULL,
    entries INTEGER NOT NULL, root BLOB NOT NULL, shards BLOB NOT NULL, signature BLOB NOT NULL, signed_at INTEGER NOT NULL,
    UNIQUE (writer, sequence, root)
);
CREATE TABLE log (
    position INTEGER PRIMARY KEY, first INTEGER NOT NULL, batch BLOB NOT NULL, part INTEGER NOT NULL REFERENCES parts
);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
"""
_SHARD: Final = (
    "SELECT id, pack, shard, height, root, retain_until, tag, stored_at, signature, state, part, damaged_at, deleted_at, deletion"
    " FROM shards JOIN writers ON number = writer"
)
_PARTS: Final = (
    "SELECT parts.number, one.id, two.id, sequence, leaves, entries, root, shards, signature FROM parts"
    " JOIN writers AS one ON one.number = writer JOIN writers AS two ON two.number = owner"
)


class Holding(IntEnum):
    """How a shard is bound: each binds more than the one before."""

    PENDING = 1
    SIGNED = 2
    PLACED = 3
    REMOVED = 4


@dataclass(frozen=True, slots=True)
class ShardKey:
    """A shard of a pack of a writer."""

    writer: bytes
    pack: bytes
    shard: int


@dataclass(frozen=True, slots=True)
class HeldShard:
    """One row. `signature` is of its receipt; `damaged_at_s` is None where nobody found it damaged."""

    key: ShardKey
    height: int
    root: bytes
    retain_until_s: int
    tag: bytes
    stored_at_s: int
    signature: bytes
    holding: Holding
    part: int | None = None
    """The number of the part that binds it: of a placed shard the one that is in the log."""
    damaged_at_s: int | None = None
    deleted_at_s: int | None = None
    deletion: bytes | None = None
    """The signature of its deletion receipt."""

    @property
    def bytes(self) -> int:
        """Of the shard."""
        return LEAF_BYTES << self.height


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A part that this operator signed. `owner` is the writer whose packs they are: `writer` itself, but of a repair."""

    number: int
    writer: bytes
    owner: bytes
    sequence: int
    part: BatchPart
    entries: tuple[ShardEntry, ...]
    signature: bytes


@dataclass(frozen=True, slots=True)
class Totals:
    """Of what is held now, removed shards left out."""

    shards: int
    bytes: int
    batches: int
    damaged: int


class PartUnknown(Exception):
    """The hub has a batch whose part for this operator was never signed here."""


class ShardIndex:
    """Calls block, and what they change is on disk when they return. sqlite3.Error where the file cannot be used."""

    def __init__(self, home: Path) -> None:
        """Open it, or make it.

        Raises:
            sqlite3.Error, ValueError: see `GroupedWrites`.
        """
        self._database = GroupedWrites(home / FILE, _SCHEMA, VERSION)

    def close(self) -> None:
        """Nothing may be asked of it after this."""
        self._database.close()

    def shard(self, key: ShardKey) -> HeldShard | None:
        """The row of a shard; None where it was never receipted."""
        row = self._database.read(
            lambda use: use.execute(
                f"{_SHARD} WHERE id = ? AND pack = ? AND shard = ?", (key.writer, key.pack, key.shard)
            ).fetchone()
        )
        return None if row is None else _held(row)

    def put_shard(self, held: HeldShard) -> None:
        """Write a row, in place of the one that is there."""

        def change(use: sqlite3.Connection) -> None:
            values = (
                _writer(use, held.key.writer),
                held.key.pack,
                held.key.shard,
                held.height,
                held.root,
                held.retain_until_s.to_bytes(8, "big"),
                held.tag,
                held.stored_at_s,
                held.signature,
                held.holding,
                held.part,
                held.damaged_at_s,
                held.deleted_at_s,
                held.deletion,
            )
            use.execute("INSERT OR REPLACE INTO shards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

        self._database.write(change)

    def mark_damaged(self, key: ShardKey, found_at_s: int | None) -> None:
        """Say when a shard was found damaged, or with None that it is whole again."""
        self._database.write(
            lambda use: use.execute(
                "UPDATE shards SET damaged_at = ? WHERE writer = ? AND pack = ? AND shard = ?",
                (found_at_s, _writer(use, key.writer), key.pack, key.shard),
            )
        )

    def shards_of(self, writer: bytes, after: bytes, most: int) -> list[HeldShard]:
        """Of a writer, ascending by pack and shard, of packs after `after`; the last pack may be cut."""
        return self._database.read(
            lambda use: [
                _held(row)
                for row in use.execute(
                    f"{_SHARD} WHERE id = ? AND pack > ? ORDER BY writer, pack, shard LIMIT ?", (writer, after, most)
                )
            ]
        )

    def every_shard(self, after: ShardKey | None, most: int) -> list[HeldShard]:
        """Of all writers that are not removed, in the order of the index, after `after`: for a scrub, page by page."""

        def question(use: sqlite3.Connection) -> list[HeldShard]:
            at = (-1, b"", -1) if after is None else (_writer_number(use, after.writer), after.pack, after.shard)
            rows = use.execute(
                f"{_SHARD} WHERE (writer, pack, shard) > (?, ?, ?) AND state != ? ORDER BY writer, pack, shard LIMIT ?",
                (*at, Holding.REMOVED, most),
            )
            return [_held(row) for row in rows]

        return self._database.read(question)

    def damaged(self, most: int) -> list[HeldShard]:
        """Those that were found damaged, the first found first."""
        return self._listed("damaged_at IS NOT NULL ORDER BY damaged_at", (), most)

    def pending_before(self, stored_before_s: int, most: int) -> list[HeldShard]:
        """Those that no part names and that were receipted before a time."""
        return self._listed("state = 1 AND stored_at < ? ORDER BY stored_at", (stored_before_s,), most)

    def totals(self) -> Totals:
        """Counted over all rows: for whoever asks now and then."""

        def question(use: sqlite3.Connection) -> Totals:
            shards, octets = use.execute(
                "SELECT count(*), coalesce(sum(? << height), 0) FROM shards WHERE state != ?",
                (LEAF_BYTES, Holding.REMOVED),
            ).fetchone()
            (batches,) = use.execute("SELECT count(*) FROM log").fetchone()
            (damaged,) = use.execute("SELECT count(*) FROM shards WHERE damaged_at IS NOT NULL").fetchone()
            return Totals(shards, octets, batches, damaged)

        return self._database.read(question)

    def bytes_of(self, writer: bytes) -> int:
        """Held of one writer. All its rows are read: for a start, after which it is counted."""
        return self._database.read(
            lambda use: int(
                use.execute(
                    "SELECT coalesce(sum(? << height), 0) FROM shards JOIN writers ON number = writer"
                    " WHERE id = ? AND state != ?",
                    (LEAF_BYTES, writer, Holding.REMOVED),
                ).fetchone()[0]
            )
        )

    def part(self, writer: bytes, sequence: int, root: bytes) -> HeldPart | None:
        """A part that was signed here."""
        parts = self._parts("one.id = ? AND sequence = ? AND root = ?", (writer, sequence.to_bytes(8, "big"), root))
        return parts[0] if parts else None

    def put_part(self, part: HeldPart, signed_at_s: int) -> None:
        """Write a part, and bind its shards: pending ones are signed from now on. Its number is given by the index."""

        def change(use: sqlite3.Connection) -> None:
            writer, owner = _writer(use, part.writer), _writer(use, part.owner)
            use.execute(
                "INSERT OR IGNORE INTO parts (writer, owner, sequence, leaves, entries, root, shards, signature, signed_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    writer,
                    owner,
                    part.sequence.to_bytes(8, "big"),
                    part.part.leaves,
                    part.part.entries,
                    part.part.root,
                    b"".join(map(encode_shard_entry, part.entries)),
                    part.signature,
                    signed_at_s,
                ),
            )
            (number,) = use.execute(
                "SELECT number FROM parts WHERE writer = ? AND sequence = ? AND root = ?",
                (writer, part.sequence.to_bytes(8, "big"), part.part.root),
            ).fetchone()
            _bind(use, owner, part.entries, Holding.SIGNED, number)

        self._database.write(change)

    def append_log(self, entry: LogEntry, position: int, writer: bytes, sequence: int) -> None:
        """What the hub appended to this operator's log, as its entry `position`. Its shards are placed from now on.

        Other parts of this sequence are void with it: their shards are pending again, unless this part has them too.

        Raises:
            PartUnknown: no such part was signed here.
        """

        def change(use: sqlite3.Connection) -> None:
            signed = (_writer(use, writer), sequence.to_bytes(8, "big"))
            rows = use.execute(
                "SELECT number, owner, root, shards FROM parts WHERE writer = ? AND sequence = ?", signed
            ).fetchall()
            placed = next((row for row in rows if row[2] == entry.root), None)
            if placed is None:
                raise PartUnknown(f"batch {entry.batch} of the hub has a part that was not signed here")
            use.execute(
                "INSERT INTO log VALUES (?, ?, ?, ?)",
                (position, entry.first, entry.batch.to_bytes(8, "big"), placed[0]),
            )
            for number, *_ in rows:
                use.execute(
                    "UPDATE shards SET state = ?, part = NULL WHERE part = ? AND state = 2",
                    (Holding.PENDING, number),
                )
            _bind(use, placed[1], _entries_of(placed[3]), Holding.PLACED, placed[0])

        self._database.write(change)

    def log(self) -> list[LogEntry]:
        """All of it, in order."""
        return self._database.read(
            lambda use: [
                LogEntry(first, leaves, entries, int.from_bytes(batch, "big"), root)
                for first, leaves, entries, batch, root in use.execute(
                    "SELECT first, leaves, entries, batch, root FROM log JOIN parts ON number = part ORDER BY position"
                )
            ]
        )

    def logged_part(self, position: int) -> HeldPart:
        """The part of one log entry.

        Raises:
            IndexError: the log has no such entry.
        """
        parts = self._parts("parts.number = (SELECT part FROM log WHERE position = ?)", (position,))
        if not parts:
            raise IndexError(position)
        return parts[0]

    def part_numbered(self, number: int) -> HeldPart:
        """A part by the number that a shard names.

        Raises:
            IndexError: there is none.
        """
        parts = self._parts("parts.number = ?", (number,))
        if not parts:
            raise IndexError(number)
        return parts[0]

    def position_of(self, part: int) -> int | None:
        """Which log entry a part is; None where the hub has no batch with it. The first where it has several."""
        row = self._database.read(
            lambda use: use.execute("SELECT min(position) FROM log WHERE part = ?", (part,)).fetchone()
        )
        return None if row[0] is None else int(row[0])

    def fact(self, name: str) -> str | None:
        """A value of the daemon's own, such as how far it read the hub."""
        row = self._database.read(lambda use: use.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone())
        return None if row is None else str(row[0])

    def put_fact(self, name: str, value: str) -> None:
        """Keep a value."""
        self._database.write(lambda use: use.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value)))

    def _listed(self, where: str, values: Sequence[Any], most: int) -> list[HeldShard]:
        return self._database.read(
            lambda use: [_held(row) for row in use.execute(f"{_SHARD} WHERE {where} LIMIT ?", (*values, most))]
        )

    def _parts(self, where: str, values: Sequence[Any]) -> list[HeldPart]:
        rows = self._database.read(lambda use: use.execute(f"{_PARTS} WHERE {where}", values).fetchall())
        return [
            HeldPart(
                number,
                writer,
                owner,
                int.from_bytes(sequence, "big"),
                BatchPart(leaves, entries, root),
                _entries_of(shards),
                signed,
            )
            for number, writer, owner, sequence, leaves, entries, root, shards, signed in rows
        ]


def _bind(use: sqlite3.Connection, writer: int, entries: Sequence[ShardEntry], holding: Holding, part: int) -> None:
    """Shards of a part are held at least so; what is bound more strongly stays with the part that binds it."""
    use.executemany(
        "UPDATE shards SET state = ?, part = ? WHERE writer = ? AND pack = ? AND shard = ? AND state <= ?",
        [(holding, part, writer, entry.pack, entry.shard, holding) for entry in entries],
    )


def _writer(use: sqlite3.Connection, writer: bytes) -> int:
    use.execute("INSERT OR IGNORE INTO writers (id) VALUES (?)", (writer,))
    return _writer_number(use, writer)


def _writer_number(use: sqlite3.Connection, writer: bytes) -> int:
    row = use.execute("SELECT number FROM writers WHERE id = ?", (writer,)).fetchone()
    return -1 if row is None else int(row[0])


def _held(row: Sequence[Any]) -> HeldShard:
    writer, pack, shard, height, root, retain_until, tag, stored_at, signature, state, *rest = row
    key = ShardKey(writer, pack, shard)
    retain_until_s = int.from_bytes(retain_until, "big")
    return HeldShard(key, height, root, retain_until_s, tag, stored_at, signature, Holding(state), *rest)


def _entries_of(octets: bytes) -> tuple[ShardEntry, ...]:
    return tuple(
        decode_shard_entry(octets[at : at + SHARD_ENTRY_BYTES]) for at in range(0, len(octets), SHARD_ENTRY_BYTES)
    )
