"""`hutong storage repairer run | once | look`: the home, the key, the hub and the operators, open while it lasts."""

import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import trio

from hutong.light_clients.crypto.engines import NotInstalled
from hutong.relay.acceleration.bulk import bulk_engine
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.keys import KeyUnavailable, Signer, load_signer
from hutong.relay.services.storage.gateway.identity import Writer
from hutong.relay.services.storage.gateway.operators import KnownOperator, OperatorLink
from hutong.relay.services.storage.gateway.secrets import SecretsUnusable, read_tenant_secret
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.repairer.ledger import Ledger, LedgerUnusable
from hutong.relay.services.storage.repairer.mending import Repairer
from hutong.relay.services.storage.repairer.plan import Known
from hutong.relay.services.storage.repairer.rpc_hub import open_repair_hub
from hutong.relay.services.storage.repairer.settings import RepairerConfig
from hutong.relay.services.storage.repairer.standing import GONE
from hutong.relay.services.storage.repairer.work import RepairWork
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.telemetry import get_logger

HOME: Final = HomeKind("another storage repairer", "repairer.lock")
LIMITS: Final = httpx.Limits(max_connections=256, max_keepalive_connections=256, keepalive_expiry=30.0)
TIMEOUT: Final = httpx.Timeout(90.0, connect=5.0, read=60.0)


class RepairerUnusable(Exception):
    """Why a repairer cannot begin: one sentence, for whoever starts it."""


@dataclass(frozen=True, slots=True)
class OperatorLinks:
    """Makes and keeps the ways to operators, under tokens that the repairer signs."""

    me: Writer
    urls: Mapping[bytes, str]
    client: httpx.AsyncClient
    made: dict[tuple[bytes, bytes, bytes], OperatorLink]

    def of(self, owner: bytes, known: Known) -> Mapping[bytes, OperatorLink]:
        """By id: every operator that has an address and that the hub knows, asked for an owner's shards."""
        found = {}
        for operator, url in self.urls.items():
            account = known.accounts.get(operator)
            if account is None or known.standings.get(operator) in GONE:
                continue
            key = (owner, operator, account)
            if key not in self.made:
                self.made[key] = OperatorLink(KnownOperator(operator, url, account), self.me, self.client, owner)
            found[operator] = self.made[key]
        return found


@asynccontextmanager
async def open_repairer(config: RepairerConfig) -> AsyncIterator[RepairWork]:
    """All that a pass needs, while the block lasts.

    Raises:
        RepairerUnusable: home, key, a repair root, the code or the hub cannot be used.
    """
    process = config.repairer
    try:
        lock = await trio.to_thread.run_sync(lock_home, process.home, HOME)
    except HomeNotLocked as error:
        raise RepairerUnusable(str(error)) from None
    try:
        signer = await trio.to_thread.run_sync(_load_key, config)
        try:
            async with _opened(config, signer) as work:
                yield work
        finally:
            with trio.CancelScope(shield=True):
                await signer.aclose()
    finally:
        lock.release()


@asynccontextmanager
async def _opened(config: RepairerConfig, signer: Signer) -> AsyncIterator[RepairWork]:
    process = config.repairer
    roots = await trio.to_thread.run_sync(_repair_roots, config)
    hub, repairer = hub_id(process.chain_id), bytes.fromhex(process.repairer_id)
    urls = {bytes.fromhex(one.operator_id): one.url.rstrip("/") for one in config.operators}
    verify: bool | str = True if process.operators_ca_file is None else str(process.operators_ca_file)
    try:
        ledger = await trio.to_thread.run_sync(Ledger, process.home, hub)
    except LedgerUnusable as error:
        raise RepairerUnusable(str(error)) from None
    try:
        async with (
            httpx.AsyncClient(
                verify=verify, limits=LIMITS, timeout=TIMEOUT, follow_redirects=False, trust_env=False
            ) as client,
            open_repair_hub(config.hub, process.chain_id, signer) as door,
        ):
            me = Writer(hub, repairer, signer, lambda: int(time.time()))
            links = OperatorLinks(me, urls, client, {})
            who = Repairer(hub, repairer, door, process.memory_bytes)
            yield RepairWork(who, ledger, links.of, roots, process.misses, process.home)
    except HubSilent as error:
        raise RepairerUnusable(f"the hub cannot be used: {error}") from None
    finally:
        ledger.close()


async def run_repairer(config: RepairerConfig, on_ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT. `on_ready` is told one sentence when it works.

    Raises (maybe inside an exception group):
        RepairerUnusable: see `open_repairer`.
    """
    process = config.repairer
    async with open_repairer(config) as work, trio.open_nursery() as nursery:
        # Whoever reads that it is ready may end it at once.
        await nursery.start(_stop_on_signal, nursery.cancel_scope)
        on_ready(
            f"storage repairer {process.repairer_id} ready: {len(config.owners)} writers' packs of {process.chain_id}"
        )
        await work.keep_working(config.hub.interval_s)
    get_logger("storage_repairer").info("stopped")


def _load_key(config: RepairerConfig) -> Signer:
    try:
        return load_signer(config.repairer.key)
    except (KeyUnavailable, ValueError) as error:
        raise RepairerUnusable(str(error)) from None


def _repair_roots(config: RepairerConfig) -> dict[bytes, bytes]:
    """By writer. And that the erasure code gives its known answers: a shard that is rebuilt wrongly would never be taken."""
    try:
        bulk_engine("erasure code", config.repairer.home).engine()
        return {bytes.fromhex(one.writer_id): read_tenant_secret(one.repair_root_file) for one in config.owners}
    except (SecretsUnusable, NotInstalled) as error:
        raise RepairerUnusable(str(error)) from None


async def _stop_on_signal(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()
            return
