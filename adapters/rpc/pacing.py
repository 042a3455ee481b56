"""Rate limit and backoff on trio's clock, so that MockClock drives both."""

import math
from random import Random

import trio


class TokenBucket:
    """At most `burst` requests at once and `per_second` on average. `acquire` waits; it never refuses. `acquire_within`
    does.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._updated_at: float | None = None
        self._turn = trio.Lock()
        self._waiting = 0

    async def acquire(self) -> None:
        """Take one token, waiting until there is one. Waiters are served in order; a cancelled one has taken none."""
        await self.acquire_within(math.inf)

    async def acquire_within(self, most_s: float) -> bool:
        """As `acquire`, but False at once, and nothing taken, if the wait would be longer than `most_s` seconds.

        The wait is estimated from those who wait already; it is not cut short once it has begun.
        """
        self._refill()
        wait_s = (1 + self._waiting - self._tokens) / self._per_second
        if wait_s > most_s:
            return False
        if wait_s > 0:
            await self._wait()
        self._tokens -= 1
        return True

    async def _wait(self) -> None:
        """Until those before have taken theirs, and there is a token again."""
        self._waiting += 1
        try:
            async with self._turn:
                self._refill()
                if self._tokens < 1:
                    await trio.sleep((1 - self._tokens) / self._per_second)
                    self._refill()
        finally:
            self._waiting -= 1

    def _refill(self) -> None:
        now = trio.current_time()
        if self._updated_at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._per_second)
        self._updated_at = now


def backoff_s(attempt: int, first_s: float, most_s: float, random: Random) -> float:
    """How long to wait before a retry: exponential, capped, with jitter of half to one and a half.

    Args:
        attempt: number of the retry, from 0.
        first_s, most_s: the wait without jitter before retry 0, and its cap.
    """
    return min(most_s, first_s * 2.0 ** min(attempt, 32)) * (0.5 + random.random())
