"""Why a route's worker comes no further, before anything has failed: a question of its chains has no answer yet.

An endpoint that takes questions and is silent costs each its time limit, and each is asked again: it takes most of a
minute until the worker has an error to tell. Whoever asks meanwhile is told of the silence; so is whoever asks for a
packet whose transaction is under way, which the worker has no hands in.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from hutong.adapters.interface import Chain
from hutong.relay.core.route.last_answers import SILENT_S, LastAnswers
from hutong.relay.core.route.progress import Progress
from hutong.relay.core.route.route_context import RouteContext

LOOK_EVERY_S = 1.0
SLOW_TURN_S = 5.0
"""A turn of the worker takes this long also where nothing is wrong: proofs of a full batch, a slot that becomes free."""


class Silence:
    """Of one route. `run` it beside the worker."""

    def __init__(self, context: RouteContext, progress: Progress) -> None:
        self._chains: tuple[Chain, ...] = (context.source.adapter, context.destination.adapter)
        self._destination: Chain = context.destination.adapter
        self._answers = LastAnswers(context.destination.name)
        self._now_ns = context.relay.services.now_ns
        self._progress = progress
        self._since_s: float | None = None
        self._under_way = 0
        self._told = False
        self._fails = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While the worker has jobs in its hands and asks for what it needs."""
        self._since_s = trio.current_time()
        try:
            yield
        finally:
            self._since_s = None

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """While a transaction of the route is followed to its end by the account that sent it."""
        if not self._under_way:
            self._answers.begin()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def ended(self) -> None:
        """The worker came on: what was told is over."""
        self._fails = False
        if self._told:
            self._told = False
            self._progress.goes_on()

    def forget(self, *, fails: bool) -> None:
        """Something else was told in its place: an error, if the worker `fails`, which stands until a turn succeeds."""
        self._told = False
        self._fails = fails

    async def run(self) -> None:
        """For ever, every LOOK_EVERY_S. Asks no endpoint: what the adapters note is read."""
        while True:
            await trio.sleep(LOOK_EVERY_S)
            unanswered = self._unanswered() if self._under_way else None
            if self._told:
                if unanswered is None and self._since_s is None:
                    self.ended()
                continue
            silent = self._holding_up_turn() or (None if self._fails else unanswered)
            if silent is not None:
                self._told = True
                self._progress.hears_nothing(silent)

    def _unanswered(self) -> str | None:
        return self._answers.look(self._destination.endpoint_statistics(), trio.current_time(), self._now_ns())

    def _holding_up_turn(self) -> str | None:
        if self._since_s is None or trio.current_time() - self._since_s < SLOW_TURN_S:
            return None
        return next((said for chain in self._chains if (said := _silence_of(chain)) is not None), None)


def _silence_of(chain: Chain) -> str | None:
    """None where nothing waits for long; of several endpoints the one that was asked first is named."""
    waiting = [one for one in chain.endpoint_statistics() if one.waiting_s >= SILENT_S]
    if not waiting:
        return None
    longest = max(waiting, key=lambda one: one.waiting_s)
    return f"{chain.name}: {longest.name} has not answered what it was asked more than {SILENT_S:.0f} s ago"
