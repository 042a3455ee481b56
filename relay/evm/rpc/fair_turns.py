"""Turns at something scarce, shared out by caller: a stranger with a thousand requests delays another by one of
them."""

from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


class TooManyWaiting(Exception):
    """This caller, or all together, have as many requests waiting as are taken."""

    def __init__(self, waiting: int, bound: int) -> None:
        self.waiting = waiting
        self.bound = bound
        super().__init__(f"{waiting} requests are waiting, at most {bound} are taken")


class _Waiter:
    __slots__ = ("granted",)

    def __init__(self) -> None:
        self.granted = trio.Event()


class FairTurns:
    """`places` at once. A place that becomes free goes to the caller with the fewest places, and among equals to the
    one who was served longest ago."""

    def __init__(self, places: int, *, waiting_per_caller: int = 64, waiting: int = 1_024) -> None:
        self._free = places
        self._busy: Counter[str] = Counter()
        self._queues: OrderedDict[str, deque[_Waiter]] = OrderedDict()
        self._waiting = 0
        self._most_per_caller = waiting_per_caller
        self._most = waiting

    @property
    def waiting(self) -> int:
        """Requests of all callers together that wait now; those that hold a place are not counted."""
        return self._waiting

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for a place and hold it until the context ends. A waiter that is cancelled gives its turn back.

        Args:
            caller: who is to be treated as one, such as a network address; the empty string is a caller like any other.

        Raises:
            TooManyWaiting: this caller has 64 requests waiting, or all together 1 024, unless the owner set other
                bounds.
        """
        await self._acquire(caller)
        try:
            yield
        finally:
            self._release(caller)

    async def _acquire(self, caller: str) -> None:
        if self._free and not self._queues:
            self._free -= 1
            self._busy[caller] += 1
            return
        queue = self._queues.get(caller)
        if queue is not None and len(queue) >= self._most_per_caller:
            raise TooManyWaiting(len(queue), self._most_per_caller)
        if self._waiting >= self._most:
            raise TooManyWaiting(self._waiting, self._most)
        waiter = _Waiter()
        self._queues.setdefault(caller, deque()).append(waiter)
        self._waiting += 1
        try:
            await waiter.granted.wait()
        except trio.Cancelled:
            if waiter.granted.is_set():
                self._release(caller)
            else:
                self._forget(caller, waiter)
            raise

    def _forget(self, caller: str, waiter: _Waiter) -> None:
        queue = self._queues[caller]
        queue.remove(waiter)
        self._waiting -= 1
        if not queue:
            del self._queues[caller]

    def _release(self, caller: str) -> None:
        self._busy[caller] -= 1
        if not self._busy[caller]:
            del self._busy[caller]
        if not self._queues:
            self._free += 1
            return
        chosen = min(self._queues, key=lambda waiting: self._busy[waiting])
        queue = self._queues[chosen]
        waiter = queue.popleft()
        self._waiting -= 1
        if queue:
            self._queues.move_to_end(chosen)
        else:
            del self._queues[chosen]
        self._busy[chosen] += 1
        waiter.granted.set()
