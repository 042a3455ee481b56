"""One HTTP exchange, bounded: what arrives is counted before it is kept, also after decompression.

HTTP/1.1 on connections that are kept, its answers read by httptools. No redirects, no proxies or credentials from the
environment; what an endpoint asks for (`access.py`) goes to its host alone, and never comes from its URL.
"""

import re
import ssl
import zlib
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import trio

from hutong.adapters.interface import BadAnswer, EndpointError
from hutong.adapters.rpc.access import NO_ACCESS, NOTHING, AccessList, EndpointAccess, redacted
from hutong.adapters.rpc.endpoint import Endpoint
from hutong.adapters.rpc.http_answer import AttemptFailed, HttpAnswer

RECEIVE_BYTES = 256 * 1024
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500

_BROKEN = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)
_VISIBLE = re.compile(rb"[\x21-\x7e]+")
"""What may stand in a request's line and in the value of `host`: nothing that would end either."""

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class AnswerTooLarge(BadAnswer):
    """More than the bound; what came was not kept."""


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a URL leads, as a request needs it."""

    secure: bool
    host: str
    port: int
    path: bytes
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    access: EndpointAccess = NOTHING

    @classmethod
    def of(cls, url: str, access: AccessList) -> Self:
        """Raises AttemptFailed for a URL that leads nowhere."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # whose words repeat what may be a part of a password
            raise AttemptFailed("not a URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AttemptFailed("not an HTTP URL")
        if parts.username is not None:
            raise AttemptFailed("a URL with a user in it: credentials come from an access entry of the configuration")
        secure = parts.scheme == "https"
        port = port or (443 if secure else 80)
        entry = access.of(parts.hostname, port)
        headers = (
            (b"host", parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")),
            (b"content-type", b"application/json"),
            (b"accept", b"*/*"),
            (b"accept-encoding", b"gzip"),
            (b"user-agent", b"hutong"),
            *entry.wire_headers,
        )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(secure, parts.hostname, port, path.encode(), headers, entry)

    def head(self, body: bytes | None) -> bytes:
        """A request's head: POST with a body, GET without. Raises AttemptFailed where the URL cannot stand in one."""
        for part in (self.path, *(value for name, value in self.headers if name == b"host")):
            if _VISIBLE.fullmatch(part) is None:
                raise AttemptFailed("not a URL that HTTP can ask for")
        lines = [b"GET " if body is None else b"POST ", self.path, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            lines += (name, b": ", value, b"\r\n")
        if body is not None:
            lines.append(b"content-length: %d\r\n" % len(body))
        return b"".join((*lines, b"\r\n"))

    def below(self, path: str) -> Self:
        """A resource of an API whose base this is; a query of the base, where providers keep their keys, is kept."""
        base, _, kept = self.path.decode().partition("?")
        resource, _, asked = path.partition("?")
        query = "&".join(part for part in (asked, kept) if part)
        return replace(self, path=(base.rstrip("/") + resource + (f"?{query}" if query else "")).encode())


@dataclass(slots=True)
class _Connection:
    stream: Stream

    def is_stale(self) -> bool:
        """The other side has closed it, or says something unasked."""
        stream = self.stream
        if isinstance(stream, trio.SSLStream):
            stream = stream.transport_stream
        return bool(stream.socket.is_readable())

    async def send(self, target: _Target, body: bytes | None) -> None:
        """POST a body, or GET without one."""
        await self.stream.send_all(target.head(body) + (body or b""))

    async def receive(self) -> bytes:
        return bytes(await self.stream.receive_some(RECEIVE_BYTES))


class HttpClient:
    """Kept connections of a bounded number. Deadlines are the callers' cancel scopes."""

    def __init__(self, max_connections: int, access: AccessList = NO_ACCESS) -> None:
        self._access = access
        self._idle: dict[tuple[bool, str, int], list[_Connection]] = {}
        self._limiter = trio.CapacityLimiter(max_connections)
        self._targets: dict[str, _Target] = {}
        self._tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        idle = [connection for kept in self._idle.values() for connection in kept]
        self._idle.clear()
        with trio.CancelScope(shield=True):
            for connection in idle:
                await trio.aclose_forcefully(connection.stream)

    async def post(self, endpoint: Endpoint, method: str, body: bytes, max_bytes: int) -> bytes:
        """POST of a JSON body to the endpoint's URL, one exchange without retries.

        Args:
            method: named in errors.
            max_bytes: of the answer's body, counted after decompression.

        Raises:
            AttemptFailed, BadAnswer: as the function `post`.
        """
        return await self._exchange(self._target(endpoint), method, body, max_bytes)

    async def get(self, endpoint: Endpoint, path: str, operation: str, max_bytes: int) -> bytes:
        """GET of a path below the endpoint's URL, whose query is kept. A refusal in a JSON object is an answer.

        Args:
            operation: named in errors.
            max_bytes: of the body, counted after decompression.

        Raises:
            AttemptFailed: no connection, a broken one, a URL that cannot be asked for, or a status that may pass (429,
                5xx).
            BadAnswer: too long, undeclared or broken compression, or a status that is not an answer.
        """
        return await self._exchange(self._target(endpoint).below(path), operation, None, max_bytes)

    def _target(self, endpoint: Endpoint) -> _Target:
        target = self._targets.get(endpoint.url)
        if target is None:
            target = self._targets[endpoint.url] = _Target.of(endpoint.url, self._access)
        return target

    async def _exchange(self, target: _Target, method: str, body: bytes | None, max_bytes: int) -> bytes:
        async with self._limiter:
            connection: _Connection | None = None
            try:
                connection = await self._connected(target)
                await connection.send(target, body)
                answer, is_reusable = await _read_answer(connection, method, max_bytes)
                if is_reusable:
                    self._idle.setdefault((target.secure, target.host, target.port), []).append(connection)
                    connection = None
            except _BROKEN as error:
                # trio hides TLS's own word, such as "certificate required", in the cause
                raise AttemptFailed(f"{type(error).__name__}: {str(error) or error.__cause__}") from error
            finally:
                if connection is not None:
                    with trio.CancelScope(shield=True):
                        await trio.aclose_forcefully(connection.stream)
            return redacted(answer, target.access)

    async def _connected(self, target: _Target) -> _Connection:
        kept = self._idle.get((target.secure, target.host, target.port), [])
        while kept:
            connection = kept.pop()
            if not connection.is_stale():
                return connection
            await trio.aclose_forcefully(connection.stream)
        if not target.secure:
            return _Connection(await trio.open_tcp_stream(target.host, target.port))
        tls = target.access.tls
        if tls is None:
            tls = self._tls = self._tls or ssl.create_default_context()
        return _Connection(
            await trio.open_ssl_over_tcp_stream(target.host, target.port, ssl_context=tls, https_compatible=True)
        )


def new_http_client(max_connections: int, access: AccessList = NO_ACCESS) -> HttpClient:
    """A client that is used as an async context manager: its connections end with the block.

    Args:
        max_connections: of all hosts together; an exchange above it waits.
        access: what is sent to which host, such as tokens and client certificates.
    """
    return HttpClient(max_connections, access)


class _Inflater:
    """Content decoding that never expands past the bound."""

    def __init__(self, encoding: str, method: str, max_bytes: int) -> None:
        self._method = method
        self._left = max_bytes
        self._max_bytes = max_bytes
        self._gzip = None
        if encoding == "gzip":
            self._gzip = zlib.decompressobj(wbits=31)
        elif encoding not in ("", "identity"):
            raise BadAnswer(method, "headers.content-encoding", "was not asked for", got=encoding)

    def feed(self, chunk: bytes) -> bytes:
        if self._gzip is not None:
            if chunk and self._gzip.eof:
                raise self._goes_on()
            try:
                chunk = self._gzip.decompress(chunk, self._left + 1)
            except zlib.error as error:
                raise BadAnswer(self._method, "body", "is not gzip") from error
            if self._gzip.unused_data:
                raise self._goes_on()
        self._left -= len(chunk)
        if self._left < 0:
            raise AnswerTooLarge(self._method, "body", f"more than {self._max_bytes} bytes")
        return chunk

    def _goes_on(self) -> BadAnswer:
        """zlib keeps all that comes after its end, and copies it anew at each feed."""
        return BadAnswer(self._method, "body", "goes on after its compression")

    def finish(self) -> None:
        if self._gzip is not None and not self._gzip.eof:
            raise BadAnswer(self._method, "body", "ends inside its compression")


async def _read_answer(connection: _Connection, method: str, max_bytes: int) -> tuple[bytes, bool]:
    """The body, and whether the connection may be kept."""
    answer = HttpAnswer()
    while not answer.has_head:
        answer.feed(await connection.receive())
    status = answer.status
    if status == TOO_MANY_REQUESTS or status >= SERVER_ERROR:
        raise AttemptFailed(f"HTTP status {status}", EndpointError.STATUS)
    inflater = _Inflater(b",".join(answer.encodings).decode("latin-1").lower(), method, max_bytes)
    parts = [inflater.feed(part) for part in answer.take()]
    while not answer.is_complete:
        answer.feed(await connection.receive())
        parts += [inflater.feed(part) for part in answer.take()]
    inflater.finish()
    # some servers send the JSON-RPC error object with 4xx, so the body is read before the status is judged
    body = b"".join(parts)
    if not 200 <= status < 300 and not body.lstrip().startswith(b"{"):
        raise BadAnswer(method, "status", "is not a success", got=status)
    return body, answer.is_reusable


async def post(client: HttpClient, endpoint: Endpoint, method: str, body: bytes, max_bytes: int) -> bytes:
    """Send a JSON body, return the answer's bytes.

    Raises:
        AttemptFailed: refused connection, broken socket, a status that a later attempt may cure.
        BadAnswer: too long, undeclared or broken compression, or a status that is not an answer.
    """
    return await client.post(endpoint, method, body, max_bytes)
