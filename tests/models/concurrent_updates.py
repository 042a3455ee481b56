"""A client that concurrent relayers update over a chain whose validators change with every block.

The verdicts are the product's: `bft-evm` judges real sealed headers, and the adapter's own planner halves the steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import trio

from hutong.adapters.evm.bft.headers import steps_between
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.interface import MemoryConsensusStates, NoOp, Updated, VerificationError
from hutong.light_clients.interface.height import Height
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain

BLOCKS = 6
COMMITTED_AT = 3
CLIENT = BftEvmClient()


@cache
def chain() -> SimulatedChain:
    """Of four validators one is replaced at every block: three blocks on, too few of the trusted ones are left."""
    made = SimulatedChain()
    for first in range(1, BLOCKS):
        made.replace_validators(range(first, first + 4))
        made.advance()
    return made


@cache
def planned(trusted: int, target: int) -> tuple[int, ...]:
    """The heights of the headers that the adapter would send."""

    async def read(height: int):
        return b"", chain().headers[height][0]

    return tuple(trio.run(steps_between, "model", read, trusted, target))


@cache
def verdict(stored: frozenset[int], trusted: int, height: int) -> str:
    """What the light client says with these states stored: `updated`, `no-op`, or the refusal."""
    made = chain()
    states = MemoryConsensusStates({Height(0, number): made.consensus_state(number) for number in stored})
    try:
        judged = CLIENT.verify_header(
            made.client_state(max(stored)), states, made.header(height, trusted), made.now_ns + 1
        )
    except VerificationError as error:
        return str(error)
    if isinstance(judged, Updated):
        return "updated"
    return "no-op" if isinstance(judged, NoOp) else type(judged).__name__


@dataclass(frozen=True, slots=True)
class Plan:
    """Headers that a relayer has made and not sent yet; the first is verified from `trusted`."""

    trusted: int
    heights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class State:
    head: int
    stored: frozenset[int]
    plans: tuple[Plan | None, Plan | None] = (None, None)
    refused: str = ""


class ConcurrentUpdates:
    """`served` is for how many of the newest blocks the source's node still makes proofs.

    `bisects`: relayers send what the planner says, else one header to the head. `keeps`: the client keeps older states.
    `follows`: relayers aim at the head, else at block 2 for ever.
    """

    def __init__(self, *, served: int = 2, bisects: bool = True, keeps: bool = True, follows: bool = True) -> None:
        self.served, self.bisects, self.keeps, self.follows = served, bisects, keeps, follows

    def initial(self) -> State:
        return State(1, frozenset({1}))

    def steps(self, state: State) -> Iterable[tuple[str, State]]:
        if state.refused:
            return
        if state.head < BLOCKS:
            yield f"block {state.head + 1}", replace(state, head=state.head + 1)
        for relayer, plan in enumerate(state.plans):
            if plan is None:
                target = state.head if self.follows else min(state.head, 2)
                trusted = max(state.stored)
                if target > trusted:
                    heights = planned(trusted, target) if self.bisects else (target,)
                    yield f"plan to {target} by {relayer}", self._with(state, relayer, Plan(trusted, heights))
            else:
                yield f"crash of {relayer}", self._with(state, relayer, None)
                yield (
                    f"submit {plan.heights[0]} from {plan.trusted} by {relayer}",
                    self._submitted(state, relayer, plan),
                )

    @staticmethod
    def _with(state: State, relayer: int, plan: Plan | None) -> State:
        plans = tuple(plan if number == relayer else other for number, other in enumerate(state.plans))
        return replace(state, plans=plans)

    def _submitted(self, state: State, relayer: int, plan: Plan) -> State:
        said = verdict(state.stored, plan.trusted, plan.heights[0])
        if said not in ("updated", "no-op"):
            return replace(state, refused=said)
        height, rest = plan.heights[0], plan.heights[1:]
        stored = state.stored | {height} if self.keeps else frozenset({max(*state.stored, height)})
        return self._with(replace(state, stored=stored), relayer, Plan(height, rest) if rest else None)

    def violation(self, state: State) -> str | None:
        return f"an update that was made honestly is refused: {state.refused}" if state.refused else None

    def violation_at_end(self, state: State) -> str | None:
        return None if self.provable(state) else "the packet can never be proven"

    def provable(self, state: State) -> bool:
        """Some stored height holds the packet's commitment, and the source still makes proofs at it."""
        return any(height >= COMMITTED_AT and height > state.head - self.served for height in state.stored)
