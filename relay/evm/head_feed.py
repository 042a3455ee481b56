"""Tells waiting tasks that a block was added."""

import trio


class HeadFeed:
    """Used from trio tasks of one run. A waiter that is slow sees the newest number, never a queue of old ones."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._changed = trio.Event()

    @property
    def number(self) -> int:
        return self._number

    def publish(self, number: int) -> None:
        self._number = number
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def wait_above(self, number: int) -> int:
        """The head's number as soon as it is above `number`."""
        while self._number <= number:
            await self._changed.wait()
        return self._number
