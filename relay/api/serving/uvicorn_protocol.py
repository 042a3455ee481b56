"""uvicorn's HTTP protocol with a time and a size for the head of a request, which it bounds by neither."""

from asyncio import BaseTransport, TimerHandle
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_S = 10.0
MAX_HEAD_BYTES = 64 * 1024
"""What is between this and the front's bound gets a problem as its answer; above it the connection ends."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection."""

    _head_timer: TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: BaseTransport) -> None:
        """Called by asyncio. From now on the first head must come within HEAD_LIMIT_S."""
        super().connection_made(cast("Any", transport))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: the timer of a head that never came ends."""
        self._head_is_there()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Called by httptools at the first byte of a request: its head has HEAD_LIMIT_S and MAX_HEAD_BYTES."""
        self._head_bytes = 0
        self._await_head()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Called by httptools with a part of the target, which counts towards the head."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools with one header, which counts towards the head with its separators."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Called by httptools after the head. The body's bounds are the front's."""
        self._head_is_there()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Called by uvicorn. A connection with an unread body is closed: the rest would be taken for the next
        request.
        """
        unread = self.cycle is not None and self.cycle.more_body
        super().on_response_complete()
        if unread and not self.transport.is_closing():
            self.transport.close()  # the rest of a body that nobody wants any more

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_LIMIT_S, self.transport.abort)

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self.transport.abort()
