"""Tendermint's rules as a pure function (`The latest gossip on BFT consensus`, arXiv:1807.04938, algorithm 1).

`step(state, event)` returns the next state and the effects to carry out. The driver owns sockets, timers, keys and
disk; this module decides. Line numbers in comments are those of algorithm 1.
"""

from dataclasses import replace

from hutong.light_clients.tendermint.types import BlockId, SignedMessageType
from hutong.relay.hub.consensus.proposals import proposal_is_signed
from hutong.relay.hub.consensus.recording import MAX_ROUND, MAX_ROUNDS_AHEAD, with_vote
from hutong.relay.hub.consensus.round_state import PRECOMMIT, PREVOTE, Candidate, Decision, RoundState
from hutong.relay.hub.consensus.types import (
    NIL,
    Block,
    BlockPrepared,
    BlockReceived,
    BlockWanted,
    Decided,
    Effect,
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
from hutong.relay.hub.consensus.validators import proposer_of
from hutong.relay.hub.consensus.votes import above_one_third, above_two_thirds

__all__ = ["MAX_ROUND", "MAX_ROUNDS_AHEAD", "RejectedBlockDecided", "RoundState", "step"]

VOTE_TIME_IOTA_NS = 1_000_000
"""A vote is at least a millisecond after the block that it is about (cometbft consensus/state.go voteTime)."""


class RejectedBlockDecided(Exception):
    """More than two thirds precommitted a block that this node refuses: it must halt, they or it are wrong."""

    def __init__(self, height: int, round_: int, block_id: BlockId) -> None:
        self.height, self.round, self.block_id = height, round_, block_id
        super().__init__(height, round_, block_id)

    def __str__(self) -> str:
        return f"more than two thirds decided block {self.block_id.hash.hex()} of height {self.height}, which this node refuses"


def step(state: RoundState, event: Event) -> tuple[RoundState, tuple[Effect, ...]]:
    """Apply one event: the next state, and the effects to carry out in their order.

    Events of other heights, unsigned or unknown ones change nothing. Time comes from the event alone.

    Raises:
        RejectedBlockDecided: more than two thirds decided a block that this node refuses; it must halt.
    """
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
        case BlockReceived():
            work.keep_content(event.block, event.block_id, event.accepted)
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
            previous=self._decision() if event.height == self.state.height + 1 else None,
        )
        self.effects.append(ScheduleTimeout(event.height, event.round, Step.NEW_HEIGHT))

    def _decision(self) -> Decision | None:
        state = self.state
        if state.decided is None:
            return None
        return Decision(state.height, state.round, state.decided, state.validators, state.tallies)

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
            previous = self.state.previous
            last_commit = None if previous is None else previous.commit()
            self.effects.append(PrepareBlock(self.state.height, round_, last_commit))
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
        known = proposal.round in self.state.proposals
        if proposal.height == self.state.height and not known and self._is_fit(proposal):
            self.state = replace(self.state, proposals={**self.state.proposals, proposal.round: proposal})
        # Content may be of use where the offer is not: the others may have decided a liar's second block.
        self.keep_content(event.block, event.block_id, event.accepted)

    def _is_fit(self, proposal: Proposal) -> bool:
        return (
            0 <= proposal.round <= min(MAX_ROUND, self.state.round + MAX_ROUNDS_AHEAD)
            and -1 <= proposal.pol_round < proposal.round
            and proposal_is_signed(self.state.chain_id, self.state.validators, proposal)
        )

    def keep_content(self, block: Block, block_id: BlockId, accepted: bool) -> None:
        """Only of blocks that are proposed, or that an honest validator voted for."""
        state = self.state
        if block.header.height != state.height or block_id in state.candidates or not self._is_named(block_id):
            return
        self.state = replace(state, candidates={**state.candidates, block_id: Candidate(block, accepted)})

    def _is_named(self, block_id: BlockId) -> bool:
        state = self.state
        if any(proposal.block_id == block_id for proposal in state.proposals.values()):
            return True
        total = state.validators.total_voting_power
        return any(above_one_third(t.power(state.validators, block_id), total) for t in state.tallies.values())

    def on_vote(self, vote: Vote) -> None:
        self.state, equivocations = with_vote(self.state, vote)
        self.effects.extend(equivocations)

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
            or self._ask_for_content()
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
            if block_id is None or candidate is None:
                continue
            if not candidate.accepted:
                raise RejectedBlockDecided(self.state.height, round_, block_id)
            self.state = replace(self.state, step=Step.COMMIT, round=round_, decided=block_id)
            commit = tally.commit(self.state.validators, block_id)
            self.effects.append(Decided(candidate.block, block_id, commit))
            return True
        return False

    def _catch_up(self) -> bool:  # line 55
        """To the newest round that an honest validator has reached: more than a third vote in it or beyond."""
        members = self.state.validators.validators
        newest: dict[int, int] = {}
        for (round_, _), tally in self.state.tallies.items():
            if round_ > self.state.round:
                newest |= {index: max(round_, newest.get(index, 0)) for index in tally.votes}
        for round_ in sorted(set(newest.values()), reverse=True):
            power = sum(members[index].voting_power for index, reached in newest.items() if reached >= round_)
            if above_one_third(power, self.state.validators.total_voting_power):
                self._start_round(round_)
                return True
        return False

    def _ask_for_content(self) -> bool:
        state = self.state
        for (round_, _), tally in state.tallies.items():
            block_id = tally.majority(state.validators)
            if block_id is None or block_id == NIL or block_id in state.candidates or block_id in state.wanted:
                continue
            self.state = replace(state, wanted=state.wanted | {block_id})
            self.effects.append(BlockWanted(state.height, round_, block_id))
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
        # A new block names its maker; one offered again was made by the proposer of the round that it was new in.
        proposer = proposer_of(state.validators, state.round).address
        own_work = pol_round >= 0 or candidate.block.header.proposer_address == proposer
        good = candidate.accepted and own_work and (unlocked or state.locked == proposal.block_id)
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
        """The clock, but after the locked block, else the proposed one, else the last: so block time is monotone.

        A refused block has whatever time its proposer likes, and votes for no block enter the median too.
        """
        state = self.state
        proposal = state.proposals.get(state.round)
        about = state.locked or (None if proposal is None else proposal.block_id)
        candidate = None if about is None else state.candidates.get(about)
        if candidate is None or not candidate.accepted:
            return max(self.now_ns, state.last_block_time_ns + VOTE_TIME_IOTA_NS)
        return max(self.now_ns, candidate.block.header.time_ns + VOTE_TIME_IOTA_NS)
