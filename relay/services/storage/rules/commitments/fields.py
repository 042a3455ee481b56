"""Strict fields of fixed width, one after the other, big-endian."""

from hutong.light_clients.interface import MalformedInput

HASH_BYTES = 32


class Fields:
    """Reads fields off the front of bytes; what is left after the last is refused by `end`."""

    def __init__(self, octets: bytes, field: str) -> None:
        self._octets = octets
        self._field = field
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            MalformedInput: there are fewer.
        """
        taken = self._octets[self.at : self.at + size]
        if len(taken) != size:
            raise MalformedInput(self._field, f"ends at byte {len(self._octets)}", got=len(taken), expected=size)
        self.at += size
        return taken

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes.

        Raises:
            MalformedInput: see `take`.
        """
        return int.from_bytes(self.take(size), "big")

    def hashes(self, count: int) -> tuple[bytes, ...]:
        """`count` hashes of 32 bytes.

        Raises:
            MalformedInput: see `take`.
        """
        octets = self.take(count * HASH_BYTES)
        return tuple(octets[at : at + HASH_BYTES] for at in range(0, len(octets), HASH_BYTES))

    def kind(self, expected: int) -> None:
        """One byte that says what follows.

        Raises:
            MalformedInput: it is another.
        """
        found = self.number(1)
        if found != expected:
            raise MalformedInput(f"{self._field}.kind", "another kind", got=found, expected=expected)

    @property
    def is_at_end(self) -> bool:
        """Whether all bytes are read."""
        return self.at == len(self._octets)

    def end(self) -> None:
        """Nothing follows.

        Raises:
            MalformedInput: something does.
        """
        if not self.is_at_end:
            raise MalformedInput(self._field, "bytes after the end", got=len(self._octets) - self.at)
