"""The ordered key-value store under a node: one atomic batch a block carries every table.

Keys are 1 to `MAX_KEY_BYTES` bytes, ordered bytewise; values are any bytes. A table is a key prefix (`Table`).
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Protocol, TypeAlias, runtime_checkable

MAX_KEY_BYTES = 511
"""LMDB's compiled-in limit; the longest key in use (a client's consensus state) is below 128."""

Entry: TypeAlias = tuple[bytes, bytes]
_FEW = 64
"""So many times fewer than the sorted ones, new keys are put into their places one by one."""


class KeyValueReader(Protocol):
    def get(self, key: bytes) -> bytes | None:
        """The value stored under exactly `key`; None where there is none. An empty value is a value."""

    def next(self, key: bytes) -> Entry | None:
        """The entry with the least key strictly above `key`; `b""` is below all keys."""

    def previous(self, key: bytes) -> Entry | None:
        """The entry with the greatest key strictly below `key`; None where there is none, always for `b""`."""

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """Entries with start <= key < end, in order; to the last one where `end` is None.

        Writes made while iterating may or may not be seen.
        """


@runtime_checkable
class KeyValueWriter(Protocol):
    """A batch: it reads its own writes, and nothing is stored before its context ends well."""

    def get(self, key: bytes) -> bytes | None:
        """As `KeyValueReader.get`, with the batch's own puts and deletions."""

    def next(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.next`, with the batch's own puts and deletions."""

    def previous(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.previous`, with the batch's own puts and deletions."""

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """As `KeyValueReader.items`, with the batch's own puts and deletions."""

    def put(self, key: bytes, value: bytes) -> None:
        """Set a value, replacing any that is there.

        Raises:
            ValueError: the key is not 1 to MAX_KEY_BYTES long.
        """

    def delete(self, key: bytes) -> None:
        """Take a key out; deleting an absent key is no error.

        Raises:
            ValueError: the key is not 1 to MAX_KEY_BYTES long.
        """


class KeyValueStore(KeyValueReader, Protocol):
    """Reads are safe from any thread; one batch at a time, a second one waits."""

    def batch(self) -> AbstractContextManager[KeyValueWriter]:
        """All writes reach the disk together when the context ends without an exception; none otherwise.

        Blocks while another batch is open. What the disk or the store's bound refuses is raised when the context ends.
        """

    def close(self) -> None:
        """Release files and memory; call it once, when no batch and no iteration is open."""


def check_key(key: bytes) -> None:
    """Demand the bounds of a key, which a table's prefix is too.

    Raises:
        ValueError: a key outside the bounds is a bug of the caller, never of an outside input.
    """
    if not 0 < len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"a key has 1 to {MAX_KEY_BYTES} bytes, this one has {len(key)}")


class WriteBatch:
    """Pending writes over a reader. Also of use alone: a scratch overlay that is thrown away."""

    def __init__(self, below: KeyValueReader) -> None:
        self._below = below
        self._pending: dict[bytes, bytes | None] = {}
        self._order: list[bytes] = []
        self._added: list[bytes] = []
        """Keys of `_pending` that are not in `_order` yet."""

    def get(self, key: bytes) -> bytes | None:
        """The pending value, None for a pending deletion, or what the reader below has."""
        if key in self._pending:
            return self._pending[key]
        return self._below.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Hold a write; the reader below is untouched until the owner applies `pending`.

        Raises:
            ValueError: the key is not 1 to MAX_KEY_BYTES long.
        """
        check_key(key)
        self._set(key, bytes(value))

    def delete(self, key: bytes) -> None:
        """Hold a deletion, also of a key that is absent below.

        Raises:
            ValueError: the key is not 1 to MAX_KEY_BYTES long.
        """
        check_key(key)
        self._set(key, None)

    def pending(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The net writes, None for a deletion, in key order. Write nothing while iterating."""
        return ((key, self._pending[key]) for key in self._ordered())

    def next(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.next`, pending writes and deletions over what is below."""
        order = self._ordered()
        while True:
            below = self._below.next(key)
            index = bisect_right(order, key)
            own = order[index] if index < len(order) else None
            if own is None or (below is not None and below[0] < own):
                return below
            value = self._pending[own]
            if value is not None:
                return own, value
            key = own

    def previous(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.previous`, pending writes and deletions over what is below."""
        order = self._ordered()
        while True:
            below = self._below.previous(key)
            index = bisect_left(order, key)
            own = order[index - 1] if index else None
            if own is None or (below is not None and below[0] > own):
                return below
            value = self._pending[own]
            if value is not None:
                return own, value
            key = own

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """As `KeyValueReader.items`, one look-up for each entry, so that writes made meanwhile are seen."""
        return _iterate(self, start, end)

    def _set(self, key: bytes, value: bytes | None) -> None:
        if key not in self._pending:
            self._added.append(key)
        self._pending[key] = value

    def _ordered(self) -> list[bytes]:
        """Inserting each key as it comes moves half of those before it: a million keys would take an hour."""
        if len(self._added) * _FEW < len(self._order):
            for key in self._added:
                insort(self._order, key)
        elif self._added:
            self._order += self._added
            self._order.sort()
        self._added.clear()
        return self._order


class MemoryStore:
    """The in-memory twin of `LmdbStore`, for tests and throw-away chains."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._order: list[bytes] = []
        self._added: list[bytes] = []
        self._removed = False
        self._writing = Lock()
        self._ordering = Lock()

    def get(self, key: bytes) -> bytes | None:
        """As `KeyValueReader.get`; the key's length is not checked."""
        return self._values.get(key)

    def next(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.next`; sorts the keys that came since the last ordered read, once."""
        with self._ordering:
            order = self._ordered()
            index = bisect_right(order, key)
            return (order[index], self._values[order[index]]) if index < len(order) else None

    def previous(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.previous`; sorts the keys that came since the last ordered read, once."""
        with self._ordering:
            order = self._ordered()
            index = bisect_left(order, key)
            return (order[index - 1], self._values[order[index - 1]]) if index else None

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """As `KeyValueReader.items`, one look-up for each entry: unlike `LmdbStore`'s it sees later batches."""
        return _iterate(self, start, end)

    @contextmanager
    def batch(self) -> Iterator[KeyValueWriter]:
        """As `KeyValueStore.batch`, in memory.

        The writes are applied one after the other: a reader in another thread may see some of them before the rest.
        """
        with self._writing:
            batch = WriteBatch(self)
            yield batch
            with self._ordering:
                for key, value in batch.pending():
                    if value is not None:
                        if key not in self._values:
                            self._added.append(key)
                        self._values[key] = value
                    elif self._values.pop(key, None) is not None:
                        self._removed = True

    def close(self) -> None:
        """Forget everything, where `LmdbStore` leaves its file."""
        self._values.clear()
        self._order = []
        self._added = []

    def _ordered(self) -> list[bytes]:
        if self._removed:
            self._order = sorted(self._values)
        elif self._added:
            self._order += self._added
            self._order.sort()  # two sorted runs: linear
        self._added = []
        self._removed = False
        return self._order


class Table:
    """The keys of one concern: everything under `prefix`, seen without it. No table's prefix may begin another's."""

    def __init__(self, reader: KeyValueReader, prefix: bytes) -> None:
        check_key(prefix)
        self._reader = reader
        self._prefix = prefix

    def get(self, key: bytes) -> bytes | None:
        """The value under `key` in this table; None where there is none."""
        return self._reader.get(self._prefix + key)

    def next(self, key: bytes) -> Entry | None:
        """The entry of this table with the least key strictly above `key`; None at the table's end."""
        return self._own(self._reader.next(self._prefix + key))

    def previous(self, key: bytes) -> Entry | None:
        """The entry of this table with the greatest key strictly below `key`; None at the table's beginning."""
        return self._own(self._reader.previous(self._prefix + key))

    def last(self) -> Entry | None:
        """The entry with the greatest key; None in an empty table.

        Raises:
            ValueError: the prefix consists of 0xff only.
        """
        return self._own(self._reader.previous(_after_prefix(self._prefix)))

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """Entries of this table with start <= key < end, in order, their keys without the prefix.

        Raises:
            ValueError: `end` is None and the prefix consists of 0xff only.
        """
        stop = _after_prefix(self._prefix) if end is None else self._prefix + end
        cut = len(self._prefix)
        return ((key[cut:], value) for key, value in self._reader.items(self._prefix + start, stop) if len(key) > cut)

    def _own(self, entry: Entry | None) -> Entry | None:
        if entry is None or len(entry[0]) <= len(self._prefix) or not entry[0].startswith(self._prefix):
            return None
        return entry[0][len(self._prefix) :], entry[1]


class WritableTable(Table):
    def __init__(self, writer: KeyValueWriter, prefix: bytes) -> None:
        super().__init__(writer, prefix)
        self._writer = writer

    def put(self, key: bytes, value: bytes) -> None:
        """Set a value in this table, by the batch given to it.

        Raises:
            ValueError: the key is empty, or longer than MAX_KEY_BYTES with or without the prefix.
        """
        check_key(key)
        self._writer.put(self._prefix + key, value)

    def delete(self, key: bytes) -> None:
        """Take a key out of this table; an absent one is no error.

        Raises:
            ValueError: the key is empty, or longer than MAX_KEY_BYTES with or without the prefix.
        """
        check_key(key)
        self._writer.delete(self._prefix + key)


def _after_prefix(prefix: bytes) -> bytes:
    """The least key above all keys with `prefix`; a prefix of 0xff only would have none and is not used."""
    kept = prefix.rstrip(b"\xff")
    if not kept:
        raise ValueError("a table prefix must not consist of 0xff only")
    return kept[:-1] + bytes([kept[-1] + 1])


def _iterate(reader: KeyValueReader, start: bytes, end: bytes | None) -> Iterator[Entry]:
    entry: Entry | None = None
    if start:
        value = reader.get(start)
        if value is not None and (end is None or start < end):
            yield start, value
    entry = reader.next(start)
    while entry is not None and (end is None or entry[0] < end):
        yield entry
        entry = reader.next(entry[0])
