"""What is read of a request before any router sees it: its messages, and the few headers that decide."""

from typing import Any

import anyio

from hutong.relay.base.http import Receive

REFUSED_BODY_LIMIT_S = 1.0
MAX_REFUSED_BODY_BYTES = 1024 * 1024
"""How much of a refused body is still read."""


class Incoming:
    """A request's messages. A body that is refused is let in and dropped, within bounds: a connection that closes over unread
    bytes may take the answer with it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def __call__(self) -> Any:
        message = await self._receive()
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drop(self, most_bytes: int | None = None) -> None:
        """What is left of the body, up to `most_bytes`, by default MAX_REFUSED_BODY_BYTES."""
        most_bytes = MAX_REFUSED_BODY_BYTES if most_bytes is None else most_bytes
        dropped = 0
        with anyio.move_on_after(REFUSED_BODY_LIMIT_S):
            while not self.ended and dropped < most_bytes:
                dropped += len((await self()).get("body", b""))


class RequestHead:
    """The few headers that are read here, in one pass."""

    __slots__ = (
        "announces_body",
        "authorization",
        "bytes",
        "content_length",
        "count",
        "forwarded_for",
        "host",
        "if_none_match",
        "origin",
        "preflight",
        "range",
        "resumes",
    )

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.bytes = 0
        self.count = len(headers)
        self.announces_body = False
        self.authorization: bytes | None = None
        self.content_length: bytes | None = None
        self.if_none_match: bytes | None = None
        self.origin: bytes | None = None
        self.host = b""
        self.preflight = False
        self.range: bytes | None = None
        self.resumes = False
        self.forwarded_for: list[str] = []
        for name, value in headers:
            self.bytes += len(name) + len(value) + 4
            match name:
                case b"authorization":
                    self.authorization = value
                case b"content-length":
                    self.content_length = value
                    self.announces_body |= value != b"0"
                case b"transfer-encoding":
                    self.announces_body = True
                case b"if-none-match":
                    self.if_none_match = value
                case b"origin":
                    self.origin = value
                case b"host":
                    self.host = value
                case b"access-control-request-method":
                    self.preflight = True
                case b"last-event-id":
                    self.resumes = True
                case b"range":
                    self.range = value
                case b"x-forwarded-for":
                    self.forwarded_for += [part.strip() for part in value.decode("latin-1").split(",")]
