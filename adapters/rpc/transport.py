"""One HTTP exchange, bounded: what arrives is counted before it is kept, also behind compression."""

import zlib

import httpx
import trio

from adapters.interface import BadAnswer
from adapters.interface.errors import AdapterError
from adapters.rpc.endpoint import Endpoint


class AttemptFailed(AdapterError):
    """One attempt on one endpoint came to nothing; the client goes on to the next one."""


def new_http_client(max_connections: int) -> httpx.AsyncClient:
    """No redirects, no proxies or credentials from the environment, no timeout of its own (deadlines are trio's)."""
    return httpx.AsyncClient(
        timeout=None,  # noqa: S113 - deadlines are cancel scopes
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
        headers={"content-type": "application/json", "accept-encoding": "gzip", "user-agent": "hutong"},
    )


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
            try:
                chunk = self._gzip.decompress(chunk, self._left + 1)
            except zlib.error as error:
                raise BadAnswer(self._method, "body", "is not gzip") from error
        self._left -= len(chunk)
        if self._left < 0:
            raise BadAnswer(self._method, "body", f"more than {self._max_bytes} bytes")
        return chunk

    def finish(self) -> None:
        if self._gzip is not None and not self._gzip.eof:
            raise BadAnswer(self._method, "body", "ends inside its compression")


async def _read(response: httpx.Response, inflater: _Inflater) -> tuple[list[bytes], BadAnswer | None]:
    parts: list[bytes] = []
    refused: BadAnswer | None = None
    # leaving the loop would abandon httpx's nested generators half read; a cancellation unwinds every one of them
    with trio.CancelScope() as reading:
        async for chunk in response.aiter_raw():
            if refused is None:
                try:
                    parts.append(inflater.feed(chunk))
                except BadAnswer as error:
                    refused = error
                    reading.cancel()
    if refused is None:
        try:
            inflater.finish()
        except BadAnswer as error:
            refused = error
    return parts, refused


async def post(client: httpx.AsyncClient, endpoint: Endpoint, method: str, body: bytes, max_bytes: int) -> bytes:
    """Send a JSON body, return the answer's bytes.

    Raises:
        AttemptFailed: refused connection, broken socket, a status that a later attempt may cure.
        BadAnswer: too long, undeclared or broken compression, or a status that is no answer.
    """
    try:
        async with client.stream("POST", endpoint.url, content=body) as response:
            status = response.status_code
            if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
                raise AttemptFailed(f"HTTP status {status}")
            inflater = _Inflater(response.headers.get("content-encoding", "").lower(), method, max_bytes)
            parts, refused = await _read(response, inflater)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise AttemptFailed(f"{type(error).__name__}: {error}") from error
    if refused is not None:
        raise refused
    # some servers send the JSON-RPC error object with 4xx, so the body is read before the status is judged
    answer = b"".join(parts)
    if not httpx.codes.is_success(status) and not answer.lstrip().startswith(b"{"):
        raise BadAnswer(method, "status", "is no success", got=status)
    return answer
