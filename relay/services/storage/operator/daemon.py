"""`hutong storage operator run`: a port, and the work that nobody asks for: following the hub, answering, scrubbing, settling."""

import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import trio
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from hutong.light_clients.crypto.addresses import eth_address
from hutong.relay.base.large_blocks import keep_large_blocks
from hutong.relay.config.api import is_loopback
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.keys import Signer
from hutong.relay.services.storage.engines.durability import settled
from hutong.relay.services.storage.engines.engine import EngineUnavailable
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.operator.answering import Answering
from hutong.relay.services.storage.operator.app import Doors, OperatorApp, OperatorStatus
from hutong.relay.services.storage.operator.desk import OperatorDesk, OperatorParts
from hutong.relay.services.storage.operator.hub_door import HubDoor
from hutong.relay.services.storage.operator.hub_work import HubWork, standing_of
from hutong.relay.services.storage.operator.index import Totals
from hutong.relay.services.storage.operator.operator_log import OperatorLog
from hutong.relay.services.storage.operator.rpc_hub import open_hub_door
from hutong.relay.services.storage.operator.scrub import scrub_steps
from hutong.relay.services.storage.operator.settings import OperatorConfig
from hutong.relay.services.storage.operator.state import DRAINING_FILE, OpenHome, OperatorUnusable, load_key, open_home
from hutong.relay.services.storage.operator.writers import Writers
from hutong.relay.services.storage.rules.operator_api.refusals import RequestRefused
from hutong.relay.services.storage.rules.records.members import OperatorState
from hutong.relay.telemetry import get_logger

MAX_CONNECTIONS: Final = 512
MAX_HEAD_BYTES: Final = 16 * 1_024
SEND_LIMIT_S: Final = 60.0
COUNT_S: Final = 30.0
"""How old the totals may be that the operator says of itself."""
SETTLE_EVERY_S: Final = 60.0
SCRUB_PAUSE_S: Final = 60.0
EXPIRE_EVERY_S: Final = 600.0
EXPIRE_AT_ONCE: Final = 1_000
STATE_NAMES: Final = {
    OperatorState.REGISTERED: "registered",
    OperatorState.ACTIVE: "active",
    OperatorState.DRAINING: "draining",
    OperatorState.LEFT: "left",
}


async def run_operator(config: OperatorConfig, on_ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT. `on_ready` is told one sentence when it serves.

    Raises (maybe inside an exception group):
        OperatorUnusable: home, engine, key or hub cannot be used.
        OSError: the address cannot be had, or a file of TLS cannot be read.
    """
    keep_large_blocks()
    signer = await trio.to_thread.run_sync(load_key, config)
    try:
        home = await trio.to_thread.run_sync(open_home, config)
        try:
            async with _hub_of(home, signer) as hub, trio.open_nursery() as nursery:
                nursery.start_soon(_stop_on_signal, nursery.cancel_scope)
                address = await nursery.start(serve_operator, home, signer, hub)
                on_ready(
                    f"storage operator {home.identity.operator.hex()} ready at {address}: {home.shelf.engine.location}"
                )
        finally:
            home.close()
    finally:
        with trio.CancelScope(shield=True):
            await signer.aclose()
    get_logger("storage_operator").info("stopped")


async def serve_operator(
    home: OpenHome, signer: Signer, hub: HubDoor | None, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve and work until cancelled; the status is the address, once the port takes requests.

    Raises:
        OSError: the address cannot be had, or a file of TLS cannot be read.
    """
    config, registry = home.config, CollectorRegistry()
    ProcessCollector(registry=registry)
    writers = Writers(config.served, hub, _now_s)
    log = await trio.to_thread.run_sync(OperatorLog, home.index)
    desk = OperatorDesk(
        OperatorParts(home.identity, signer, home.index, home.shelf, log, writers, hub, _now_s, config.bounds)
    )
    answering = Answering(home.identity.operator, log, home.index, home.shelf)
    standing = Standing(home, signer, desk, registry)
    shows_metrics = is_loopback(config.operator.host) and not config.operator.behind_proxy
    app = OperatorApp(Doors(desk, answering, standing.status, registry, shows_metrics, config.operator.behind_proxy))
    settings = listen_config(config.operator.host, config.operator.port)
    settings.h11_max_incomplete_size = MAX_HEAD_BYTES
    if config.operator.tls_certificate is not None:
        settings.certfile, settings.keyfile = str(config.operator.tls_certificate), str(config.operator.tls_key)
    await standing.look()
    async with trio.open_nursery() as nursery:

        async def serving(task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
            await listen(
                app, settings, max_connections=MAX_CONNECTIONS, send_limit_s=SEND_LIMIT_S, task_status=task_status
            )

        port = await nursery.start(serving)
        look_every_s = COUNT_S if config.hub is None else config.hub.interval_s
        nursery.start_soon(_keep, "standing", look_every_s, standing.look_and_count)
        nursery.start_soon(_keep, "settling", SETTLE_EVERY_S, partial(_settle, home))
        nursery.start_soon(_keep, "expiring", EXPIRE_EVERY_S, partial(_expire, desk, config.operator.pending_s))
        if speed := config.operator.scrub_bytes_per_s:
            nursery.start_soon(_keep, "scrubbing", SCRUB_PAUSE_S, partial(_scrub, home, speed))
        if hub is not None and config.hub is not None:
            nursery.start_soon(HubWork(desk, answering, hub).keep_working, config.hub.interval_s)
        host = f"[{config.operator.host}]" if ":" in config.operator.host else config.operator.host
        task_status.started(f"{'http' if config.operator.tls_key is None else 'https'}://{host}:{port}")


class Standing:
    """What an operator is at the moment: counted now and then, and its state as hub and home say it."""

    def __init__(self, home: OpenHome, signer: Signer, desk: OperatorDesk, registry: CollectorRegistry) -> None:
        self._home = home
        self._account = signer.address
        self._desk = desk
        self._state = "active"
        self._not_ready: str | None = None
        self._totals: Totals | None = None
        self._counted_at_s = -COUNT_S
        self._shards = Gauge("hutong_storage_operator_shards", "Shards that are held.", registry=registry)
        self._bytes = Gauge("hutong_storage_operator_bytes", "Bytes of shards that are held.", registry=registry)
        self._damaged = Gauge("hutong_storage_operator_damaged", "Shards that scrub found damaged.", registry=registry)

    async def status(self) -> OperatorStatus:
        """For `/v1/operator` and `/readyz`."""
        totals = await self._counted()
        engine = self._home.shelf.engine
        document = {
            "version": 1,
            "hub": self._home.identity.hub.hex(),
            "operator": self._home.identity.operator.hex(),
            "account": self._account,
            "state": self._state,
            "pending_s": self._home.config.operator.pending_s,
            "engine": engine.kind,
            "free_bytes": await trio.to_thread.run_sync(engine.free_bytes),
            "shards": totals.shards,
            "bytes": totals.bytes,
            "batches": totals.batches,
            "damaged": totals.damaged,
        }
        return OperatorStatus(document, self._not_ready)

    async def look(self) -> None:
        """Read the state from hub and home. What was known stays until all of it is."""
        marked = (self._home.config.operator.home / DRAINING_FILE).exists()
        hub = self._desk.parts.hub
        record = None
        if hub is not None:
            try:
                record = await standing_of(hub, self._home.identity.operator)
            except HubSilent as error:
                self._not_ready = f"the hub does not say who this operator is: {error}"
                return
        state, not_ready = "active", None
        if hub is not None and record is None:
            state, not_ready = "registered", "the hub does not know this operator; governance registers it"
        elif record is not None:
            state = STATE_NAMES[record.state]
            if eth_address(self._desk.parts.signer.public_key) != record.account:
                not_ready = f"the hub names account 0x{record.account.hex()}, and this key is {self._account}'s"
        self._state, self._not_ready = "draining" if marked else state, not_ready
        self._desk.is_draining = self._state in ("draining", "left")

    async def look_and_count(self) -> None:
        """Once again."""
        await self.look()
        await self._counted()

    async def _counted(self) -> Totals:
        if self._totals is None or trio.current_time() - self._counted_at_s >= COUNT_S:
            self._totals = await trio.to_thread.run_sync(self._home.index.totals)
            self._counted_at_s = trio.current_time()
            self._shards.set(self._totals.shards)
            self._bytes.set(self._totals.bytes)
            self._damaged.set(self._totals.damaged)
        return self._totals


@asynccontextmanager
async def _hub_of(home: OpenHome, signer: Signer) -> AsyncIterator[HubDoor | None]:
    process, hub = home.config.operator, home.config.hub
    if hub is None:
        yield None
        return
    try:
        async with open_hub_door(hub, process.chain_id, home.identity.operator, signer) as door:
            yield door
    except HubSilent as error:
        raise OperatorUnusable(f"the hub cannot be used: {error}") from None


async def _keep(name: str, pause_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Work again and again until cancelled. What it raises is said, and is no reason to stop serving."""
    log = get_logger("storage_operator")
    while True:
        try:
            await work()
        except EngineUnavailable as error:
            log.warning("the engine cannot be used", work=name, reason=str(error))
        except Exception:
            log.exception("work failed; it begins again", work=name)
        await trio.sleep(pause_s)


async def _settle(home: OpenHome) -> None:
    """What an engine lost since is in the journal still."""
    mended = await trio.to_thread.run_sync(settled, home.shelf.engine, time.time())
    if mended:
        get_logger("storage_operator").warning("the engine had lost shards, which were written again", shards=mended)


async def _expire(desk: OperatorDesk, pending_s: int) -> None:
    """Shards that no signed part ever named are dropped."""
    before_s = _now_s() - pending_s
    for held in await trio.to_thread.run_sync(desk.parts.index.pending_before, before_s, EXPIRE_AT_ONCE):
        try:
            await desk.delete(held.key)
        except RequestRefused as error:
            reason = str(error)
            get_logger("storage_operator").warning("a pending shard is kept", pack=held.key.pack.hex(), reason=reason)


async def _scrub(home: OpenHome, bytes_per_s: int) -> None:
    """One pass, no faster than the configuration says."""
    steps = scrub_steps(home.index, home.shelf, _now_s)
    while (step := await trio.to_thread.run_sync(next, steps, None)) is not None:
        if step.damage is not None:
            get_logger("storage_operator").error("a shard is damaged", reason=str(step.damage))
        await trio.sleep(step.held.bytes / bytes_per_s)


async def _stop_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return


def _now_s() -> int:
    return int(time.time())
