"""Every metric that hutong's relay exports: its own here, those that Hermes has too in `hermes`.

A new part of the relay adds its metrics in `__init__` and one method for each thing that can happen, which takes plain
values and maps them to labels with `self._labels` or `one_of`.
"""

from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from hutong.relay.telemetry.endpoints import EndpointMetrics
from hutong.relay.telemetry.engines import EngineMetrics
from hutong.relay.telemetry.hermes import HermesMetrics
from hutong.relay.telemetry.kept import CACHED_ISSUERS, OBSERVATIONS, KeptMetrics
from hutong.relay.telemetry.labels import (
    FORK_WATCH_STATES,
    JOB_KINDS,
    JOB_OUTCOMES,
    STAGES,
    TRANSACTION_OUTCOMES,
    Ends,
    Labels,
    one_of,
    series,
)

ARCHIVE_WORK = ("append", "prune", "anchor")

_LATENCY_BUCKETS_S = (0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 60, 300, 1800)


class Metrics:
    """The metrics of one process, on a registry of their own so that tests do not share state.

    `chains` are the configured names, `ends` the configured path ends; any other label value is counted under `other`.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, chains: Iterable[str] = (), ends: Ends | None = None) -> None:
        self.registry = CollectorRegistry()
        self._labels = Labels(chains, ends or {})
        self.hermes = HermesMetrics(self.registry, self._labels)
        self.backlog = self.hermes.backlog
        self.observations = KeptMetrics(self.registry, self._labels, OBSERVATIONS)
        self.cached_issuers = KeptMetrics(self.registry, self._labels, CACHED_ISSUERS)
        self.endpoints = EndpointMetrics(self._labels)
        self.engines = EngineMetrics(self.registry)
        self.registry.register(self.endpoints)
        ProcessCollector(registry=self.registry)
        Gauge("hutong_build_info", "1, with the version.", ["version"], registry=self.registry).labels(_version()).set(
            1
        )
        self._ready = Gauge(
            "hutong_ready", "1 if the relay can do its work: what /readyz says.", registry=self.registry
        )
        self._answered = Gauge(
            "hutong_chain_answered_timestamp_seconds",
            "When a chain's endpoints last answered, seconds since 1970.",
            ["chain"],
            registry=self.registry,
        )
        self._head = Gauge("hutong_chain_head_height", "Newest height seen.", ["chain"], registry=self.registry)
        self._cursor = Gauge(
            "hutong_watch_cursor_height",
            "Height up to which every event is in the queue.",
            ["chain"],
            registry=self.registry,
        )
        self._events = series(
            Counter(
                "hutong_events_total", "Packet events confirmed in state.", ["chain", "kind"], registry=self.registry
            )
        )
        self._jobs = series(
            Counter(
                "hutong_jobs_total", "Jobs finished, by outcome.", ["chain", "kind", "outcome"], registry=self.registry
            )
        )
        self._in_vain = series(
            Counter(
                "hutong_paid_in_vain_total",
                "Messages of packets that were paid for and found their work done by another relay.",
                ["chain", "kind"],
                registry=self.registry,
            )
        )
        self._probes = Counter(
            "hutong_probe_rounds_total",
            "Simulations of jobs that failed before, many in one call, at no cost.",
            ["chain", "client"],
            registry=self.registry,
        )
        self._probed_jobs = Counter(
            "hutong_probed_jobs_total", "Jobs in those simulations.", ["chain", "client"], registry=self.registry
        )
        self._rank_wait = series(
            Histogram(
                "hutong_rank_wait_seconds",
                "How long a job was left to relays of others that come before us, where there are such.",
                ["chain"],
                buckets=(0, 0.5, 1, 2, 5),
                registry=self.registry,
            )
        )
        self._transactions = Counter(
            "hutong_transactions_total", "Transactions, by outcome.", ["chain", "outcome"], registry=self.registry
        )
        self._fees = Counter(
            "hutong_fees_wei_total",
            "Fees paid, in the smallest unit of the chain's fee token (wei on EVM chains).",
            ["chain"],
            registry=self.registry,
        )
        self._gas = Counter("hutong_gas_used_total", "Gas used by our transactions.", ["chain"], registry=self.registry)
        self._queue = Gauge(
            "hutong_queue_jobs", "Jobs waiting or in work.", ["chain", "client"], registry=self.registry
        )
        self._dead = Gauge(
            "hutong_queue_dead_letters", "Jobs given up, with a reason.", ["chain", "client"], registry=self.registry
        )
        self._waiting = Gauge(
            "hutong_route_waiting",
            "1 while the route to this client cannot go on.",
            ["chain", "client"],
            registry=self.registry,
        )
        self._notes = Gauge(
            "hutong_ledger_notes", "Steps of packets that are not in the ledger yet.", registry=self.registry
        )
        self._nonce = Gauge(
            "hutong_account_nonce",
            "Next nonce of a key, by its place in the chain's configuration.",
            ["chain", "key"],
            registry=self.registry,
        )
        self._client_left = Gauge(
            "hutong_client_seconds_to_expiry",
            "Trusting period left to a light client, by the clock of its chain.",
            ["chain", "client"],
            registry=self.registry,
        )
        self._client_alarm = Gauge(
            "hutong_client_alarm",
            "1 if a light client is near its expiry, expired or frozen.",
            ["chain", "client"],
            registry=self.registry,
        )
        self._fork_watch = Gauge(
            "hutong_fork_watch",
            "1 for what came of the last comparison of a client with its chain.",
            ["chain", "client", "state"],
            registry=self.registry,
        )
        self._forks_compared = Gauge(
            "hutong_fork_watch_compared_timestamp_seconds",
            "When all that a client stores was last found to be of its chain; at first the start, seconds since 1970.",
            ["chain", "client"],
            registry=self.registry,
        )
        self._fork_watch_passed_over = Counter(
            "hutong_fork_watch_passed_over_total",
            "States of a client that could not be compared any more.",
            ["chain", "client"],
            registry=self.registry,
        )
        self._hop = series(
            Histogram(
                "hutong_hop_seconds",
                "From the event's being seen to its transaction's inclusion.",
                ["chain", "kind"],
                buckets=_LATENCY_BUCKETS_S,
                registry=self.registry,
            )
        )
        self._stage = series(
            Histogram(
                "hutong_stage_seconds",
                "From the event's being seen to a stage; `acknowledged` from the packet's being seen to its settlement.",
                ["chain", "kind", "stage"],
                buckets=_LATENCY_BUCKETS_S,
                registry=self.registry,
            )
        )
        self._finality = series(
            Histogram(
                "hutong_event_age_seconds",
                "From an event's block time to its being seen, by two clocks.",
                ["chain", "kind"],
                buckets=_LATENCY_BUCKETS_S,
                registry=self.registry,
            )
        )
        self._restarts = Counter(
            "hutong_task_restarts_total", "Tasks that failed and were started again.", ["task"], registry=self.registry
        )

        self._archive_entries = Gauge(
            "hutong_archive_entries", "Entries in the log of the archive of bundles.", registry=self.registry
        )
        self._archive_appended = Counter(
            "hutong_archive_appended_total", "Bundles that this process appended.", registry=self.registry
        )
        self._archive_waiting = Gauge(
            "hutong_archive_waiting", "Settled packets whose bundle is not in the archive yet.", registry=self.registry
        )
        self._archive_failures = Counter(
            "hutong_archive_failures_total",
            "Rounds in which the archive's place, or the anchor's hub, did not answer.",
            ["what"],
            registry=self.registry,
        )
        self._archive_anchored = Gauge(
            "hutong_archive_anchored_entries", "Entries under the newest root on the hub.", registry=self.registry
        )

    def head(self, chain: str, height: int) -> None:
        """Set the newest final height seen of a chain, in the adapter's unit (slots of an Ethereum chain)."""
        self._head.labels(self._labels.chain(chain)).set(height)

    def cursor(self, chain: str, height: int) -> None:
        """Set the height up to which every event of a chain is in the queue.

        Args:
            height: in the adapter's unit, as of `head`.
        """
        self._cursor.labels(self._labels.chain(chain)).set(height)

    def events(self, chain: str, kind: str, count: int) -> None:
        """Count packet events of a chain that became jobs of `kind`, one of JOB_KINDS."""
        self._events(self._labels.chain(chain), one_of(kind, JOB_KINDS)).inc(count)

    def job(self, chain: str, kind: str, outcome: str) -> None:
        """Count a job that left the hands of its worker.

        Args:
            chain: where the job does its work.
            outcome: one of JOB_OUTCOMES; `retried` is counted each time.
        """
        labels = (self._labels.chain(chain), one_of(kind, JOB_KINDS), one_of(outcome, JOB_OUTCOMES))
        self._jobs(*labels).inc()

    def paid_in_vain(self, chain: str, kind: str) -> None:
        """Count a packet message that was executed, paid for, and found its work done by another transaction."""
        self._in_vain(self._labels.chain(chain), one_of(kind, JOB_KINDS)).inc()

    def probed(self, chain: str, client_id: str, jobs: int) -> None:
        """Count a round of free simulations of jobs that failed before.

        Args:
            chain, client_id: the end of the route that they are for.
            jobs: how many were simulated in the round.
        """
        labels = self._client_of(chain, client_id)
        self._probes.labels(*labels).inc()
        self._probed_jobs.labels(*labels).inc(jobs)

    def rank_wait(self, chain: str, seconds: float) -> None:
        """Time for how long a job is left to other relays, told once for each job when it is first met."""
        self._rank_wait(self._labels.chain(chain)).observe(seconds)

    def transaction(self, chain: str, outcome: str, gas_used: int = 0, fee_wei: int = 0) -> None:
        """Count a transaction of ours by what became of it.

        Args:
            outcome: one of TRANSACTION_OUTCOMES.
            fee_wei: in the smallest unit of the chain's fee token; with `gas_used` 0 unless it is in a final block.
        """
        name = self._labels.chain(chain)
        self._transactions.labels(name, one_of(outcome, TRANSACTION_OUTCOMES)).inc()
        self._gas.labels(name).inc(gas_used)
        self._fees.labels(name).inc(fee_wei)

    def queue(self, chain: str, client_id: str, jobs: int, dead_letters: int) -> None:
        """Set how many jobs of the route to a client are in the queue, and how many were given up.

        Args:
            chain, client_id: the end that the route leads to.
            jobs: that wait, are delayed or are in work.
            dead_letters: that are tried again now and then, or by an operator.
        """
        route = self._client_of(chain, client_id)
        self._queue.labels(*route).set(jobs)
        self._dead.labels(*route).set(dead_letters)

    def route_waits(self, chain: str, client_id: str, *, waits: bool) -> None:
        """Set whether the route to a client cannot go on, such as for a chain that does not answer."""
        self._waiting.labels(*self._client_of(chain, client_id)).set(waits)

    def nonce(self, chain: str, key: int, nonce: int) -> None:
        """Set the next nonce of a key, after one was used.

        Args:
            key: the key's place in the chain's configuration, from 0.
        """
        self._nonce.labels(self._labels.chain(chain), str(key)).set(nonce)

    def client(self, chain: str, client_id: str, seconds_left: float) -> None:
        """Set what is left of a client's trusting period, in seconds by the clock of the chain on which it lives.

        Args:
            seconds_left: negative once it has expired.
        """
        self._client_left.labels(*self._client_of(chain, client_id)).set(seconds_left)

    def client_alarm(self, chain: str, client_id: str, alarm: bool) -> None:
        """Set whether a client is near its expiry, expired or frozen."""
        self._client_alarm.labels(*self._client_of(chain, client_id)).set(alarm)

    def fork_watch(self, chain: str, client_id: str, state: str) -> None:
        """Set what came of the last comparison of a client with its chain; all other states of the client become 0.

        Args:
            state: one of FORK_WATCH_STATES; with any other, all are 0.
        """
        route = self._client_of(chain, client_id)
        for one in FORK_WATCH_STATES:
            self._fork_watch.labels(*route, one).set(one == state)

    def forks_compared(self, chain: str, client_id: str, at_s: float) -> None:
        """Set when all that a client stores was last found to be of its chain, in seconds of Unix time.

        It is also told at the start, before anything is compared.
        """
        route = self._client_of(chain, client_id)
        self._forks_compared.labels(*route).set(at_s)
        # So that an increase from nothing is one.
        self._fork_watch_passed_over.labels(*route)

    def fork_watch_passed_over(self, chain: str, client_id: str) -> None:
        """Count a state of a client that could not be compared any more."""
        self._fork_watch_passed_over.labels(*self._client_of(chain, client_id)).inc()

    def hop(self, chain: str, kind: str, seconds: float) -> None:
        """Time a job from its event's being seen to its transaction's inclusion, by the relay's clock."""
        self._hop(self._labels.chain(chain), one_of(kind, JOB_KINDS)).observe(seconds)

    def stage(self, chain: str, kind: str, stage: str, seconds: float) -> None:
        """Time how long a job took to reach a stage, from its event's being seen, by the relay's clock.

        Args:
            chain: where the job does its work.
            stage: one of STAGES; `acknowledged` is counted from the packet's being seen, on the chain that sent it.
        """
        labels = (self._labels.chain(chain), one_of(kind, JOB_KINDS), one_of(stage, STAGES))
        self._stage(*labels).observe(seconds)

    def event_age(self, chain: str, kind: str, seconds: float) -> None:
        """Time an event from its block's time to its being seen.

        By two clocks: the chain's may be fast or slow, and what would be negative is told as 0.
        """
        self._finality(self._labels.chain(chain), one_of(kind, JOB_KINDS)).observe(seconds)

    def answered(self, chain: str, at_s: float) -> None:
        """Set when a chain's endpoints last answered, in seconds of Unix time."""
        self._answered.labels(self._labels.chain(chain)).set(at_s)

    def ready_from(self, ready: Callable[[], bool]) -> None:
        """Say what `hutong_ready` asks at each scrape; it must answer at once."""
        self._ready.set_function(lambda: float(ready()))

    def ledger_notes(self, count: int) -> None:
        """Set how many steps of packets are not in the ledger yet."""
        self._notes.set(count)

    def restart(self, task: str) -> None:
        """Count a task that failed and is started again.

        Args:
            task: its name; only what stands before a colon becomes a label.
        """
        self._restarts.labels(task.partition(":")[0]).inc()

    def archive(self, entries: int, appended: int, waiting: int) -> None:
        """Set the archive's size after a round, and count what the round appended.

        Args:
            entries: in the archive's log.
            appended: by this round.
            waiting: settled packets without a bundle in the archive.
        """
        self._archive_entries.set(entries)
        self._archive_appended.inc(appended)
        self._archive_waiting.set(waiting)

    def archive_failed(self, what: str) -> None:
        """Count a round in which the archive's place or the anchor's hub did not answer.

        Args:
            what: one of ARCHIVE_WORK.
        """
        self._archive_failures.labels(one_of(what, ARCHIVE_WORK)).inc()

    def archive_anchored(self, entries: int) -> None:
        """Set how many entries are under the newest root on the hub."""
        self._archive_anchored.set(entries)

    def _client_of(self, chain: str, client_id: str) -> tuple[str, str]:
        return self._labels.chain(chain), self._labels.client(chain, client_id)

    def exposition(self) -> bytes:
        """The text that `/metrics` serves, in Prometheus' format of `content_type`; collectors are asked now."""
        return generate_latest(self.registry)


def _version() -> str:
    try:
        return version("hutong")
    except PackageNotFoundError:
        return "unknown"
