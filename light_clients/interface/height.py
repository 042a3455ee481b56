"""IBC heights."""

import re
from dataclasses import dataclass
from typing import Self

from hutong.light_clients.interface.errors import MalformedInput

MAX_UINT64 = 2**64 - 1
_TEXT = re.compile(r"(0|[1-9][0-9]{0,19})-(0|[1-9][0-9]{0,19})")


@dataclass(frozen=True, slots=True, order=True)
class Height:
    """A height of a chain: ordered by revision first (ICS-02). Both parts are uint64."""

    revision_number: int
    revision_height: int

    def __post_init__(self) -> None:
        for name in ("revision_number", "revision_height"):
            value = getattr(self, name)
            if not 0 <= value <= MAX_UINT64:
                raise MalformedInput(f"height.{name}", "not a uint64", got=value)

    def __str__(self) -> str:
        return f"{self.revision_number}-{self.revision_height}"

    @property
    def is_zero(self) -> bool:
        """Both parts zero: never a valid proof or consensus height."""
        return self.revision_number == 0 and self.revision_height == 0

    def to_key(self) -> bytes:
        """16 bytes, big-endian, so that byte order is height order."""
        return self.revision_number.to_bytes(8, "big") + self.revision_height.to_bytes(8, "big")

    @classmethod
    def from_key(cls, key: bytes) -> Self:
        """Inverse of `to_key`.

        Raises:
            MalformedInput: `key` is not 16 bytes.
        """
        if len(key) != 16:
            raise MalformedInput("height", "a height key has 16 bytes", got=key)
        return cls(int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `revision-height`, both decimal and without leading zeros.

        Raises:
            MalformedInput: another form, or a part that is not a uint64.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise MalformedInput("height", "expected revision-height in decimal", got=text)
        return cls(int(match[1]), int(match[2]))
