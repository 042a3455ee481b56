"""What a development chain or log does as a process: serve until SIGTERM or SIGINT."""

import signal
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import trio


class Node(Protocol):
    """What answers at a URL."""

    @property
    def url(self) -> str:
        """Where it answers."""


async def until_signalled(serve: Callable[..., Awaitable[Any]], ready: Callable[[Node], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        serve: started in a nursery; what it reports as started is the node.
        ready: called once with that.
    """
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            ready(await nursery.start(serve))
            async for _ in signals:
                break
            nursery.cancel_scope.cancel()
