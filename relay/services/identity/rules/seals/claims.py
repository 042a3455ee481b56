"""What a seal says of its holder: claims, each under a salt of its own, so that one is shown without the others."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES, check_bytes

MAX_NAME_BYTES: Final = 128
MAX_VALUE_BYTES: Final = 1_024
_WORD_BITS: Final = 256
_LEAF_TAG: Final = b"\x00"

ClaimValue: TypeAlias = bool | int | str | bytes


class ClaimKind(IntEnum):
    """What the bytes of a value are, so that a text is never read as a number."""

    BOOLEAN = 1
    """32 bytes, the last of which is 0 or 1."""
    INTEGER = 2
    """32 bytes, two's complement, big-endian: `int256`. Dates are whole days since 1970-01-01."""
    TEXT = 3
    """UTF-8."""
    BYTES = 4


_BOOLEAN: Final = ClaimKind.BOOLEAN
_INTEGER: Final = ClaimKind.INTEGER
_TEXT: Final = ClaimKind.TEXT
"""Names of this module: the enumeration looks its members up in Python."""


@dataclass(frozen=True, slots=True)
class ClaimBytes:
    """A value as contracts read it."""

    kind: ClaimKind
    data: bytes


def encode_claim_value(value: ClaimValue) -> ClaimBytes:
    """Kind and bytes of a value. Inverse of `decode_claim_value`.

    Raises:
        MalformedInput: an integer beyond int256, more than `MAX_VALUE_BYTES`, or a value of another type.
    """
    if isinstance(value, bool):
        return ClaimBytes(_BOOLEAN, int(value).to_bytes(HASH_BYTES, "big"))
    if isinstance(value, int):
        if not -(2 ** (_WORD_BITS - 1)) <= value < 2 ** (_WORD_BITS - 1):
            raise MalformedInput("claim.value", "an integer of at most 256 bits with its sign", got=value.bit_length())
        return ClaimBytes(_INTEGER, value.to_bytes(HASH_BYTES, "big", signed=True))
    if isinstance(value, str):
        return _bounded(_TEXT, _utf8("claim.value", value))
    if isinstance(value, bytes):
        return _bounded(ClaimKind.BYTES, value)
    raise MalformedInput("claim.value", "not supported: a boolean, integer, text or bytes", got=type(value).__name__)


def _utf8(field: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MalformedInput(field, "text that is not UTF-8") from error


def _bounded(kind: ClaimKind, data: bytes) -> ClaimBytes:
    if len(data) > MAX_VALUE_BYTES:
        raise MalformedInput("claim.value", f"at most {MAX_VALUE_BYTES} bytes", got=len(data))
    return ClaimBytes(kind, data)


def decode_claim_value(kind: int, data: bytes) -> ClaimValue:
    """The value of its bytes.

    Raises:
        MalformedInput: an unknown kind, or bytes that no value has.
    """
    if kind not in tuple(ClaimKind):
        raise MalformedInput("claim.kind", "1 boolean, 2 integer, 3 text, 4 bytes", got=kind)
    if kind == ClaimKind.BYTES:
        return _bounded(ClaimKind.BYTES, data).data
    if kind == ClaimKind.TEXT:
        try:
            return _bounded(ClaimKind.TEXT, data).data.decode()
        except UnicodeDecodeError as error:
            raise MalformedInput("claim.value", "text that is not UTF-8") from error
    check_bytes("claim.value", data)
    number = int.from_bytes(data, "big", signed=True)
    if kind == ClaimKind.INTEGER:
        return number
    if number not in (0, 1):
        raise MalformedInput("claim.value", "a boolean is 0 or 1", got=data)
    return number == 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A named value and its salt: 32 random bytes, without which a value that can be guessed stays unknown."""

    name: str
    value: ClaimValue
    salt: bytes
    encoded: ClaimBytes = field(init=False, compare=False, repr=False)
    """The value's kind and bytes."""

    def __post_init__(self) -> None:
        size = len(_utf8("claim.name", self.name))
        if not 1 <= size <= MAX_NAME_BYTES:
            raise MalformedInput("claim.name", f"1 to {MAX_NAME_BYTES} bytes", got=size)
        check_bytes("claim.salt", self.salt)
        object.__setattr__(self, "encoded", encode_claim_value(self.value))

    def leaf(self) -> bytes:
        """See `claim_leaf`."""
        return claim_leaf(self.salt, claim_name_hash(self.name), self.encoded)


def claim_name_hash(name: str) -> bytes:
    """What contracts know a claim's name by: Keccak-256 of its UTF-8."""
    return keccak256(name.encode())


def claim_leaf(salt: bytes, name_hash: bytes, value: ClaimBytes) -> bytes:
    """K(00 ‖ salt ‖ K(name) ‖ kind ‖ value): at least 66 bytes are hashed, and 64 for a node, so that neither is the other."""
    return keccak256(_LEAF_TAG + salt + name_hash + bytes([value.kind]) + value.data)
