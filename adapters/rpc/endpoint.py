"""One endpoint's health: what it was caught at and until when it is left alone."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from hutong.adapters.interface import LATENCY_BOUNDS_S, EndpointError, EndpointStatistics
from hutong.adapters.rpc.options import RpcOptions
from hutong.adapters.rpc.pacing import TokenBucket

MAX_STRIKES_COUNTED = 6


def public_name(url: str) -> str:
    """Scheme, host and port: credentials, path and query may hold provider keys and never reach logs.

    A port that is not a number is left out; nothing is raised for any text that `urlsplit` takes.
    """
    parts = urlsplit(url)
    try:
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname or '?'}{port}"


class Endpoint:
    """Mutable health of one URL. Times are trio's clock in seconds."""

    def __init__(self, url: str, options: RpcOptions, name: str | None = None) -> None:
        """`name` where several URLs share scheme, host and port."""
        self.url = url
        self.name = name or public_name(url)
        self.bucket = TokenBucket(options.requests_per_s, options.burst)
        self.identified = False
        self.doubts = 0
        """How often there was a reason to ask anew which chain it serves."""
        self.foreign: str | None = None
        """Which other chain it served when it was last asked, in words."""
        self.head = 0
        self.requests = 0
        self.answers = 0
        self.errors: Counter[EndpointError] = Counter()
        self.last_failure: str | None = None
        self._latency_counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self._latency_sum_s = 0.0
        self._asked = 0
        self._asked_at_s: dict[int, float] = {}
        """Of the exchanges that are under way, the oldest first."""
        self._options = options
        self._strikes = 0
        self._quarantined_until_s = 0.0
        self._mismatched = False

    @property
    def failures(self) -> int:
        """How many answers were of no use, whatever the reason."""
        return self.errors.total()

    @contextmanager
    def asked(self, now_s: float) -> Iterator[None]:
        """One exchange, from `now_s` on, until it ends in whatever way."""
        self._asked += 1
        number = self._asked
        self._asked_at_s[number] = now_s
        try:
            yield
        finally:
            del self._asked_at_s[number]

    def took(self, seconds: float) -> None:
        """One exchange ended, well or badly, after so long."""
        self.requests += 1
        self._latency_counts[bisect_left(LATENCY_BOUNDS_S, seconds)] += 1
        self._latency_sum_s += seconds

    def is_of_its_chain(self, doubts: int) -> None:
        """It was asked which chain it serves, and serves the right one.

        Args:
            doubts: their count when it was asked: where one came since, the answer may be older than the doubt.
        """
        self.foreign = None
        self.identified = self.doubts == doubts

    def answered(self) -> None:
        """A good answer clears the strikes."""
        self.answers += 1
        self._strikes = 0

    def failed(self, kind: EndpointError, reason: str, now_s: float) -> None:
        """Note that the endpoint gave no answer, or a bad one.

        From the second strike in a row on it rests, for a time that doubles with each, up to `quarantine_s`. Unless it
        was only slow or lagging, another node may stand at its address now: it is identified before its next answer
        counts.

        Args:
            now_s: the same monotonic clock as in `usable`.
        """
        self.errors[kind] += 1
        self.last_failure = reason
        if kind not in (EndpointError.SLOW, EndpointError.BEHIND):
            self._doubt()
        if kind is EndpointError.CONNECTION:
            self.foreign = None  # who said so is gone
        self._strikes = min(self._strikes + 1, MAX_STRIKES_COUNTED)
        if self._strikes > 1:
            wait_s = self._options.quarantine_s * 2.0 ** (self._strikes - MAX_STRIKES_COUNTED)
            self._quarantined_until_s = max(self._quarantined_until_s, now_s + wait_s)

    def distrusted(self, kind: EndpointError, reason: str, now_s: float) -> None:
        """Note that the endpoint was caught lying. It rests for `mismatch_quarantine_s`, and is then identified anew.

        Args:
            now_s: the same monotonic clock as in `usable`.
        """
        self.errors[kind] += 1
        self.last_failure = reason
        self._doubt()
        if kind is EndpointError.FOREIGN:
            self.foreign = reason
        self._mismatched = True
        self._quarantined_until_s = now_s + self._options.mismatch_quarantine_s

    def _doubt(self) -> None:
        self.identified = False
        self.doubts += 1

    def usable(self, now_s: float) -> bool:
        """Whether its rest is over at `now_s`, on trio's clock. One that rests is asked as a last resort alone."""
        return now_s >= self._quarantined_until_s

    def never_now(self, now_s: float) -> bool:
        """Whether it was caught lying and rests for it: it is then asked only if every endpoint is such.

        Args:
            now_s: the same monotonic clock as in `usable`.
        """
        if self._mismatched and now_s >= self._quarantined_until_s:
            self._mismatched = False
        return self._mismatched

    def lags(self, best_head: int) -> bool:
        """Whether its head is more than `max_lag_blocks` below the best one seen; False while its head is unknown."""
        return self.head != 0 and self.head + self._options.max_lag_blocks < best_head

    def statistics(self, api: str, best_head: int, now_s: float) -> EndpointStatistics:
        """What metrics show of it.

        Args:
            best_head: the highest head of the endpoints that serve the same, from which its lag is counted.
        """
        return EndpointStatistics(
            api=api,
            name=self.name,
            usable=self.usable(now_s),
            identified=self.identified,
            head=self.head,
            lag_blocks=max(0, best_head - self.head) if self.head else 0,
            strikes=self._strikes,
            requests=self.requests,
            answers=self.answers,
            errors=tuple(sorted(self.errors.items())),
            latency_counts=tuple(self._latency_counts),
            latency_sum_s=self._latency_sum_s,
            last_failure=self.last_failure,
            waiting_s=max(0.0, now_s - next(iter(self._asked_at_s.values()), now_s)),
            foreign=self.foreign,
        )


def named_endpoints(urls: Sequence[str], options: RpcOptions) -> tuple[Endpoint, ...]:
    """An endpoint for each URL, each with a name of its own: the later ones of one host and port are numbered."""
    seen: Counter[str] = Counter()
    endpoints = []
    for url in urls:
        name = public_name(url)
        seen[name] += 1
        endpoints.append(Endpoint(url, options, name if seen[name] == 1 else f"{name}#{seen[name]}"))
    return tuple(endpoints)


def statistics_of(endpoints: Sequence[Endpoint], api: str, now_s: float) -> tuple[EndpointStatistics, ...]:
    """A snapshot of endpoints that serve the same chain; lags are counted from the best of their heads."""
    best_head = max((endpoint.head for endpoint in endpoints), default=0)
    return tuple(endpoint.statistics(api, best_head, now_s) for endpoint in endpoints)
