"""Messages on the socket: protobuf after its length as an unsigned varint (cometbft libs/protoio)."""

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.wire import varint
from hutong.relay.keys.privval.messages import MAX_MESSAGE_BYTES, Answer, Request, encode

MAX_LENGTH_BYTES = 2
"""MAX_MESSAGE_BYTES has a varint of two bytes."""
READ_BYTES = 4096
"""Asked of a socket at once."""


def frame(message: Request | Answer) -> bytes:
    """The message with its length before it."""
    body = encode(message)
    return varint(len(body)) + body


class FrameReader:
    """Whole messages out of the bytes of one connection, in whatever pieces they come. After an error it is of no more use."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes as they came. What waits is bounded where `next` is called until it has nothing."""
        self._buffer += data

    def next(self) -> bytes | None:
        """The next whole message without its length, or None until more bytes come.

        Raises:
            MalformedInput: it is longer than MAX_MESSAGE_BYTES, which is told by its length alone.
        """
        length = 0
        for index in range(MAX_LENGTH_BYTES):
            if index == len(self._buffer):
                return None
            byte = self._buffer[index]
            length |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return self._taken(length, index + 1)
        raise MalformedInput("privval.length", f"is longer than {MAX_LENGTH_BYTES} bytes")

    def _taken(self, length: int, start: int) -> bytes | None:
        if length > MAX_MESSAGE_BYTES:
            raise MalformedInput("privval.length", "is too long", got=length, expected=MAX_MESSAGE_BYTES)
        if len(self._buffer) < start + length:
            return None
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return body

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come that was not taken."""
        return not self._buffer
