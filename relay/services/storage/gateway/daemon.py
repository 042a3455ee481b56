"""The process of a gateway: one port for S3 and plain HTTP, the committer, the pipeline's workers."""

import math
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import trio

from hutong.light_clients.crypto.engines import NotInstalled
from hutong.light_clients.interface import MalformedInput
from hutong.relay.acceleration.bulk import bulk_engine
from hutong.relay.base.large_blocks import keep_large_blocks
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.keys import KeyUnavailable, load_signer
from hutong.relay.services.storage.catalogue import objects
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, CatalogueUnavailable, open_catalogue
from hutong.relay.services.storage.gateway.app import GatewayApp, Inside
from hutong.relay.services.storage.gateway.batches import Desk
from hutong.relay.services.storage.gateway.committing import Committer, Unavailable
from hutong.relay.services.storage.gateway.events import TenantKeys
from hutong.relay.services.storage.gateway.hub_door import BatchDoor, NoHub
from hutong.relay.services.storage.gateway.identity import Writer
from hutong.relay.services.storage.gateway.operators import KnownOperator, OperatorLink
from hutong.relay.services.storage.gateway.plain.app import PlainApp, PlainDoors
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.reindexing import Reindexed, reindex
from hutong.relay.services.storage.gateway.rpc_hub import RpcHub, open_hub
from hutong.relay.services.storage.gateway.s3.app import S3App, S3Settings
from hutong.relay.services.storage.gateway.secrets import SecretsUnusable, read_s3_keys, read_tenant_secret
from hutong.relay.services.storage.gateway.settings import GatewayConfig
from hutong.relay.services.storage.gateway.store import Doors, ObjectStore
from hutong.relay.services.storage.gateway.upkeep.compacting import Asked, Compacted, Compacting, Compactor
from hutong.relay.services.storage.gateway.upkeep.degraded import DegradedBatches
from hutong.relay.services.storage.gateway.upkeep.moving import Mover
from hutong.relay.services.storage.gateway.upkeep.removing import Remover
from hutong.relay.services.storage.gateway.upkeep.sequences import Sequences, begin_sequences
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.pipeline.pool import Pipeline, open_pipeline
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.packs.shape import PackShape
from hutong.relay.telemetry import get_logger
from hutong.relay.web.api_keys import KeyRing

HOME: Final = HomeKind("storage gateway", "gateway.lock")
MAX_CONNECTIONS: Final = 512
SEND_LIMIT_S: Final = 60.0
HEAD_LIMIT_S: Final = 15.0
MAX_HEAD_BYTES: Final = 64 * 1_024
LIMITS: Final = httpx.Limits(max_connections=512, max_keepalive_connections=256, keepalive_expiry=30.0)
COMPACT_GRACE_S: Final = 3_600
"""A pack that no row names is let go so long afterwards: whoever reads it then has ended."""
LOOK_S: Final = 60.0
"""Between looks at batches that are degraded; one without them asks nobody."""
TIMEOUT: Final = httpx.Timeout(90.0, connect=5.0, read=60.0)


class GatewayUnusable(Exception):
    """The gateway cannot start with what its configuration says; one sentence."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """What runs."""

    store: ObjectStore
    reader: Reader
    committer: Committer
    catalogue: CatalogueDatabase
    desk: Desk
    keys: TenantKeys
    shape: PackShape


@asynccontextmanager
async def open_gateway(config: GatewayConfig) -> AsyncIterator[Gateway]:
    """Everything but the port, while the block lasts. The committer is the caller's to run.

    Raises:
        GatewayUnusable: the home is another process's, a key or secret cannot be used, or the hub does not answer.
    """
    try:
        lock = lock_home(config.gateway.home, HOME)
    except HomeNotLocked as error:
        raise GatewayUnusable(str(error)) from None
    try:
        with lock:
            keys = TenantKeys.of(read_tenant_secret(config.gateway.secret_file))
            async with _open_locked(config, keys) as gateway:
                yield gateway
    except (SecretsUnusable, CatalogueUnavailable, KeyUnavailable, HubSilent) as error:
        raise GatewayUnusable(str(error)) from None


@asynccontextmanager
async def _open_locked(config: GatewayConfig, keys: TenantKeys) -> AsyncIterator[Gateway]:
    gateway = config.gateway
    await trio.to_thread.run_sync(_check_code, gateway.home)
    signer = await trio.to_thread.run_sync(load_signer, gateway.key)
    writer = Writer(hub_id(gateway.chain_id), bytes.fromhex(gateway.writer_id), signer, lambda: int(time.time()))
    password = None if gateway.database_password_env is None else os.environ.get(gateway.database_password_env)
    with open_catalogue(gateway.home, gateway.database_url, password) as catalogue:
        async with _open_door(config, writer) as (door, code), _client(config) as client:
            links = await _links(config, writer, door, client)
            desk = Desk(writer, links, door)
            await _raise_sequence(catalogue, desk)
            with _opened_pipeline(config, keys, code) as pipeline:
                committer = Committer(desk, pipeline, catalogue, keys.catalogue_root)
                now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000  # noqa: E731  a field of type function
                doors = Doors(catalogue, committer, pipeline, keys.catalogue_root, now_ms)
                reader = Reader(links, catalogue, keys.repair_root, keys.catalogue_root, gateway.hedge_ms / 1_000)
                yield Gateway(ObjectStore(doors), reader, committer, catalogue, desk, keys, pipeline.shape)


def _check_code(home: Path) -> None:
    """Parity that is computed wrongly is found when shards are lost, and then nothing is left.

    Raises:
        GatewayUnusable: no engine of the erasure code gives its known answers.
    """
    try:
        bulk_engine("erasure code", home).engine()
    except NotInstalled as error:
        raise GatewayUnusable(str(error)) from None


def _opened_pipeline(
    config: GatewayConfig, keys: TenantKeys, code: tuple[int, int]
) -> AbstractContextManager[Pipeline]:
    gateway = config.gateway
    return open_pipeline(keys.repair_root, code, workers=gateway.workers, in_flight=gateway.in_flight)


@asynccontextmanager
async def _open_door(config: GatewayConfig, writer: Writer) -> AsyncIterator[tuple[BatchDoor, tuple[int, int]]]:
    gateway = config.gateway
    if config.hub is None:
        try:
            yield NoHub(writer.hub, config.placing()), (gateway.data, gateway.parity)
        except MalformedInput as error:
            raise GatewayUnusable(str(error)) from None
        return
    async with open_hub(gateway.chain_id, config.hub, writer.signer) as hub:
        yield hub, await hub.code()


@asynccontextmanager
async def _client(config: GatewayConfig) -> AsyncIterator[httpx.AsyncClient]:
    authorities = config.gateway.operators_ca_file
    verify: bool | str = True if authorities is None else str(authorities)
    async with httpx.AsyncClient(
        verify=verify, limits=LIMITS, timeout=TIMEOUT, follow_redirects=False, trust_env=False
    ) as client:
        yield client


async def _links(
    config: GatewayConfig, writer: Writer, door: BatchDoor, client: httpx.AsyncClient
) -> Mapping[bytes, OperatorLink]:
    links = {}
    for one in config.operators:
        operator = bytes.fromhex(one.operator_id)
        account = None if one.account is None else bytes.fromhex(one.account[2:])
        if isinstance(door, RpcHub):
            record = await door.operator(operator)
            if record is None:
                raise GatewayUnusable(f"the hub knows no operator {one.operator_id}")
            if account not in (None, record.account):
                raise GatewayUnusable(f"operator {one.operator_id} has another account on the hub")
            account = record.account
        if account is not None:
            links[operator] = OperatorLink(KnownOperator(operator, one.url.rstrip("/"), account), writer, client)
    return links


async def _raise_sequence(catalogue: CatalogueDatabase, desk: Desk) -> None:
    """A database that was lost or restored counts on where the hub's batches end."""
    last = await catalogue.run(lambda one: objects.counter(one, "sequence"))
    first_free = await desk.door.next_sequence(desk.writer.writer, last + 1)
    await catalogue.run(lambda one: begin_sequences(one, first_free))


async def compacted(config: GatewayConfig, asked: Asked) -> Compacted:
    """Empty packs of which much is dead, and let them go.

    Raises:
        GatewayUnusable: see `open_gateway`; or there is no hub, so that no removal can be recorded.
        Unavailable, HubSilent, CatalogueUnavailable, OSError: see `Compactor.run`.
    """
    async with open_gateway(config) as opened:
        return await _compactor(config, opened).run(asked)


def _compactor(config: GatewayConfig, opened: Gateway) -> Compactor:
    door = opened.desk.door
    if not isinstance(door, RpcHub):
        raise GatewayUnusable("compaction without a hub is not supported: no removal can be recorded")
    return Compactor(
        Compacting(opened.catalogue, opened.reader, opened.keys.catalogue_root, lambda: int(time.time())),
        Mover(opened.catalogue, opened.committer, opened.reader),
        Remover(door, opened.desk.links),
        Sequences(
            opened.catalogue,
            opened.committer,
            door,
            opened.desk.links,
            opened.desk.writer.writer,
            (opened.shape.data, opened.shape.parity),
        ),
        config.gateway.home,
    )


async def _keep_compacting(config: GatewayConfig, opened: Gateway) -> None:
    gateway = config.gateway
    log = get_logger("storage_gateway")
    compactor = _compactor(config, opened)
    while True:
        await trio.sleep(gateway.compact_every_s)
        try:
            done = await compactor.run(Asked(gateway.compact_percent, COMPACT_GRACE_S))
        except (Unavailable, HubSilent, CatalogueUnavailable, OSError) as error:
            log.warning("packs are not compacted", reason=str(error))
        else:
            log.info(
                "compacted", objects=done.objects_moved, packs=done.packs_removed, waiting=len(done.waiting),
                reason=next(iter(done.waiting), None),
            )  # fmt: skip


async def _keep_looking(opened: Gateway, door: RpcHub) -> None:
    """What was repaired, or signed late, is not told as degraded any more."""
    log = get_logger("storage_gateway")
    degraded = DegradedBatches(opened.catalogue, door, opened.desk.links)
    while True:
        try:
            whole = await degraded.look()
        except (HubSilent, CatalogueUnavailable) as error:
            log.warning("degraded batches are not looked at", reason=str(error))
        else:
            if whole:
                log.info("batches are whole again", batches=whole)
        await trio.sleep(LOOK_S)


async def serve(config: GatewayConfig, on_ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `on_ready` is told the address once the port takes requests.

    Raises:
        OSError: the address cannot be had.
        GatewayUnusable: see `open_gateway`.
    """
    keep_large_blocks()
    gateway = config.gateway
    settings = listen_config(gateway.host, gateway.port)
    settings.h11_max_incomplete_size = MAX_HEAD_BYTES
    settings.keep_alive_timeout = HEAD_LIMIT_S
    if gateway.has_tls:
        settings.certfile, settings.keyfile = str(gateway.tls_certificate), str(gateway.tls_key)
    async with open_gateway(config) as opened, trio.open_nursery() as nursery:
        app = _app(config, opened)

        async def serving(task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
            await listen(
                app, settings, max_connections=MAX_CONNECTIONS, send_limit_s=SEND_LIMIT_S, task_status=task_status
            )

        nursery.start_soon(opened.committer.run)
        if isinstance(opened.desk.door, RpcHub):
            nursery.start_soon(_keep_looking, opened, opened.desk.door)
        if gateway.compact_every_s and config.hub is not None:
            nursery.start_soon(_keep_compacting, config, opened)
        port = await nursery.start(serving)
        host = f"[{gateway.host}]" if ":" in gateway.host else gateway.host
        on_ready(f"{'https' if gateway.has_tls else 'http'}://{host}:{port}")
        await trio.sleep(math.inf)


async def reindexed(config: GatewayConfig, tell: Callable[[str], None]) -> Reindexed:
    """Make the catalogue again from what operators hold.

    Raises:
        GatewayUnusable: see `open_gateway`.
        OperatorFailed, CatalogueUnavailable: see `reindex`.
    """
    async with open_gateway(config) as opened:
        shape = opened.shape
        return await reindex(
            opened.desk.links,
            opened.reader,
            opened.catalogue,
            opened.keys.catalogue_root,
            (shape.data, shape.parity),
            tell,
        )


def _app(config: GatewayConfig, opened: Gateway) -> GatewayApp:
    gateway = config.gateway
    s3_keys = S3KeyRing(config)
    s3 = S3App(S3Settings(gateway.region, s3_keys.secret_of, lambda: int(time.time())), opened.store, opened.reader)
    keys = KeyRing(gateway.keys_file)
    plain = PlainApp(PlainDoors(opened.store, opened.reader, opened.catalogue, keys, lambda: int(time.time())))
    return GatewayApp(s3, plain, Inside(opened.desk, opened.catalogue, opened.committer))


class S3KeyRing:
    """The keys as the file has them now."""

    def __init__(self, config: GatewayConfig) -> None:
        self._path = config.gateway.s3_keys_file
        self._stamp: tuple[int, int] | None = None
        self._secrets: dict[str, str] = {}

    def secret_of(self, access_key: str) -> str | None:
        """The secret key of an access key; None for one that there is not, or while the file cannot be used."""
        if self._path is None:
            return None
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._secrets = {}
                self._secrets = {key.access_key: key.secret_key for key in read_s3_keys(self._path).values()}
                self._stamp = stamp
        except (OSError, SecretsUnusable):
            self._stamp, self._secrets = None, {}
        return self._secrets.get(access_key)
