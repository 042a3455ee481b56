"""One follower of a chain's head for everyone who waits for it, so that waiting costs the endpoint one poll."""

from collections.abc import Callable

import trio

from hutong.adapters.interface import Chain, Head
from hutong.relay.telemetry import Metrics


class HeadFollower:
    """`run` it under supervision; while endpoints are away, waiters wait."""

    def __init__(self, adapter: Chain, metrics: Metrics, answered: Callable[[str], None] | None = None) -> None:
        """`answered` is told the chain's name at each new head."""
        self._adapter = adapter
        self._metrics = metrics
        self._answered = answered
        self._head: Head | None = None
        self._moved_at_s = 0.0
        self._moved = trio.Event()

    async def run(self) -> None:
        """For ever: publish each new head. What the adapter raises leaves; waiters keep the newest head and wait on.

        Raises:
            AdapterError: the chain does not answer. The supervisor calls it again.
        """
        self.publish(await self._adapter.head())
        while True:
            self.publish(await self._adapter.wait_for_height(self._head.height + 1 if self._head else 0))

    def publish(self, head: Head) -> None:
        """Wake those who wait, and give them this head from now on. Whether it is newer is not checked."""
        self._head = head
        self._moved_at_s = trio.current_time()
        self._metrics.head(self._adapter.name, head.height)
        if self._answered is not None:
            self._answered(self._adapter.name)
        self._moved.set()
        self._moved = trio.Event()

    @property
    def height(self) -> int:
        """Of the newest known head; -1 before the first."""
        return -1 if self._head is None else self._head.height

    @property
    def quiet_s(self) -> float:
        """Seconds since a head was last published, by this process's clock; a large number before the first."""
        return trio.current_time() - self._moved_at_s

    async def head(self) -> Head:
        """The newest known; waits for the first. It may be as old as the last answer of an endpoint."""
        return await self.wait_for_height(0)

    async def wait_for_height(self, height: int) -> Head:
        """The newest head once it is at `height` or above. Waits without a limit: the caller sets one."""
        while self._head is None or self._head.height < height:
            await self._moved.wait()
        return self._head
