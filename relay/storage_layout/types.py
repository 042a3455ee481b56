"""Types of state variables, as a layout describes them. They name each other by id: a struct may hold itself in an array."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

WORD_BYTES = 32
ALL_SLOTS = 2**256
"""A contract's storage has so many; a sum of slots is taken modulo this, as the EVM does."""


class Kind(Enum):
    """What the bytes of a value say."""

    UNSIGNED = "uint"
    SIGNED = "int"
    BOOL = "bool"
    ADDRESS = "address"
    """Contracts too."""
    FIXED_BYTES = "bytesN"
    ENUM = "enum"
    """The number of a member: a layout does not have the members' names."""


@dataclass(frozen=True, slots=True)
class ValueType:
    """A value of 1 to 32 bytes within one slot. `label` is Solidity's name of it, such as `enum Token.State`."""

    label: str
    kind: Kind
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OpaqueType:
    """It takes 1 to 32 bytes of one slot, and what they say is not told; `why` ends the sentence of the refusal."""

    label: str
    size_bytes: int
    why: str


@dataclass(frozen=True, slots=True)
class BytesType:
    """`bytes` or `string`: up to 31 bytes within its slot, more from keccak256(slot) on."""

    label: str
    is_text: bool

    @property
    def size_bytes(self) -> int:
        """Of the slot that the variable takes."""
        return WORD_BYTES


@dataclass(frozen=True, slots=True)
class MappingType:
    """Its values lie at hashes of key and slot; the slot itself is empty."""

    label: str
    key_id: str
    value_id: str

    @property
    def size_bytes(self) -> int:
        """Of the slot that the variable takes."""
        return WORD_BYTES


@dataclass(frozen=True, slots=True)
class DynamicArrayType:
    """Its slot has the length; the elements lie from keccak256(slot) on."""

    label: str
    element_id: str

    @property
    def size_bytes(self) -> int:
        """Of the slot that the variable takes."""
        return WORD_BYTES


@dataclass(frozen=True, slots=True)
class FixedArrayType:
    """`length` elements from its own slot on; `size_bytes` is a multiple of 32."""

    label: str
    element_id: str
    length: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A state variable, or a member of a struct; `offset` counts bytes from the right end of the word.

    `slot` of a member counts from the first slot of the struct.
    """

    name: str
    slot: int
    offset: int
    type_id: str


@dataclass(frozen=True, slots=True)
class StructType:
    """Members in the order of their places; `size_bytes` is a multiple of 32."""

    label: str
    members: tuple[Variable, ...]
    size_bytes: int


StorageType: TypeAlias = (
    ValueType | OpaqueType | BytesType | MappingType | DynamicArrayType | FixedArrayType | StructType
)


def slots_of(size_bytes: int) -> int:
    """How many slots so many bytes take, where they begin at the start of one."""
    return -(-size_bytes // WORD_BYTES)


def array_slots(element_bytes: int, length: int) -> int:
    """How many slots `length` elements take: small ones share a slot, and no element of up to 32 bytes lies in two."""
    if element_bytes <= WORD_BYTES:
        return -(-length // (WORD_BYTES // element_bytes))
    return length * slots_of(element_bytes)


def element_offset(element_bytes: int, index: int) -> tuple[int, int]:
    """Slot, counted from the array's first, and offset in bytes of an element."""
    if element_bytes <= WORD_BYTES:
        slot, place = divmod(index, WORD_BYTES // element_bytes)
        return slot, place * element_bytes
    return index * slots_of(element_bytes), 0
