"""solc's `storageLayout` as JSON, checked: `{"storage": […], "types": {…}}`.

The compiler adds fields from version to version, so fields that are not known are passed over. What a type is follows from
its id (`t_uint128`, `t_struct(Item)12_storage`): labels are for people.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hutong.light_clients.interface.document import Document, Members
from hutong.relay.storage_layout.errors import listed
from hutong.relay.storage_layout.layout import StorageLayout
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
    array_slots,
)

MAX_TYPES = 10_000
MAX_VARIABLES = 10_000
"""Of a contract, and of a struct."""
MAX_NESTING = 32
"""Structs and arrays of fixed length within each other."""
MAX_TYPE_CHARS = 4_096
"""Ids and labels hold those of what they are made of."""
MAX_NAME_CHARS = 1_000
MAX_BYTES = ALL_SLOTS * WORD_BYTES
IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,999}")

_ARRAY = re.compile(r"t_array\(.*\)(dyn|[1-9][0-9]{0,77})_storage")
_ELEMENTARY = re.compile(r"(u?int)([1-9][0-9]{0,2})|bytes([1-9][0-9]?)|bool|address")
_ADDRESS_BYTES = 20
_MAX_ENUM_BYTES = 8

USER_DEFINED = "t_userDefinedValueType("
_NO_UNDERLYING = "the layout does not say what it is made of: compile with the output `abi` too, or say its type"
_SAME_NAME = "several types have this name, and the layout does not say what they are made of"


def elementary_type(name: str, label: str | None = None) -> ValueType | None:
    """The type that Solidity calls `name`: uint8 to uint256, int8 to int256, bool, address, bytes1 to bytes32.

    None for any other name, also for the short forms `uint` and `int`. `label` replaces `name` as the type's label.
    """
    match = _ELEMENTARY.fullmatch(name)
    if match is None:
        return None
    shown = label or name
    if match[1] is not None:
        size, rest = divmod(int(match[2]), 8)
        kind = Kind.UNSIGNED if match[1] == "uint" else Kind.SIGNED
        return ValueType(shown, kind, size) if rest == 0 and 1 <= size <= WORD_BYTES else None
    if match[3] is not None:
        return ValueType(shown, Kind.FIXED_BYTES, int(match[3])) if int(match[3]) <= WORD_BYTES else None
    return ValueType(shown, Kind.BOOL, 1) if name == "bool" else ValueType(shown, Kind.ADDRESS, _ADDRESS_BYTES)


@dataclass(frozen=True, slots=True)
class Underlying:
    """What user-defined value types are made of, which no layout says: label → name of the elementary type."""

    said: Mapping[str, str]
    """By the person who asks: it must fit."""
    hinted: Mapping[str, str]
    """By the contract's ABI, where another type of that name may be meant: left aside where it does not fit."""


def layout_of(
    document: Document, contract: str, underlying: Underlying, transient: frozenset[str] = frozenset()
) -> StorageLayout:
    """The layout that the document is.

    Args:
        contract: its name, where something around the document says it; else empty, and the variables say it.
        transient: names of the contract's transient variables.

    Raises:
        MalformedInput: it is no `storageLayout`: a field is missing or out of bounds, a type is named and not there, does
            not have the size that its id says, or holds itself; or two variables share a byte. Or a type is `said` to be
            what it cannot be.
    """
    fields = document.members()
    types = fields["types"].nullable()
    reader = _Types({} if types is None else dict(_entries(types)), underlying)
    reader.check_said(document)
    listed_variables = fields["storage"].items(MAX_VARIABLES)
    variables = reader.variables(listed_variables, ALL_SLOTS)
    for type_id, entry in reader.entries.items():
        reader.type_of(type_id, entry, 0)
    if not contract and listed_variables:
        named = listed_variables[0].members().optional("contract")
        contract = "" if named is None else named.text(MAX_NAME_CHARS)
    return StorageLayout(contract, variables, reader.types, transient)


def _entries(types: Document) -> Sequence[tuple[str, Document]]:
    return [(name.text(MAX_TYPE_CHARS, 1), entry) for name, entry in types.entries(MAX_TYPES)]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A type's document with the two fields that all have."""

    id: str
    label: str
    size_bytes: int
    document: Document
    fields: Members


class _Types:
    """Reads each type once. Types within each other are read from the outside in, at most MAX_NESTING deep."""

    def __init__(self, entries: Mapping[str, Document], underlying: Underlying) -> None:
        self.entries = entries
        self.types: dict[str, StorageType] = {}
        self._underlying = underlying
        self._user_defined = Counter(
            entry.members()["label"].text(MAX_TYPE_CHARS)
            for type_id, entry in entries.items()
            if type_id.startswith(USER_DEFINED)
        )
        self._depths: dict[str, int] = {}

    def check_said(self, document: Document) -> None:
        """Whether there is each type of which something is said."""
        for label in self._underlying.said:
            if label not in self._user_defined:
                raise document.refused(
                    f"has no user-defined value type {label}; it has {listed(self._user_defined)}", got=label
                )

    def type_of(self, type_id: str, asked: Document, above: int) -> StorageType:
        """The type of that id, of which `asked` speaks, and which lies within `above` others."""
        document = self.entries.get(type_id)
        if document is None:
            raise asked.refused("names a type that is not in `types`", got=type_id)
        if above + self._depths.get(type_id, 0) >= MAX_NESTING:
            raise asked.refused(f"structs and arrays nest deeper than {MAX_NESTING}, or hold themselves", got=type_id)
        if type_id not in self.types:
            self.types[type_id], self._depths[type_id] = self._read(type_id, document, above)
        return self.types[type_id]

    def variables(self, listed: Sequence[Document], slots: int) -> tuple[Variable, ...]:
        """Variables or members that lie within `slots` slots and share no byte, in the order of their places."""
        return self._placed(listed, slots, -1)

    def _placed(self, listed: Sequence[Document], slots: int, above: int) -> tuple[Variable, ...]:
        placed = []
        for document in listed:
            fields = document.members()
            kind = fields["type"]
            variable = Variable(
                fields["label"].matching(IDENTIFIER, "a name of Solidity"),
                fields["slot"].decimal(0, ALL_SLOTS - 1),
                fields["offset"].integer(0, WORD_BYTES - 1),
                kind.text(MAX_TYPE_CHARS, 1),
            )
            size_bytes = self.type_of(variable.type_id, kind, above + 1).size_bytes
            start = variable.slot * WORD_BYTES + variable.offset
            if variable.offset and variable.offset + size_bytes > WORD_BYTES:
                raise document.refused("reaches from one slot into the next", got=variable.name)
            if start + size_bytes > slots * WORD_BYTES:
                raise document.refused("ends outside of what holds it", got=variable.name)
            placed.append((start, start + size_bytes, variable, document))
        placed.sort(key=lambda place: place[:2])
        for (_, end, before, _), (start, _, variable, document) in pairwise(placed):
            if start < end:
                raise document.refused(f"{variable.name} shares bytes with {before.name}")
        return tuple(variable for _, _, variable, _ in placed)

    def _read(self, type_id: str, document: Document, above: int) -> tuple[StorageType, int]:
        """The type, and how deep others lie within it."""
        fields = document.members()
        entry = _Entry(
            type_id,
            fields["label"].text(MAX_TYPE_CHARS),
            fields["numberOfBytes"].decimal(1, MAX_BYTES),
            document,
            fields,
        )
        encoding = fields["encoding"].text(MAX_NAME_CHARS)
        if encoding == "inplace":
            if "members" in fields:
                return self._struct(entry, above)
            if "base" in fields:
                return self._fixed_array(entry, above)
            return self._small(entry), 0
        if entry.size_bytes != WORD_BYTES:
            raise document.refused("does not take one slot", got=entry.size_bytes, expected=WORD_BYTES)
        if encoding == "bytes":
            if type_id not in _BYTES_IDS:
                raise document.refused("is encoded as bytes, and is neither bytes nor string", got=type_id)
            return BytesType(entry.label, _BYTES_IDS[type_id]), 0
        if encoding == "mapping":
            key_id, value_id = self._named(fields["key"]), self._named(fields["value"])
            return MappingType(entry.label, key_id, value_id), 0
        if encoding == "dynamic_array":
            if _array_length(entry) is not None:
                raise document.refused("is encoded as a dynamic array, and its id has a length", got=type_id)
            return DynamicArrayType(entry.label, self._named(fields["base"])), 0
        raise document.refused("unknown encoding", got=encoding, expected="inplace, bytes, mapping or dynamic_array")

    def _named(self, document: Document) -> str:
        """A type that does not lie within the one that names it: it may be the same one."""
        type_id = document.text(MAX_TYPE_CHARS, 1)
        if type_id not in self.entries:
            raise document.refused("names a type that is not in `types`", got=type_id)
        return type_id

    def _struct(self, entry: _Entry, above: int) -> tuple[StorageType, int]:
        if entry.size_bytes % WORD_BYTES:
            raise entry.document.refused("a struct takes whole slots", got=entry.size_bytes)
        listed = entry.fields["members"].items(MAX_VARIABLES, 1)
        members = self._placed(listed, entry.size_bytes // WORD_BYTES, above)
        if len({member.name for member in members}) != len(members):
            raise entry.document.refused("two members have one name")
        depth = 1 + max(self._depths[member.type_id] for member in members)
        return StructType(entry.label, members, entry.size_bytes), depth

    def _fixed_array(self, entry: _Entry, above: int) -> tuple[StorageType, int]:
        base = entry.fields["base"]
        element_id = base.text(MAX_TYPE_CHARS, 1)
        element_bytes = self.type_of(element_id, base, above + 1).size_bytes
        length = _array_length(entry)
        if length is None:
            raise entry.document.refused("is encoded in place, and its id is of a dynamic array", got=entry.id)
        expected = array_slots(element_bytes, length) * WORD_BYTES
        if entry.size_bytes != expected:
            raise entry.document.refused("an array of another size", got=entry.size_bytes, expected=expected)
        return FixedArrayType(entry.label, element_id, length, expected), 1 + self._depths[element_id]

    def _small(self, entry: _Entry) -> StorageType:
        size_bytes = entry.size_bytes
        if size_bytes > WORD_BYTES:
            raise entry.document.refused("takes more than a slot, and has neither members nor base", got=size_bytes)
        if entry.id.startswith(USER_DEFINED):
            return self._user_defined_type(entry)
        found = _known_type(entry)
        if found.size_bytes != size_bytes:
            raise entry.document.refused(
                f"{found.label} takes another number of bytes", got=size_bytes, expected=found.size_bytes
            )
        return found

    def _user_defined_type(self, entry: _Entry) -> ValueType | OpaqueType:
        label, size_bytes = entry.label, entry.size_bytes
        if self._user_defined[label] > 1:
            return OpaqueType(label, size_bytes, _SAME_NAME)
        said, hinted = self._underlying.said.get(label), self._underlying.hinted.get(label)
        name = said or hinted
        found = None if name is None else elementary_type(name, label)
        if found is not None and found.size_bytes == size_bytes:
            return found
        if said is not None:
            raise entry.document.refused(f"{label} has {size_bytes} bytes and is not made of this type", got=said)
        return OpaqueType(label, size_bytes, _NO_UNDERLYING)


_BYTES_IDS = {
    f"t_{name}_{where}": name == "string"
    for name in ("bytes", "string")
    for where in ("storage", "memory_ptr", "storage_ptr", "calldata_ptr")
}


def _array_length(entry: _Entry) -> int | None:
    match = _ARRAY.fullmatch(entry.id)
    if match is None:
        raise entry.document.refused("has a base, and its id is not of an array in storage", got=entry.id)
    return None if match[1] == "dyn" else int(match[1])


def _known_type(entry: _Entry) -> ValueType | OpaqueType:
    label, size_bytes = entry.label, entry.size_bytes
    if entry.id.startswith("t_enum("):
        if size_bytes > _MAX_ENUM_BYTES:
            raise entry.document.refused("an enum of so many bytes", got=size_bytes)
        return ValueType(label, Kind.ENUM, size_bytes)
    if entry.id.startswith("t_contract(") or entry.id == "t_address_payable":
        return ValueType(label, Kind.ADDRESS, _ADDRESS_BYTES)
    known = elementary_type(entry.id.removeprefix("t_"), label) if entry.id.startswith("t_") else None
    return known or OpaqueType(label, size_bytes, "only its place is known here")
