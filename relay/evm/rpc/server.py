"""JSON-RPC over HTTP and WebSocket on one port."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import trio

from hutong.relay.base.http import BodyTooLarge, read_body
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.evm.rpc.callers import CALLER
from hutong.relay.evm.rpc.json_rpc import MAX_BODY_BYTES, JsonRpcService
from hutong.relay.evm.rpc.subscriptions import ConsumerTooSlow, Subscriptions

MAX_CONCURRENT_PER_CONNECTION = 16
MAX_CONNECTIONS = 512
OUTGOING_MESSAGES = 64
"""Buffered for a slow WebSocket reader; then what produces them waits."""
MAX_NOTIFY_S = 20.0
"""For room among them; then a subscriber is dropped."""
MAX_SEND_S = 60.0
"""For a peer to take what is sent; then the connection is closed without a word, which would not arrive either."""
MAX_BODY_S = 30.0
"""For a request's body to arrive."""

CLOSE_TOO_SLOW = 1013
CLOSE_TEXT_ONLY = 1003
CLOSE_TOO_LARGE = 1009

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass
class JsonRpcApp:
    """An ASGI application: POST and WebSocket at `/`, what the owner mounts by path prefix.

    Browsers send an Origin: it must be listed, since any web page can reach a node on the same machine.
    """

    service: JsonRpcService
    mounts: Mapping[str, AsgiApp] = field(default_factory=dict)
    allowed_origins: frozenset[str] = frozenset()
    connections: int = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        client = scope.get("client")
        CALLER.set(client[0] if client else "")
        for prefix, app in self.mounts.items():
            if scope["path"].startswith(prefix):
                await app(scope, receive, send)
                return
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    # --- HTTP

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        try:
            self._check_request(scope, headers)
            if scope["method"] == "OPTIONS":
                await self._respond(send, 204, b"", headers)
                return
            body = await _body(receive, headers)
        except _Refused as refusal:
            await self._respond(send, refusal.status, refusal.sentence.encode() + b"\n", headers, b"text/plain")
            return
        if body is None:
            return
        answer = await self.service.answer(body)
        await self._respond(send, 204 if answer is None else 200, answer or b"", headers)

    def _check_request(self, scope: Message, headers: dict[bytes, bytes]) -> None:
        if scope["path"] not in ("", "/"):
            raise _Refused(404, "not found")
        self._check_origin(headers)
        if scope["method"] not in ("POST", "OPTIONS"):
            raise _Refused(405, "JSON-RPC is served by POST, or by WebSocket")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise _Refused(415, "compressed bodies are not accepted")

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self.allowed_origins:
            raise _Refused(403, "origin is not allowed")

    async def _respond(
        self,
        send: Send,
        status: int,
        body: bytes,
        request_headers: dict[bytes, bytes],
        content_type: bytes = b"application/json",
    ) -> None:
        headers = [(b"content-length", str(len(body)).encode())] if status != 204 else []
        if body:
            headers.append((b"content-type", content_type))
        origin = request_headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") in self.allowed_origins:
            headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-allow-methods", b"POST"),
                (b"vary", b"origin"),
            ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    # --- WebSocket

    async def _websocket(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        headers = _headers(scope)
        try:
            self._check_origin(headers)
        except _Refused:
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["path"] not in ("", "/") or self.connections >= MAX_CONNECTIONS:
            await send({"type": "websocket.close", "code": CLOSE_TOO_SLOW})
            return
        await send({"type": "websocket.accept"})
        self.connections += 1
        try:
            close = await _Connection(self.service, receive, send).run()
        finally:
            self.connections -= 1
        if close is not None:
            code, reason = close
            await send({"type": "websocket.close", "code": code, "reason": reason})


class _Connection:
    """One WebSocket: requests run side by side, all answers and notifications go out through one bounded queue."""

    def __init__(self, service: JsonRpcService, receive: Receive, send: Send) -> None:
        self._service = service
        self._receive = receive
        self._send = send
        self._busy = trio.Semaphore(MAX_CONCURRENT_PER_CONNECTION)
        self._outgoing, self._to_write = trio.open_memory_channel[bytes](OUTGOING_MESSAGES)

    async def run(self) -> tuple[int, str] | None:
        """Serve until the peer leaves (None) or has to (a close code and its reason)."""
        close: tuple[int, str] | None = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write)
                subscriptions = Subscriptions(self._service.chain, nursery, self._notify)
                close = await self._read(nursery, subscriptions)
                nursery.cancel_scope.cancel()
        except* ConsumerTooSlow as slow:
            close = CLOSE_TOO_SLOW, f"too slow: {_first(slow)}"
        return close

    async def _notify(self, message: bytes) -> None:
        """Raises ConsumerTooSlow where the peer leaves the queue full."""
        with trio.move_on_after(MAX_NOTIFY_S):
            await self._outgoing.send(message)
            return
        raise ConsumerTooSlow(f"{OUTGOING_MESSAGES} messages waited for {MAX_NOTIFY_S:.0f} s")

    async def _read(self, nursery: trio.Nursery, subscriptions: Subscriptions) -> tuple[int, str] | None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message.get("text")
            if text is None:
                return CLOSE_TEXT_ONLY, "text messages only"
            body = text.encode("utf-8", "surrogatepass")
            if len(body) > MAX_BODY_BYTES:
                return CLOSE_TOO_LARGE, f"a message has at most {MAX_BODY_BYTES} bytes"
            await self._busy.acquire()
            nursery.start_soon(self._answer, body, subscriptions)

    async def _answer(self, body: bytes, subscriptions: Subscriptions) -> None:
        try:
            answer = await self._service.answer(body, subscriptions.session)
            if answer is not None:
                await self._outgoing.send(answer)
        finally:
            self._busy.release()

    async def _write(self) -> None:
        async for message in self._to_write:
            await self._send({"type": "websocket.send", "text": message.decode("ascii")})


async def serve(
    app: AsgiApp, host: str, port: int, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled. Started with the port that is bound, which `port` 0 leaves to the system.

    Args:
        host: a name or address; an IPv6 address without brackets.

    Raises:
        OSError: the address cannot be bound.
    """
    config = listen_config(host, port)
    config.websocket_max_message_size = MAX_BODY_BYTES
    await listen(app, config, send_limit_s=MAX_SEND_S, task_status=task_status)


def _first(group: BaseExceptionGroup[ConsumerTooSlow]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Receive, headers: dict[bytes, bytes]) -> bytes | None:
    """None where the client has left."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 15 or int(length) > MAX_BODY_BYTES:
        raise _Refused(413, f"body exceeds {MAX_BODY_BYTES} bytes")
    try:
        with trio.move_on_after(MAX_BODY_S):
            return await read_body(receive, MAX_BODY_BYTES)
    except BodyTooLarge as error:
        raise _Refused(413, str(error)) from None
    raise _Refused(408, "the body did not arrive in time")


def _headers(scope: Message) -> dict[bytes, bytes]:
    return {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
