"""An ASGI application on a TCP port, such that no stranger at the port can end the process.

hypercorn's own server gives every connection to one nursery: whatever its protocol code raises over a peer's bytes ends
the server, and with it the node. It also takes connections until the process has no file descriptor left for its
blocks.
"""

import logging
import math
import ssl
from typing import Any

import h11
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import wrap_app

MAX_OPEN_CONNECTIONS = 256
"""Per port. Two ports, the database and the node's own files fit the common limit of 1 024 descriptors."""

PEER_LEFT_S = 5.0
"""For requests under way when the peer leaves; some of hypercorn's tasks would wait for ever."""

_EXTENSIONS = b"sec-websocket-extensions"
"""Not seen by hypercorn, so that no connection has permessage-deflate: a frame of some kilobytes would inflate to many
megabytes before the bound of a message is judged."""

_LOGGER = logging.getLogger(__name__)


def listen_config(host: str, port: int) -> Config:
    """What every port of a node has in common: HTTP/1.1 alone, no access log, 75 s of keep-alive.

    Args:
        host: a name or address; an IPv6 address without brackets.
        port: 0 leaves it to the system.
    """
    config = Config()
    config.bind = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    config.accesslog = None
    config.errorlog = None
    config.keep_alive_timeout = 75.0
    config.keep_alive_max_requests = 2**31
    config.include_server_header = False
    config.alpn_protocols = ["http/1.1"]
    return config


class _Http11(H11Protocol):
    """HTTP/1.1 and plain WebSockets, and nothing that a peer asks for beside them."""

    _head = b""
    """Of the answer that begins: it leaves with what comes after it, in one packet, which wakes the peer once."""

    async def _send_h11_event(self, event: Any) -> None:
        try:
            data = self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        if type(event) is h11.Response:
            self._head = data
            return
        data, self._head = self._head + data, b""
        if data:
            await self.send(RawData(data=data))

    async def _check_protocol(self, event: h11.Request) -> None:
        """No upgrade to HTTP/2 in the clear: its windows and streams are bounded by nothing here. An upgrade that is
        not taken is served as HTTP/1.1 (RFC 9110, 7.8)."""

    async def _create_stream(self, request: h11.Request) -> None:
        if request.http_version not in (b"1.0", b"1.1"):
            await self._send_error_response(505)
            await self.send(Closed())
            return
        if any(name == _EXTENSIONS for name, _ in request.headers):
            request = h11.Request(
                method=request.method,
                target=request.target,
                headers=[(name, value) for name, value in request.headers if name != _EXTENSIONS],
                http_version=request.http_version,
            )
        await super()._create_stream(request)


class _Server(TCPServer):
    """hypercorn's, but a peer that has left is gone: its socket would stay open for the keep-alive time. And one task
    waits for an idle connection, where hypercorn's starts one after each request."""

    _peer_left = False
    _idle_until_s = math.inf
    _idle_scope: trio.CancelScope | None = None
    _send_limit_s = math.inf

    async def protocol_send(self, event: Event) -> None:
        """Sends are shielded from cancellation, so a peer that takes nothing is given up here."""
        if isinstance(event, Updated):
            self._idle_until_s = trio.current_time() + self.config.keep_alive_timeout if event.idle else math.inf
            if self._idle_scope is not None:
                self._idle_scope.deadline = self._idle_until_s
            return
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        # Waiting for the lock can be cancelled: an application that sends for ever has no other point at which it ends.
        async with self.send_lock:
            with trio.move_on_after(self._send_limit_s, shield=True) as limit:
                try:
                    await self.stream.send_all(event.data)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    await self.protocol.handle(Closed())
        if limit.cancelled_caught:
            await trio.aclose_forcefully(self.stream)
            await self.protocol.handle(Closed())

    async def _read_data(self) -> None:
        given = self.protocol.protocol
        self.protocol.protocol = _Http11(
            given.app,
            given.config,
            given.context,
            given.task_group,
            given.connection_state,
            given.ssl,
            given.client,
            given.server,
            given.send,
        )
        await super()._read_data()
        self._peer_left = True
        await self.idle_task.stop()
        self._task_group._nursery.cancel_scope.deadline = trio.current_time() + PEER_LEFT_S  # type: ignore[union-attr]

    async def _idle_timeout(self) -> None:
        self._idle_until_s = trio.current_time() + self.config.keep_alive_timeout
        while trio.current_time() < self._idle_until_s and not self._peer_left:
            with trio.CancelScope(deadline=self._idle_until_s) as self._idle_scope:
                await trio.sleep_forever()
        if not self._peer_left:
            with trio.CancelScope(shield=True):
                await self._initiate_server_close()


class _Connections:
    """All open connections of one port."""

    def __init__(self, app: Any, config: Config, max_connections: int | None, send_limit_s: float) -> None:
        self._app = wrap_app(app, config.wsgi_max_body_size, "asgi")
        self._config = config
        self._max_connections = max_connections
        self._send_limit_s = send_limit_s
        self._tls: ssl.SSLContext | None = config.create_ssl_context()
        self._context = WorkerContext(None)
        self._open: set[trio.SocketStream] = set()

    async def handle(self, stream: trio.SocketStream) -> None:
        """One connection from start to end; above the bound it is closed at once."""
        if len(self._open) >= (self._max_connections or MAX_OPEN_CONNECTIONS):
            return
        self._open.add(stream)
        served: Any = stream
        if self._tls is not None:
            served = trio.SSLStream(stream, self._tls, server_side=True, https_compatible=True)
        try:
            server = _Server(self._app, self._config, self._context, ConnectionState({}), served)
            server._send_limit_s = self._send_limit_s
            await server
        except Exception:
            # Its bytes made the protocol code raise (hypercorn, h11, h2 and wsproto have such cases): only it ends.
            _LOGGER.info("a connection ended by an error", exc_info=True)
        finally:
            self._open.discard(stream)

    def abort(self) -> None:
        """hypercorn shields its sends from cancellation: who never reads would keep a stopping node from ending."""
        for stream in self._open:
            stream.socket.close()


async def listen(
    app: Any,
    config: Config,
    *,
    max_connections: int | None = None,
    send_limit_s: float = math.inf,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled. Started with the port that is bound, which port 0 leaves to the system.

    A peer that takes nothing for `send_limit_s` loses the connection. TLS where `config` names a certificate and its
    key.

    Args:
        app: an ASGI application; its exceptions end at most the one connection.
        max_connections: at once, further ones are closed without a word; MAX_OPEN_CONNECTIONS unless given.

    Raises:
        OSError: the address cannot be bound, or a file of TLS cannot be read.
    """
    listeners = []
    sockets = config.create_sockets()
    for sock in (*sockets.secure_sockets, *sockets.insecure_sockets):
        sock.listen(config.backlog)
        listeners.append(trio.SocketListener(trio.socket.from_stdlib_socket(sock)))
    connections = _Connections(app, config, max_connections, send_limit_s)
    port: int = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, connections.handle, listeners)
        task_status.started(port)
        try:
            await trio.sleep_forever()
        finally:
            connections.abort()
