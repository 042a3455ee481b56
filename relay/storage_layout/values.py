"""What words say: from the slots of a value to the value, and which slots are needed for that.

The words are believed: whoever asked a node or read a proof has judged them. Bytes of a slot beside the value belong to
other variables and are not looked at; nor is what stands after the end of a text in its last slot.
"""

from collections.abc import Mapping
from typing import TypeAlias, cast

from hutong.light_clients.interface.errors import UnsupportedOperation
from hutong.relay.storage_layout.errors import ImpossibleWord, WordsMissing
from hutong.relay.storage_layout.layout import StorageLayout
from hutong.relay.storage_layout.slots import Place, content_slot, element_place, member_place
from hutong.relay.storage_layout.types import (
    ALL_SLOTS,
    WORD_BYTES,
    BytesType,
    DynamicArrayType,
    FixedArrayType,
    Kind,
    MappingType,
    OpaqueType,
    StructType,
    ValueType,
    slots_of,
)

MAX_PARTS = 65_536
"""Of one value: its slots, and its elements and members at every depth. More are read part by part."""
MAX_VALUE_NESTING = 32
"""A struct may hold itself in an array, and a chain say so at any depth."""
MAX_SHORT_BYTES = WORD_BYTES - 1

Value: TypeAlias = int | bool | str | bytes | tuple["Value", ...] | dict[str, "Value"]
"""Numbers and enums are int, addresses, contracts and bytes are bytes, arrays tuples, structs dicts in their order."""


def decode(layout: StorageLayout, place: Place, words: Mapping[int, bytes]) -> Value:
    """The value at a place that `locate` found.

    Args:
        words: slot → its 32 bytes; slots that hold nothing are there as zeros. Others than those needed do no harm.

    Raises:
        WordsMissing: some of its slots are not among the words. After they are added there may be more: the slots of a
            text are known only when its first one is.
        ImpossibleWord: no compiler writes this: a bool of 2, a text whose length contradicts its form, or is not UTF-8.
        UnsupportedOperation: a mapping as a whole, or more than MAX_PARTS parts; a type whose bytes are not known.
    """
    reading = _Reading(layout, words)
    value = reading.value(place, 0)
    if reading.missing:
        raise WordsMissing(place.path, tuple(reading.missing))
    return cast(Value, value)  # None stands for a part whose word is missing


def value_of(kind: ValueType, word: bytes, offset: int, path: str) -> int | bool | bytes:
    """The value that lies `offset` bytes from the right end of a word of 32 bytes.

    Raises:
        ImpossibleWord: it is a bool, and its byte is neither 0 nor 1.
    """
    end = WORD_BYTES - offset
    raw = word[end - kind.size_bytes : end]
    if kind.kind in (Kind.ADDRESS, Kind.FIXED_BYTES):
        return raw
    if kind.kind is Kind.BOOL:
        if raw[0] > 1:
            raise ImpossibleWord(path, "a bool is 0 or 1", got=raw[0])
        return raw[0] == 1
    return int.from_bytes(raw, "big", signed=kind.kind is Kind.SIGNED)


class _Reading:
    """One value being read: goes on where a word is missing, so that one error names all that are known to be needed."""

    def __init__(self, layout: StorageLayout, words: Mapping[int, bytes]) -> None:
        self.missing: dict[int, None] = {}
        self._layout = layout
        self._words = words
        self._parts = 0

    def value(self, place: Place, depth: int) -> Value | None:
        kind = place.type
        if depth > MAX_VALUE_NESTING:
            raise UnsupportedOperation(
                f"{place.path}: a value nested deeper than {MAX_VALUE_NESTING}", "name a part of it"
            )
        if isinstance(kind, OpaqueType):
            raise UnsupportedOperation(f"{place.path}: values of type {kind.label}", kind.why)
        if isinstance(kind, MappingType):
            raise UnsupportedOperation(
                f"{place.path}: the value of a mapping", "a contract does not keep its keys: name one"
            )
        if isinstance(kind, BytesType):
            return self._bytes(place, kind)
        if isinstance(kind, StructType):
            self._count(place, len(kind.members))
            return self._struct(place, kind, depth)
        if isinstance(kind, FixedArrayType):
            return self._elements(place, kind.element_id, place.slot, kind.length, depth)
        word = self._word(place.slot)
        if isinstance(kind, DynamicArrayType):
            if word is None:
                return None
            length = int.from_bytes(word, "big")
            return self._elements(place, kind.element_id, content_slot(place.slot), length, depth)
        return None if word is None else value_of(kind, word, place.offset, place.path)

    def _word(self, slot: int) -> bytes | None:
        word = self._words.get(slot)
        if word is None:
            self.missing[slot] = None
        return word

    def _count(self, place: Place, parts: int) -> None:
        """Before anything of that number is made: a length is whatever a word says."""
        self._parts += parts
        if self._parts > MAX_PARTS:
            raise UnsupportedOperation(
                f"{place.path}: a value of more than {MAX_PARTS} parts at once", "name a part of it"
            )

    def _struct(self, place: Place, kind: StructType, depth: int) -> Value:
        members = [member_place(self._layout, place, member) for member in kind.members]
        values = [self.value(member, depth + 1) for member in members]
        return {member.name: cast(Value, value) for member, value in zip(kind.members, values, strict=True)}

    def _elements(self, place: Place, element_id: str, first_slot: int, length: int, depth: int) -> Value:
        self._count(place, length)
        found = [
            self.value(element_place(self._layout, f"{place.path}[{index}]", first_slot, element_id, index), depth + 1)
            for index in range(length)
        ]
        return tuple(cast(Value, value) for value in found)

    def _bytes(self, place: Place, kind: BytesType) -> Value | None:
        head = self._word(place.slot)
        if head is None:
            return None
        # The lowest bit says which form it is; either gives a length that is of that form alone, or the EVM panics (0x22).
        is_long, length = head[-1] & 1, head[-1] // 2
        if is_long:
            length = int.from_bytes(head, "big") // 2
        if (length > MAX_SHORT_BYTES) != bool(is_long):
            raise ImpossibleWord(place.path, "the length contradicts the form that the lowest bit says", got=head)
        if not is_long:
            return _text_or_bytes(place, kind, head[:length])
        self._count(place, slots_of(length))
        first = content_slot(place.slot)
        words = [self._word((first + index) % ALL_SLOTS) for index in range(slots_of(length))]
        if None in words:
            return None
        return _text_or_bytes(place, kind, b"".join(cast(list[bytes], words))[:length])


def _text_or_bytes(place: Place, kind: BytesType, data: bytes) -> Value:
    if not kind.is_text:
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ImpossibleWord(place.path, "the text is not UTF-8", got=data) from None
