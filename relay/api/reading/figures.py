"""Figures over many messages: each read once for all who ask within some seconds."""

import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import anyio

from hutong.relay.api.reading.ledger_desk import LedgerDesk, Readers

FRESH_S = 3.0

Figure = TypeVar("Figure")


class Figures:
    """Names come from the code: there are few of them."""

    def __init__(self, ledger: LedgerDesk, clock_s: Callable[[], float]) -> None:
        self._ledger = ledger
        self._clock_s = clock_s
        self._known: dict[str, tuple[float, int, Any]] = {}
        self._locks: dict[str, anyio.Lock] = {}

    async def get(self, name: str, read: Callable[[Readers], Figure]) -> tuple[Figure, int]:
        """The figure, and when it was read in nanoseconds of Unix time; read again after FRESH_S, once for all who ask.

        Raises:
            ApiProblem: the ledger cannot be read.
        """
        async with self._locks.setdefault(name, anyio.Lock()):
            known = self._known.get(name)
            if known is None or known[0] < self._clock_s():
                at_ns = time.time_ns()
                found = await self._ledger.read(read)
                known = self._known[name] = (self._clock_s() + FRESH_S, at_ns, found)
            return cast("Figure", known[2]), known[1]
