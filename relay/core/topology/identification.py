"""Finding at a start that chains and path ends are those of the configuration, each for itself: none waits for another's answer."""

from collections.abc import Awaitable, Callable, Mapping
from random import Random

import trio

from hutong.adapters.interface import AdapterError, Chain, ChainAdapter, EndpointMismatch, EndpointUnavailable
from hutong.relay.config import PathEnd
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.topology.paths import Paths, check_end
from hutong.relay.dispatch import Backoff
from hutong.relay.telemetry import get_logger

FIRST_ANSWERS_S = 10.0
"""A start waits so long for every chain, so that a wrong configuration is refused before anything is done."""
BELIEVED_CONTRADICTIONS = 3
"""An endpoint may lie once; who configured the wrong client or chain gets the same answer every time."""
_ASK_AGAIN = Backoff(base_s=0.5, cap_s=10.0)
_SILENT = "it has not answered since the relay started"


class Identification:
    """What was found so far. `begin` it in a nursery that lives as long as the relay."""

    def __init__(self, adapters: Mapping[str, ChainAdapter], paths: Paths, random: Random) -> None:
        self._adapters = adapters
        self._paths = paths
        self._random = random
        self._chains = {end.chain: trio.Event() for end in paths.opposite}
        self._ends = {end: trio.Event() for end in paths.opposite}
        self._begun = trio.Event()
        self._awaited: dict[str, str] = {}
        self._log = get_logger("relay")

    async def begin(self, nursery: trio.Nursery) -> None:
        """Return when all are known, or after FIRST_ANSWERS_S; the others are asked on.

        Until then a chain that contradicts the configuration ends the nursery with StartRefused, once it did so
        BELIEVED_CONTRADICTIONS times. A chain that first answers afterwards and contradicts it is left out and asked
        again: the others' packets do not stop for that.
        """
        for name in self._chains:
            nursery.start_soon(self._identify_chain, name)
        for end in self._ends:
            nursery.start_soon(self._identify_end, end)
        with trio.move_on_after(FIRST_ANSWERS_S):
            for known in (*self._chains.values(), *self._ends.values()):
                await known.wait()
        self._begun.set()

    @property
    def starting(self) -> bool:
        """Whether `begin` still waits for the first answers: no packet is carried yet, and a contradiction ends the
        relay.
        """
        return not self._begun.is_set()

    def awaited(self) -> dict[str, str]:
        """What is not known to be right, with the last answer to it or that there was none: `chain NAME` or
        `path end CHAIN:CLIENT`, in order of names. An end is awaited once both of its chains are known.
        """
        silent = [f"chain {name}" for name, known in self._chains.items() if not known.is_set()]
        silent += [_end(end) for end, known in self._ends.items() if not known.is_set() and self._has_chains(end)]
        return dict(sorted((dict.fromkeys(silent, _SILENT) | self._awaited).items()))

    def holds_up(self, end: PathEnd) -> str | None:
        """Why no packet is carried over the path of `end` yet, in one sentence; None if it is known and `begin` ended."""
        both = (end, self._paths.opposite[end])
        awaited = self.awaited()
        what = next((one for end in both for one in (f"chain {end.chain}", _end(end)) if one in awaited), None)
        if what in self._awaited:
            return f"{what} is not there since the relay started: {awaited[what]}"
        if what is not None:
            return f"{what} is not watched yet: {awaited[what]}"
        if self.starting and awaited:
            return f"the relay has just started, and waits up to {FIRST_ANSWERS_S:.0f} s for {next(iter(awaited))}"
        return None

    def _has_chains(self, end: PathEnd) -> bool:
        return all(self._chains[one.chain].is_set() for one in (end, self._paths.opposite[end]))

    async def begun(self) -> None:
        """Wait until `begin` ended: from then on packets are carried."""
        await self._begun.wait()

    async def chain(self, name: str) -> None:
        """Wait until the chain is known to be the configured one."""
        await self._chains[name].wait()

    async def path(self, end: PathEnd) -> None:
        """Wait until both ends of the path are known to be the configured ones."""
        await self._ends[end].wait()
        await self._ends[self._paths.opposite[end]].wait()

    async def _identify_chain(self, name: str) -> None:
        await self._insist(f"chain {name}", self._adapters[name].check_identity, self._adapters[name])
        self._chains[name].set()

    async def _identify_end(self, end: PathEnd) -> None:
        opposite = self._paths.opposite[end]
        await self._chains[end.chain].wait()
        await self._chains[opposite.chain].wait()
        what, asked = _end(end), self._adapters[end.chain]
        await self._insist(what, lambda: check_end(end, opposite, self._adapters), asked)
        self._ends[end].set()

    async def _insist(self, what: str, check: Callable[[], Awaitable[object]], asked: Chain) -> None:
        """Ask until there is an answer; an unreachable chain is waited for, a contradiction that stands at the start is not.

        It may be one endpoint's word, so while it could end the start the next answer is another's, where there is one.
        """
        failures = contradictions = 0
        while True:
            try:
                await check()
            except (AdapterError, StartRefused) as error:
                if _contradicts(error):
                    contradictions += 1
                    if contradictions >= BELIEVED_CONTRADICTIONS and self.starting:
                        raise _refused(what, error) from error
                    if self.starting:
                        asked.distrust(f"{what}: {error}")
                failures += 1
                self._awaited[what] = str(error)
                self._log.warning("waiting for a chain", what=what, reason=str(error), failures=failures)
                await trio.sleep(_ASK_AGAIN.delay_s(failures, self._random))
            else:
                self._awaited.pop(what, None)
                return


def _end(end: PathEnd) -> str:
    return f"path end {end.chain}:{end.client}"


def _refused(what: str, error: Exception) -> StartRefused:
    if isinstance(error, StartRefused):
        return StartRefused(str(error))
    if isinstance(error, EndpointUnavailable):
        said = "; ".join(f"{at}: {reason.removeprefix(f'{at}: ')}" for at, reason in error.reasons)
        return StartRefused(f"{what}: every endpoint serves another chain ({said}); correct its rpc or chain_id")
    return StartRefused(f"{what}: {error}; correct its rpc, chain_id or router")


def _contradicts(error: Exception) -> bool:
    """Whether a chain answered, and is not what the configuration says."""
    return isinstance(error, EndpointMismatch | StartRefused) or (
        isinstance(error, EndpointUnavailable) and error.foreign
    )
