"""A height taken up again after a crash: the logged events once more, and what of their effects is still to be done."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.relay.hub.consensus.round_state import RoundState
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.consensus.transition import step
from hutong.relay.hub.consensus.types import (
    BlockPrepared,
    BlockWanted,
    Decided,
    Effect,
    Equivocation,
    Event,
    PrepareBlock,
    ScheduleTimeout,
    SignProposal,
    SignVote,
    Step,
    TimeoutElapsed,
)


@dataclass(frozen=True, slots=True)
class Resumed:
    """`signs` False: votes of this height that no log explains may have left with a lock, so none may be given any more."""

    state: RoundState
    effects: tuple[Effect, ...]
    signs: bool


def resume(initial: RoundState, events: Sequence[Event], record: LastSigned) -> Resumed:
    """A height taken up from the log; `initial` is the state before it began.

    Every event before a signature was on disk before it.

    Effects that are due again were perhaps carried out before the crash; signatures are then those on record.

    Raises:
        RejectedBlockDecided: as `step`.
    """
    state, emitted = initial, list[Effect]()
    for event in events:
        state, effects = step(state, event)
        emitted += effects
    height = initial.height + 1
    newest = max((entry.step for entry in record.signed), default=Step.NEW_HEIGHT)
    reached = state.step is Step.COMMIT or (state.round, state.step) >= (record.round, newest)
    explained = bool(events) and reached
    signs = record.height < height or (record.height == height and explained)
    elapsed = {(event.height, event.round, event.step) for event in events if isinstance(event, TimeoutElapsed)}
    prepared = {event.round for event in events if isinstance(event, BlockPrepared)}
    due = tuple(effect for effect in emitted if _is_due(state, effect, elapsed, prepared))
    return Resumed(state, due, signs)


def _is_due(state: RoundState, effect: Effect, elapsed: set[tuple[int, int, Step]], prepared: set[int]) -> bool:
    match effect:
        case Equivocation():
            return True
        case Decided():
            return state.step is Step.COMMIT
        case BlockWanted():
            return effect.block_id not in state.candidates
        case ScheduleTimeout():
            timer = (effect.height, effect.round, effect.step)
            return timer[:2] == (state.height, state.round) and timer not in elapsed
        case PrepareBlock():
            return effect.round == state.round and state.step is Step.PROPOSE and effect.round not in prepared
        case SignProposal():
            return effect.proposal.round == state.round and state.round not in state.proposals
        case SignVote():
            vote = effect.vote
            given = state.tally(vote.round, vote.message_type).votes
            return vote.round == state.round and vote.validator_index not in given
