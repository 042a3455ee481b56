"""Bytes read from the front, each read bounded by what is left."""

from itertools import pairwise

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES


class Bytes:
    """What is left of some bytes; `field` names them in refusals."""

    def __init__(self, data: bytes, field: str) -> None:
        self._data = data
        self._at = 0
        self._field = field

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            MalformedInput: there are fewer.
        """
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise MalformedInput(self._field, "ends within a member", got=len(self._data), expected=self._at + size)
        self._at += size
        return taken

    def number(self, size: int) -> int:
        """The next `size` bytes as a number, big-endian."""
        return int.from_bytes(self.take(size), "big")

    def codes(self, most: int) -> tuple[bytes, ...]:
        """A count in one byte, and so many codes of 32 bytes, ascending, each once.

        Raises:
            MalformedInput: more than `most`, fewer bytes, or another order.
        """
        count = self.number(1)
        if count > most:
            raise MalformedInput(self._field, f"has at most {most} codes", got=count)
        codes = tuple(self.take(HASH_BYTES) for _ in range(count))
        check_ascending(self._field, codes)
        return codes

    def end(self) -> None:
        """Nothing is left.

        Raises:
            MalformedInput: there is.
        """
        if not self.is_empty:
            raise MalformedInput(self._field, "bytes after the value", got=len(self._data) - self._at)


def check_ascending(field: str, codes: tuple[bytes, ...]) -> None:
    """Codes ascend, each once.

    Raises:
        MalformedInput: they do not.
    """
    if any(before >= after for before, after in pairwise(codes)):
        raise MalformedInput(field, "codes ascend, each once")


def joined(codes: tuple[bytes, ...]) -> bytes:
    """Inverse of `Bytes.codes`."""
    return bytes([len(codes)]) + b"".join(codes)
