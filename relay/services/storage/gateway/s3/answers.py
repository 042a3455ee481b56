"""Answers of the S3 door: a status, headers, and a body that is there, or that is written as it is read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hutong.relay.base.http import Send

Body = Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]]
"""Writes itself by the function that it is given."""


@dataclass(frozen=True, slots=True)
class S3Answer:
    """`stream` is of a body whose length is in `headers` already."""

    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    stream: Body | None = None


def header(name: str, value: str) -> tuple[bytes, bytes]:
    """One header of an answer; what an object's metadata says is sent as it came."""
    return name.encode("latin-1"), value.encode("latin-1", "replace")


async def send_answer(answer: S3Answer, send: Send, common: tuple[tuple[bytes, bytes], ...], *, is_head: bool) -> None:
    """Send it, the status of a stream with its first byte: what it raises before is an error yet, and can be answered as one.

    What it raises after that ends the connection: a body that is cut short is seen as such.
    """
    headers = [*common, *answer.headers]
    if answer.stream is None and answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    if answer.stream is None or is_head:
        await send(start)
        await send({"type": "http.response.body", "body": b"" if is_head else answer.body})
        return
    started = False

    async def write(octets: bytes) -> None:
        nonlocal started
        if not started:
            await send(start)
            started = True
        message: dict[str, Any] = {"type": "http.response.body", "body": octets, "more_body": True}
        await send(message)

    await answer.stream(write)
    if not started:
        await send(start)
    await send({"type": "http.response.body", "body": b""})
