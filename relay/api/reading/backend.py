"""The trio side of the API: adapters, queue and archive, wherever the HTTP server runs."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

import anyio.to_thread
import trio

from hutong.adapters.interface import AdapterError, ChainAdapter, RefusedByChain, UnknownClient
from hutong.relay.api.reading.chain_views import ChainViews
from hutong.relay.api.reading.public_text import public_text
from hutong.relay.archive import Archive
from hutong.relay.config import Config
from hutong.relay.core.history.letters import Letters
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import QueueError
from hutong.relay.web.problems import ApiProblem, Code

JUDGES = 2
"""Threads that judge proofs: signatures and hashes cost the processor, which the relay needs too."""
EXPORTERS = 2
"""Bundles that are made at once; each asks chains for headers."""
CHAIN_ASKERS = 4
"""Requests of the API that ask chains at once: its adapters, and what their endpoints bear, are the relay's too."""
ASKERS = 16
"""Requests that may wait for chains at once, where the server has an event loop of its own."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Chains:
    """What work under trio is given."""

    config: Config
    adapters: Mapping[str, ChainAdapter]
    paths: Paths
    archive: Archive
    letters: Letters
    judges: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(JUDGES))
    exporters: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(EXPORTERS))
    askers: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(CHAIN_ASKERS))

    def adapter(self, name: str, at: str = "chain") -> ChainAdapter:
        """The adapter of a configured chain.

        Args:
            at: the request's field that named it, for the problem.

        Raises:
            ApiProblem: no chain has the name; the known ones are listed.
        """
        found = self.adapters.get(name)
        if found is None:
            known = ", ".join(sorted(self.adapters))
            raise ApiProblem(
                Code.INVALID_REQUEST, f"no chain is called {name[:40]}; there are {known}", field=at, status=422
            )
        return found


Work = Callable[[Chains], Awaitable[Result]]


class Backend(Protocol):
    """Runs work beside the chains, from whatever event loop the HTTP server has."""

    @property
    def views(self) -> ChainViews:
        """What was last read of every chain."""

    async def ask(self, work: Work[Result], limit_s: float, *, asks_chains: bool = True) -> Result:
        """Run `work` under trio for at most `limit_s`, its wait for one of CHAIN_ASKERS places included.

        Args:
            asks_chains: False for work that asks no chain, or has a limiter of its own: it waits for no place.

        Raises:
            ApiProblem: a chain refuses or does not answer in time, the queue does not, or the server is stopping.
        """


class TrioBackend:
    """The server runs in the relay's own event loop."""

    def __init__(self, chains: Chains, views: ChainViews) -> None:
        self._chains = chains
        self._views = views

    @property
    def views(self) -> ChainViews:
        """See `Backend`."""
        return self._views

    async def ask(self, work: Work[Result], limit_s: float, *, asks_chains: bool = True) -> Result:
        """See `Backend`."""
        return await _bounded(work, self._chains, limit_s, asks_chains)


class ThreadBackend:
    """The server has another event loop: work goes to trio's thread, and one of ours waits for it."""

    def __init__(self, chains: Chains, views: ChainViews, token: trio.lowlevel.TrioToken) -> None:
        self._chains = chains
        self._views = views
        self._token = token
        self._limiter: anyio.CapacityLimiter | None = None

    @property
    def views(self) -> ChainViews:
        """See `Backend`."""
        return self._views

    async def ask(self, work: Work[Result], limit_s: float, *, asks_chains: bool = True) -> Result:
        """See `Backend`. A caller that is cancelled leaves at once; its work ends by itself.

        Raises:
            ApiProblem: as `Backend`, or the server is stopping.
        """
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(ASKERS)
        call = partial(trio.from_thread.run, _bounded, work, self._chains, limit_s, asks_chains, trio_token=self._token)
        try:
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)
        except (trio.RunFinishedError, trio.Cancelled):
            raise ApiProblem(Code.BUSY, "the server is stopping; ask again") from None

    def stop(self, scope: trio.CancelScope) -> None:
        """Cancel what runs in trio's thread; for any thread."""
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(scope.cancel)


async def _bounded(work: Work[Result], chains: Chains, limit_s: float, asks_chains: bool) -> Result:
    try:
        with trio.fail_after(limit_s):
            async with chains.askers if asks_chains else nullcontext():
                return await work(chains)
    except trio.TooSlowError:
        raise ApiProblem(
            Code.CHAIN_UNAVAILABLE, f"the chains gave no answer within {limit_s:g} s; try again later"
        ) from None
    except (AdapterError, QueueError) as error:
        raise _problem(error) from None
    except BaseExceptionGroup as group:
        expected, others = group.split((AdapterError, QueueError, ApiProblem))
        if expected is None or others is not None:
            raise
        first: BaseException = expected
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise (first if isinstance(first, ApiProblem) else _problem(first)) from None


def _problem(error: BaseException) -> ApiProblem:
    detail = public_text(str(error))
    if isinstance(error, RefusedByChain):
        return ApiProblem(Code.REFUSED_BY_CHAIN, detail or error.name)
    if isinstance(error, UnknownClient):
        return ApiProblem(Code.NOT_FOUND, detail)
    return ApiProblem(Code.CHAIN_UNAVAILABLE, detail)
