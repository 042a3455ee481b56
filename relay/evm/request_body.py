"""The body of an HTTP request, whole and within its bound, for every ASGI application that a node serves."""

from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[Any]]


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
