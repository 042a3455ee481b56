"""Strict RLP decoding (Ethereum yellow paper, appendix B): one value, one encoding, bounded depth.

The decoder judges hashed bytes, so it takes the canonical form only: shortest lengths, single bytes below 0x80 as
themselves, nothing trailing. Encoding is the `rlp` library's.
"""

from typing import TypeAlias

from hutong.light_clients.interface import MalformedInput

MAX_RLP_BYTES = 1024 * 1024
MAX_DEPTH = 64
"""Nesting of lists; receipts and transactions need five, embedded trie nodes seven."""

RlpItem: TypeAlias = bytes | tuple["RlpItem", ...]


def _long_length(data: bytes, position: int, size: int, end: int, field: str) -> tuple[int, int]:
    """The payload length written in `size` bytes at `position`, and the offset of the payload."""
    start = position + size
    if start > end:
        raise MalformedInput(field, "RLP ends inside a length")
    if data[position] == 0:
        raise MalformedInput(field, "RLP length has a leading zero")
    length = int.from_bytes(data[position:start], "big")
    if length < 56:
        raise MalformedInput(field, "RLP long form of a short length", got=length)
    if length > end - start:
        raise MalformedInput(field, "RLP payload is longer than its container", got=length, expected=end - start)
    return length, start


_EMPTY_STRING = 0x80
_WORD = 0xA0
"""Prefix of a string of 32 bytes."""


def _item(data: bytes, position: int, end: int, depth: int, field: str) -> tuple[RlpItem, int]:
    """The item at `position` and the offset after it."""
    first = data[position]
    if first < 0x80:
        return data[position : position + 1], position + 1
    start = position + 1
    if first <= 0xB7:
        stop = start + first - 0x80
        if stop > end:
            raise MalformedInput(
                field, "RLP payload is longer than its container", got=first - 0x80, expected=end - start
            )
        if first == 0x81 and data[start] < 0x80:
            raise MalformedInput(field, "RLP single byte with a prefix", got=data[start:stop])
        return data[start:stop], stop
    if first <= 0xBF:
        length, start = _long_length(data, start, first - 0xB7, end, field)
        return data[start : start + length], start + length
    if first <= 0xF7:
        stop = start + first - 0xC0
        if stop > end:
            raise MalformedInput(
                field, "RLP payload is longer than its container", got=first - 0xC0, expected=end - start
            )
    else:
        length, start = _long_length(data, start, first - 0xF7, end, field)
        stop = start + length
    if depth == 0:
        raise MalformedInput(field, "RLP lists are nested too deep")
    items: list[RlpItem] = []
    while start < stop:
        first = data[start]
        if first == _EMPTY_STRING:  # these two are nearly all that branches hold
            items.append(b"")
            start += 1
            continue
        if first == _WORD and start + 33 <= stop:
            items.append(data[start + 1 : start + 33])
            start += 33
            continue
        item, start = _item(data, start, stop, depth - 1, field)
        items.append(item)
    return tuple(items), stop


def decode_rlp(data: bytes, field: str = "rlp", max_bytes: int = MAX_RLP_BYTES) -> RlpItem:
    """The one item that `data` encodes: bytes, or a tuple of items.

    Raises:
        MalformedInput: too long, empty, not canonical, nested deeper than 64, or bytes left over.
    """
    if len(data) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=len(data))
    if not data:
        raise MalformedInput(field, "RLP of nothing")
    item, end = _item(bytes(data), 0, len(data), MAX_DEPTH, field)
    if end != len(data):
        raise MalformedInput(field, "bytes after the RLP item", got=len(data) - end)
    return item


def encoded_size(item: RlpItem) -> int:
    """Bytes of the canonical encoding."""
    if isinstance(item, bytes):
        size = len(item)
        if size == 1 and item[0] < 0x80:
            return 1
    else:
        size = sum(map(encoded_size, item))
    return size + 1 if size < 56 else size + 1 + (size.bit_length() + 7) // 8


def decode_uint(item: RlpItem, field: str, max_bytes: int = 32) -> int:
    """An integer: a string without leading zeros, at most `max_bytes` long; zero is the empty string.

    Raises:
        MalformedInput: a list, too long, or a leading zero.
    """
    if not isinstance(item, bytes):
        raise MalformedInput(field, "an integer is a string, not a list")
    if len(item) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=item)
    if item[:1] == b"\0":
        raise MalformedInput(field, "an integer has a leading zero", got=item)
    return int.from_bytes(item, "big")


def decode_fixed(item: RlpItem, field: str, size: int) -> bytes:
    """A string of exactly `size` bytes.

    Raises:
        MalformedInput: a list, or another length.
    """
    if not isinstance(item, bytes) or len(item) != size:
        got = item if isinstance(item, bytes) else "a list"
        raise MalformedInput(field, f"must be {size} bytes", got=got)
    return item
