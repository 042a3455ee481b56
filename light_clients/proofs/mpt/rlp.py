"""Recursive length prefix, strict: every item has exactly one encoding, and only that one is accepted.

The one decoder for trie nodes, headers and extra data. Source: Ethereum yellow paper, appendix B.
"""

from typing import TypeAlias

from light_clients.interface.errors import MalformedInput

MAX_RLP_BYTES = 512 * 1024
MAX_DEPTH = 32
"""Headers nest 1 deep, extra data 2, trie nodes with embedded children at most 5."""

RlpItem: TypeAlias = bytes | tuple["RlpItem", ...]


def decode(data: bytes, field: str, max_bytes: int = MAX_RLP_BYTES) -> RlpItem:
    """One item that fills `data`; a list is a tuple. `field` names the input in errors.

    Raises:
        MalformedInput: too long or too deep, trailing or missing bytes, a length or single byte in a longer form than it needs.
    """
    if len(data) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=len(data))
    data = bytes(data)
    item, end = _decode_item(data, 0, len(data), field, 0)
    if end != len(data):
        raise MalformedInput(field, "has bytes after the RLP item", got=len(data) - end)
    return item


def _decode_item(data: bytes, start: int, limit: int, field: str, depth: int) -> tuple[RlpItem, int]:
    if start >= limit:
        raise MalformedInput(field, "RLP item is cut short")
    first = data[start]
    if first < 0x80:
        return data[start : start + 1], start + 1
    if first < 0xC0:
        body, end = _span(data, start, limit, field, 0x80)
        if end - body == 1 and data[body] < 0x80:
            raise MalformedInput(field, "RLP writes a byte below 0x80 as itself", got=data[start:end])
        return data[body:end], end
    if depth >= MAX_DEPTH:
        raise MalformedInput(field, f"RLP nests deeper than {MAX_DEPTH}")
    body, end = _span(data, start, limit, field, 0xC0)
    items = []
    position = body
    while position < end:
        item, position = _decode_item(data, position, end, field, depth + 1)
        items.append(item)
    return tuple(items), end


def _span(data: bytes, start: int, limit: int, field: str, base: int) -> tuple[int, int]:
    """Where the payload of a prefixed item begins and ends; never past `limit`."""
    length = data[start] - base
    body = start + 1
    if length > 55:
        size = length - 55
        if body + size > limit:
            raise MalformedInput(field, "RLP length is cut short")
        if data[body] == 0:
            raise MalformedInput(field, "RLP length has a leading zero", got=data[start : body + size])
        length = int.from_bytes(data[body : body + size], "big")
        if length < 56:
            raise MalformedInput(field, "RLP length fits the short form", got=data[start : body + size])
        body += size
    if length > limit - body:
        raise MalformedInput(field, "RLP item is cut short", got=limit - body, expected=length)
    return body, body + length


def decode_list(data: bytes, field: str, max_bytes: int = MAX_RLP_BYTES) -> tuple[RlpItem, ...]:
    """`decode`, where the item must be a list."""
    return as_list(decode(data, field, max_bytes), field)


def as_list(item: RlpItem, field: str) -> tuple[RlpItem, ...]:
    """The item, which must be a list."""
    if isinstance(item, bytes):
        raise MalformedInput(field, "must be an RLP list, is a string", got=item)
    return item


def as_bytes(item: RlpItem, field: str, size: int | None = None) -> bytes:
    """The item, which must be a string, of exactly `size` bytes where given."""
    if not isinstance(item, bytes):
        raise MalformedInput(field, "must be an RLP string, is a list")
    if size is not None and len(item) != size:
        raise MalformedInput(field, f"must be {size} bytes", got=len(item))
    return item


def as_int(item: RlpItem, field: str, max_bytes: int = 32) -> int:
    """The item as a big-endian integer without leading zeros; zero is the empty string."""
    data = as_bytes(item, field)
    if len(data) > max_bytes:
        raise MalformedInput(field, f"integer of more than {max_bytes} bytes", got=len(data))
    if data[:1] == b"\x00":
        raise MalformedInput(field, "integer has a leading zero", got=data)
    return int.from_bytes(data, "big")


def int_bytes(value: int) -> bytes:
    """The shortest big-endian form of a non-negative integer; zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode(item: RlpItem) -> bytes:
    """The encoding that `decode` accepts. Integers are passed as `int_bytes`."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(len(item), 0x80) + item
    body = b"".join(map(encode, item))
    return _prefix(len(body), 0xC0) + body


def _prefix(length: int, base: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = int_bytes(length)
    return bytes([base + 55 + len(size)]) + size
