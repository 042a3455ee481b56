"""A hostile RPC endpoint on the loopback: it stands between a relay and an honest node, and spoils one answer in N.

It knows the execution API and CometBFT's RPC over HTTP, and the execution API's head notifications over WebSocket.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import trio
from trio_websocket import ConnectionClosed, HandshakeError, WebSocketConnection, wrap_client_stream

from hutong.relay.base.http import BodyTooLarge, read_body, respond
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.evm.rpc.server import Message, Receive, Send
from hutong.relay.local.faults import (
    ALL_FAULTS,
    HEAD_FAULTS,
    TRANSPORT_FAULTS,
    Exchange,
    FaultKind,
    Lie,
    Memory,
    forged_head,
    lie,
)

ONE_IN = 20
MAX_REQUEST_BYTES = 4 * 1024 * 1024
UPSTREAM_TIMEOUT_S = 30.0
MAX_UPSTREAM_CONNECTIONS = 32
MAX_NOTIFICATION_BYTES = 256 * 1024

DELAY_MOST_S = 2.0
CLOSE_GOING_AWAY = 1001


class Watch(Protocol):
    """Is asked about every exchange; answers True where it must be broken off, because the asker is gone."""

    def before(self, request: bytes) -> bool:
        """Whether the exchange is to be broken off now: nothing has reached the node."""

    def after(self, request: bytes, answer: bytes) -> bool:
        """Whether the answer is to be withheld: the node did what was asked; nothing has been answered."""


class HostileProxy:
    """One honest endpoint as a liar serves it. `one_in` 20 spoils each answer with probability 1/20; 0 never does.

    `counts` says how many faults of each kind were served so far, `answers` how many answers passed in all.
    """

    def __init__(
        self,
        upstream: str,
        *,
        seed: int,
        upstream_ws: str | None = None,
        one_in: int = ONE_IN,
        kinds: Iterable[FaultKind] = ALL_FAULTS,
        delay_most_s: float = DELAY_MOST_S,
        watch: Watch | None = None,
    ) -> None:
        self.upstream = upstream
        self.watch = watch
        self.upstream_ws = upstream_ws
        self.one_in = one_in
        self.kinds = frozenset(kinds)
        self.delay_most_s = delay_most_s
        self.counts: Counter[FaultKind] = Counter()
        self.answers = 0
        self.port = 0
        self._random = Random(seed)  # noqa: S311 - a seed, not a secret
        self._memory = Memory()
        self._http: httpx.AsyncClient | None = None

    @property
    def url(self) -> str:
        """Where it serves JSON-RPC, once `serve` has started."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where it serves head notifications, once `serve` has started."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def faults(self) -> int:
        """How many faults of all kinds were served so far."""
        return self.counts.total()

    async def serve(self, port: int = 0, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve on the loopback until cancelled. Started with the port that is bound.

        Args:
            port: 0 leaves it to the system.

        Raises:
            OSError: the port cannot be bound.
        """
        limits = httpx.Limits(max_connections=MAX_UPSTREAM_CONNECTIONS, max_keepalive_connections=8)
        async with (
            httpx.AsyncClient(trust_env=False, timeout=UPSTREAM_TIMEOUT_S, limits=limits) as http,
            trio.open_nursery() as nursery,
        ):
            self._http = http
            config = listen_config("127.0.0.1", port)
            config.websocket_max_message_size = MAX_NOTIFICATION_BYTES
            self.port = await nursery.start(listen, self, config)
            task_status.started(self.port)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "websocket":
            await self._websocket(receive, send)
        elif scope["method"] == "POST":
            await self._post(receive, send)
        else:
            await respond(send, 405, b"POST or WebSocket\n")

    # HTTP

    async def _post(self, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive, MAX_REQUEST_BYTES)
        except BodyTooLarge:
            await respond(send, 413, b"body too large\n")
            return
        if body is None:  # the relay has left
            return
        if self.watch is not None and self.watch.before(body):
            await _break_off(send, b"")
            return
        planned = self._planned()
        fault = planned[0] if planned and planned[0] in TRANSPORT_FAULTS else None
        if fault is FaultKind.LOST_REQUEST:
            self.counts[fault] += 1
            await _break_off(send, b'{"jsonrpc":"2.0"')
            return
        assert self._http is not None
        try:
            response = await self._http.post(
                self.upstream, content=body, headers={"content-type": "application/json", "accept-encoding": "identity"}
            )
        except httpx.HTTPError:
            await respond(send, 502, b"the node does not answer\n")
            return
        if self.watch is not None and self.watch.after(body, response.content):
            await _break_off(send, b"")
            return
        answer = self._answer(body, response.content, () if fault is not None else planned)
        await self._deliver(send, response.status_code, answer, fault)

    async def _deliver(self, send: Send, status: int, answer: bytes, fault: FaultKind | None) -> None:
        self.answers += 1
        if fault is not None:
            self.counts[fault] += 1
        if fault is FaultKind.LOST_ANSWER:
            await _break_off(send, answer)
            return
        if fault is FaultKind.DELAYED:
            await trio.sleep(self._random.uniform(0.0, self.delay_most_s))
        if fault is FaultKind.TRUNCATED and answer:
            answer = answer[: self._random.randrange(len(answer))]
        await respond(send, status, answer)

    def _answer(self, request: bytes, honest: bytes, planned: Sequence[FaultKind]) -> bytes:
        """The honest answer, or the first planned lie that means something here."""
        try:
            asked, answered = json.loads(request), json.loads(honest)
            exchange = Exchange(asked["method"], asked.get("params"), answered["result"])
            identifier = answered["id"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return honest
        told = self._first_lie(exchange, planned)
        self._memory.keep(exchange)
        if told is None:
            return honest
        content = {"result": told.result} if told.error is None else {"error": told.error}
        return json.dumps({"jsonrpc": "2.0", "id": identifier, **content}, separators=(",", ":")).encode()

    def _first_lie(self, exchange: Exchange, planned: Sequence[FaultKind]) -> Lie | None:
        for kind in planned:
            told = lie(kind, exchange, self._memory, self._random)
            if told is not None:
                self.counts[kind] += 1
                return told
        return None

    # WebSocket

    async def _websocket(self, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        if self.upstream_ws is None:
            await send({"type": "websocket.close", "code": CLOSE_GOING_AWAY})
            return
        parts = urlsplit(self.upstream_ws)
        try:
            stream = await trio.open_tcp_stream(parts.hostname or "", parts.port or 80)
        except OSError:
            await send({"type": "websocket.close", "code": CLOSE_GOING_AWAY})
            return
        try:
            async with trio.open_nursery() as nursery:
                node = await wrap_client_stream(
                    nursery, stream, parts.netloc, parts.path or "/", max_message_size=MAX_NOTIFICATION_BYTES
                )
                await send({"type": "websocket.accept"})
                nursery.start_soon(self._pass_requests, receive, node, nursery.cancel_scope)
                nursery.start_soon(self._pass_notifications, node, send, nursery.cancel_scope)
        except* (HandshakeError, ConnectionClosed):
            pass
        finally:
            # trio-websocket leaves the socket open where the other side ended the conversation
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
        await send({"type": "websocket.close", "code": CLOSE_GOING_AWAY})

    @staticmethod
    async def _pass_requests(receive: Receive, node: WebSocketConnection, scope: trio.CancelScope) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            await node.send_message(message.get("text") or message.get("bytes") or "")
        scope.cancel()

    async def _pass_notifications(self, node: WebSocketConnection, send: Send, scope: trio.CancelScope) -> None:
        while True:
            try:
                text = await node.get_message()
            except ConnectionClosed:
                break
            notification = _head_notification(text)
            fault = self._drawn_for_head() if notification is not None else None
            if notification is not None:
                self.answers += 1
            if fault is not None:
                self.counts[fault] += 1
            if fault is FaultKind.HEADS_CLOSED:
                break
            if fault is FaultKind.HEAD_DROPPED:
                continue
            if fault is FaultKind.HEAD_FORGED and notification is not None:
                text = json.dumps(forged_head(notification, self._random))
            await send({"type": "websocket.send", "text": text if isinstance(text, str) else text.decode()})
        scope.cancel()

    # draws

    def _strikes(self) -> bool:
        return self.one_in > 0 and self._random.randrange(self.one_in) == 0

    def _planned(self) -> list[FaultKind]:
        """Empty for an honest answer; else the enabled kinds in the order in which they are to be tried."""
        if not self._strikes():
            return []
        kinds = [kind for kind in FaultKind if kind in self.kinds and kind not in HEAD_FAULTS]
        self._random.shuffle(kinds)
        return kinds

    def _drawn_for_head(self) -> FaultKind | None:
        kinds = [kind for kind in HEAD_FAULTS if kind in self.kinds]
        return self._random.choice(kinds) if kinds and self._strikes() else None


def _head_notification(text: str | bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    announces = isinstance(message, dict) and message.get("method") == "eth_subscription"
    return message if announces and isinstance(message.get("params"), dict) and "result" in message["params"] else None


async def _break_off(send: Send, body: bytes) -> None:
    """Announce more bytes than come: the server closes the socket over it."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body) + 1).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def hostile_proxy(
    upstream: str,
    *,
    seed: int,
    upstream_ws: str | None = None,
    one_in: int = ONE_IN,
    kinds: Iterable[FaultKind] = ALL_FAULTS,
    delay_most_s: float = DELAY_MOST_S,
    port: int = 0,
) -> AsyncIterator[HostileProxy]:
    """A proxy that serves while the block lasts.

    Args:
        upstream: the honest node's URL; `upstream_ws` its WebSocket URL, without which heads are not served.
        one_in: spoils each answer with probability 1/`one_in`; 0 never does.
        port: 0 leaves it to the system.
    """
    proxy = HostileProxy(
        upstream, seed=seed, upstream_ws=upstream_ws, one_in=one_in, kinds=kinds, delay_most_s=delay_most_s
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(proxy.serve, port)
        yield proxy
        nursery.cancel_scope.cancel()
