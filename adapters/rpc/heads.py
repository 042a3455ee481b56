"""One chain's head, asked of its endpoints once for all who want it at a time."""

from collections.abc import Awaitable, Callable
from math import inf

import trio

from hutong.adapters.interface import Head
from hutong.adapters.rpc.subscription import HeadSignal


class HeadFollower:
    """`newest` asks the endpoints and may go back, which `head` hides."""

    def __init__(self, newest: Callable[[], Awaitable[Head]], signal: HeadSignal, poll_interval_s: float) -> None:
        self._newest = newest
        self._signal = signal
        self._poll_interval_s = poll_interval_s
        self._head: Head | None = None
        self._lock = trio.Lock()
        self._heard_at_s = -inf

    async def head(self) -> Head:
        """See ChainAdapter. Callers that come while one asks share what it hears.

        Raises:
            What `newest` raises; the known head stays for the next call.
        """
        asked_at_s = trio.current_time()
        async with self._lock:
            if self._head is None or self._heard_at_s <= asked_at_s:
                asking_at_s = trio.current_time()
                newest = await self._newest()
                if self._head is None or newest.height > self._head.height:
                    self._head = newest
                self._heard_at_s = asking_at_s
            return self._head

    async def wait_for_height(self, height: int) -> Head:
        """See ChainAdapter: asked again at each announcement, else every `poll_interval_s`.

        Raises:
            As `head`.
        """
        while True:
            head = await self.head()
            if head.height >= height:
                return head
            await self._signal.wait(self._poll_interval_s)

    async def above(self, height: int) -> int:
        """The head's height; asked anew only if the known one is below `height`, so it may be older than the chain's.

        Raises:
            As `head`.
        """
        if self._head is not None and self._head.height >= height:
            return self._head.height
        return (await self.head()).height
