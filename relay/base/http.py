"""Bodies of HTTP, whole and within their bounds: what an ASGI application is asked and answers, and what a server answers us."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Protocol

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]
JSON = b"application/json"


class BodyTooLarge(Exception):
    """More than `max_bytes` came."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(f"body exceeds {max_bytes} bytes")


async def read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """Read to the end; None where the client has left. The deadline belongs to the caller.

    Raises:
        BodyTooLarge: as soon as the bound is passed; what was read is dropped.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise BodyTooLarge(max_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def respond(send: Send, status: int, body: bytes, content_type: bytes = JSON, headers: Headers = ()) -> None:
    """Send a whole answer of an ASGI application, with the length of its body. What the server raises leaves.

    Args:
        headers: after content type and length, names in lower case.
    """
    own = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})


class AnswerTooLarge(Exception):
    """A server sent more than `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(f"an answer of more than {max_bytes} bytes")


class AnswerTooSlow(Exception):
    """A server did not send the whole within `within_s`."""

    def __init__(self, within_s: float) -> None:
        self.within_s = within_s
        super().__init__(f"no whole answer within {within_s:.0f} s")


class Streamed(Protocol):
    """An answer whose body was not read yet, such as of `httpx.Client.stream`."""

    def iter_raw(self) -> Iterator[bytes]:
        """The body in pieces as it arrives, before any decoding."""


def read_answer(answer: Streamed, max_bytes: int, within_s: float | None = None) -> bytes:
    """Read to the end, blocking. As sent: ask with `accept-encoding: identity`, so that nothing small grows large here.

    `within_s` bounds the whole; how long the server may be silent is for the client's own timeout.

    Raises:
        AnswerTooLarge, AnswerTooSlow: as soon as it is so. And what the client raises.
    """
    deadline_s = None if within_s is None else time.monotonic() + within_s
    body = bytearray()
    for piece in answer.iter_raw():
        body += piece
        if len(body) > max_bytes:
            raise AnswerTooLarge(max_bytes)
        if within_s is not None and deadline_s is not None and time.monotonic() > deadline_s:
            raise AnswerTooSlow(within_s)
    return bytes(body)
