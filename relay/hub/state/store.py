"""What the state needs of the database below it, and how a damaged one is named."""

from typing import Protocol


class StateDamaged(Exception):
    """The database lacks something that was committed: the node must halt, nothing can be proven from here."""


class ValueReader(Protocol):
    """Point reads."""

    def get(self, key: bytes) -> bytes | None:
        """The committed value, or None."""


class OrderedReader(ValueReader, Protocol):
    """Point reads and neighbours in byte order."""

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the smallest key strictly above `key`; None at the end."""

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the greatest key strictly below `key`; None at the beginning."""
