"""The ordered key-value store under a node: one atomic batch a block carries every table.

Keys are 1 to `MAX_KEY_BYTES` bytes, ordered bytewise; values are any bytes. Tables are key prefixes (`Table`).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias, runtime_checkable

MAX_KEY_BYTES = 511
"""LMDB's compiled-in limit; the longest key in use (a client's consensus state) is below 128."""

Entry: TypeAlias = tuple[bytes, bytes]


class KeyValueReader(Protocol):
    def get(self, key: bytes) -> bytes | None: ...

    def next(self, key: bytes) -> Entry | None:
        """The entry with the least key strictly above `key`; `b""` is below all keys."""

    def previous(self, key: bytes) -> Entry | None:
        """The entry with the greatest key strictly below `key`."""

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """Entries with start <= key < end, in order. Writing while iterating is not allowed."""


@runtime_checkable
class KeyValueWriter(Protocol):
    """A batch: it reads its own writes, and nothing is stored before its context ends well."""

    def get(self, key: bytes) -> bytes | None: ...

    def next(self, key: bytes) -> Entry | None: ...

    def previous(self, key: bytes) -> Entry | None: ...

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]: ...

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None:
        """Deleting an absent key is no error."""


class KeyValueStore(KeyValueReader, Protocol):
    """Reads are safe from any thread; one batch at a time."""

    def batch(self) -> AbstractContextManager[KeyValueWriter]:
        """All writes reach the disk together when the context ends without an exception; none otherwise."""

    def close(self) -> None: ...
