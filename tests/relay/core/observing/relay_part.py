"""A part of a relay between two chains in memory: its memory ends with it; ledger and chains stay."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

import trio

from hutong.relay.archive import Archive
from hutong.relay.config import BatchLimits, FeeLimits, RetriesConfig
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.account.recording import Recorder
from hutong.relay.core.route.catching_up import CatchingUp
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.services import Services
from hutong.relay.core.supervisor import supervise
from hutong.relay.core.topology.paths import Paths
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.heads import HeadFollower
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.dispatch import Route
from hutong.relay.keys import Signer
from hutong.relay.telemetry import Metrics
from tests.relay.core.world import Killed, in_line, open_ledger


class MemoryChains(Protocol):
    """What both worlds have."""

    directory: Path
    metrics: Metrics

    def now_ns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Between:
    """The adapters by name, source first, and the route from the one to the other."""

    adapters: dict[str, Any]
    route: Route


class RelayPart:
    """Heads of both chains, the account at the destination, and one task."""

    def __init__(self, world: MemoryChains, between: Between, signer: Signer, around: Callable) -> None:
        self._world = world
        self.ledger = open_ledger(world.directory / signer.address / "ledger.sqlite")
        archive = Archive(world.directory / signer.address / "evidence", run=in_line)
        ledger = around("ledger", self.ledger)
        adapters = {name: around(name, adapter) for name, adapter in between.adapters.items()}
        services = Services(None, ledger, archive, world.metrics, world.now_ns, Random(1), in_line, alone=True)
        relay = RelayContext.of(adapters, Paths.of([]), services)
        fees, batch = FeeLimits(), BatchLimits()
        self._chains = [
            ChainContext(one, HeadFollower(one, world.metrics), world.metrics, fees, batch, 4)
            for one in adapters.values()
        ]
        paying = between.route.destination
        self._account = Account(
            self._chains[1], signer, Recorder(ledger, archive, paying, signer.address, world.now_ns)
        )
        accounts = Accounts([self._account])
        self.context = RouteContext(between.route, *self._chains, accounts, None, RetriesConfig(), CatchingUp(), relay)
        self.tasks: dict[str, Callable[[], Awaitable[None]]] = {}

    async def run(self) -> None:
        tasks = {f"heads:{chain.name}": chain.heads.run for chain in self._chains}
        tasks |= {"account": self._account.run} | self.tasks
        async with trio.open_nursery() as nursery:
            for name, task in tasks.items():
                nursery.start_soon(supervise, name, task, self._world.metrics, Random(1))

    @asynccontextmanager
    async def running(self):
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.run)
                yield self
                nursery.cancel_scope.cancel()
        finally:
            self.ledger.close()

    async def run_until_killed(self) -> bool:
        """True if something raised Killed in it."""
        try:
            await self.run()
        except BaseExceptionGroup as group:
            if group.subgroup(Killed) is None:
                raise
            self.ledger.owed.take()
            return True
        finally:
            self.ledger.close()
        return False
