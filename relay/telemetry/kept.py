"""Metrics of what the relay keeps fresh, by the label that the configuration gives it: records on a hub, issuers in caches."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge

from hutong.relay.telemetry.labels import Labels, one_of

KEPT_OUTCOMES = ("written", "superseded", "failed")
KEPT_CAUSES = (
    "client_inactive",
    "no_block",
    "headers_refused",
    "proof_refused",
    "would_fail",
    "failed",
    "fee_cap",
    "wallet_empty",
    "pool_refused",
    "endpoint",
    "height_unavailable",
    "too_large",
    "lost",
    "signer_away",
    "signer_refused",
)


@dataclass(slots=True)
class _Standing:
    source_time_s: float | None = None
    due_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class KeptFamily:
    """Names and help of the metrics of one kind of thing that is kept fresh. `label` names the thing."""

    label: str
    prefix: str
    plural: str
    age: str
    due: str
    interval: str
    outcomes: str
    failures: str


OBSERVATIONS = KeptFamily(
    label="observation",
    prefix="hutong_observation",
    plural="hutong_observations",
    age="Since the source block whose value the hub's record holds, by the relay's clock.",
    due="For how long the record has to be renewed and is not; 0 where it is good.",
    interval="How often the configuration wants the record renewed; none where changes alone renew it.",
    outcomes="Observations that were paid for, by what came of them.",
    failures="Rounds that could not observe, by cause.",
)
CACHED_ISSUERS = KeptFamily(
    label="issuer",
    prefix="hutong_cached_issuer",
    plural="hutong_cached_issuers",
    age="Since the header of the hub under which the chain's cache keeps the issuer, by the relay's clock.",
    due="For how long the cache has to be brought up to date and is not; 0 where it is good.",
    interval="How often the configuration wants the cache renewed; none where changes alone renew it.",
    outcomes="Issuers that were brought to caches and paid for, by what came of them.",
    failures="Rounds that could not bring an issuer, by cause.",
)


class KeptMetrics:
    """Ages go on with the clock, also where the relay's own task stands still."""

    def __init__(self, registry: CollectorRegistry, labels: Labels, family: KeptFamily) -> None:
        self._labels = labels
        self._standing: dict[tuple[str, str], _Standing] = {}
        of_one = ["chain", family.label]
        self._age = Gauge(f"{family.prefix}_age_seconds", family.age, of_one, registry=registry)
        self._due = Gauge(f"{family.prefix}_due_seconds", family.due, of_one, registry=registry)
        self._interval = Gauge(f"{family.prefix}_interval_seconds", family.interval, of_one, registry=registry)
        self._written = Counter(
            f"{family.plural}_total", family.outcomes, ["chain", "client", "outcome"], registry=registry
        )
        self._failures = Counter(
            f"{family.prefix}_failures_total", family.failures, ["chain", "client", "cause"], registry=registry
        )

    def watch(self, chain: str, name: str, interval_s: int | None, now_s: Callable[[], float]) -> None:
        """Begin to tell of one thing. Called once for each that the configuration has.

        Args:
            chain: the one that is observed, or that has the cache.
            now_s: the relay's clock, seconds of Unix time.
        """
        key = (self._labels.chain(chain), name)
        standing = self._standing[key] = _Standing()
        if interval_s is not None:
            self._interval.labels(*key).set(interval_s)
        self._due.labels(*key).set_function(
            lambda: 0.0 if standing.due_since_s is None else max(0.0, now_s() - standing.due_since_s)
        )
        self._age.labels(*key).set_function(
            lambda: float("nan") if standing.source_time_s is None else max(0.0, now_s() - standing.source_time_s)
        )

    def stands(self, chain: str, name: str, source_time_s: float | None, due_since_s: float | None) -> None:
        """Say what is kept is of, and since when it has to be renewed; None where there is none, or no need.

        Args:
            source_time_s, due_since_s: seconds of Unix time.
        """
        standing = self._standing.get((self._labels.chain(chain), name))
        if standing is not None:
            standing.source_time_s, standing.due_since_s = source_time_s, due_since_s

    def ended(self, chain: str, client_id: str, outcome: str, count: int) -> None:
        """Count what a transaction that ended was for.

        Args:
            chain, client_id: the client over which it was shown.
            outcome: one of KEPT_OUTCOMES; `superseded`: a newer one was there before.
        """
        if count:
            labels = (self._labels.chain(chain), self._labels.client(chain, client_id))
            self._written.labels(*labels, one_of(outcome, KEPT_OUTCOMES)).inc(count)

    def failed(self, chain: str, client_id: str, cause: str) -> None:
        """Count a round that came to nothing, by one of KEPT_CAUSES."""
        labels = (self._labels.chain(chain), self._labels.client(chain, client_id))
        self._failures.labels(*labels, one_of(cause, KEPT_CAUSES)).inc()
