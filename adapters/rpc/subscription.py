"""New heads announced over WebSocket, as a wake-up. What is said is not used: a lie wakes us early, no more."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from json import dumps
from random import Random
from typing import Any, cast
from urllib.parse import urlsplit

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, HandshakeError, wrap_client_stream

from hutong.adapters.interface import BadAnswer, EndpointError, EndpointStatistics
from hutong.adapters.rpc.access import NO_ACCESS, NOTHING, AccessList, EndpointAccess
from hutong.adapters.rpc.bounded_json import parse_json
from hutong.adapters.rpc.endpoint import Endpoint, named_endpoints, statistics_of
from hutong.adapters.rpc.options import RpcOptions
from hutong.adapters.rpc.pacing import backoff_s

MAX_NOTIFICATION_BYTES = 256 * 1024
STATUS_LINE_BYTES = 16
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
"""The protocol, the status, and what ends it."""
Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]

CONNECT_TIMEOUT_S = 10.0
SILENT_AFTER_S = 60.0
"""Every chain here makes a block at least every few seconds; a connection silent for longer is half closed."""
BACKOFF_FIRST_S = 0.5
BACKOFF_MOST_S = 30.0


@dataclass(frozen=True, slots=True)
class Announcements:
    """What asks a kind of node for new heads, and which of its messages tells of one."""

    subscribe: str
    announces: Callable[[dict[str, Any]], bool]


NEW_HEADS = Announcements(
    dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}),
    lambda message: message.get("method") == "eth_subscription",
)
"""The execution API's."""


class HeadSignal:
    """Wakes waiters when a new head was announced. Without a live subscription they wake by their own polling."""

    def __init__(self, announcements: Announcements = NEW_HEADS) -> None:
        self._announcements = announcements
        self._event = trio.Event()
        self._endpoints: tuple[Endpoint, ...] = ()
        self.connected = False

    def notify(self) -> None:
        """Wake all who wait for a new head."""
        self._event.set()
        self._event = trio.Event()

    async def wait(self, at_most_s: float) -> None:
        """Return at the next announcement, or after `at_most_s` seconds; which of the two it was is not told."""
        with trio.move_on_after(at_most_s):
            await self._event.wait()

    async def follow(self, urls: tuple[str, ...], random: Random, access: AccessList = NO_ACCESS) -> None:
        """Keep a subscription on one of `urls`, in turn, until cancelled. Failures are retried with backoff.

        `access` is what their hosts ask for at the handshake.
        """
        self._endpoints = named_endpoints(urls, RpcOptions())
        attempt = 0
        while True:
            for endpoint in self._endpoints:
                if await self._follow_once(endpoint, _access_of(endpoint.url, access)):
                    attempt = 0
            await trio.sleep(backoff_s(attempt, BACKOFF_FIRST_S, BACKOFF_MOST_S, random))
            attempt += 1

    def statistics(self) -> tuple[EndpointStatistics, ...]:
        """A snapshot of every WebSocket endpoint: a request is a connection, an answer an announced head.

        Empty before `follow` has begun.
        """
        return statistics_of(self._endpoints, "ws", trio.current_time())

    async def _follow_once(self, endpoint: Endpoint, access: EndpointAccess) -> bool:
        """True if at least one head was announced before the connection ended, which it did for the reason that is
        noted.
        """
        endpoint.requests += 1
        answers = endpoint.answers
        try:
            with trio.fail_after(CONNECT_TIMEOUT_S):
                stream = await _open_stream(endpoint.url, access)
        except trio.TooSlowError:
            _note(endpoint, EndpointError.TIMEOUT, f"no connection in {CONNECT_TIMEOUT_S:g} s")
            return False
        except (OSError, trio.BrokenResourceError, ValueError) as error:
            _note(endpoint, EndpointError.CONNECTION, f"{type(error).__name__}: {str(error) or error.__cause__}")
            return False
        try:
            await self._listen(endpoint, stream, access)
        finally:
            # trio-websocket leaves the socket open where the other side ended the conversation
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
        return endpoint.answers > answers

    async def _listen(self, endpoint: Endpoint, stream: Stream, access: EndpointAccess) -> None:
        failures = endpoint.failures
        answer = _AnswerStream(stream)
        parts = urlsplit(endpoint.url)
        resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            async with trio.open_nursery() as nursery:
                try:
                    with trio.fail_after(CONNECT_TIMEOUT_S) as handshake:
                        answer.needed_by = handshake
                        socket = await wrap_client_stream(
                            nursery,
                            cast(Stream, answer),  # the library uses no more of it than any trio stream has
                            parts.netloc.rpartition("@")[2],
                            resource,
                            extra_headers=list(access.wire_headers),
                            max_message_size=MAX_NOTIFICATION_BYTES,
                        )
                        await socket.send_message(self._announcements.subscribe)
                    self.connected = True
                    while True:
                        with trio.fail_after(SILENT_AFTER_S):
                            message = await socket.get_message()
                        if self._announces(message):
                            endpoint.answered()
                            self.notify()
                except ConnectionRejected as rejected:
                    _note(endpoint, EndpointError.STATUS, f"HTTP status {rejected.status_code}")
                except (HandshakeError, ConnectionClosed) as ended:
                    _note(endpoint, EndpointError.CONNECTION, _why_closed(ended))
                except trio.TooSlowError:
                    if answer.refusal is not None:  # and the body that it began never ended
                        _note(endpoint, EndpointError.STATUS, f"HTTP status {answer.refusal}")
                    elif answer.ended:
                        _note(endpoint, EndpointError.CONNECTION, "closed the connection before the handshake")
                    else:
                        _note(endpoint, EndpointError.TIMEOUT, "is silent")
                except BadAnswer as error:
                    _note(endpoint, EndpointError.MALFORMED, str(error))
                finally:
                    self.connected = False
                nursery.cancel_scope.cancel()
        except Exception as error:  # of the library's reader task, in a group: a refusal, or what no server should say
            refused = _refusal_in(error)
            if endpoint.failures > failures:
                pass  # its end was noted already
            elif refused is not None:
                _note(endpoint, EndpointError.STATUS, f"HTTP status {refused.status_code}")
            else:
                _note(endpoint, EndpointError.MALFORMED, "an answer that is no WebSocket's")

    def _announces(self, message: str | bytes) -> bool:
        data = message.encode() if isinstance(message, str) else message
        answer = parse_json(data, "subscription", MAX_NOTIFICATION_BYTES)
        return isinstance(answer, dict) and self._announcements.announces(answer)


class _AnswerStream(trio.abc.Stream):
    """A connection that keeps the status of the first answer: a refusal is told by trio-websocket after its body alone.

    Nor does that tell of an end without an answer: it is `ended` then, and what `needed_by` bounds is over.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._head = b""
        self.needed_by: trio.CancelScope | None = None
        self.ended = False

    @property
    def refusal(self) -> int | None:
        """The answer's status where it is not the one that begins a WebSocket."""
        found = _STATUS_LINE.match(self._head)
        return int(found[1]) if found is not None and found[1] != b"101" else None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        try:
            data = bytes(await self._stream.receive_some(max_bytes))
        except trio.BrokenResourceError:
            self._end()
            raise
        if not data:
            self._end()
        if len(self._head) < STATUS_LINE_BYTES:
            self._head = (self._head + data)[:STATUS_LINE_BYTES]
        return data

    def _end(self) -> None:
        self.ended = True
        if self.needed_by is not None:
            self.needed_by.cancel()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _note(endpoint: Endpoint, kind: EndpointError, reason: str) -> None:
    endpoint.failed(kind, reason, trio.current_time())


def _refusal_in(error: BaseException) -> ConnectionRejected | None:
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := _refusal_in(inner)) is not None), None)
    return error if isinstance(error, ConnectionRejected) else None


def _why_closed(error: HandshakeError | ConnectionClosed) -> str:
    reason = getattr(error, "reason", None)
    code = getattr(reason, "code", None)
    return "the handshake failed" if code is None else f"closed with code {code}"


def _access_of(url: str, access: AccessList) -> EndpointAccess:
    try:
        parts = urlsplit(url)
        return access.of(parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80))
    except ValueError:
        return NOTHING


async def _open_stream(url: str, access: EndpointAccess) -> Stream:
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or parts.hostname is None:
        raise ValueError("not a WebSocket URL")
    if parts.scheme == "wss":
        tls = await trio.open_ssl_over_tcp_stream(
            parts.hostname, parts.port or 443, https_compatible=True, ssl_context=access.tls
        )
        await tls.do_handshake()
        return tls
    return await trio.open_tcp_stream(parts.hostname, parts.port or 80)
