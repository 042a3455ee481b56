"""Clients so far behind that the headers they need do not fit beside packets: their keepers bring them up first.

A sync committee client needs an update for every committee period that it missed; after some days these are more than a
transaction holds.
"""

from collections.abc import Iterable, Iterator

import trio

from adapters.interface import BatchLimits, UpdateClient


class CatchingUp:
    """What the workers of one relay ask of its keepers, by the name of the route."""

    def __init__(self) -> None:
        self._asked: dict[str, trio.Event] = {}

    def ask(self, route: str) -> None:
        """Its client must be brought up."""
        self._event(route).set()

    def is_asked(self, route: str) -> bool:
        return self._event(route).is_set()

    def done(self, route: str) -> None:
        self._asked.pop(route, None)

    async def wait(self, route: str) -> None:
        """Until somebody asks; at once if somebody has."""
        await self._event(route).wait()

    def _event(self, route: str) -> trio.Event:
        return self._asked.setdefault(route, trio.Event())


def header_room_bytes(limits: BatchLimits) -> int:
    """Of a transaction, for headers; the rest is for its packets."""
    return limits.max_bytes * 3 // 4


def in_transactions(updates: Iterable[UpdateClient], limits: BatchLimits) -> Iterator[tuple[UpdateClient, ...]]:
    """The updates in order, as many to a transaction as fit; one that is too large stands alone, and is refused there."""
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
