"""`hutong api run`: the API as a process of its own, under uvicorn (docs/adr/0010-api-server.md)."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from hutong.relay.api.reading.chain_thread import chain_thread
from hutong.relay.api.service import Service
from hutong.relay.api.serving.app import create_app
from hutong.relay.api.serving.descriptors import allow_descriptors
from hutong.relay.api.serving.inside import MAX_PLAIN_CONNECTIONS, address
from hutong.relay.api.serving.uvicorn_protocol import BoundedHttpProtocol
from hutong.relay.config import ApiConfig, Config
from hutong.relay.web.front import App

KEEP_ALIVE_S = 75
STOP_LIMIT_S = 5
BACKLOG = 1_024
SWITCH_S = 0.0005
"""A thread that reads the ledger gives way to the event loop after so long; Python's 5 ms would stall every answer."""


class CannotListen(Exception):
    """The address cannot be bound; one sentence."""


class _Server(uvicorn.Server):
    """uvicorn ends a process by the signal that stopped it; a daemon that was asked to stop has done well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


def run_standalone(config: Config, settings: ApiConfig, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is told one sentence.

    Raises:
        CannotListen: the address is taken, or not of this machine.
    """
    sys.setswitchinterval(SWITCH_S)
    with _bound(settings) as sock, chain_thread(config) as backend:
        service = Service.of(config, settings, backend, inside_relay=False)
        try:
            server = _Server(server_config(create_app(service), settings))
            with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
                on_ready(f"API ready at {address(settings, sock.getsockname()[1])}")
                runner.run(serve(server, service, sock))
        finally:
            service.close()


async def serve(server: uvicorn.Server, service: Service, sock: socket.socket) -> None:
    """Serve until the server is told to exit, while the reader of changes runs in the same loop."""
    changes = asyncio.create_task(service.changes.run())
    try:
        await server.serve(sockets=[sock])
    finally:
        changes.cancel()
        await asyncio.gather(changes, return_exceptions=True)


def server_config(app: App, settings: ApiConfig) -> uvicorn.Config:
    """uvicorn's configuration: bounded heads, bodies of WebSockets and connections, TLS as `settings` say.

    Raises the process's limit of open files (`allow_descriptors`).
    """
    streams = allow_descriptors(settings.max_streams)
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedHttpProtocol,
        ws="wsproto",
        ws_max_size=4 * 1024,
        ws_per_message_deflate=False,  # the bound is judged after inflating: 61 KB stop the event loop for a third of a second
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=streams + MAX_PLAIN_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_LIMIT_S,
        backlog=BACKLOG,
        ssl_certfile=None if settings.tls_certificate is None else str(settings.tls_certificate),
        ssl_keyfile=None if settings.tls_key is None else str(settings.tls_key),
    )


@contextmanager
def _bound(settings: ApiConfig) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        sock = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotListen(f"api.listen {settings.listen} cannot be used: {error.strerror}") from None
    with sock:
        yield sock
