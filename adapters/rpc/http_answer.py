"""Reading one HTTP/1.1 answer, bounded, with the parser of httptools (llhttp): a pure Python one costs as much as the
call.
"""

import httptools

from hutong.adapters.interface.endpoints import EndpointError
from hutong.adapters.interface.errors import AdapterError

MAX_HEAD_BYTES = 64 * 1024
MAX_INFORMATIONAL = 8
"""Interim answers (1xx) before the one that counts."""
FRAMING_A_BODY_BYTE = 8
"""What chunks of one byte each take around it."""


class AttemptFailed(AdapterError):
    """One attempt on one endpoint came to nothing; the client goes on to the next one."""

    def __init__(self, reason: str, kind: EndpointError = EndpointError.CONNECTION) -> None:
        self.kind = kind
        super().__init__(reason)


class HttpAnswer:
    """Fed with what arrives. `take` gives the body as it comes; memory is bounded by one feed and the head."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._fed = 0
        self._body_bytes = 0
        self._parts: list[bytes] = []
        self._informational = 0
        self._framed = False
        self._more = False
        self.status = 0
        self.encodings: list[bytes] = []
        self.has_head = False
        self.is_complete = False
        self.is_kept_alive = False

    def feed(self, data: bytes) -> None:
        """Take in what the socket gave; empty at its end.

        Raises:
            AttemptFailed: this is not an HTTP answer, has too long a head, or ended too early.
        """
        if not data:
            self._end()
            return
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # An answer that was whole before stays one; its connection is not kept.
            if not self.is_complete:
                raise AttemptFailed(f"{type(error).__name__}: {error}", EndpointError.MALFORMED) from error
            self._more = True
        if self._informational > MAX_INFORMATIONAL:
            raise AttemptFailed(f"more than {MAX_INFORMATIONAL} interim answers", EndpointError.MALFORMED)
        if (
            not self.is_complete
            and self._fed - self._body_bytes > MAX_HEAD_BYTES + FRAMING_A_BODY_BYTE * self._body_bytes
        ):
            raise AttemptFailed(f"more than {MAX_HEAD_BYTES} bytes of head", EndpointError.MALFORMED)

    def take(self) -> list[bytes]:
        """The body's parts that arrived since the last call: not decompressed, the heads of chunks removed."""
        parts, self._parts = self._parts, []
        return parts

    @property
    def is_reusable(self) -> bool:
        """Whether the connection may carry another exchange: the answer ended by its framing, and nothing followed."""
        return self.is_complete and self.is_kept_alive and not self._more

    def _end(self) -> None:
        if not self.has_head:
            raise AttemptFailed("the connection ended before an answer")
        if self._framed:
            raise AttemptFailed("the answer breaks off")
        self.is_complete, self.is_kept_alive = True, False

    # what the parser calls

    def on_message_begin(self) -> None:
        """For the parser: a message begins. A second one was not asked for, so the connection is not kept."""
        if self.is_complete:
            self._more = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """For the parser: one header, of which only encoding and framing are looked at. Trailers are passed over."""
        if self.has_head:  # of a trailer, or of what was not asked for
            return
        name = name.lower()
        if name == b"content-encoding":
            self.encodings.append(value)
        elif name in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        """For the parser: a head has ended. Interim answers (1xx) are counted and forgotten; `feed` bounds them."""
        if self.has_head:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self._informational += 1
            self.encodings.clear()
            self._framed = False
            return
        self.status, self.has_head = status, True
        self.is_kept_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """For the parser: a part of the body, kept for `take`. What follows the answer's end is not kept."""
        if not self.is_complete:
            self._body_bytes += len(data)
            self._parts.append(data)

    def on_message_complete(self) -> None:
        """For the parser: the answer has ended by its own framing."""
        if self.has_head:
            self.is_complete = True
