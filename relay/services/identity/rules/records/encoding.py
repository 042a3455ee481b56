"""How every value of an identity record is written: the version in one byte, then `abi.encode` of one struct (docs/spec/identity-records.md)."""

from collections.abc import Sequence
from typing import Any

from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

VERSION = 1
HASH_BYTES = 32
ADDRESS_BYTES = 20
MAX_VALUE_BYTES = 4_096
"""The longest value, of a policy with the most controllers and guardians, has about half of it."""
MAX_UINT32 = 2**32 - 1


def encode_value(struct: str, values: Sequence[Any]) -> bytes:
    """`01 ‖ abi.encode(struct)`; inverse of `decode_value`."""
    return bytes([VERSION]) + encode_abi((struct,), [tuple(values)])


def decode_value(struct: str, data: bytes, field: str) -> tuple[Any, ...]:
    """The members of a record's struct.

    Raises:
        MalformedInput: an unknown version, or anything but the canonical encoding.
    """
    if not data or data[0] != VERSION:
        raise MalformedInput(
            f"{field}.version",
            "a version that this code does not know",
            got=data[0] if data else "no bytes",
            expected=VERSION,
        )
    (values,) = decode_canonical([struct], data[1:], field, MAX_VALUE_BYTES)
    members: tuple[Any, ...] = values
    return members


def address_bytes(text: str) -> bytes:
    """The 20 bytes of an address as `decode_value` gives it."""
    return bytes.fromhex(text[2:])


def check_number(field: str, value: int, *, least: int = 0, most: int = MAX_UINT64) -> None:
    """A number within its bounds.

    Raises:
        MalformedInput: it is not.
    """
    if not least <= value <= most:
        raise MalformedInput(field, f"a number from {least} to {most}", got=value)


def check_bytes(field: str, value: bytes, size: int = HASH_BYTES) -> None:
    """Bytes of one length.

    Raises:
        MalformedInput: of another length.
    """
    if len(value) != size:
        raise MalformedInput(field, f"has {size} bytes", got=len(value), expected=size)


def check_some_hash(field: str, value: bytes) -> None:
    """A hash of 32 bytes that is not zero, for zero says that there is none.

    Raises:
        MalformedInput: of another length, or zero.
    """
    check_bytes(field, value)
    if value == bytes(HASH_BYTES):
        raise MalformedInput(field, "is zero")
