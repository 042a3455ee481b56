"""Which votes a round state takes in, and which pairs of them contradict each other."""

from dataclasses import replace

from hutong.relay.hub.consensus.round_state import PRECOMMIT, PREVOTE, Decision, RoundState
from hutong.relay.hub.consensus.types import NIL, Equivocation, Vote
from hutong.relay.hub.consensus.votes import Tally, above_one_third, vote_is_signed

MAX_ROUND = 10_000
"""Votes of farther rounds are ignored."""
MAX_ROUNDS_AHEAD = 16
"""Of rounds beyond these only a validator's newest votes are kept, enough to catch up by, so that nobody fills memory."""


Recorded = tuple[RoundState, tuple[Equivocation, ...]]


def with_vote(state: RoundState, vote: Vote) -> Recorded:
    """The state after a vote of its height or of the one before, and a pair of votes that contradict each other, once.

    Votes of other heights, of rounds above MAX_ROUND, unsigned and unknown ones change nothing. The signature is
    verified here, unless this very vote is known.
    """
    previous = state.previous
    if vote.message_type not in (PREVOTE, PRECOMMIT) or not 0 <= vote.round <= MAX_ROUND:
        return state, ()
    if previous is not None and vote.height == previous.height:
        return _with_late_vote(state, previous, vote)
    if vote.height != state.height:
        return state, ()
    tally = state.tally(vote.round, vote.message_type)
    known = tally.votes.get(vote.validator_index)
    if known == vote or not vote_is_signed(state.chain_id, state.validators, vote):
        return state, ()
    if known is not None:
        if tally.vote_for(vote.validator_index, vote.block_id) is None:
            return _with_conflict(state, tally, known, vote)
        return state, ()
    if vote.round > state.round + MAX_ROUNDS_AHEAD:
        room = _with_room(state, vote)
        if room is None:
            return state, ()
        state = room
    return _with_tally(state, vote, state.tally(vote.round, vote.message_type).with_vote(vote)), ()


def _with_tally(state: RoundState, vote: Vote, tally: Tally) -> RoundState:
    return replace(state, tallies={**state.tallies, (vote.round, vote.message_type): tally})


def _with_conflict(state: RoundState, tally: Tally, known: Vote, vote: Vote) -> Recorded:
    """A pair is told once; further votes count only if they are for what others vote about, so that few are kept."""
    first = vote.validator_index not in tally.conflicts
    proposal = state.proposals.get(vote.round)
    total = state.validators.total_voting_power
    if (
        first
        or vote.block_id == NIL
        or (proposal is not None and proposal.block_id == vote.block_id)
        or above_one_third(tally.power(state.validators, vote.block_id), total)
    ):
        state = _with_tally(state, vote, tally.with_conflict(vote))
    return state, (Equivocation(known, vote),) if first else ()


def _with_room(state: RoundState, vote: Vote) -> RoundState | None:
    """Without this validator's older votes of rounds that are far ahead; None where it has newer ones."""
    horizon, index = state.round + MAX_ROUNDS_AHEAD, vote.validator_index
    far = [(key, tally) for key, tally in state.tallies.items() if key[0] > horizon and index in tally.votes]
    if any(round_ > vote.round for (round_, _), _ in far):
        return None
    older = {key: tally.without(index) for key, tally in far if key[0] < vote.round}
    kept = {key: tally for key, tally in {**state.tallies, **older}.items() if tally.votes}
    return replace(state, tallies=kept)


def _with_late_vote(state: RoundState, previous: Decision, vote: Vote) -> Recorded:
    key = (vote.round, vote.message_type)
    tally = previous.tallies.get(key)
    if tally is None or not vote_is_signed(state.chain_id, previous.validators, vote):
        return state, ()
    known = tally.votes.get(vote.validator_index)
    equivocations: tuple[Equivocation, ...] = ()
    if known is None:
        tally = tally.with_vote(vote)
    elif known.block_id != vote.block_id and vote.validator_index not in tally.conflicts:
        equivocations = (Equivocation(known, vote),)
        tally = tally.with_conflict(vote)
    else:
        return state, ()
    return replace(state, previous=replace(previous, tallies={**previous.tallies, key: tally})), equivocations
