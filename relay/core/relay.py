"""The relay's task tree: accounts, watchers, workers and clearers over given chains and services."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import trio

from hutong.adapters.interface import LATENCY_BOUNDS_S, ChainAdapter, EndpointStatistics, Signer
from hutong.relay.archive import Archive
from hutong.relay.base.threads import Runner
from hutong.relay.config import Config, CosmosChainConfig, PathEnd
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.account.recording import Recorder
from hutong.relay.core.archiving.anchoring import Anchorer
from hutong.relay.core.archiving.archiver import Archiver, abandoning_thread
from hutong.relay.core.archiving.bundling import Exporter
from hutong.relay.core.clients.fork_watch import ForkWatch, Sight
from hutong.relay.core.clients.keeper import ClientKeeper, Condition
from hutong.relay.core.complaints import Complaints
from hutong.relay.core.endpoint_watch import watch_endpoints
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.history.history import History
from hutong.relay.core.history.ignored import Ignored
from hutong.relay.core.history.ledgers import keep_ledger
from hutong.relay.core.readiness import LEDGER, QUEUE, Readiness, ask_service, watch_wallets
from hutong.relay.core.route.batch import BatchBuilder
from hutong.relay.core.route.catching_up import CatchingUp
from hutong.relay.core.route.prober import Books, Ends, Prober
from hutong.relay.core.route.worker import RouteWorker
from hutong.relay.core.supervisor import supervise
from hutong.relay.core.topology.identification import Identification
from hutong.relay.core.topology.paths import Paths
from hutong.relay.core.topology.peers import Peers
from hutong.relay.core.watching.clearer import Clearer
from hutong.relay.core.watching.discovery import Discovery
from hutong.relay.core.watching.heads import HeadFollower
from hutong.relay.core.watching.timeouts import TimeoutScheduler
from hutong.relay.core.watching.turns import Turns
from hutong.relay.core.watching.waiting import WaitingForApps
from hutong.relay.core.watching.wakeup import Wakeup
from hutong.relay.core.watching.watcher import Watcher
from hutong.relay.dispatch import Queue, Route
from hutong.relay.keys import load_signer
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics, get_logger


@dataclass(frozen=True, slots=True)
class Services:
    """What the core stands on. `run` and `run_archive` run blocking calls; `alone`: no other process uses the queue."""

    queue: Queue
    ledger: Ledger
    archive: Archive
    metrics: Metrics
    now_ns: Callable[[], int]
    random: Random
    run: Runner
    alone: bool
    run_archive: Runner = field(default_factory=abandoning_thread)
    """For the archive of bundles: a store that is away takes no thread that verifies, and nobody waits for it at the end."""
    complaints: Complaints = field(default_factory=Complaints)


TELL_EVERY_S = 1.0
"""How soon after a start the ledger says which chain a route waits for."""


class Relay:
    """One relay over the chains and paths of a configuration. `adapters` and `signers` are by chain name.

    Raises:
        StartRefused: two keys of a chain are one.
    """

    def __init__(
        self,
        config: Config,
        adapters: Mapping[str, ChainAdapter],
        signers: Mapping[str, Sequence[Signer]],
        services: Services,
    ) -> None:
        self._config = config
        self._adapters = adapters
        self._services = services
        self.paths = Paths.of(config.paths)
        self._wakeup = Wakeup()
        self._catching_up = CatchingUp()
        self._history = History(
            services.ledger, self.paths, services.now_ns, services.metrics.backlog, services.complaints
        )
        self._log = get_logger("relay")
        self._identified = Identification(adapters, self.paths, services.random)
        used = {end.chain for end in self.paths.opposite}
        self.readiness = Readiness(sorted(used), services.metrics, services.now_ns)
        services.metrics.ready_from(lambda: self.ready()["status"] == "ready")
        services.metrics.endpoints.read_from(LATENCY_BOUNDS_S, self._endpoint_statistics)
        self._heads = {name: HeadFollower(adapters[name], services.metrics) for name in sorted(used)}
        self.accounts = {name: self._accounts(name, signers[name]) for name in sorted(used)}
        self._peers = Peers(
            {name: [one.address for one in accounts] for name, accounts in self.accounts.items()}, services.queue
        )
        self._turns = {
            name: Turns(name, adapters, self.paths, self._peers, config.turns, services.metrics)
            for name in sorted(used)
        }
        self._ignored = Ignored(services.ledger, services.complaints)
        self._discovery = Discovery(adapters, self.paths, services.now_ns, self._history)
        self._timeouts = TimeoutScheduler(
            self._heads, self.paths, self._discovery, services.queue, self._wakeup, self._history
        )
        self._waiting = WaitingForApps(self.paths)
        self._watchers = {name: self._watcher(name) for name in sorted(used)}
        self._ended: list[str] = []
        self.workers = [self._worker(route) for route in self.paths.routes()]
        self.keepers = [self._keeper(route) for route in self.paths.routes()]
        self._fork_watches = [self._fork_watch(route) for route in self.paths.routes()]
        self._clearer = Clearer(
            adapters,
            self.paths,
            services.queue,
            self._wakeup,
            self._discovery,
            self._timeouts,
            self._history,
            self._waiting,
        )

    @property
    def services(self) -> Services:
        """The services that were given, for whoever serves in the same process."""
        return self._services

    def _accounts(self, name: str, signers: Sequence[Signer]) -> Accounts:
        chain = self._config.chain(name)
        services = self._services
        addresses = [self._adapters[name].address_of(signer) for signer in signers]
        if len(set(addresses)) != len(addresses):
            raise StartRefused(f"chain {name}: two of its keys are of the same account; each needs its own")
        return Accounts(
            [
                Account(
                    self._adapters[name],
                    self._heads[name],
                    signer,
                    Recorder(services.ledger, services.archive, name, address, services.now_ns),
                    services.metrics,
                    chain.fee_limits,
                    chain.in_flight,
                    number,
                )
                for number, (signer, address) in enumerate(zip(signers, addresses, strict=True))
            ]
        )

    def _watcher(self, name: str) -> Watcher:
        services = self._services
        return Watcher(
            self._adapters[name],
            self._heads[name],
            self.paths,
            services.queue,
            services.ledger,
            self._wakeup,
            self._timeouts,
            services.metrics,
            services.now_ns,
            self._history,
            self._turns[name],
            self.accounts[name].has_sent,
            self._waiting,
        )

    def _builder(self, route: Route) -> BatchBuilder:
        services = self._services
        return BatchBuilder(
            route,
            self._adapters[route.source],
            self._adapters[route.destination],
            self._heads[route.source],
            self._heads[route.destination],
            services.now_ns,
            services.run,
            self._catching_up,
        )

    def _keeper(self, route: Route) -> ClientKeeper:
        return ClientKeeper(
            route,
            self._adapters[route.destination],
            self._heads[route.destination],
            self._builder(route),
            self.accounts[route.destination],
            self._services.metrics,
            self._services.random,
            self._catching_up,
        )

    def _fork_watch(self, route: Route) -> ForkWatch:
        services = self._services
        return ForkWatch(
            route,
            self._adapters[route.source],
            self._adapters[route.destination],
            self._heads[route.destination],
            self.accounts[route.destination],
            services.now_ns,
            services.run,
            services.random,
            services.metrics,
        )

    def _worker(self, route: Route) -> RouteWorker:
        services = self._services
        return RouteWorker(
            route,
            self._builder(route),
            self._adapters[route.destination],
            self._heads[route.destination],
            self.accounts[route.destination],
            services.queue,
            self._wakeup,
            self._discovery,
            services.metrics,
            self._config.chain(route.destination).batch,
            services.now_ns,
            services.random,
            self._history,
            self._turns[route.destination],
            self._config.retries_of(PathEnd(chain=route.destination, client=route.client)),
            self._ignored,
            alone=services.alone,
        )

    def _prober(self, route: Route) -> Prober:
        services, chain = self._services, self._config.chain(route.destination)
        sender = next(iter(self.accounts[route.destination])).address
        ends = Ends(self._builder(route), self._adapters[route.destination], sender)
        retries = self._config.retries_of(PathEnd(chain=route.destination, client=route.client))
        books = Books(services.queue, self._wakeup, self._history, services.metrics, retries, services.now_ns)
        return Prober(route, ends, books, chain.batch)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled. Reports when every chain is watched; who does not answer holds up no other.

        Raises:
            StartRefused: chains and configuration contradict each other.
        """
        async with trio.open_nursery() as nursery:
            await self._identified.begin(nursery)
            days = self._config.relay.ledger_retention_days
            services = self._services
            complaints = services.complaints
            keep = partial(keep_ledger, services.ledger, services.now_ns, days, services.metrics, complaints)
            self._start(nursery, "ledger", keep)
            for what, question in ((QUEUE, self._ask_queue), (LEDGER, self._ask_ledger)):
                ask = partial(ask_service, what, question, self.readiness, complaints)
                self._start(nursery, f"readiness:{what}", ask)
            self._start(nursery, "ignored", self._ignored.run)
            if not services.alone:
                self._start(nursery, "peers", self._peers.run)
            for name in self.accounts:
                nursery.start_soon(self._run_chain, nursery, name)
            for parts in zip(self.workers, self.keepers, self._fork_watches, strict=True):
                nursery.start_soon(self._run_route, nursery, *parts)
            self._start_archive(nursery)
            for watcher in self._watchers.values():
                await watcher.ready.wait()
            task_status.started()

    async def _run_chain(self, nursery: trio.Nursery, name: str) -> None:
        await self._identified.chain(name)
        self._start(nursery, f"wallet:{name}", partial(self._watch_wallets, name))
        self._start(nursery, f"heads:{name}", self._heads[name].run)
        self._start(nursery, f"endpoints:{name}", partial(watch_endpoints, self._adapters[name]))
        for account in self.accounts[name]:
            self._start(nursery, f"account:{name}:{account.address}", account.run)
        self._start(nursery, f"watcher:{name}", self._watchers[name].run)
        self._start(nursery, f"turns:{name}", self._turns[name].run)
        self._start(nursery, f"timeouts:{name}", partial(self._timeouts.run, name))

    async def _run_route(
        self, nursery: trio.Nursery, worker: RouteWorker, keeper: ClientKeeper, watch: ForkWatch
    ) -> None:
        """And the clearer of what was sent over the route's client."""
        route = worker.route
        end = PathEnd(chain=route.destination, client=route.client)
        await self._known_path(route, end)
        self._start(nursery, f"worker:{route.name}", worker.run)
        self._start(nursery, f"prober:{route.name}", self._prober(route).run)
        self._start(nursery, f"keeper:{route.name}", keeper.run)
        self._start(nursery, f"forks:{route.name}", watch.run)
        self._start(nursery, f"clearer:{end.chain}:{end.client}", partial(self._clear, end))

    async def _known_path(self, route: Route, end: PathEnd) -> None:
        """Wait until the path is known; meanwhile the ledger has what the route waits for, for those who ask why."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_unknown, route, end)
            await self._identified.path(end)
            nursery.cancel_scope.cancel()
        self._history.goes_on(route)

    async def _tell_unknown(self, route: Route, end: PathEnd) -> None:
        told = None
        while True:
            reason = self._identified.holds_up(end)
            if reason is not None and reason != told:
                self._history.held_up(route, reason)
                told = reason
            await trio.sleep(TELL_EVERY_S)

    def _start_archive(self, nursery: trio.Nursery) -> None:
        archive, services = self._config.archive, self._services
        if archive is None:
            return
        archiver = Archiver(
            self._config.archive_location,
            self._adapters,
            lambda newest: Exporter(self._adapters, self.paths, services.archive, newest_sent=newest),
            services.archive,
            services.metrics,
            services.now_ns,
            services.run_archive,
        )
        self._start(nursery, "archiver", partial(archiver.run, archive.interval_s, archive.retention_days))
        if archive.anchor is not None:
            anchor = archive.anchor
            hub = next(
                chain for chain in self._config.chains if chain.kind == "hub" and anchor.hub in (None, chain.name)
            )
            anchorer = Anchorer(
                self._config.archive_location,
                self._adapters[hub.name],
                partial(load_signer, anchor.key),
                bytes.fromhex(anchor.contract[2:]),
                hub.fee_limits,
                [account.address for account in self.accounts.get(hub.name, ())],
                services.metrics,
                services.run_archive,
            )
            self._start(nursery, "anchorer", partial(anchorer.run, anchor.interval_s))

    def _start(self, nursery: trio.Nursery, name: str, task: Callable[[], Any]) -> None:
        nursery.start_soon(self._supervise, name, task)

    async def _supervise(self, name: str, task: Callable[[], Any]) -> None:
        services = self._services
        await supervise(name, task, services.metrics, services.random, services.complaints)
        # Every task of the tree runs until it is cancelled: one that returned does its work no more.
        self._ended.append(name)

    async def _ask_queue(self) -> None:
        await self._services.queue.try_to_write()

    async def _ask_ledger(self) -> None:
        await self._services.ledger.try_to_write()

    async def _watch_wallets(self, name: str) -> None:
        chain = self._config.chain(name)
        denom = chain.fee_denom if isinstance(chain, CosmosChainConfig) else "wei"
        addresses = [account.address for account in self.accounts[name]]
        await watch_wallets(self._adapters[name], addresses, denom, self.readiness, self._services.metrics)

    async def _clear(self, end: PathEnd) -> None:
        """At start, at an interval, and as soon as the queue is known to be lost."""
        for chain in (end.chain, self.paths.opposite[end].chain):
            await self._watchers[chain].ready.wait()
        queue = self._services.queue
        while True:
            loss = queue.next_loss
            await self._clearer.clear(end)
            with trio.move_on_after(self._config.relay.clear_interval_s):
                await loss.wait()

    def _endpoint_statistics(self) -> Iterable[tuple[str, EndpointStatistics]]:
        for name in self.accounts:
            for one in self._adapters[name].endpoint_statistics():
                yield name, one

    @property
    def metrics(self) -> Metrics:
        """The metrics that all tasks of this relay write to."""
        return self._services.metrics

    def health(self) -> dict[str, Any]:
        """For `/healthz`: `ok` while the process and its task tree live, whatever the chains do.

        `status` is `failing` once a task has ended; `ended` names such tasks, and a restart mends that. A chain that is
        away is not such a reason: it stands in `waiting_for` while it was never watched, and `/readyz` fails for it.
        """
        waiting = [name for name, watcher in self._watchers.items() if not watcher.ready.is_set()]
        clients = {
            keeper.route.name: keeper.condition for keeper in self.keepers if keeper.condition is not Condition.FINE
        }
        return {
            "status": "failing" if self._ended else "ok",
            "ended": sorted(self._ended),
            "waiting_for": waiting,
            "clients_in_trouble": clients,
            "clients_not_compared": {
                watch.route.name: watch.sight
                for watch in self._fork_watches
                if watch.sight not in (None, Sight.COMPARED)
            },
        }

    def ready(self) -> dict[str, Any]:
        """For `/readyz`: whether every chain is watched and answered lately, and queue and ledger did.

        While the start waits for all chains nothing else is asked: only those that hold it up are named.
        """
        # The first word about each is the most exact: why it is waited for, then how far it came, then when it answered.
        details = dict(self._identified.awaited())
        if self._identified.starting:
            details = details or {"start": "the chains are being asked who they are"}
        else:
            for name, watcher in self._watchers.items():
                if not watcher.ready.is_set():
                    details.setdefault(f"chain {name}", "is not watched yet")
            for one in self.readiness.missing():
                details.setdefault(one.what, one.detail)
        reasons = [{"what": what, "detail": detail} for what, detail in details.items()]
        return {"status": "not ready" if reasons else "ready", "reasons": reasons}
