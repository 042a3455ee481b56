"""Clients so far behind that the headers they need do not fit beside packets: their keepers bring them up first.

A sync committee client needs an update for every committee period that it missed; after some days these are more than a
transaction holds.
"""

from collections.abc import Iterable, Iterator

import trio

from hutong.adapters.interface import BatchLimits, UpdateClient


class CatchingUp:
    """What the workers of one relay ask of its keepers, by the name of the route."""

    def __init__(self) -> None:
        self._asked: dict[str, trio.Event] = {}

    def ask(self, route: str) -> None:
        """Have the route's keeper bring its client up before packets go on. Asking twice is asking once."""
        self._event(route).set()

    def is_asked(self, route: str) -> bool:
        """Whether somebody asked since the last `done`."""
        return self._event(route).is_set()

    def done(self, route: str) -> None:
        """Forget the request: the client was brought up. Called by the task that waits, so nobody waits at
        that moment.
        """
        self._asked.pop(route, None)

    async def wait(self, route: str) -> None:
        """Until somebody asks; at once if somebody has."""
        await self._event(route).wait()

    def _event(self, route: str) -> trio.Event:
        return self._asked.setdefault(route, trio.Event())


def header_room_bytes(limits: BatchLimits) -> int:
    """How many bytes of one transaction headers may take: three quarters of `max_bytes`; the rest is for its
    packets.
    """
    return limits.max_bytes * 3 // 4


def in_transactions(updates: Iterable[UpdateClient], limits: BatchLimits) -> Iterator[tuple[UpdateClient, ...]]:
    """The updates in order, as many to a transaction as fit into `header_room_bytes` and `max_messages`.

    An update that is too large stands alone, and is refused by `ChainAdapter.prepare`. No updates give no transaction.
    """
    group: list[UpdateClient] = []
    size = 0
    for update in updates:
        if group and (size + len(update.header) > header_room_bytes(limits) or len(group) == limits.max_messages):
            yield tuple(group)
            group, size = [], 0
        group.append(update)
        size += len(update.header)
    if group:
        yield tuple(group)
