"""How many bits a status has, and what the first values mean (Token Status List §4, §7)."""

from enum import IntEnum
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput

WIDTHS: Final = (1, 2, 4, 8)
"""Bits of one status. Each divides a byte, so that no status lies across two."""


class StatusValue(IntEnum):
    """The values that every list shares; what others mean is the issuer's to say (§7.1)."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2
    APPLICATION_SPECIFIC = 3


def checked_width(bits: object, field: str) -> int:
    """`bits` as a width.

    Raises:
        MalformedInput: anything but the integers 1, 2, 4 and 8; true is not 1.
    """
    if type(bits) is not int or bits not in WIDTHS:
        raise MalformedInput(field, "a status has 1, 2, 4 or 8 bits", got=bits, expected=list(WIDTHS))
    return bits
