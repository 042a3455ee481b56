"""Changes that keep an input's outer form, so that what lies beyond the first decoder is reached.

A form reads honest bytes as its tree (protobuf fields, RLP items, ABI words, JSON values), changes one place of it, and writes
it again. Byte strings inside are entered where they are RLP lists themselves; elsewhere they are changed in place. One change in
ten leaves the form: bits, cuts and repetitions of the encoded bytes, for the first decoder's own sake.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import rlp
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

LEAVES_ITS_FORM = 0.1
MOST_CHANGES = 3
NUMBERS = (0, 1, 2, 127, 128, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
WORD = 32


class Form(Protocol):
    """How one kind of input is written."""

    def changed(self, data: bytes, donor: bytes, random: Random) -> bytes:
        """`data` with one change that keeps the form; parts of `donor`, another honest input, may stand in it."""


def mutated(form: Form, data: bytes, donor: bytes, random: Random) -> bytes:
    """`data` with one to three changes, mostly such that keep its form."""
    if random.random() < LEAVES_ITS_FORM:
        return broken(data, random)
    for _ in range(random.choice((1, 1, 1, 2, MOST_CHANGES))):
        data = form.changed(data, donor, random)
    return data


def broken(data: bytes, random: Random) -> bytes:
    """Bytes flipped, cut, doubled or strewn in, whatever they meant."""
    at = random.randrange(len(data) + 1)
    size = random.choice((1, 1, 2, 32, 200))
    match random.randrange(5):
        case 0 if data:
            return flipped(data, random)
        case 1:
            return data[:at]
        case 2:
            return data[:at] + data[at + size :]
        case 3:
            return data[:at] + data[at : at + size] + data[at:]
        case _:
            return data[:at] + random.randbytes(size) + data[at:]


def flipped(data: bytes, random: Random) -> bytes:
    """One bit changed."""
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def changed_bytes(data: bytes, random: Random) -> bytes:
    """A byte string changed inside where it is an RLP list, else in place; seldom in its length."""
    if len(data) > 1 and data[0] >= 0xC0 and random.random() < 0.9:
        try:
            items = rlp.decode(data)
        except rlp.DecodingError:
            items = None
        if isinstance(items, list | tuple):
            return rlp.encode(_changed_item(list(items), random))
    if not data:
        return random.choice((b"\x00", b"\x01", random.randbytes(20), random.randbytes(32)))
    choice = random.randrange(14)
    if choice == 0:
        return random.choice((b"", data[:-1], data + b"\x00", data[1:], data + data))
    if choice == 1:
        return bytes(len(data))
    if choice == 2:
        return random.randbytes(len(data))
    if choice == 3:
        at = random.randrange(len(data))
        return data[:at] + random.choice((b"\x00", b"\xff", b"\x80", b"\x01")) + data[at + 1 :]
    return flipped(data, random)


def changed_number(value: int, random: Random, most: int = 2**64 - 1, least: int = 0) -> int:
    """A near number, or one of the edges of machine integers."""
    near = (value + 1, value - 1, value ^ 1 << random.randrange(most.bit_length()), random.choice(NUMBERS))
    return min(max(random.choice(near), least), most)


def changed_list(items: list[Any], random: Random, change: Callable[[Any], Any]) -> list[Any]:
    """One entry changed, or the list shortened, doubled, turned round."""
    if not items:
        return items
    at = random.randrange(len(items))
    other = random.randrange(len(items))
    match random.randrange(10):
        case 0:
            return items[:at] + items[at + 1 :]
        case 1:
            return [*items[:at], items[at], *items[at:]]
        case 2:
            swapped = list(items)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            return swapped
        case 3 if len(items) > 1:
            return random.choice((items[::-1], items[:-1], items * 2, [items[at]]))
        case _:
            return [*items[:at], change(items[at]), *items[at + 1 :]]


def _changed_item(item: Any, random: Random) -> Any:
    if isinstance(item, bytes):
        return changed_bytes(item, random)
    return changed_list(list(item), random, lambda inner: _changed_item(inner, random))


@dataclass(frozen=True, slots=True)
class Flat:
    """Bytes of one fixed layout (SSZ, signatures, Bitcoin headers)."""

    def changed(self, data: bytes, donor: bytes, random: Random) -> bytes:
        if len(donor) == len(data) and random.random() < 0.1:
            at = random.randrange(len(data) + 1)
            return data[:at] + donor[at:]
        return changed_bytes(data, random)


@dataclass(frozen=True, slots=True)
class Rlp:
    """One RLP item."""

    def changed(self, data: bytes, donor: bytes, random: Random) -> bytes:
        try:
            item = rlp.decode(data)
        except (rlp.DecodingError, IndexError):  # of bytes that an earlier change has broken
            return changed_bytes(data, random)
        return rlp.encode(_changed_item(item, random))


@dataclass(frozen=True, slots=True)
class Abi:
    """Words of 32 bytes; the ones that look like offsets and lengths are changed seldom, padding never on purpose."""

    def changed(self, data: bytes, donor: bytes, random: Random) -> bytes:
        words = len(data) // WORD
        if not words:
            return changed_bytes(data, random)
        at = random.randrange(words) * WORD
        word = data[at : at + WORD]
        value = int.from_bytes(word, "big")
        if value <= len(data) and random.random() < 0.9:  # an offset, a length or a small number
            value = changed_number(value, random) if value % WORD else value
            word = value.to_bytes(WORD, "big")
        elif donor[at : at + WORD] and random.random() < 0.1:
            word = donor[at : at + WORD].ljust(WORD, b"\0")
        else:
            zeros = len(word) - len(word.lstrip(b"\0"))
            body = word[zeros:].rstrip(b"\0") or word
            word = word[:zeros] + changed_bytes(body, random)[: len(body)].ljust(WORD - zeros, b"\0")
            word = word[:WORD]
        return data[:at] + word + data[at + WORD :]


@dataclass(frozen=True, slots=True)
class Json:
    """Text of JSON; hexadecimal and decimal strings stay such."""

    def changed(self, data: bytes, donor: bytes, random: Random) -> bytes:
        try:
            value = json.loads(data)
        except ValueError:
            return broken(data, random)
        return json.dumps(_changed_json(value, random)).encode()


def _changed_json(value: Any, random: Random) -> Any:
    if isinstance(value, dict) and value:
        name = random.choice(sorted(value))
        if random.random() < 0.05:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: _changed_json(value[name], random)}
    if isinstance(value, list) and value:
        return changed_list(value, random, lambda item: _changed_json(item, random))
    if isinstance(value, bool) or value is None:
        return random.choice((not value, 0, "", []))
    if isinstance(value, int):
        return changed_number(value, random, least=-1)
    if isinstance(value, str) and random.random() < 0.9:
        return _changed_text(value, random)
    return random.choice((None, 0, -1, 2**70, "", "0x", [], {}, 1.5, "\udc80"))


def _changed_text(text: str, random: Random) -> str:
    if text.startswith("0x") and len(text) % 2 == 0:
        return "0x" + changed_bytes(bytes.fromhex(text[2:]), random).hex()
    if text.isdecimal():
        return str(changed_number(int(text), random, 2**256))
    if not text:
        return random.choice(("0", "x", "\0"))
    at = random.randrange(len(text))
    return text[:at] + chr(max(32, ord(text[at]) ^ 1 << random.randrange(6))) + text[at + 1 :]


@dataclass(frozen=True, slots=True)
class Protobuf:
    """A message: scalars changed, lists rearranged, fields dropped or taken over from another honest message."""

    message_type: type[Message]

    def changed(self, data: bytes, donor: bytes, random: Random) -> bytes:
        message = self.message_type.FromString(data)
        lender = self.message_type()
        lender.MergeFromString(donor)
        _change_message(message, lender, random)
        return message.SerializeToString(deterministic=True)


_LEAST = {FieldDescriptor.TYPE_INT32: -(2**31), FieldDescriptor.TYPE_ENUM: -(2**31)}
_LEAST |= {FieldDescriptor.TYPE_INT64: -(2**63), FieldDescriptor.TYPE_SINT64: -(2**63)}
_MOST = dict.fromkeys((FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_ENUM), 2**31 - 1)
_MOST |= dict.fromkeys((FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64), 2**63 - 1)
_MOST |= dict.fromkeys((FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32), 2**32 - 1)


def _change_message(message: Message, donor: Message, random: Random) -> None:
    present = [field for field, _ in message.ListFields()]
    fields: Sequence[FieldDescriptor] = present if present and random.random() < 0.95 else message.DESCRIPTOR.fields
    if not fields:
        return
    field = random.choice(fields)
    if random.random() < 0.05:
        _take_over(message, donor, field, random)
    elif field.is_repeated:
        _change_repeated(message, donor, field, random)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        if not message.HasField(field.name):
            getattr(message, field.name).SetInParent()
        else:
            _change_message(getattr(message, field.name), getattr(donor, field.name), random)
    else:
        setattr(message, field.name, _changed_scalar(field, getattr(message, field.name), random))


def _take_over(message: Message, donor: Message, field: FieldDescriptor, random: Random) -> None:
    """The donor's field, or nothing."""
    message.ClearField(field.name)
    if random.random() < 0.8:
        part = type(message)()
        part.CopyFrom(donor)
        for other in message.DESCRIPTOR.fields:
            if other.name != field.name:
                part.ClearField(other.name)
        message.MergeFrom(part)


def _change_repeated(message: Message, donor: Message, field: FieldDescriptor, random: Random) -> None:
    entries = list(getattr(message, field.name))
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        copies = []
        for entry in entries:
            copy = type(entry)()
            copy.CopyFrom(entry)
            copies.append(copy)

        def change(entry: Message) -> Message:
            _change_message(entry, random.choice(copies), random)
            return entry

        entries = changed_list(copies, random, change)
    else:
        entries = changed_list(entries, random, lambda value: _changed_scalar(field, value, random))
    message.ClearField(field.name)
    getattr(message, field.name).extend(entries)


def _changed_scalar(field: FieldDescriptor, value: Any, random: Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return changed_number(value, random, _MOST.get(field.type, 2**64 - 1), _LEAST.get(field.type, 0))
    if isinstance(value, str):
        return _changed_text(value, random).encode("utf-8", "replace").decode()
    return changed_bytes(value, random)
