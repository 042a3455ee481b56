"""Messages on an ABCI socket: a protobuf message after its length as an unsigned varint (cometbft libs/protoio)."""

from google.protobuf.message import DecodeError

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import abci_pb2

MAX_REQUEST_BYTES = 8 * 1024 * 1024
"""A block is at most 4 MiB by genesis (CometBFT's own limit is 104 857 600), its 100 votes and what else a request carries are
far below the rest; a transaction in CheckTx and a key in Query are at most what CometBFT takes from a peer, 1 MiB by default."""
MAX_CHUNK_REQUEST_BYTES = 17 * 1024 * 1024
"""ApplySnapshotChunk: CometBFT takes chunks of up to 16 MB from its peers (statesync/messages.go)."""
MAX_LENGTH_VARINT_BYTES = 5
"""CometBFT writes no message of 2 GiB or more (abci/types/messages.go)."""

_CHUNK_TAG = 15 << 3 | 2
"""First byte of a request whose oneof is `apply_snapshot_chunk`."""


class RequestReader:
    """Requests out of the bytes of one connection, in whatever pieces they come. After an error it is of no more use."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes as they came; how many wait is bounded by calling `next` until it has nothing."""
        self._buffer += data

    def next(self) -> abci_pb2.Request | None:
        """The next whole request, or None until more bytes come.

        Raises:
            MalformedInput: it is empty, too long for its kind, not protobuf, or of no known kind.
        """
        prefix = self._length()
        if prefix is None:
            return None
        length, start = prefix
        if length == 0:
            raise MalformedInput("abci.request", "is empty")
        if length > MAX_CHUNK_REQUEST_BYTES:
            raise MalformedInput("abci.request", "is too long", got=length, expected=MAX_CHUNK_REQUEST_BYTES)
        if len(self._buffer) == start:
            return None
        if length > MAX_REQUEST_BYTES and self._buffer[start] != _CHUNK_TAG:
            raise MalformedInput("abci.request", "is too long", got=length, expected=MAX_REQUEST_BYTES)
        if len(self._buffer) < start + length:
            return None
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        try:
            request = abci_pb2.Request.FromString(body)
        except (DecodeError, RecursionError) as error:
            raise MalformedInput("abci.request", "is not protobuf", got=body) from error
        if request.WhichOneof("value") is None:
            raise MalformedInput("abci.request", "is of no known kind", got=body)
        return request

    def at_boundary(self) -> bool:
        """Whether the bytes so far end with a whole request that was taken."""
        return not self._buffer

    def _length(self) -> tuple[int, int] | None:
        length = 0
        for index in range(MAX_LENGTH_VARINT_BYTES):
            if index == len(self._buffer):
                return None
            byte = self._buffer[index]
            length |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return length, index + 1
        raise MalformedInput("abci.length", f"is longer than {MAX_LENGTH_VARINT_BYTES} bytes")


def encode_message(message: abci_pb2.Request | abci_pb2.Response) -> bytes:
    """A message with its length before it, as an unsigned varint."""
    body = message.SerializeToString()
    length, prefix = len(body), bytearray()
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + body
