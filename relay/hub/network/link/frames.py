"""Frames on a stream: kind (1 byte), payload length (4 bytes, big-endian), payload. The bound of the kind is checked before anything is read."""

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.hub.network.link.codec import MAX_BYTES, Kind

HEAD_BYTES = 5


def frame(kind: Kind, payload: bytes) -> bytes:
    """Head and payload. The length is not checked against the bound of the kind, which `parse_head` refuses."""
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


def parse_head(head: bytes) -> tuple[Kind, int]:
    """Kind and length in bytes of a payload, from the five bytes of a head.

    Raises:
        MalformedInput: an unknown kind, or a length above the kind's bound.
    """
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
    """Kind and payload of the next frame. The caller sets the time limit.

    Raises:
        MalformedInput: as `parse_head`; the payload is not read then.
        StreamEnded: the other end closed the connection, also inside a frame.
        trio.BrokenResourceError, trio.ClosedResourceError: as the stream raises them.
    """
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
