"""When a chain last answered anything at all, read from what its endpoints note of their questions."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hutong.adapters.interface import EndpointStatistics

SILENT_S = 4.0
"""A question hardly ever takes so long."""
FOLLOWED_BY = "rpc"
"""What says where a transaction is; other interfaces of a chain may be silent meanwhile."""


class LastAnswers:
    """Of one chain, by the counters of its endpoints: `look` at them about every second."""

    def __init__(self, chain: str) -> None:
        self._chain = chain
        self._answers: int | None = None
        self._answered_at_s = 0.0

    def begin(self) -> None:
        """Forget everything: the chain counts as having answered at the next look."""
        self._answers = None

    def look(self, statistics: Iterable[EndpointStatistics], now_s: float, now_ns: int) -> str | None:
        """What to say of a chain that was asked and gives no answer; None where it answers, or nobody asks it.

        Endpoints stand in for each other: one that answers is enough.

        Args:
            statistics: of all endpoints of the chain.
            now_s: by trio's clock.
            now_ns: Unix time of the same moment, for the sentence.
        """
        endpoints = [one for one in statistics if one.api == FOLLOWED_BY]
        answers = sum(one.answers for one in endpoints)
        if answers != self._answers:
            self._answers, self._answered_at_s = answers, now_s
        silent_s = now_s - self._answered_at_s
        asked = [one for one in endpoints if one.waiting_s >= SILENT_S or one.strikes]
        if silent_s < SILENT_S or not asked:
            return None
        one = max(asked, key=lambda one: (one.waiting_s, one.strikes))
        since = datetime.fromtimestamp(now_ns / 1e9 - silent_s, UTC)
        failure = None if one.waiting_s >= SILENT_S else one.last_failure
        reason = "" if failure is None else f" ({failure})"
        return f"{self._chain}: {one.name} gives no answer since {since:%Y-%m-%d %H:%M:%S} UTC{reason}"
