"""What is known of one endpoint: for metrics, and for whoever asks why a chain is slow."""

from dataclasses import dataclass
from enum import StrEnum

LATENCY_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets that answers are counted in; the last bucket has none."""


class EndpointError(StrEnum):
    """Why an answer of an endpoint was of no use."""

    TIMEOUT = "timeout"
    """Nothing came within the attempt's time."""
    SLOW = "slow"
    """Much slower than the others that were asked at the same time."""
    CONNECTION = "connection"
    """Refused, broken, or ended too early; TLS that fails is here too."""
    STATUS = "status"
    """An HTTP status that is no success, such as 401, 429 or 502."""
    MALFORMED = "malformed"
    """An answer to something else, or one that is too long."""
    REFUSED = "refused"
    """A JSON-RPC error that is about the endpoint, not about the chain."""
    BEHIND = "behind"
    """It has not got to the height that was asked for."""
    FOREIGN = "foreign"
    """It serves another chain."""
    DISTRUSTED = "distrusted"
    """What it served failed verification."""


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """A snapshot since the start of the process. `name` is scheme, host and port: no path, query or user.

    `api` is what it serves: `rpc`, `ws`, `consensus_rpc`, `beacon` or `attestors`. `latency_counts` has one number for
    each bound of LATENCY_BOUNDS_S and one more; `strikes` are failures in a row since the last good answer. `waiting_s`
    is how long the oldest question has no answer yet, 0 where none is open; of `ws` it is always 0.
    """

    api: str
    name: str
    usable: bool
    identified: bool
    head: int
    lag_blocks: int
    strikes: int
    requests: int
    answers: int
    errors: tuple[tuple[EndpointError, int], ...]
    latency_counts: tuple[int, ...]
    latency_sum_s: float
    last_failure: str | None
    waiting_s: float
    foreign: str | None = None
    """Which other chain it serves, in words, while it is refused for that."""

    @property
    def failures(self) -> int:
        """How many answers were of no use, whatever the reason."""
        return sum(count for _, count in self.errors)
