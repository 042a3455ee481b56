"""One endpoint's health: what it was caught at and until when it is left alone."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.rpc.options import RpcOptions
from adapters.rpc.pacing import TokenBucket

MAX_STRIKES_COUNTED = 6


def public_name(url: str) -> str:
    """Scheme, host and port: credentials, path and query may hold provider keys and never reach logs."""
    parts = urlsplit(url)
    try:
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname or '?'}{port}"


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """A snapshot for metrics."""

    name: str
    usable: bool
    identified: bool
    head: int
    answers: int
    failures: int
    last_failure: str | None


class Endpoint:
    """Mutable health of one URL. Times are trio's clock in seconds."""

    def __init__(self, url: str, options: RpcOptions) -> None:
        self.url = url
        self.name = public_name(url)
        self.bucket = TokenBucket(options.requests_per_s, options.burst)
        self.identified = False
        self.head = 0
        self.answers = 0
        self.failures = 0
        self.last_failure: str | None = None
        self._options = options
        self._strikes = 0
        self._quarantined_until_s = 0.0
        self._mismatched = False

    def answered(self) -> None:
        """A good answer clears the strikes."""
        self.answers += 1
        self._strikes = 0

    def failed(self, reason: str, now_s: float) -> None:
        """No answer, or a bad one: leave it for a time that doubles with every strike in a row."""
        self.failures += 1
        self.last_failure = reason
        self._strikes = min(self._strikes + 1, MAX_STRIKES_COUNTED)
        if self._strikes > 1:
            wait_s = self._options.quarantine_s * 2.0 ** (self._strikes - MAX_STRIKES_COUNTED)
            self._quarantined_until_s = max(self._quarantined_until_s, now_s + wait_s)

    def distrusted(self, reason: str, now_s: float) -> None:
        """Caught lying: leave it at once for the long time, and identify it again after."""
        self.failures += 1
        self.last_failure = reason
        self.identified = False
        self._mismatched = True
        self._quarantined_until_s = now_s + self._options.mismatch_quarantine_s

    def usable(self, now_s: float) -> bool:
        return now_s >= self._quarantined_until_s

    def never_now(self, now_s: float) -> bool:
        """Serves another chain: not even as the last resort."""
        if self._mismatched and now_s >= self._quarantined_until_s:
            self._mismatched = False
        return self._mismatched

    def lags(self, best_head: int) -> bool:
        """Behind the best head seen by more than the allowed lag."""
        return self.head != 0 and self.head + self._options.max_lag_blocks < best_head

    def statistics(self, now_s: float) -> EndpointStatistics:
        return EndpointStatistics(
            self.name, self.usable(now_s), self.identified, self.head, self.answers, self.failures, self.last_failure
        )
