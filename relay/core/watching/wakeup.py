"""Telling a worker that its queue has something, without asking the queue all the time."""

from collections.abc import Iterable

import trio

from hutong.relay.dispatch import Job, Route


class Wakeup:
    """One bell a route. A bell that rang while nobody waited is heard by the next to wait."""

    def __init__(self) -> None:
        self._bells: dict[Route, trio.Event] = {}

    def ring(self, routes: Iterable[Route]) -> None:
        """Wake who waits for these routes. Ringing twice before anyone waits is heard once."""
        for route in set(routes):
            self._bells.setdefault(route, trio.Event()).set()

    def ring_for(self, jobs: Iterable[Job]) -> None:
        """Ring for every route that one of `jobs` travels on."""
        self.ring(job.route for job in jobs)

    async def wait(self, route: Route, at_most_s: float) -> None:
        """Return when the bell has rung, or after `at_most_s`. One task a route waits: the first that hears the bell
        stills it.
        """
        bell = self._bells.setdefault(route, trio.Event())
        with trio.move_on_after(at_most_s):
            await bell.wait()
        if bell.is_set():
            self._bells[route] = trio.Event()
