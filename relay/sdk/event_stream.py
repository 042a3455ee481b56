"""Server-sent events, as WHATWG HTML 9.2 has them, out of bytes as they come."""

from collections.abc import Iterator
from dataclasses import dataclass

from hutong.relay.sdk.errors import AnswerTooLarge

MAX_EVENT_BYTES = 1024 * 1024
"""Of one event and of one line: the largest, all chains, has some hundred bytes a chain."""
MAX_ID_CHARS = 300
"""As the API bounds a cursor."""
_WHAT = "the event stream"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """`id` is None where the event has none of its own."""

    event: str
    data: bytes
    id: str | None


class EventParser:
    """Of one connection. Lines end with LF or CRLF (a lone CR, which old browsers knew, ends none here)."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._event = "message"
        self._id: str | None = None

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that are whole now.

        Raises:
            AnswerTooLarge: a line or an event is over its bound.
        """
        searched = len(self._rest)
        self._rest += chunk
        start = 0
        while (end := self._rest.find(b"\n", max(start, searched))) >= 0:
            line = bytes(self._rest[start:end]).removesuffix(b"\r")
            start = end + 1
            found = self._take(line)
            if found is not None:
                yield found
        del self._rest[:start]
        if len(self._rest) > MAX_EVENT_BYTES:
            raise AnswerTooLarge(_WHAT, MAX_EVENT_BYTES)

    def _take(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._whole()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            if self._size > MAX_EVENT_BYTES:
                raise AnswerTooLarge(_WHAT, MAX_EVENT_BYTES)
            self._data.append(value)
        elif name == b"event":
            self._event = value[:64].decode(errors="replace")
        elif name == b"id" and len(value) <= MAX_ID_CHARS and value.isascii() and value.decode().isprintable():
            self._id = value.decode()
        return None

    def _whole(self) -> ServerEvent | None:
        found = ServerEvent(self._event or "message", b"\n".join(self._data), self._id) if self._data else None
        self._data, self._size, self._event, self._id = [], 0, "message", None
        return found
