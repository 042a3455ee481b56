"""The process of a connector: one port for the protocol and the operator, the courier, the decider, the catalogue read again."""

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final

import httpx
import trio
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from hutong.relay.base.http import Receive, Send, respond
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.config.api import is_loopback
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.services.directory.dspace.catalogue import Catalogue, CatalogueUnusable, Offering, load_catalogue
from hutong.relay.services.directory.dspace.connector import Connector
from hutong.relay.services.directory.dspace.courier import Courier, Patience
from hutong.relay.services.directory.dspace.deciding import Decider
from hutong.relay.services.directory.dspace.door import AgreementDoor, NoHub
from hutong.relay.services.directory.dspace.operator_api import OperatorApi
from hutong.relay.services.directory.dspace.participants import Participants, TokenUnusable
from hutong.relay.services.directory.dspace.protocol import PREFIX, VERSIONS, ProtocolApp
from hutong.relay.services.directory.dspace.running import ConnectorMetrics, Running
from hutong.relay.services.directory.dspace.settings import ConnectorConfig
from hutong.relay.services.directory.dspace.store import StoreUnusable, open_store
from hutong.relay.services.directory.rules.dspace.messages import MAX_MESSAGE_BYTES
from hutong.relay.telemetry import get_logger
from hutong.relay.web.api_keys import KeyRing, Scope
from hutong.relay.web.front import Front, Guard, Manners
from hutong.relay.web.problems import ApiProblem, Code
from hutong.relay.web.rate_limit import RateLimit

HOME: Final = HomeKind("connector", "connector.lock")
MAX_CONNECTIONS: Final = 512
SEND_LIMIT_S: Final = 30.0
HEAD_LIMIT_S: Final = 15.0
MAX_HEAD_BYTES: Final = 32 * 1_024
LOOK_AT_FILE_S: Final = 2.0
TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)
LIMITS: Final = httpx.Limits(max_connections=128, max_keepalive_connections=32, keepalive_expiry=30.0)


class ConnectorUnusable(Exception):
    """The connector cannot start with what its configuration says; one sentence."""


class Offered:
    """The catalogue as its file last was good. A file that cannot be served leaves the one before it."""

    def __init__(self, path: Path | None, offering: Offering) -> None:
        """Read it.

        Raises:
            CatalogueUnusable: see `load_catalogue`.
        """
        self._path = path
        self._offering = offering
        self._stamp = self._seen()
        self.catalogue: Catalogue = load_catalogue(path, offering)

    def _seen(self) -> tuple[int, int, int] | None:
        try:
            status = None if self._path is None else self._path.stat()
        except OSError:
            return None
        return None if status is None else (status.st_mtime_ns, status.st_ino, status.st_size)

    async def keep(self) -> None:
        """Read the file again whenever it has changed; the new catalogue is served from one request to the next, whole."""
        log = get_logger("connector")
        while True:
            await trio.sleep(LOOK_AT_FILE_S)
            stamp = self._seen()
            if stamp is None or stamp == self._stamp:
                continue
            self._stamp = stamp
            try:
                self.catalogue = await trio.to_thread.run_sync(load_catalogue, self._path, self._offering)
            except CatalogueUnusable as error:
                log.warning("the data sets are not served as they are now", reason=str(error))
            else:
                log.info("the catalogue was read again", datasets=len(self.catalogue.datasets))


class ConnectorApp:
    """ASGI: `/dsp/…`, `/v1/…`, `/healthz`, `/metrics`."""

    def __init__(self, running: Running, *, is_local: bool) -> None:
        self._protocol = ProtocolApp(running)
        self._operator = OperatorApi(running)
        self._running = running
        self._is_local = is_local

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == VERSIONS or path.startswith(f"{PREFIX}/"):
            await self._protocol(scope, receive, send)
        elif path.startswith("/v1/"):
            await self._operator(scope, receive, send)
        elif path == "/healthz" and scope["method"] == "GET":
            await respond(send, 200, b'{"status": "ok"}')
        elif path == "/metrics" and scope["method"] == "GET":
            await self._metrics(scope, send)
        else:
            raise ApiProblem(Code.NOT_FOUND, "there is no such address; see docs/directory/connector.md")

    async def _metrics(self, scope: Any, send: Send) -> None:
        key = scope.get("hutong.key")
        if not self._is_local and (key is None or Scope.ADMIN not in key.scopes):
            raise ApiProblem(Code.UNAUTHORIZED, "a key with scope admin is needed: send `Authorization: Bearer hk_…`")
        metrics = self._running.metrics
        metrics.undelivered.set(await self._running.store.run(lambda rows: rows.undelivered()))
        await respond(send, 200, generate_latest(metrics.registry), CONTENT_TYPE_LATEST.encode())


def connector_front(config: ConnectorConfig, running: Running) -> Front:
    """The application with bounds, deadlines, keys and rate limits before it."""
    process = config.connector
    is_local = is_loopback(process.host) and not process.behind_proxy
    guard = Guard(
        KeyRing(process.keys_file),
        RateLimit(process.rate_limit_per_s, time.monotonic),
        process.rate_limit_per_s,
        process.cors_origins,
        process.trusted_proxies,
        process.has_tls,
    )
    manners = Manners(
        log="connector",
        policy_of=lambda _path: b"default-src 'none'; frame-ancestors 'none'",
        cost_of=lambda _scope, _resumes: 1,
        limit_s=lambda _scope: None,
        takes_key=lambda scope: scope["path"].startswith("/v1/") or scope["path"] == "/metrics",
        body_types=lambda _scope: (b"application/json", b"application/ld+json"),
        max_body_bytes=MAX_MESSAGE_BYTES,
        kept=lambda _scope: None,
        preflight=((b"access-control-allow-methods", b"GET, POST, OPTIONS"),),
    )
    return Front(ConnectorApp(running, is_local=is_local), guard, manners)


def no_cookies() -> CookieJar:
    """A jar that keeps none: one participant would have its cookies shown to another below the same domain, until that one refuses them."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


@asynccontextmanager
async def open_connector(config: ConnectorConfig, door: AgreementDoor) -> AsyncIterator[Running]:
    """Everything but the port, at work while the block lasts.

    Raises:
        ConnectorUnusable: the home is another process's, or a file cannot be used.
    """
    process = config.connector
    endpoint = f"{process.public_url}{PREFIX}"
    try:
        process.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with lock_home(process.home, HOME), open_store(process.home) as store:
            offered = Offered(process.datasets_file, Offering(process.participant_id, endpoint, process.page_size))
            participants = Participants(config.participants)
            registry = CollectorRegistry()
            ProcessCollector(registry=registry)
            metrics = ConnectorMetrics(registry)
            now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000  # noqa: E731  a field of type function
            connector = Connector(process.participant_id, endpoint, lambda: offered.catalogue, now_ms)
            verify: bool | str = True if process.ca_file is None else str(process.ca_file)
            async with (
                httpx.AsyncClient(
                    verify=verify,
                    limits=LIMITS,
                    timeout=TIMEOUT,
                    follow_redirects=False,
                    trust_env=False,
                    cookies=no_cookies(),
                ) as client,
                trio.open_nursery() as nursery,
            ):
                tell: Callable[[str], None] = lambda outcome: metrics.deliveries.labels(outcome).inc()  # noqa: E731  as above
                courier = Courier(store, participants, client, now_ms, Patience(process.give_up_after_s * 1_000), tell)
                decider = Decider(store, connector, door, courier.wake, is_automatic=process.decisions == "automatic")

                def changed() -> None:
                    courier.wake()
                    decider.wake()

                for task in (courier.run, decider.run, offered.keep):
                    nursery.start_soon(task)
                yield Running(store, connector, participants, door, metrics, changed)
                nursery.cancel_scope.cancel()
    except (HomeNotLocked, StoreUnusable, CatalogueUnusable, TokenUnusable) as error:
        raise ConnectorUnusable(str(error)) from None


async def serve(config: ConnectorConfig, on_ready: Callable[[str], None], door: AgreementDoor | None = None) -> None:
    """Serve until cancelled; `on_ready` is told the address once the port takes requests.

    Args:
        door: where agreements are put on record; without one nowhere.

    Raises:
        OSError: the address cannot be had.
        ConnectorUnusable: see `open_connector`.
    """
    process = config.connector
    settings = listen_config(process.host, process.port)
    settings.h11_max_incomplete_size = MAX_HEAD_BYTES
    settings.keep_alive_timeout = HEAD_LIMIT_S
    if process.has_tls:
        settings.certfile, settings.keyfile = str(process.tls_certificate), str(process.tls_key)
    async with open_connector(config, NoHub() if door is None else door) as running, trio.open_nursery() as nursery:
        app = connector_front(config, running)

        async def serving(task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
            await listen(
                app, settings, max_connections=MAX_CONNECTIONS, send_limit_s=SEND_LIMIT_S, task_status=task_status
            )

        port = await nursery.start(serving)
        host = f"[{process.host}]" if ":" in process.host else process.host
        on_ready(f"{'https' if process.has_tls else 'http'}://{host}:{port}")
        await trio.sleep(math.inf)
