"""Tendermint's rules as a pure function (`The latest gossip on BFT consensus`, arXiv:1807.04938, algorithm 1).

`step(state, event)` returns the next state and the effects to carry out. The driver owns sockets, timers, keys and
disk; this module decides. Line numbers in comments are those of algorithm 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from light_clients.crypto import secp256k1
from light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from light_clients.tendermint.types import BlockId, KeyType, SignedMessageType, ValidatorSet
from relay.hub.consensus.types import (
    NIL,
    Block,
    BlockPrepared,
    Decided,
    Effect,
    Equivocation,
    Event,
    HeightStarted,
    PrepareBlock,
    Proposal,
    ProposalReceived,
    ScheduleTimeout,
    SignProposal,
    SignVote,
    Step,
    TimeoutElapsed,
    Vote,
    VoteReceived,
)
from relay.hub.consensus.validators import proposer_of
from relay.hub.consensus.votes import Tally, above_two_thirds, vote_is_signed

MAX_ROUND = 10_000
"""Votes of farther rounds are ignored, so that nobody fills memory with them."""
MAX_ROUNDS_AHEAD = 16
VOTE_TIME_IOTA_NS = 1_000_000
"""A vote is at least a millisecond after the block that it is about (cometbft consensus/state.go voteTime)."""

PREVOTE = SignedMessageType.PREVOTE
PRECOMMIT = SignedMessageType.PRECOMMIT


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block that was proposed, and whether the application accepts it."""

    block: Block
    accepted: bool


@dataclass(frozen=True, slots=True)
class RoundState:
    """Everything that one validator remembers of one height. `own_address` None only listens."""

    chain_id: str
    own_address: bytes | None
    height: int
    validators: ValidatorSet
    last_block_time_ns: int
    round: int = 0
    step: Step = Step.NEW_HEIGHT
    locked_round: int = -1
    locked: BlockId | None = None
    valid_round: int = -1
    valid: BlockId | None = None
    proposals: Mapping[int, Proposal] = field(default_factory=dict)
    candidates: Mapping[BlockId, Candidate] = field(default_factory=dict)
    tallies: Mapping[tuple[int, SignedMessageType], Tally] = field(default_factory=dict)
    scheduled: frozenset[tuple[int, Step]] = frozenset()

    def tally(self, round_: int, message_type: SignedMessageType) -> Tally:
        return self.tallies.get((round_, message_type), _NO_VOTES)


_NO_VOTES = Tally()


def step(state: RoundState, event: Event) -> tuple[RoundState, tuple[Effect, ...]]:
    """Apply one event. Events of other heights, unsigned or unknown ones change nothing."""
    work = _Transition(state, event.now_ns)
    match event:
        case HeightStarted():
            work.start_height(event)
        case TimeoutElapsed():
            work.on_timeout(event)
        case BlockPrepared():
            work.on_prepared(event)
        case ProposalReceived():
            work.on_proposal(event)
        case VoteReceived():
            work.on_vote(event.vote)
    work.run_rules()
    return work.state, tuple(work.effects)


class _Transition:
    """One application of `step`; holds the state while rules fire."""

    def __init__(self, state: RoundState, now_ns: int) -> None:
        self.state = state
        self.now_ns = now_ns
        self.effects: list[Effect] = []

    def start_height(self, event: HeightStarted) -> None:
        if event.height <= self.state.height and self.state.step is not Step.NEW_HEIGHT:
            return
        self.state = RoundState(
            self.state.chain_id,
            self.state.own_address,
            event.height,
            event.validators,
            event.last_block_time_ns,
            round=event.round,
        )
        self.effects.append(ScheduleTimeout(event.height, event.round, Step.NEW_HEIGHT))

    def on_timeout(self, event: TimeoutElapsed) -> None:
        if (event.height, event.round) != (self.state.height, self.state.round):
            return
        match event.step:
            case Step.NEW_HEIGHT if self.state.step is Step.NEW_HEIGHT:
                self._start_round(event.round)
            case Step.PROPOSE if self.state.step is Step.PROPOSE:  # line 57
                self._vote(PREVOTE, NIL)
            case Step.PREVOTE if self.state.step is Step.PREVOTE:  # line 61
                self._vote(PRECOMMIT, NIL)
            case Step.PRECOMMIT if self.state.step is not Step.COMMIT:  # line 65
                self._start_round(event.round + 1)
            case _:
                return

    def _start_round(self, round_: int) -> None:  # line 11
        self.state = replace(self.state, round=round_, step=Step.PROPOSE)
        self.effects.append(ScheduleTimeout(self.state.height, round_, Step.PROPOSE))
        if proposer_of(self.state.validators, round_).address != self.state.own_address:
            return
        valid = None if self.state.valid is None else self.state.candidates.get(self.state.valid)
        if valid is None or self.state.valid is None:
            self.effects.append(PrepareBlock(self.state.height, round_))
        else:
            self._propose(valid.block, self.state.valid, self.state.valid_round)

    def _propose(self, block: Block, block_id: BlockId, pol_round: int) -> None:
        proposal = Proposal(self.state.height, self.state.round, pol_round, block_id, self._vote_time_ns())
        self.effects.append(SignProposal(proposal, block))

    def on_prepared(self, event: BlockPrepared) -> None:
        state = self.state
        if (event.height, event.round, state.step) == (state.height, state.round, Step.PROPOSE):
            self._propose(event.block, event.block_id, -1)

    def on_proposal(self, event: ProposalReceived) -> None:
        proposal = event.proposal
        if proposal.height != self.state.height or self._too_far(proposal.round):
            return
        if proposal.round in self.state.proposals or not -1 <= proposal.pol_round < proposal.round:
            return
        if not self._proposal_is_signed(proposal):
            return
        self.state = replace(
            self.state,
            proposals={**self.state.proposals, proposal.round: proposal},
            candidates={**self.state.candidates, proposal.block_id: Candidate(event.block, event.accepted)}
            if event.block_id == proposal.block_id
            else self.state.candidates,
        )

    def _too_far(self, round_: int) -> bool:
        return not 0 <= round_ <= min(MAX_ROUND, self.state.round + MAX_ROUNDS_AHEAD)

    def _proposal_is_signed(self, proposal: Proposal) -> bool:
        proposer = proposer_of(self.state.validators, proposal.round)
        message = proposal_sign_bytes(
            self.state.chain_id,
            proposal.height,
            proposal.round,
            proposal.pol_round,
            proposal.block_id,
            proposal.timestamp_ns,
        )
        digest = sign_digest(KeyType.SECP256K1, message)
        return secp256k1.verify_low_s(proposer.public_key.data, digest, proposal.signature)

    def on_vote(self, vote: Vote) -> None:
        if vote.height != self.state.height or self._too_far(vote.round):
            return
        if vote.message_type not in (PREVOTE, PRECOMMIT):
            return
        tally = self.state.tally(vote.round, vote.message_type)
        known = tally.votes.get(vote.validator_index)
        if known == vote or not vote_is_signed(self.state.chain_id, self.state.validators, vote):
            return
        if known is not None:
            if known.block_id != vote.block_id:
                self.effects.append(Equivocation(known, vote))
            return
        tallies = {**self.state.tallies, (vote.round, vote.message_type): tally.with_vote(vote)}
        self.state = replace(self.state, tallies=tallies)

    def run_rules(self) -> None:
        """Fire rules until none applies."""
        while self._fire():
            pass

    def _fire(self) -> bool:
        state = self.state
        if state.step in (Step.COMMIT, Step.NEW_HEIGHT):
            return False
        return (
            self._decide()
            or self._catch_up()
            or self._prevote_proposal()
            or self._lock()
            or self._precommit_nil()
            or self._schedule_on_two_thirds(PREVOTE, Step.PREVOTE)
            or self._schedule_on_two_thirds(PRECOMMIT, Step.PRECOMMIT)
        )

    def _majority(self, round_: int, message_type: SignedMessageType) -> BlockId | None:
        return self.state.tally(round_, message_type).majority(self.state.validators)

    def _decide(self) -> bool:  # line 49
        for (round_, message_type), tally in self.state.tallies.items():
            if message_type is not PRECOMMIT:
                continue
            block_id = tally.majority(self.state.validators)
            candidate = None if block_id is None else self.state.candidates.get(block_id)
            if block_id is None or candidate is None or not candidate.accepted:
                continue
            self.state = replace(self.state, step=Step.COMMIT, round=round_)
            commit = tally.commit(self.state.validators, block_id)
            self.effects.append(Decided(candidate.block, block_id, commit))
            return True
        return False

    def _catch_up(self) -> bool:  # line 55
        total = self.state.validators.total_voting_power
        rounds = sorted({round_ for round_, _ in self.state.tallies if round_ > self.state.round}, reverse=True)
        for round_ in rounds:
            voters = {
                index for message_type in (PREVOTE, PRECOMMIT) for index in self.state.tally(round_, message_type).votes
            }
            if sum(self.state.validators.validators[index].voting_power for index in voters) > total // 3:
                self._start_round(round_)
                return True
        return False

    def _prevote_proposal(self) -> bool:  # lines 22 and 28
        state = self.state
        proposal = state.proposals.get(state.round)
        if state.step is not Step.PROPOSE or proposal is None:
            return False
        candidate = state.candidates.get(proposal.block_id)
        if candidate is None:
            return False
        pol_round = proposal.pol_round
        if pol_round >= 0 and self._majority(pol_round, PREVOTE) != proposal.block_id:
            return False
        unlocked = state.locked_round == -1 if pol_round < 0 else state.locked_round <= pol_round
        good = candidate.accepted and (unlocked or state.locked == proposal.block_id)
        self._vote(PREVOTE, proposal.block_id if good else NIL)
        return True

    def _lock(self) -> bool:  # line 36
        state = self.state
        proposal = state.proposals.get(state.round)
        if proposal is None or state.step < Step.PREVOTE or state.valid_round == state.round:
            return False
        candidate = state.candidates.get(proposal.block_id)
        if candidate is None or not candidate.accepted or self._majority(state.round, PREVOTE) != proposal.block_id:
            return False
        self.state = replace(state, valid=proposal.block_id, valid_round=state.round)
        if state.step is Step.PREVOTE:
            self.state = replace(self.state, locked=proposal.block_id, locked_round=state.round)
            self._vote(PRECOMMIT, proposal.block_id)
        return True

    def _precommit_nil(self) -> bool:  # line 44
        if self.state.step is not Step.PREVOTE or self._majority(self.state.round, PREVOTE) != NIL:
            return False
        self._vote(PRECOMMIT, NIL)
        return True

    def _schedule_on_two_thirds(self, message_type: SignedMessageType, timer: Step) -> bool:  # lines 34 and 47
        state = self.state
        if (state.round, timer) in state.scheduled or (timer is Step.PREVOTE and state.step is not Step.PREVOTE):
            return False
        power = state.tally(state.round, message_type).power(state.validators)
        if not above_two_thirds(power, state.validators.total_voting_power):
            return False
        self.state = replace(state, scheduled=state.scheduled | {(state.round, timer)})
        self.effects.append(ScheduleTimeout(state.height, state.round, timer))
        return True

    def _vote(self, message_type: SignedMessageType, block_id: BlockId) -> None:
        state = self.state
        next_step = Step.PREVOTE if message_type is PREVOTE else Step.PRECOMMIT
        self.state = replace(state, step=next_step)
        for index, validator in enumerate(state.validators.validators):
            if validator.address == state.own_address:
                vote = Vote(
                    message_type,
                    state.height,
                    state.round,
                    block_id,
                    self._vote_time_ns(),
                    index,
                    validator.address,
                )
                self.effects.append(SignVote(vote))

    def _vote_time_ns(self) -> int:
        """The clock, but after the locked block, else the proposed one, else the last: so block time is monotone."""
        state = self.state
        proposal = state.proposals.get(state.round)
        about = state.locked or (None if proposal is None else proposal.block_id)
        candidate = None if about is None else state.candidates.get(about)
        block_time_ns = state.last_block_time_ns if candidate is None else candidate.block.header.time_ns
        return max(self.now_ns, block_time_ns + VOTE_TIME_IOTA_NS)
