"""DAG-CBOR, strictly: one encoding for each value, so that an id names one manifest and a manifest has one id.

Libraries at hand accept numbers that are not minimal, or maps out of order: two encodings of one value, hence two ids. Here each head is
minimal, lengths are definite, keys ascend by length and then by bytes, floats have 64 bits and are finite, and the one tag is 42.
Whoever reads bounds the bytes. Levels and values are bounded here, before anything is built of them: an empty list is one byte of
input and 56 of memory.
"""

import math
import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.rules.objects.cid import Cid, decode_cid

MAX_DEPTH: Final = 64
MAX_VALUES: Final = 2**17
"""Of one input: lists, maps and what is in them, keys not counted."""
_LINK_TAG: Final = 42
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_SIMPLE_VALUES: Final[dict[int, bool | None]] = {20: False, 21: True, 22: None}
_FLOAT_64: Final = 27
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}

Node: TypeAlias = "bool | int | float | bytes | str | Cid | list[Node] | dict[str, Node] | None"


def encode_node(node: Node) -> bytes:
    """The one encoding of a value.

    Raises:
        MalformedInput: a number beyond 64 bits, a float that is not finite, text with half a surrogate pair, or too deep.
    """
    parts: list[bytes] = []
    _encode(node, parts, 0)
    return b"".join(parts)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for short, width in _WIDTHS.items():
        if number < 1 << 8 * width:
            return bytes([major << 5 | short]) + number.to_bytes(width, "big")
    raise MalformedInput("cbor", "a number of more than 64 bits", got=number)


def _encode(node: Node, parts: list[bytes], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedInput("cbor", f"more than {MAX_DEPTH} levels")
    match node:
        case None | bool():
            parts.append(bytes([_SIMPLE << 5 | {False: 20, True: 21, None: 22}[node]]))
        case int():
            parts.append(_head(_UNSIGNED, node) if node >= 0 else _head(_NEGATIVE, -1 - node))
        case float():
            if not math.isfinite(node):
                raise MalformedInput("cbor", "a float that is not finite", got=node)
            parts.append(bytes([_SIMPLE << 5 | _FLOAT_64]) + struct.pack(">d", node))
        case bytes():
            parts += [_head(_BYTES, len(node)), node]
        case str():
            parts.append(_text(node))
        case Cid():
            link = b"\0" + node.to_bytes()
            parts += [_head(_TAG, _LINK_TAG), _head(_BYTES, len(link)), link]
        case list():
            parts.append(_head(_LIST, len(node)))
            for item in node:
                _encode(item, parts, depth + 1)
        case dict():
            parts.append(_head(_MAP, len(node)))
            for key, value in sorted((_text(key), value) for key, value in _entries(node)):
                parts.append(key)
                _encode(value, parts, depth + 1)


def _entries(node: dict[str, Node]) -> list[tuple[str, Node]]:
    return list(node.items())


def _text(text: str) -> bytes:
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise MalformedInput("cbor", "text that is not Unicode", got=text) from error
    return _head(_TEXT, len(octets)) + octets


def decode_node(octets: bytes, most_values: int = MAX_VALUES) -> Node:
    """The value of canonical bytes, whose number the caller has bounded.

    Args:
        most_values: as `MAX_VALUES`. A head that promises more is refused before it is followed.

    Raises:
        MalformedInput: anything but the one encoding of a value, bytes after it, more than `MAX_DEPTH` levels or `most_values`.
    """
    node, end = _Decoder(octets, most_values).decode(0, 0)
    if end != len(octets):
        raise MalformedInput("cbor", "bytes after the value", got=len(octets) - end)
    return node


def _read_head(octets: bytes, at: int) -> tuple[int, int, int, int]:
    """Major type, short count, number, and where the head ends."""
    if at >= len(octets):
        raise MalformedInput("cbor", f"ends at byte {at}")
    major, short = octets[at] >> 5, octets[at] & 31
    if short < 24:
        return major, short, short, at + 1
    width = _WIDTHS.get(short)
    if width is None:
        raise MalformedInput("cbor", "an indefinite length or a reserved head", got=octets[at : at + 1])
    raw = octets[at + 1 : at + 1 + width]
    if len(raw) != width:
        raise MalformedInput("cbor", f"ends within the head at byte {at}")
    number = int.from_bytes(raw, "big")
    if major != _SIMPLE and _head(major, number) != octets[at : at + 1 + width]:
        raise MalformedInput("cbor", "a number that is not minimal", got=octets[at : at + 1 + width])
    return major, short, number, at + 1 + width


def _take(octets: bytes, at: int, size: int) -> bytes:
    taken = octets[at : at + size]
    if len(taken) != size:
        raise MalformedInput("cbor", f"ends within the value at byte {at}", got=len(taken), expected=size)
    return taken


def _decode_text(octets: bytes, at: int, size: int) -> str:
    try:
        return _take(octets, at, size).decode()
    except UnicodeDecodeError as error:
        raise MalformedInput("cbor", f"text that is not UTF-8 at byte {at}") from error


@dataclass(slots=True)
class _Decoder:
    """One input, and how many values may still come of it."""

    octets: bytes
    left: int

    def decode(self, at: int, depth: int) -> tuple[Node, int]:
        """The value at `at`, and where it ends."""
        if depth > MAX_DEPTH:
            raise MalformedInput("cbor", f"more than {MAX_DEPTH} levels")
        self._promised(1)
        self.left -= 1
        major, short, number, at = _read_head(self.octets, at)
        if major == _UNSIGNED:
            return number, at
        if major == _NEGATIVE:
            return -1 - number, at
        if major == _BYTES:
            return _take(self.octets, at, number), at + number
        if major == _TEXT:
            return _decode_text(self.octets, at, number), at + number
        if major == _LIST:
            return self._list(at, number, depth)
        if major == _MAP:
            return self._map(at, number, depth)
        if major == _TAG:
            return _decode_link(self.octets, at, number)
        return _decode_simple(self.octets, at, short)

    def _promised(self, values: int) -> None:
        if values > self.left:
            raise MalformedInput("cbor", "more values than there may be", got=values, expected=f"at most {self.left}")

    def _list(self, at: int, count: int, depth: int) -> tuple[list[Node], int]:
        self._promised(count)
        # Each item has at least one byte: a count that promises more is refused before anything is read.
        if count > len(self.octets) - at:
            raise MalformedInput("cbor", "more items than bytes", got=count)
        items: list[Node] = []
        for _ in range(count):
            item, at = self.decode(at, depth + 1)
            items.append(item)
        return items, at

    def _map(self, at: int, count: int, depth: int) -> tuple[dict[str, Node], int]:
        self._promised(count)
        if 2 * count > len(self.octets) - at:
            raise MalformedInput("cbor", "more entries than bytes", got=count)
        entries: dict[str, Node] = {}
        before = b""
        for _ in range(count):
            begin = at
            major, _, size, at = _read_head(self.octets, at)
            if major != _TEXT:
                raise MalformedInput("cbor", "a key that is not text", got=self.octets[begin : begin + 1])
            key, at = _decode_text(self.octets, at, size), at + size
            # Heads are minimal, so that encoded keys in order of bytes are keys by length and then by bytes.
            encoded = self.octets[begin:at]
            if encoded <= before:
                raise MalformedInput("cbor", "keys do not ascend, or one stands twice", got=key)
            before = encoded
            entries[key], at = self.decode(at, depth + 1)
        return entries, at


def _decode_link(octets: bytes, at: int, tag: int) -> tuple[Cid, int]:
    if tag != _LINK_TAG:
        raise MalformedInput("cbor", "a tag other than 42", got=tag)
    major, _, size, at = _read_head(octets, at)
    link = _take(octets, at, size) if major == _BYTES else b""
    if link[:1] != b"\0":
        raise MalformedInput("cbor", "a link that is not bytes with the prefix 0", got=link[:1])
    return decode_cid(link[1:]), at + size


def _decode_simple(octets: bytes, at: int, short: int) -> tuple[Node, int]:
    """`at` is after the head."""
    if short == _FLOAT_64:
        number = float(struct.unpack(">d", octets[at - 8 : at])[0])
        if not math.isfinite(number):
            raise MalformedInput("cbor", "a float that is not finite", got=number)
        return number, at
    if short not in _SIMPLE_VALUES:
        raise MalformedInput("cbor", "a simple value that is none, or a short float", got=short)
    return _SIMPLE_VALUES[short], at
