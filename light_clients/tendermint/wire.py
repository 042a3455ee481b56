"""The few protobuf encodings that are hashed or signed once a validator, written by hand because they are hot.

Everything else is encoded by the protobuf runtime (`codec`); tests hold the two equal.
"""

from functools import lru_cache

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND

_MASK64 = 2**64 - 1


def varint(value: int) -> bytes:
    """Minimal base-128 encoding of a uint64, or of an int64 in two's complement (ten bytes when negative)."""
    value &= _MASK64
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_field(number: int, value: int) -> bytes:
    """An int64 or uint64 field below number 16; nothing for zero."""
    return bytes((number << 3,)) + varint(value) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """A string or bytes field below number 16; nothing for the empty value."""
    return message_field(number, value) if value else b""


def message_field(number: int, encoded: bytes) -> bytes:
    """A message field below number 16, written also where the message is empty (gogoproto non-nullable)."""
    return bytes((number << 3 | 2,)) + varint(len(encoded)) + encoded


def sfixed64_field(number: int, value: int) -> bytes:
    """An int64 field below number 16, eight bytes, little-endian; nothing for zero."""
    return bytes((number << 3 | 1,)) + value.to_bytes(8, "little", signed=True) if value else b""


def timestamp(time_ns: int) -> bytes:
    """google.protobuf.Timestamp of nanoseconds since 1970; `nanos` is never negative, so `seconds` is rounded down."""
    seconds, nanos = divmod(time_ns, NANOSECONDS_PER_SECOND)
    return _seconds_field(seconds) + varint_field(2, nanos)


@lru_cache(maxsize=64)
def _seconds_field(seconds: int) -> bytes:
    """The votes of one commit fall into a few seconds."""
    return varint_field(1, seconds)
