"""Compressed lists, inflated within a bound that is known first.

A megabyte of zlib can hold a gigabyte of zeros, so output is asked for up to the bound and one byte more, and what would come
after that is never made. One stream, to its end, with nothing after it: a verifier that reads a prefix and one that reads all
must not see two lists.
"""

import zlib
from enum import IntEnum
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput

_READ_BYTES: Final = 64 * 1024
"""Of output at a time: what a bomb can make us hold beyond the bound."""


class Wrapping(IntEnum):
    """The frame around the deflated bytes, as zlib numbers its window for it."""

    ZLIB = 15
    """RFC 1950, in Token Status Lists."""
    GZIP = 31
    """RFC 1952, in Bitstring Status Lists."""


def inflate(data: bytes, field: str, max_bytes: int, wrapping: Wrapping) -> bytes:
    """The bytes that `data` is the compressed form of, at most `max_bytes` of them.

    Raises:
        MalformedInput: not of this frame, damaged, cut short, followed by anything, in need of a preset dictionary, or
            more than `max_bytes` once inflated.
    """
    reader = zlib.decompressobj(wrapping)
    parts: list[bytes] = []
    held, pending = 0, data
    try:
        while not reader.eof:
            part = reader.decompress(pending, min(_READ_BYTES, max_bytes + 1 - held))
            pending = reader.unconsumed_tail
            parts.append(part)
            held += len(part)
            if held > max_bytes:
                raise MalformedInput(field, f"inflates to more than {max_bytes} bytes", got=len(data))
            if not part and not reader.eof:
                raise MalformedInput(field, "the compressed bytes end too early", got=len(data))
    except zlib.error as error:
        # Its words change between versions of zlib.
        raise MalformedInput(field, "is not a compressed list", got=len(data), expected=wrapping.name) from error
    if reader.unused_data:
        raise MalformedInput(field, "bytes follow the compressed list", got=len(reader.unused_data))
    return b"".join(parts)


def deflate(octets: bytes, wrapping: Wrapping) -> bytes:
    """The compressed form, as small as zlib makes it. Equal octets give equal bytes: gzip's header has no time and no name."""
    writer = zlib.compressobj(9, zlib.DEFLATED, wrapping)
    return writer.compress(octets) + writer.flush()
