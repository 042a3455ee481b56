"""One chain's head, asked of its endpoints once for all who want it at a time."""

from collections.abc import Awaitable, Callable

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
        self._begun = 0
        self._heard = 0
        """Number of the newest asking that was answered, of those begun."""
        self._asking: trio.Event | None = None

    async def head(self) -> Head:
        """See ChainAdapter. Callers that come while one asks share what the next one hears, and go on in one scheduler
        pass: so what they read next shares a request too (`Together`).

        Raises:
            What `newest` raises, to the caller that asked it; the known head stays for the next call.
        """
        needed = self._begun + 1
        while True:
            if self._asking is None:
                return await self._ask()
            await self._asking.wait()
            if self._head is not None and self._heard >= needed:
                return self._head

    async def _ask(self) -> Head:
        self._asking = asking = trio.Event()
        try:
            await trio.lowlevel.checkpoint()  # those who come in this pass ask no question of their own
            self._begun += 1
            number = self._begun
            newest = await self._newest()
            if self._head is None or newest.height > self._head.height:
                self._head = newest
            self._heard = number
            return self._head
        finally:
            self._asking = None
            asking.set()

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
