"""Where a value lies: Solidity's rules for mappings, arrays and structs, from a path to a slot and an offset in it."""

from dataclasses import dataclass, replace

from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.interface.errors import UnsupportedOperation
from hutong.relay.storage_layout.errors import UnusablePath, listed
from hutong.relay.storage_layout.keys import array_index, key_bytes
from hutong.relay.storage_layout.layout import StorageLayout
from hutong.relay.storage_layout.path import KeyStep, MemberStep, StoragePath, parse_path
from hutong.relay.storage_layout.types import (
    ALL_SLOTS,
    WORD_BYTES,
    BytesType,
    DynamicArrayType,
    FixedArrayType,
    Kind,
    MappingType,
    OpaqueType,
    StorageType,
    StructType,
    ValueType,
    Variable,
    element_offset,
    slots_of,
)

MAX_ARRAY_INDEX = 2**64 - 1
"""Solidity lets no array grow further."""
LENGTH = "length"
_LENGTH_TYPE = ValueType("uint256", Kind.UNSIGNED, WORD_BYTES)


@dataclass(frozen=True, slots=True)
class Place:
    """A value of `type` whose first byte is `offset` bytes from the right end of the word in `slot`."""

    path: str
    slot: int
    offset: int
    type: StorageType

    @property
    def slot_count(self) -> int:
        """Slots from `slot` on that the value certainly takes; text, bytes and dynamic arrays may have more elsewhere."""
        return slots_of(self.type.size_bytes)


def variable_place(layout: StorageLayout, variable: Variable) -> Place:
    """Where a state variable of the layout begins."""
    return Place(variable.name, variable.slot, variable.offset, layout.types[variable.type_id])


def locate(layout: StorageLayout, path: str | StoragePath) -> Place:
    """Where the value lies that the path names.

    Whether the contract ever wrote there is not known here: an element beyond the array's length has a place too.

    Raises:
        UnusablePath: it is not a path, or names what the layout does not have; the error lists the names that exist.
        UnsupportedOperation: the variable is transient or its name is not unique, or a key is of a type whose bytes are
            not known.
    """
    parsed = parse_path(path) if isinstance(path, str) else path
    place = variable_place(layout, _variable(layout, parsed.variable))
    for step in parsed.steps:
        place = _step(layout, place, step)
        place = replace(place, path=parsed.text[: step.end])
    return place


def mapping_slot(slot: int, key: bytes) -> int:
    """The slot of the value at `key`, which is as `key_bytes` makes it, of the mapping in `slot`."""
    return int.from_bytes(keccak256(key + slot.to_bytes(WORD_BYTES, "big")), "big")


def content_slot(slot: int) -> int:
    """The first slot of what the dynamic array, the text or the bytes in `slot` hold."""
    return int.from_bytes(keccak256(slot.to_bytes(WORD_BYTES, "big")), "big")


def element_place(layout: StorageLayout, path: str, first_slot: int, element_id: str, index: int) -> Place:
    """The element of an array whose first one begins in `first_slot`."""
    element = layout.types[element_id]
    slot, offset = element_offset(element.size_bytes, index)
    return Place(path, (first_slot + slot) % ALL_SLOTS, offset, element)


def member_place(layout: StorageLayout, struct: Place, member: Variable) -> Place:
    """The member of the struct that lies at `struct`."""
    slot = (struct.slot + member.slot) % ALL_SLOTS
    return Place(f"{struct.path}.{member.name}", slot, member.offset, layout.types[member.type_id])


def _variable(layout: StorageLayout, name: str) -> Variable:
    found = [variable for variable in layout.variables if variable.name == name]
    if len(found) > 1:
        slots = ", ".join(hex(variable.slot) for variable in found)
        raise UnsupportedOperation(
            f"the name {name}, which {len(found)} variables have (of a contract and of one that it inherits from)",
            f"they lie in slots {slots}",
        )
    if not found and name in layout.transient:
        raise UnsupportedOperation(
            f"transient variables such as {name}", "their values are gone when the transaction ends"
        )
    if not found:
        raise UnusablePath(
            name,
            "there is no such state variable (constants and immutables have no slot)",
            expected=f"one of {listed(variable.name for variable in layout.variables)}",
        )
    return found[0]


def _step(layout: StorageLayout, place: Place, step: MemberStep | KeyStep) -> Place:
    kind = place.type
    if isinstance(step, MemberStep):
        if isinstance(kind, StructType):
            return _member(layout, place, kind, step.name)
        if isinstance(kind, DynamicArrayType) and step.name == LENGTH:
            return Place("", place.slot, 0, _LENGTH_TYPE)
        raise _no_step(place, f".{step.name}")
    if isinstance(kind, MappingType):
        key_type = layout.types[kind.key_id]
        if isinstance(key_type, OpaqueType):
            raise UnsupportedOperation(f"{place.path}: keys of type {key_type.label}", key_type.why)
        if not isinstance(key_type, ValueType | BytesType):
            raise UnsupportedOperation(f"{place.path}: keys of type {key_type.label}")
        slot = mapping_slot(place.slot, key_bytes(key_type, step, place.path))
        return Place("", slot, 0, layout.types[kind.value_id])
    if isinstance(kind, DynamicArrayType):
        index = array_index(step, place.path, MAX_ARRAY_INDEX)
        return element_place(layout, "", content_slot(place.slot), kind.element_id, index)
    if isinstance(kind, FixedArrayType):
        index = array_index(step, place.path, min(kind.length - 1, MAX_ARRAY_INDEX))
        return element_place(layout, "", place.slot, kind.element_id, index)
    raise _no_step(place, f"[{step.key}]")


def _member(layout: StorageLayout, place: Place, struct: StructType, name: str) -> Place:
    for member in struct.members:
        if member.name == name:
            return member_place(layout, place, member)
    raise UnusablePath(
        place.path,
        f"{struct.label} has no member {name}",
        expected=f"one of {listed(member.name for member in struct.members)}",
    )


def _no_step(place: Place, step: str) -> UnusablePath:
    kind = place.type
    if isinstance(kind, StructType):
        reason, expected = f"{kind.label} is a struct and takes no key", ".name of a member"
    elif isinstance(kind, MappingType):
        reason, expected = f"{kind.label} has no members", "[key]"
    elif isinstance(kind, DynamicArrayType):
        reason, expected = f"{kind.label} has no such member", "[index] or .length"
    elif isinstance(kind, FixedArrayType):
        reason, expected = f"{kind.label} has no members, and its length is not stored", "[index]"
    else:
        reason, expected = f"{kind.label} has no parts", "the end of the path"
    return UnusablePath(place.path, reason, got=step, expected=expected)
