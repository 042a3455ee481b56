"""Frames on a stream: kind (1 byte), payload length (4 bytes, big-endian), payload. The bound of the kind is checked before anything is read."""

import trio

from light_clients.interface import MalformedInput
from relay.hub.network.codec import MAX_BYTES, Kind

HEAD_BYTES = 5


def frame(kind: Kind, payload: bytes) -> bytes:
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


def parse_head(head: bytes) -> tuple[Kind, int]:
    """Raises MalformedInput."""
    size = int.from_bytes(head[1:], "big")
    try:
        kind = Kind(head[0])
    except ValueError:
        raise MalformedInput("frame.kind", "unknown", got=head[0]) from None
    if size > MAX_BYTES[kind]:
        raise MalformedInput(f"frame.{kind.name.lower()}", f"at most {MAX_BYTES[kind]} bytes", got=size)
    return kind, size


class StreamEnded(Exception):
    """The other end closed the connection."""


async def read_frame(stream: trio.abc.Stream) -> tuple[Kind, bytes]:
    """Raises MalformedInput, StreamEnded, and what the stream raises. The caller sets the time limit."""
    kind, size = parse_head(await _exactly(stream, HEAD_BYTES))
    return kind, await _exactly(stream, size)


async def _exactly(stream: trio.abc.Stream, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = await stream.receive_some(size - len(data))
        if not part:
            raise StreamEnded
        data += part
    return bytes(data)
