"""Rate limit and backoff on trio's clock, so that MockClock drives both."""

import math
from random import Random

import trio


class TokenBucket:
    """At most `burst` requests at once and `per_second` on average. `acquire` waits; it never refuses. `acquire_within` does."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._updated_at: float | None = None

    async def acquire(self) -> None:
        """Take one token, waiting until there is one. Waiters are served by their reservation, in order."""
        await self.acquire_within(math.inf)

    async def acquire_within(self, most_s: float) -> bool:
        """As `acquire`, but False at once, and nothing taken, where the wait would be longer."""
        wait_s = self._reserve(most_s)
        if wait_s > most_s:
            return False
        if wait_s > 0:
            await trio.sleep(wait_s)
        return True

    def _reserve(self, most_s: float) -> float:
        """How long to wait for the token that is taken, or, above `most_s`, would be."""
        now = trio.current_time()
        if self._updated_at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._per_second)
        self._updated_at = now
        wait_s = max(0.0, (1 - self._tokens) / self._per_second)
        if wait_s <= most_s:
            self._tokens -= 1
        return wait_s


def backoff_s(attempt: int, first_s: float, most_s: float, random: Random) -> float:
    """Wait before retry number `attempt` (from 0): exponential, capped, with jitter of half to one and a half."""
    return min(most_s, first_s * 2.0 ** min(attempt, 32)) * (0.5 + random.random())
