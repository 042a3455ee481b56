"""`hutong relay run`: everything from a configuration to a running relay, and its end in order."""

import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from random import Random

import trio

from hutong.adapters.interface import ChainAdapter
from hutong.adapters.rpc import AccessUnusable
from hutong.relay.archive import Archive
from hutong.relay.base.threads import thread_runner
from hutong.relay.config import AnyChainConfig, AnyKeyConfig, Config, CosmosChainConfig, chains_beyond
from hutong.relay.core.endpoint import serve_http
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.history.ledgers import open_ledger
from hutong.relay.core.home import held_home
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.core.topology.paths import Paths
from hutong.relay.core.watching.engines import refuse_wrong_engines
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue, QueueLimits
from hutong.relay.keys import Signer, load_signer
from hutong.relay.telemetry import Metrics, get_logger

WORK_THREADS = 4
_NO_RELOAD = "reloading is not supported: restart the relay to use another configuration; what is under way goes on"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a companion shares with the relay: both run in one event loop."""

    config: Config
    adapters: Mapping[str, ChainAdapter]
    queue: Queue
    archive: Archive
    now_ns: Callable[[], int] = time.time_ns


SWITCH_S = 0.0005
"""A thread that verifies or writes the ledger gives way to the event loop after so long: after each send and receive Python's
5 ms would be waited for."""

Companion = Callable[[Parts], Awaitable[None]]
"""A service beside the relay, run while the relay runs. It must not raise: what ends it ends the relay."""


async def run_daemon(config: Config, on_ready: Callable[[str], None], companions: Sequence[Companion] = ()) -> None:
    """Run until SIGTERM or SIGINT. `on_ready` is told one sentence when every chain is watched.

    Raises (maybe inside an exception group):
        StartRefused, KeyUnavailable, LedgerUnavailable, QueueError: with one sentence for the operator.
    """
    sys.setswitchinterval(SWITCH_S)
    await trio.to_thread.run_sync(refuse_wrong_engines)
    with held_home(config.relay.home):
        async with trio.open_nursery() as outer:
            work = trio.CancelScope()
            outer.start_soon(_stop_on_signal, work)
            with work:
                url = config.relay.redis_url
                if url is None:
                    # In the outer nursery: it ends after everybody who uses it.
                    url = await outer.start(EmbeddedValkey(config.relay.home / "queue").serve)
                await _run_relay(config, url, on_ready, companions)
            outer.cancel_scope.cancel()
    get_logger("relay").info("stopped")


async def _run_relay(
    config: Config, queue_url: str, on_ready: Callable[[str], None], companions: Sequence[Companion]
) -> None:
    for problem in chains_beyond(config, time.time()):
        get_logger("relay").warning(
            "a chain is under a fork that is not verified", reason=problem.reason, remedy=problem.remedy
        )
    async with AsyncExitStack() as stack:
        signers = await _signers(config)
        for signer in (one for of_chain in signers.values() for one in of_chain):
            stack.push_async_callback(signer.aclose)
        adapters: dict[str, ChainAdapter] = {}
        for chain in config.chains:
            try:
                opened = open_chain(chain, _random())
            except AccessUnusable as error:
                raise StartRefused(f"chain {chain.name}: {error}") from None
            adapters[chain.name] = await stack.enter_async_context(opened)
        relay = _relay(config, queue_url, adapters, signers, stack)
        async with trio.open_nursery() as tasks:
            if config.relay.http is not None:
                served = await tasks.start(serve_http, config.relay.http, relay.metrics, relay.health, relay.ready)
                get_logger("relay").info("serving /metrics, /healthz and /readyz", at=served)
            for companion in companions:
                tasks.start_soon(companion, Parts(config, adapters, relay.services.queue, relay.services.archive))
            await tasks.start(relay.run)
            on_ready(f"relay ready: {len(config.chains)} chains, {len(config.paths)} paths, home {config.relay.home}")


def _relay(
    config: Config,
    url: str,
    adapters: dict[str, ChainAdapter],
    signers: dict[str, tuple[Signer, ...]],
    stack: AsyncExitStack,
) -> Relay:
    home = config.relay.home
    ledger = open_ledger(config.relay)
    stack.callback(ledger.close)
    password_env = config.relay.redis_password_env
    connection = Connection(url, None if password_env is None else os.environ.get(password_env))
    stack.callback(connection.close)
    queue = Queue(
        connection,
        f"{os.uname().nodename}-{os.getpid()}-{time.time_ns():x}",
        lambda: time.time_ns() // 1_000_000,
        prefix=config.relay.redis_prefix,
        limits=QueueLimits(max_attempts=config.relay.max_attempts),
    )
    followed = Paths.of(config.paths).counterparties()
    followed |= {(end.chain, end.client): log.name for log in config.logs for end in log.kept_on}
    metrics = Metrics((chain.name for chain in config.chains), followed)
    services = Services(
        queue=queue,
        ledger=ledger,
        archive=Archive(home / "evidence"),
        metrics=metrics,
        now_ns=time.time_ns,
        random=_random(),
        run=thread_runner(WORK_THREADS),
        alone=config.relay.redis_url is None,
    )
    return Relay(config, adapters, signers, services)


async def _signers(config: Config) -> dict[str, tuple[Signer, ...]]:
    """All keys by chain, decrypted side by side: each costs its key derivation."""
    loaded: dict[tuple[str, int], Signer] = {}

    async def load(chain: AnyChainConfig, number: int, key: AnyKeyConfig) -> None:
        # A key of a Cosmos chain signs documents of that chain alone.
        only = chain.chain_id if isinstance(chain, CosmosChainConfig) else None
        loaded[chain.name, number] = await trio.to_thread.run_sync(partial(load_signer, key, document_chain_id=only))

    async with trio.open_nursery() as nursery:
        for chain in config.chains:
            for number, key in enumerate(chain.all_keys):
                nursery.start_soon(load, chain, number, key)
    return {
        chain.name: tuple(loaded[chain.name, number] for number in range(len(chain.all_keys)))
        for chain in config.chains
    }


async def _stop_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async for number in signals:
            if number == signal.SIGHUP:
                get_logger("relay").warning(_NO_RELOAD)
                continue
            get_logger("relay").info("stopping", signal=signal.Signals(number).name)
            scope.cancel()
            return


def _random() -> Random:
    return Random()  # noqa: S311  jitter and endpoint choice, not secrets
