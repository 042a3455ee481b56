"""Blocking calls of a library, in worker threads of its own number: one that hangs takes no thread from the others."""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

Runner = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Awaits what a blocking call returns or raises."""


def thread_runner(most: int, *, abandon_on_cancel: bool = False) -> Runner:
    """Run blocking calls in at most `most` threads at once; further ones wait for their turn.

    A cancelled caller waits for its call to end. With `abandon_on_cancel` it does not: the call then ends by itself, and
    what it was writing is as after a crash.
    """
    limiter = trio.CapacityLimiter(most)

    async def run(call: Callable[[], Any]) -> Any:
        return await trio.to_thread.run_sync(call, limiter=limiter, abandon_on_cancel=abandon_on_cancel)

    return run


def abandoning_thread() -> Runner:
    """A thread that is left behind when the task is cancelled: what it was writing is then as after a crash."""
    return thread_runner(1, abandon_on_cancel=True)
