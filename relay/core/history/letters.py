"""Dead letters as operators handle them, by a command or over the API: both do the same."""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import trio

from hutong.relay.config import RelayConfig
from hutong.relay.core.history.ledgers import open_ledger
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import DeadLetter, JobKind, Queue, Route
from hutong.relay.ledger import Ledger

T = TypeVar("T")

MAX_REASON_CHARS = 500
MAX_JOB_CHARS = 180
_KINDS = "|".join(JobKind)
_JOB = re.compile(rf"(?:{_KINDS}):[a-z0-9-]{{1,32}}/[!-~]{{1,64}}/[1-9][0-9]{{0,19}}")


class NotAJob(ValueError):
    """The text names no job; the message says what does."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which letters: of a cause, of a route (`chain:client`), or all that are of both where nothing is said."""

    cause: str | None = None
    route: str | None = None

    def holds(self, letter: DeadLetter) -> bool:
        """Whether the letter is of the chosen cause. The route is not compared: letters are read route by route."""
        return self.cause in (None, letter.cause)


class Letters:
    """Of a relay's queue and ledger, whether the relay runs or not. Calls raise QueueError and LedgerUnavailable."""

    def __init__(
        self, queue: Queue, paths: Paths, relay: RelayConfig, ledger: Callable[[], Ledger] | None = None
    ) -> None:
        """`ledger` opens it, by default as the configuration says; each call closes it again."""
        self._queue = queue
        self._paths = paths
        self._open = ledger if ledger is not None else lambda: open_ledger(relay)

    def routes(self, name: str | None = None) -> list[Route]:
        """All routes of the configuration, or the one of that name (`chain:client`).

        Raises:
            NotAJob: no route of the configuration has that name.
        """
        found = [route for route in self._paths.routes() if name in (None, route.name)]
        if not found:
            known = ", ".join(sorted(route.name for route in self._paths.routes()))
            raise NotAJob(f"no route is named {str(name)[:100]!r}; there are {known}")
        return found

    async def dead(self, chosen: Chosen) -> list[DeadLetter]:
        """All dead letters that are chosen, route by route, the newest of each route first.

        Raises:
            NotAJob: the chosen route is not of the configuration.
        """
        return [
            letter
            for route in self.routes(chosen.route)
            for letter in await self._queue.dead_letters(route)
            if chosen.holds(letter)
        ]

    async def ignored(self) -> list[DeadLetter]:
        """What was said to be left alone and would else be tried."""
        return [letter for route in self.routes() for letter in await self._queue.ignored(route)]

    async def retry(self, job: str) -> bool:
        """Try a dead letter at once, from its first attempt.

        Returns:
            False if no route has a dead letter of that name (`kind:chain/client/sequence`) that can be read.
        """
        return any([await self._queue.revive(route, job) for route in self.routes()])

    async def retry_all(self, chosen: Chosen) -> int:
        """As `retry`, of all that are chosen; returns how many there were.

        Raises:
            NotAJob: the chosen route is not of the configuration.
        """
        woken = 0
        for route in self.routes(chosen.route):
            letters = [letter for letter in await self._queue.dead_letters(route) if chosen.holds(letter)]
            woken += await self._queue.revive_all(route, [letter.id for letter in letters])
        return woken

    async def ignore(self, job: str, reason: str) -> None:
        """Leave a job alone from now on, in whatever state it is; a packet may still time out. The ledger keeps the reason.

        Raises:
            NotAJob: `job` is no name of a job, or there is no reason.
        """
        check_job(job)
        said = reason.strip()
        if not said or len(said) > MAX_REASON_CHARS:
            raise NotAJob(f"a reason has 1 to {MAX_REASON_CHARS} characters")
        await self._with_ledger(lambda ledger: ledger.ignore(job, said, time.time_ns()))
        for route in self.routes():
            await self._queue.ignore(route, job)

    async def heed(self, job: str) -> bool:
        """Undo `ignore`: the job is tried again from its first attempt.

        Returns:
            False if neither the ledger nor a route's queue had it as ignored.

        Raises:
            NotAJob: `job` does not name a job.
        """
        check_job(job)
        known = await self._with_ledger(lambda ledger: ledger.heed(job))
        return any([await self._queue.heed(route, job) for route in self.routes()]) or known

    async def _with_ledger(self, work: Callable[[Ledger], Awaitable[T]]) -> T:
        ledger = await trio.to_thread.run_sync(self._open)
        try:
            return await work(ledger)
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(ledger.close)


def check_job(job: str) -> None:
    """The text names a job, as `kind:chain/client/sequence`; that there is such a job is not checked.

    Raises:
        NotAJob: it has another form, or more than MAX_JOB_CHARS characters.
    """
    if len(job) > MAX_JOB_CHARS or _JOB.fullmatch(job) is None:
        raise NotAJob("a job is named as `hutong relay dead` lists it, such as receive:alpha/client-0/7")
