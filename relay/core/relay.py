"""The relay's task tree: accounts, watchers, workers and clearers over given chains and services."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import trio

from hutong.adapters.interface import LATENCY_BOUNDS_S, ChainAdapter, EndpointStatistics, Signer
from hutong.relay.config import Config, CosmosChainConfig, PathEnd
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.account.recording import Recorder
from hutong.relay.core.archiving.anchoring import Anchorer
from hutong.relay.core.archiving.archive_context import ArchiveContext
from hutong.relay.core.archiving.archiver import Archiver
from hutong.relay.core.archiving.bundling import Exporter
from hutong.relay.core.clients.fork_watch import ForkWatch, Sight
from hutong.relay.core.clients.keeper import ClientKeeper, Condition
from hutong.relay.core.clients.log_updates import LogClient, LogUpdates
from hutong.relay.core.endpoint_watch import another_chain, watch_endpoints
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.history.ignored import Ignored
from hutong.relay.core.history.ledgers import keep_ledger
from hutong.relay.core.observing.observer import Observer
from hutong.relay.core.observing.pushing import Pusher
from hutong.relay.core.observing.to_caches import CacheCargo
from hutong.relay.core.observing.to_readers import ReaderCargo
from hutong.relay.core.observing.watched import issuers_over, pushed_over, watched_over
from hutong.relay.core.readiness import LEDGER, QUEUE, Readiness, ask_service, watch_wallets
from hutong.relay.core.route.batch import BatchBuilder
from hutong.relay.core.route.catching_up import CatchingUp
from hutong.relay.core.route.prober import Prober
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.route.worker import RouteWorker
from hutong.relay.core.services import Services
from hutong.relay.core.supervisor import supervise
from hutong.relay.core.topology.identification import Identification
from hutong.relay.core.topology.paths import Paths
from hutong.relay.core.topology.peers import Peers
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.clearer import Clearer
from hutong.relay.core.watching.discovery import Discovery
from hutong.relay.core.watching.engines import WatchedEngines
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.core.watching.timeouts import TimeoutScheduler
from hutong.relay.core.watching.turns import Turns
from hutong.relay.core.watching.watcher import Watcher
from hutong.relay.dispatch import Route
from hutong.relay.keys import load_signer
from hutong.relay.telemetry import Metrics

TELL_EVERY_S = 1.0
"""How soon after a start the ledger says which chain a route waits for: most answer sooner, and nothing is written."""


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
        self.adapters = adapters
        self._services = services
        self.paths = Paths.of(config.paths)
        self.context = RelayContext.of(adapters, self.paths, services)
        self._identified = Identification(adapters, self.paths, services.random)
        used = sorted({end.chain for end in self.paths.opposite})
        self.readiness = Readiness(used, services.metrics, services.now_ns)
        services.metrics.ready_from(lambda: self.ready()["status"] == "ready")
        services.metrics.endpoints.read_from(LATENCY_BOUNDS_S, self._endpoint_statistics)
        answered = self.readiness.chain_answered
        self.chains = {
            name: ChainContext.of(config.chain(name), adapters[name], services.metrics, answered) for name in used
        }
        self.accounts = {name: self._accounts(chain, signers[name]) for name, chain in self.chains.items()}
        own = {name: [one.address for one in accounts] for name, accounts in self.accounts.items()}
        self.peers = Peers(own, services.queue)
        self.turns = {name: Turns(chain, self.context, self.peers, config.turns) for name, chain in self.chains.items()}
        self._ignored = Ignored(services.ledger, services.complaints)
        self.discovery = Discovery(self.context)
        heads = {name: chain.heads for name, chain in self.chains.items()}
        self.timeouts = TimeoutScheduler(self.context, heads, self.discovery)
        self.watchers = {name: self._watcher(chain) for name, chain in self.chains.items()}
        self._ended: list[str] = []
        self.catching_up = CatchingUp()
        self._routes = [self._route(route) for route in self.paths.routes()]
        self.workers = [RouteWorker(route, self.discovery, self._ignored) for route in self._routes]
        self.keepers = [ClientKeeper(route, BatchBuilder(route)) for route in self._routes]
        self.log_keepers = self._log_keepers()
        self.observers = self._observers()
        self.pushers = self._pushers()
        self.fork_watches = [ForkWatch(route) for route in self._routes]
        self.engines = WatchedEngines(config.relay.home, services.metrics, self.readiness, services.run)
        self.clearer = Clearer(self.context, self.discovery, self.timeouts)

    @property
    def services(self) -> Services:
        """The services that were given, for whoever serves in the same process."""
        return self._services

    def _accounts(self, chain: ChainContext, signers: Sequence[Signer]) -> Accounts:
        name, services = chain.name, self._services
        addresses = [chain.adapter.address_of(signer) for signer in signers]
        if len(set(addresses)) != len(addresses):
            raise StartRefused(f"chain {name}: two of its keys are of the same account; each needs its own")
        recorders = [
            Recorder(services.ledger, services.archive, name, address, services.now_ns) for address in addresses
        ]
        return Accounts(
            [
                Account(chain, signer, recorder, number)
                for number, (signer, recorder) in enumerate(zip(signers, recorders, strict=True))
            ]
        )

    def _watcher(self, chain: ChainContext) -> Watcher:
        turns, is_ours = self.turns[chain.name], self.accounts[chain.name].has_sent
        return Watcher(chain, self.context, self.timeouts, turns, is_ours)

    def _route(self, route: Route) -> RouteContext:
        return RouteContext(
            route,
            self.chains[route.source],
            self.chains[route.destination],
            self.accounts[route.destination],
            self.turns[route.destination],
            self._config.retries_of(PathEnd(chain=route.destination, client=route.client)),
            self.catching_up,
            self.context,
        )

    def _log_keepers(self) -> list[ClientKeeper]:
        """One for each client of a log that the configuration has kept.

        Raises:
            StartRefused: no path ends on its chain, so that the relay has no account there.
        """
        keepers = []
        for log in self._config.logs:
            for end in log.kept_on:
                if end.chain not in self.chains:
                    raise StartRefused(
                        f"log {log.name}: kept_on names {end.chain}, where no configured path ends: the relay updates "
                        "clients only on chains of its paths"
                    )
                context = LogClient(
                    Route(log.name, end.chain, end.client),
                    self.chains[end.chain],
                    self.accounts[end.chain],
                    self.catching_up,
                    self.context,
                )
                opening = partial(self._services.open_log, log, self._services.random)
                keepers.append(ClientKeeper(context, LogUpdates(context, opening)))
        return keepers

    def _observers(self) -> list[Observer]:
        """One for each client on a hub over which something is observed. Layouts' files are read here."""
        observers = []
        for context in self._routes:
            watched = watched_over(self._config, PathEnd(chain=context.route.destination, client=context.route.client))
            if watched:
                observers.append(Observer(context, watched, self._config.turns.most_ms / 1000))
        return observers

    def _pushers(self) -> list[Pusher[Any, Any, Any]]:
        """One for each reader that records are brought to, and for each cache that issuers are."""
        patience_s = self._config.turns.most_ms / 1000
        pushers: list[Pusher[Any, Any, Any]] = []
        for context in self._routes:
            end = PathEnd(chain=context.route.destination, client=context.route.client)
            for reader, pushed in pushed_over(self._config, end).items():
                pushers.append(Pusher(context, ReaderCargo(context, reader, pushed), patience_s))
            for cache, issuers in issuers_over(self._config, end).items():
                pushers.append(Pusher(context, CacheCargo(context, cache, issuers), patience_s))
        return pushers

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled. Reports when every chain is watched; who does not answer holds up no other.

        Raises:
            StartRefused: chains and configuration contradict each other.
        """
        async with trio.open_nursery() as nursery:
            days = self._config.relay.ledger_retention_days
            services = self._services
            complaints = services.complaints
            keep = partial(keep_ledger, services.ledger, services.now_ns, days, services.metrics, complaints)
            self._start(nursery, "ledger", keep)
            # They wait for `begin` themselves, and tell the ledger meanwhile what they wait for.
            for parts in zip(self._routes, self.workers, self.keepers, self.fork_watches, strict=True):
                nursery.start_soon(self._run_route, nursery, *parts)
            for observer in self.observers:
                nursery.start_soon(self._run_observing, nursery, "observer", observer)
            for log_keeper in self.log_keepers:
                nursery.start_soon(self._run_log_keeper, nursery, log_keeper)
            for pusher in self.pushers:
                nursery.start_soon(self._run_observing, nursery, "pusher", pusher)
            await self._identified.begin(nursery)
            for what, question in ((QUEUE, self._ask_queue), (LEDGER, self._ask_ledger)):
                ask = partial(ask_service, what, question, self.readiness, complaints)
                self._start(nursery, f"readiness:{what}", ask)
            self._start(nursery, "ignored", self._ignored.run)
            self._start(nursery, "engines", self.engines.run)
            if not services.alone:
                self._start(nursery, "peers", self.peers.run)
            for chain in self.chains.values():
                nursery.start_soon(self._run_chain, nursery, chain)
            self._start_archive(nursery)
            for watcher in self.watchers.values():
                await watcher.ready.wait()
            task_status.started()

    async def _run_chain(self, nursery: trio.Nursery, chain: ChainContext) -> None:
        name = chain.name
        await self._identified.chain(name)
        self._start(nursery, f"wallet:{name}", partial(self._watch_wallets, name))
        self._start(nursery, f"heads:{name}", chain.heads.run)
        self._start(nursery, f"endpoints:{name}", partial(watch_endpoints, chain.adapter))
        for account in self.accounts[name]:
            self._start(nursery, f"account:{name}:{account.address}", account.run)
        self._start(nursery, f"watcher:{name}", self.watchers[name].run)
        self._start(nursery, f"turns:{name}", self.turns[name].run)
        self._start(nursery, f"timeouts:{name}", partial(self.timeouts.run, name))

    async def _run_route(
        self,
        nursery: trio.Nursery,
        context: RouteContext,
        worker: RouteWorker,
        keeper: ClientKeeper,
        watch: ForkWatch,
    ) -> None:
        """And the clearer of what was sent over the route's client."""
        route = context.route
        end = PathEnd(chain=route.destination, client=route.client)
        await self._known_path(route, end)
        self._start(nursery, f"worker:{route.name}", worker.run)
        self._start(nursery, f"prober:{route.name}", Prober(context).run)
        self._start(nursery, f"keeper:{route.name}", keeper.run)
        self._start(nursery, f"forks:{route.name}", watch.run)
        self._start(nursery, f"clearer:{end.chain}:{end.client}", partial(self._clear, end))

    async def _run_log_keeper(self, nursery: trio.Nursery, keeper: ClientKeeper) -> None:
        await self._identified.chain(keeper.route.destination)
        await self._identified.begun()
        self._start(nursery, f"keeper:{keeper.route.name}", keeper.run)

    async def _run_observing(self, nursery: trio.Nursery, kind: str, task: Observer | Pusher[Any, Any, Any]) -> None:
        route = task.route
        await self._identified.path(PathEnd(chain=route.destination, client=route.client))
        await self._identified.begun()
        self._start(nursery, f"{kind}:{route.name}", task.run)

    async def _known_path(self, route: Route, end: PathEnd) -> None:
        """Wait until packets may be carried over the path; meanwhile the ledger has what the route waits for, for those
        who ask why."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_unknown, route, end)
            await self._identified.path(end)
            await self._identified.begun()
            nursery.cancel_scope.cancel()
        self.context.history.goes_on(route)

    async def _tell_unknown(self, route: Route, end: PathEnd) -> None:
        told = None
        while True:
            await trio.sleep(TELL_EVERY_S)
            reason = self._identified.holds_up(end)
            if reason is not None and reason != told:
                self.context.history.held_up(route, reason)
                told = reason

    def _start_archive(self, nursery: trio.Nursery) -> None:
        archive, services = self._config.archive, self._services
        if archive is None:
            return
        context = ArchiveContext(self._config.archive_location, services.run_archive, services.metrics)
        archiver = Archiver(
            context,
            self.adapters,
            lambda newest: Exporter(self.adapters, self.paths, services.archive, newest_sent=newest),
            services.archive,
            services.now_ns,
        )
        self._start(nursery, "archiver", partial(archiver.run, archive.interval_s, archive.retention_days))
        if archive.anchor is not None:
            anchor = archive.anchor
            hub = next(
                chain for chain in self._config.chains if chain.kind == "hub" and anchor.hub in (None, chain.name)
            )
            anchorer = Anchorer(
                context,
                self.adapters[hub.name],
                partial(load_signer, anchor.key),
                bytes.fromhex(anchor.contract[2:]),
                hub.fee_limits,
                [account.address for account in self.accounts.get(hub.name, ())],
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
        await watch_wallets(self.adapters[name], addresses, denom, self.readiness, self._services.metrics)

    async def _clear(self, end: PathEnd) -> None:
        """At start, at an interval, and as soon as the queue is known to be lost."""
        for chain in (end.chain, self.paths.opposite[end].chain):
            await self.watchers[chain].ready.wait()
        queue = self._services.queue
        while True:
            loss = queue.next_loss
            await self.clearer.clear(end)
            with trio.move_on_after(self._config.relay.clear_interval_s):
                await loss.wait()

    def _endpoint_statistics(self) -> Iterable[tuple[str, EndpointStatistics]]:
        for name, chain in self.chains.items():
            for one in chain.adapter.endpoint_statistics():
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
        waiting = [name for name, watcher in self.watchers.items() if not watcher.ready.is_set()]
        clients = {
            keeper.route.name: keeper.condition
            for keeper in (*self.keepers, *self.log_keepers)
            if keeper.condition is not Condition.FINE
        }
        return {
            "status": "failing" if self._ended else "ok",
            "ended": sorted(self._ended),
            "waiting_for": waiting,
            "clients_in_trouble": clients,
            "clients_not_compared": {
                watch.route.name: watch.sight
                for watch in self.fork_watches
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
            for name, watcher in self.watchers.items():
                if not watcher.ready.is_set():
                    details.setdefault(f"chain {name}", "is not watched yet")
            for name, adapter in self.adapters.items():
                foreign = another_chain(adapter)
                if foreign is not None:
                    details.setdefault(f"chain {name}", foreign)
            for one in self.readiness.missing():
                details.setdefault(one.what, one.detail)
        reasons = [{"what": what, "detail": detail} for what, detail in details.items()]
        return {"status": "not ready" if reasons else "ready", "reasons": reasons}
