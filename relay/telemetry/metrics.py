"""Every metric that hutong's relay exports.

Labels come from the configuration (chain and path names) or from closed sets in this code, never from what a packet or
a node says: the number of series is bounded by the configuration.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

OTHER = "other"
JOB_OUTCOMES = ("settled", "retried", "dead", "superseded", "expired")
TRANSACTION_OUTCOMES = ("included", "reverted", "dropped", "refused", "replaced")
JOB_KINDS = ("receive", "acknowledge", "timeout")
ARCHIVE_WORK = ("append", "prune", "anchor")

_LATENCY_BUCKETS_S = (0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 60, 300, 1800)


class Metrics:
    """The metrics of one process, on a registry of their own so that tests do not share state.

    `chains` are the configured names; any other label value is counted under `other`.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, chains: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self._chains = frozenset(chains)
        self._head = Gauge("hutong_chain_head_height", "Newest height seen.", ["chain"], registry=self.registry)
        self._cursor = Gauge(
            "hutong_watch_cursor_height",
            "Height up to which every event is in the queue.",
            ["chain"],
            registry=self.registry,
        )
        self._events = Counter(
            "hutong_events_total", "Packet events confirmed in state.", ["chain", "kind"], registry=self.registry
        )
        self._jobs = Counter(
            "hutong_jobs_total", "Jobs finished, by outcome.", ["chain", "kind", "outcome"], registry=self.registry
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
        self._queue = Gauge("hutong_queue_jobs", "Jobs waiting or in work.", ["chain"], registry=self.registry)
        self._dead = Gauge(
            "hutong_queue_dead_letters", "Jobs given up, with a reason.", ["chain"], registry=self.registry
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
        self._hop = Histogram(
            "hutong_hop_seconds",
            "From the event's being seen to its transaction's inclusion.",
            ["chain", "kind"],
            buckets=_LATENCY_BUCKETS_S,
            registry=self.registry,
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

    def _chain(self, chain: str) -> str:
        return chain if chain in self._chains else OTHER

    @staticmethod
    def _of(value: str, known: tuple[str, ...]) -> str:
        return value if value in known else OTHER

    def head(self, chain: str, height: int) -> None:
        self._head.labels(self._chain(chain)).set(height)

    def cursor(self, chain: str, height: int) -> None:
        self._cursor.labels(self._chain(chain)).set(height)

    def events(self, chain: str, kind: str, count: int) -> None:
        self._events.labels(self._chain(chain), self._of(kind, JOB_KINDS)).inc(count)

    def job(self, chain: str, kind: str, outcome: str) -> None:
        labels = (self._chain(chain), self._of(kind, JOB_KINDS), self._of(outcome, JOB_OUTCOMES))
        self._jobs.labels(*labels).inc()

    def transaction(self, chain: str, outcome: str, gas_used: int = 0, fee_wei: int = 0) -> None:
        name = self._chain(chain)
        self._transactions.labels(name, self._of(outcome, TRANSACTION_OUTCOMES)).inc()
        self._gas.labels(name).inc(gas_used)
        self._fees.labels(name).inc(fee_wei)

    def queue(self, chain: str, jobs: int, dead_letters: int) -> None:
        self._queue.labels(self._chain(chain)).set(jobs)
        self._dead.labels(self._chain(chain)).set(dead_letters)

    def nonce(self, chain: str, key: int, nonce: int) -> None:
        self._nonce.labels(self._chain(chain), str(key)).set(nonce)

    def client(self, chain: str, client_id: str, seconds_left: float) -> None:
        """`client_id` is one of the configuration."""
        self._client_left.labels(self._chain(chain), client_id).set(seconds_left)

    def client_alarm(self, chain: str, client_id: str, alarm: bool) -> None:
        """`client_id` is one of the configuration."""
        self._client_alarm.labels(self._chain(chain), client_id).set(alarm)

    def hop(self, chain: str, kind: str, seconds: float) -> None:
        self._hop.labels(self._chain(chain), self._of(kind, JOB_KINDS)).observe(seconds)

    def restart(self, task: str) -> None:
        self._restarts.labels(task.partition(":")[0]).inc()

    def archive(self, entries: int, appended: int, waiting: int) -> None:
        self._archive_entries.set(entries)
        self._archive_appended.inc(appended)
        self._archive_waiting.set(waiting)

    def archive_failed(self, what: str) -> None:
        self._archive_failures.labels(self._of(what, ARCHIVE_WORK)).inc()

    def archive_anchored(self, entries: int) -> None:
        self._archive_anchored.set(entries)

    def exposition(self) -> bytes:
        """The text that `/metrics` serves."""
        return generate_latest(self.registry)
