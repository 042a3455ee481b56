"""What the state needs of the database below it: reads, ordered reads, and a batch of writes that lands at once."""

from bisect import bisect_left, bisect_right, insort
from typing import NamedTuple, Protocol


class StateDamaged(Exception):
    """The database lacks something that was committed: the node must halt, nothing can be proven from here."""


class Write(NamedTuple):
    """One row of a batch; `value` None deletes."""

    key: bytes
    value: bytes | None


class KeyValueReader(Protocol):
    """Point reads."""

    def get(self, key: bytes) -> bytes | None:
        """The committed value, or None."""


class OrderedReader(KeyValueReader, Protocol):
    """Point reads and neighbours in byte order."""

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the smallest key strictly above `key`."""

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the greatest key strictly below `key`."""


class MemoryStore:
    """An ordered store in memory, for simulations and tests."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        index = bisect_right(self._keys, key)
        return None if index == len(self._keys) else (self._keys[index], self._rows[self._keys[index]])

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        index = bisect_left(self._keys, key)
        return None if index == 0 else (self._keys[index - 1], self._rows[self._keys[index - 1]])

    def apply(self, writes: list[Write]) -> None:
        """Apply a batch in order."""
        for key, value in writes:
            if value is None:
                if self._rows.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
            else:
                if key not in self._rows:
                    insort(self._keys, key)
                self._rows[key] = value
