"""What a state says of itself to peers, and what a peer lacks of it: pure."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from hutong.light_clients.tendermint.types import SignedMessageType
from hutong.relay.hub.consensus.transition import RoundState
from hutong.relay.hub.consensus.types import Proposal, Vote
from hutong.relay.hub.network.link.codec import MAX_ROUNDS_IN_STATUS
from hutong.relay.hub.network.link.messages import RoundVotes, Status

PREVOTE, PRECOMMIT = SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT


def status_of(state: RoundState, set_aside: AbstractSet[int] = frozenset()) -> Status:
    """What this node says of itself, at most MAX_ROUNDS_IN_STATUS rounds.

    Those that decide something come first: the present one, those that may be locked, then the newest. Proposals of the
    rounds `set_aside` count as known, so that nobody sends them.
    """
    has_block = set_aside | set(state.proposals)
    known = {round_ for round_, _ in state.tallies} | has_block
    wanted = [state.round, state.round - 1, state.valid_round, state.locked_round, *sorted(known, reverse=True)]
    rounds = list(dict.fromkeys(round_ for round_ in wanted if round_ in known))[:MAX_ROUNDS_IN_STATUS]
    return Status(
        state.height,
        state.round,
        state.step,
        tuple(
            RoundVotes(
                round_,
                round_ in has_block,
                _bitmap(state.tally(round_, PREVOTE).votes),
                _bitmap(state.tally(round_, PRECOMMIT).votes),
            )
            for round_ in rounds
        ),
    )


def _bitmap(votes: Mapping[int, Vote]) -> int:
    return sum(1 << index for index in votes)


_NOTHING = RoundVotes(0, has_block=False, prevotes=0, precommits=0)


def votes_lacked(state: RoundState, theirs: Status) -> Iterator[Vote]:
    """Votes that a peer at the same height does not name, of the rounds that either end names, newest rounds first.

    Votes that prove a lock come besides, whether it names them or not.
    """
    named = {entry.round: entry for entry in theirs.rounds}
    rounds = {entry.round for entry in status_of(state).rounds} | set(named)
    for round_ in sorted(rounds, reverse=True):
        entry = named.get(round_, _NOTHING)
        for message_type, has in ((PRECOMMIT, entry.precommits), (PREVOTE, entry.prevotes)):
            for index, vote in state.tally(round_, message_type).votes.items():
                if not has >> index & 1:
                    yield vote
    yield from _proofs_of_lock(state)


def _proofs_of_lock(state: RoundState) -> Iterator[Vote]:
    """Majorities of rounds that decided nothing, whatever the others' bitmaps say: who heard a liar's other vote first has
    a bit set and still lacks the vote that completes the proof."""
    for round_ in {state.valid_round, state.locked_round}:
        if not 0 <= round_ < state.round:
            continue
        tally = state.tally(round_, PREVOTE)
        block_id = tally.majority(state.validators)
        for index in tally.votes:
            vote = None if block_id is None else tally.vote_for(index, block_id)
            if vote is not None:
                yield vote


def proposals_lacked(state: RoundState, theirs: Status) -> Iterator[Proposal]:
    """Proposals whose blocks are here and that a peer at the same height does not have, newest rounds first.

    Of rounds from its own on, or of earlier ones where a majority precommitted.
    """
    has = {entry.round for entry in theirs.rounds if entry.has_block}
    for round_, proposal in sorted(state.proposals.items(), reverse=True):
        if round_ in has or proposal.block_id not in state.candidates:
            continue
        decided = state.tally(round_, PRECOMMIT).majority(state.validators) == proposal.block_id
        if round_ >= theirs.round or decided:
            yield proposal
