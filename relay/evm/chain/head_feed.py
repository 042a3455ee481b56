"""Tells waiting tasks that a block was added."""

import trio


class HeadFeed:
    """Used from trio tasks of one run. A waiter that is slow sees the newest number, never a queue of old ones."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._changed = trio.Event()

    @property
    def number(self) -> int:
        """The newest published block; that of the constructor before the first."""
        return self._number

    def publish(self, number: int) -> None:
        """Wake all who wait. Called in the trio run of the waiters, after the block can be read; numbers ascend."""
        self._number = number
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def wait_above(self, number: int) -> int:
        """The head's number as soon as it is above `number`; at once if it is so already.

        Blocks between the two are not told one by one.
        """
        while self._number <= number:
            await self._changed.wait()
        return self._number
