"""Metrics of every endpoint, read at each scrape from whoever asks the endpoints."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from hutong.relay.telemetry.labels import Labels

_ONE = ("chain", "api", "endpoint")


class EndpointFigures(Protocol):
    """What `hutong.adapters.interface.EndpointStatistics` has; `name` holds no path, query or user."""

    @property
    def api(self) -> str:
        """What the endpoint serves: `rpc`, `ws`, `consensus_rpc`, `beacon` or `attestors`."""

    @property
    def name(self) -> str:
        """Scheme, host and port, with a number if several URLs share them; the value of a label."""

    @property
    def usable(self) -> bool:
        """False while the endpoint is left alone for failures."""

    @property
    def lag_blocks(self) -> int:
        """Blocks below the best head among the endpoints of the same API; 0 while its head is unknown."""

    @property
    def strikes(self) -> int:
        """Failures since the last good answer, counted up to 6."""

    @property
    def requests(self) -> int:
        """Exchanges since the start of the process, whatever came of them."""

    @property
    def errors(self) -> Sequence[tuple[str, int]]:
        """(kind, count) of answers of no use, each kind once, since the start of the process."""

    @property
    def latency_counts(self) -> Sequence[int]:
        """Exchanges by how long they took: one number for each bound, not cumulative, and one for all above."""

    @property
    def latency_sum_s(self) -> float:
        """Seconds that all exchanges took together, since the start of the process."""


AskEndpoints = Callable[[], Iterable[tuple[str, EndpointFigures]]]
"""(chain, figures) of every endpoint; asks no endpoint."""


class EndpointMetrics(Collector):
    """Series are bounded by the configuration: its URLs, and a closed set of errors."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._bounds_s: Sequence[float] = ()
        self._ask: AskEndpoints = tuple

    def read_from(self, bounds_s: Sequence[float], ask: AskEndpoints) -> None:
        """Say where figures come from; before that a scrape finds none.

        Args:
            bounds_s: upper bounds of the buckets of `latency_counts`, one fewer than those have.
            ask: called at each scrape.
        """
        self._bounds_s, self._ask = bounds_s, ask

    def describe(self) -> Iterable[Metric]:
        """The families, empty, so that a registry knows their names without a scrape."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """One sample of each kind for each endpoint, asked for at each scrape.

        Raises:
            ValueError: an endpoint has another number of buckets than `read_from` was told.
        """
        families = requests, errors, latency, lag, strikes, usable = self._families()
        for chain, one in self._ask():
            labels = (self._labels.chain(chain), one.api, one.name)
            requests.add_metric(labels, one.requests)
            for kind, count in one.errors:
                errors.add_metric((*labels, str(kind)), count)
            latency.add_metric(labels, self._buckets(one.latency_counts), one.latency_sum_s)
            lag.add_metric(labels, one.lag_blocks)
            strikes.add_metric(labels, one.strikes)
            usable.add_metric(labels, float(one.usable))
        return families

    def _buckets(self, counts: Sequence[int]) -> list[tuple[str, float]]:
        total, buckets = 0, []
        for bound, count in zip((*map(str, self._bounds_s), "+Inf"), counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets

    @staticmethod
    def _families() -> tuple[
        CounterMetricFamily,
        CounterMetricFamily,
        HistogramMetricFamily,
        GaugeMetricFamily,
        GaugeMetricFamily,
        GaugeMetricFamily,
    ]:
        return (
            CounterMetricFamily("hutong_endpoint_requests", "Requests that were sent to an endpoint.", labels=_ONE),
            CounterMetricFamily("hutong_endpoint_errors", "Answers of no use, by why.", labels=(*_ONE, "kind")),
            HistogramMetricFamily(
                "hutong_endpoint_latency_seconds", "From a request to its answer, its error or its time.", labels=_ONE
            ),
            GaugeMetricFamily("hutong_endpoint_lag_blocks", "Blocks behind the chain's best endpoint.", labels=_ONE),
            GaugeMetricFamily(
                "hutong_endpoint_strikes", "Failures since the last good answer, at most 6.", labels=_ONE
            ),
            GaugeMetricFamily("hutong_endpoint_usable", "0 while an endpoint is left alone for failures.", labels=_ONE),
        )
