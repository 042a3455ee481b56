"""The consensus driver among peers: what they sent is judged here, one after the other, between own events and timers."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import trio

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.tendermint.hashing import header_hash, part_set_header
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, decode_certificate, is_certificate
from hutong.light_clients.tendermint.types import BlockId, Commit, SignedMessageType, ValidatorSet
from hutong.relay.hub.chain.ledger_evidence import EvidenceOutOfReach
from hutong.relay.hub.consensus.blocks import check_block, decode_block, encode_block
from hutong.relay.hub.consensus.commits import check_commit
from hutong.relay.hub.consensus.proposals import proposal_is_signed
from hutong.relay.hub.consensus.recording import MAX_ROUND, MAX_ROUNDS_AHEAD
from hutong.relay.hub.consensus.round_state import Decision, RoundState
from hutong.relay.hub.consensus.signing import DoubleSignRefused
from hutong.relay.hub.consensus.types import (
    Block,
    Equivocation,
    HeightStarted,
    Proposal,
    ProposalReceived,
    SignProposal,
    SignVote,
    Step,
    Vote,
    VoteReceived,
)
from hutong.relay.hub.consensus.votes import vote_is_signed
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.block_sync import WrongTurn, check_not_skipped_here, check_turn
from hutong.relay.hub.engine.driver import ConsensusDriver, DrivenValidator
from hutong.relay.hub.engine.following import SkippedHere
from hutong.relay.hub.engine.surroundings import SKIP_POLL_S, LookForSkip, why_waiting_for_skip
from hutong.relay.hub.halting import NodeMustHalt
from hutong.relay.hub.network.due_signatures import DueSignatures
from hutong.relay.hub.network.inbox import Received, ReceivedBlock, ReceivedProposal, ReceivedSkip, ReceivedVote
from hutong.relay.hub.network.link.messages import CommittedBlock
from hutong.relay.hub.network.score import Offence
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.telemetry import get_logger

MAX_EARLY = 2_048
MAX_EARLY_PROPOSALS = 2
CATCHING_UP_FOR_S = 1.5
"""Nothing is signed for so long after a committed block came from a peer that has more of them."""

MAX_PATIENCE = 8
ASK_PEERS_S = 10.0
"""Before a block that failed here is executed once more."""

_log = get_logger("consensus")


class KeyUsedElsewhere(NodeMustHalt):
    """Another process signs with this validator's key."""


class NetworkDisagrees(NodeMustHalt):
    """More than two thirds committed a block that does not follow from this node's state."""


class Peers(Protocol):
    """What the driver tells the network; none of it waits."""

    def voted(self, vote: Vote) -> None:
        """This validator signed a vote: it goes to every peer at once."""

    def proposed(self, proposal: Proposal, block: bytes) -> None:
        """This validator signed a proposal: it goes to every peer at once, with its encoded block."""

    def moved(self) -> None:
        """The height, round or step is another: peers are told where this node stands."""

    def highest(self) -> int:
        """The height that the furthest connected peer says it decides, 0 without peers. A claim."""

    def skip_came(self) -> None:
        """This node has a skip certificate that it had not."""


class NetworkDriver:
    """A validator's driver among peers: its `Surroundings`, and what peers and operators are told of it.

    `signed_before` is (height, round) of the last-signed record at start. `on_equivocation` is where evidence begins.
    `on_waiting` is told why no block comes for good, in one sentence.
    """

    def __init__(
        self,
        validator: DrivenValidator,
        peers: Peers,
        signed_before: tuple[int, int],
        on_equivocation: Callable[[Equivocation], None],
        on_waiting: Callable[[str], None],
    ) -> None:
        self._driver = ConsensusDriver(validator, self)
        self._validator = validator
        self._peers = peers
        self._signed_before = signed_before
        self._on_equivocation = on_equivocation
        self._on_waiting = on_waiting
        self._inbox: deque[Received] = deque()
        self._early: deque[ReceivedVote | ReceivedProposal] = deque(maxlen=MAX_EARLY)
        self._arrival = trio.lowlevel.ParkingLot()
        self._last_precommits: dict[int, Vote] = {}
        self._encoded: dict[BlockId, bytes] = {}
        self._caught_up_at = float("-inf")
        self._patience = 0
        self._said_of: set[bytes] = set()
        """Validators whose two votes were logged at this height."""
        self._position = (0, 0, Step.NEW_HEIGHT)
        self.set_aside: set[int] = set()
        """Rounds of this height whose proposal this node can say nothing about: it need not be sent again."""
        self.signatures_due = DueSignatures()

    async def run(self) -> None:
        """Take part until cancelled.

        Raises:
            KeyUsedElsewhere, NetworkDisagrees, SkippedHere: the node must halt, or follow the chain anew.
            UnknownRulesVersion, ExecutionFailed, SkipRefused, UnusableHome, StoreFull, OSError: as
                `ConsensusDriver.run`.
        """
        await self._driver.run()

    @property
    def state(self) -> RoundState:
        """Where the round stands; immutable, so that gossip may read it at any time."""
        return self._driver.state

    def encoded(self, block_id: BlockId) -> bytes | None:
        """A block that was proposed at this height, as it travels; None for any other."""
        found = self._encoded.get(block_id)
        candidate = self.state.candidates.get(block_id)
        if found is None and candidate is not None:
            found = self._encoded[block_id] = encode_block(candidate.block)  # of before a restart
        return found

    def post(self, received: Received) -> None:
        """Hand over what a peer sent.

        Never waits: the sender is bounded by its link, and `judge` is called once it is judged.
        """
        self._inbox.append(received)
        self._arrival.unpark()

    def signer_is_back(self) -> None:
        """Let what could not be signed, and is still of use, be signed now."""
        self.signatures_due.ask_again()
        self._arrival.unpark()

    # What the driver asks: `Surroundings`.

    async def attend(self, due_at_s: float) -> bool:
        """Sign what is due, else judge what came first, else wait for either until the timer is due.

        Raises:
            SkippedHere: a certificate came for the block that was executed last here.
        """
        skips = self._validator.skips
        if skips is not None and skips.executed_here is not None:
            raise SkippedHere(skips.executed_here)
        for effect in self.signatures_due.again(self.state):
            await self._driver.carry_out(effect)
        if self._driver.has_events:
            return True
        if due_at_s <= trio.current_time():
            return False
        if self._inbox:
            await self._judge(self._inbox.popleft())
        else:
            with trio.move_on_at(due_at_s):
                await self._arrival.park()
        return True

    @property
    def patience(self) -> int:
        """More after heights that took several rounds, 0 to MAX_PATIENCE."""
        return self._patience

    def earliest_start_s(self) -> float:
        """A node that catches up begins no height: a step that it passed without its vote could not be made up for."""
        return self._caught_up_at + CATCHING_UP_FOR_S if self._is_catching_up() else float("-inf")

    def _is_catching_up(self) -> bool:
        """Proven by blocks, not by what a peer says of its height: else one liar could silence everybody."""
        recent = trio.current_time() - self._caught_up_at < CATCHING_UP_FOR_S
        return recent and self._peers.highest() > self._validator.ledger.tip.height + 1

    def why_none(self, event: HeightStarted, own_address: bytes) -> str | None:
        """None: without a majority of its own a node waits for its peers, also where it is no validator."""
        return None

    async def rest(self, reason: str) -> None:
        """Peers that lack the last block see that it is here, and are answered."""
        self._on_waiting(reason)
        self._peers.moved()
        while True:
            while self._inbox:
                self._inbox.popleft().judge(None, "")
            await self._arrival.park()

    def only_listens(self, height: int) -> None:
        """Peers may still commit the height."""
        _log.warning(
            "nothing is signed at this height", height=height, reason="the log of what was signed there is gone"
        )

    def height_begins(self) -> None:
        """What came too early is judged now, and nothing is kept of the last height."""
        self._encoded.clear()
        self.set_aside.clear()
        self._said_of.clear()
        self._inbox.extendleft(reversed(self._early))
        self._early.clear()

    def stepped(self) -> None:
        """Peers are told of another height, round or step."""
        state = self.state
        if (state.height, state.round, state.step) != self._position:
            self._position = (state.height, state.round, state.step)
            self._peers.moved()

    def equivocated(self, effect: Equivocation) -> None:
        """It is evidence, and logged once a height and validator.

        Raises:
            KeyUsedElsewhere: one of the votes is signed by this validator's key.
        """
        vote = effect.second
        if vote.validator_address == self._validator.own_address:
            self._check_own(vote)
        if vote.validator_address not in self._said_of:
            self._said_of.add(vote.validator_address)
            _log.warning(
                "a validator signed two votes",
                validator=vote.validator_address.hex(),
                height=vote.height,
                round=vote.round,
                reason=f"{vote.message_type.name.lower()} for {_name(effect.first)} and for {_name(vote)}",
            )
        self._on_equivocation(effect)

    def voted(self, vote: Vote) -> None:
        """It goes to every peer at once."""
        self._peers.voted(vote)

    def proposed(self, proposal: Proposal, block: bytes) -> None:
        """It goes to every peer at once."""
        self._encoded[proposal.block_id] = block
        self._peers.proposed(proposal, block)

    def not_signed(self, effect: SignVote | SignProposal, error: DoubleSignRefused | SignerAway) -> None:
        """The others go on without this validator.

        A signer that is away is asked again. After a restart within a height what may have left before stands, and the
        next round is free.
        """
        if isinstance(error, SignerAway):
            self.signatures_due.put(effect, str(error))
            return
        asked = effect.vote if isinstance(effect, SignVote) else effect.proposal
        _log.info("not signed", height=asked.height, round=asked.round, reason=str(error))

    async def decided(self, height: int, commit: Commit) -> None:
        """The key takes no part in this height any more.

        Raises:
            OSError: that cannot be put on record.
        """
        self._last_precommits = dict(self.state.tally(commit.round, SignedMessageType.PRECOMMIT).votes)
        # Before the block is on disk: a record that is behind the chain looks like one that was rolled back.
        await self._driver.blocking(lambda: self._validator.signer.passed(height))
        self._patience = later_patience(self._patience, commit.round)

    async def skip_certificate(
        self, height: int, block_hash: bytes, look: LookForSkip, *, promised: bool
    ) -> SkipCertificate | None:
        """Peers may have it: asked for as long as it takes where it was promised, else before a block that failed here is
        tried again.
        """
        desk = self._validator.skips
        if desk is None:
            return None
        if promised:
            self._on_waiting(why_waiting_for_skip(height))
            found = await self._heard_of(desk, height, block_hash, look, float("inf"))
            if found is not None:
                return found
        guard = self._validator.ledger.guard
        marker = None if guard is None else guard.marker
        if marker is None or marker.block_hash != block_hash:
            return None
        if self._driver.abstains_at == height + 1 or marker.attempts == 0:
            return None
        return await self._heard_of(desk, height, block_hash, look, trio.current_time() + ASK_PEERS_S)

    # What peers sent.

    async def _judge(self, received: Received) -> None:
        match received:
            case ReceivedVote():
                await self._judge_vote(received)
            case ReceivedProposal():
                await self._judge_proposal(received)
            case ReceivedBlock():
                await self._judge_block(received)
            case ReceivedSkip():
                await self._judge_skip(received)

    def _keep_early(self, received: ReceivedVote | ReceivedProposal) -> None:
        proposals = sum(isinstance(item, ReceivedProposal) for item in self._early)
        if isinstance(received, ReceivedVote) or proposals < MAX_EARLY_PROPOSALS:
            self._early.append(replace(received, judge=_nobody))
        received.judge(None, "")

    def _is_far(self, round_: int) -> bool:
        return not 0 <= round_ <= min(MAX_ROUND, self.state.round + MAX_ROUNDS_AHEAD)

    async def _judge_vote(self, received: ReceivedVote) -> None:
        vote = received.vote
        previous = self.state.previous
        if previous is not None and vote.height == previous.height:
            await self._judge_late_vote(received, previous)
            return
        state = self.state
        if vote.height == state.height + 1:
            # Verified before it waits: what is judged at the next height is blamed on nobody.
            if not self._blamed(received, state.chain_id, self._validator.ledger.tip.next_validators):
                self._keep_early(received)
            return
        if vote.height != state.height:
            received.judge(None, "")
            return
        known = state.tally(vote.round, vote.message_type).votes.get(vote.validator_index)
        await self._driver.take(VoteReceived(vote, self._validator.now_ns()))
        if not self._counted(vote, state.height) and self._blamed(received, state.chain_id, state.validators):
            return
        received.judge(None, "")
        if known is None and vote.validator_address == self._validator.own_address:
            self._check_own(vote)

    async def _judge_late_vote(self, received: ReceivedVote, previous: Decision) -> None:
        """It enters the next block's commit, or is evidence."""
        vote = received.vote
        tally = previous.tallies.get((vote.round, vote.message_type))
        index = vote.validator_index
        if tally is None or not tally.holds(vote):
            if self._blamed(received, self.state.chain_id, previous.validators):
                return
            if tally is not None and index not in tally.conflicts and tally.vote_for(index, vote.block_id) is None:
                await self._driver.take(VoteReceived(vote, self._validator.now_ns()))
        received.judge(None, "")

    def _blamed(self, received: ReceivedVote, chain_id: str, validators: ValidatorSet) -> bool:
        """Also where its place is taken, or it would count nothing: nobody honest passes on what is not signed. At most one
        verification more a frame, and of frames a link has an allowance."""
        if vote_is_signed(chain_id, validators, received.vote):
            return False
        index = received.vote.validator_index
        received.judge(Offence.INVALID_SIGNATURE, f"a vote of validator {index} is not signed by it")
        return True

    def _counted(self, vote: Vote, height: int) -> bool:
        """The transition verifies each vote once; whether it was good shows in the tally."""
        return self.state.height != height or self.state.tally(vote.round, vote.message_type).holds(vote)

    def _check_own(self, vote: Vote) -> None:
        if (vote.height, vote.round) > self._signed_before:
            raise KeyUsedElsewhere(
                f"a {vote.message_type.name.lower()} of height {vote.height} round {vote.round} carries this validator's"
                f" signature and was not made here: the consensus key {vote.validator_address.hex().upper()} is used by"
                " another home"
            )

    async def _judge_proposal(self, received: ReceivedProposal) -> None:
        proposal, raw = received.proposal, received.block
        state = self.state
        if proposal.height == state.height + 1:
            self._judge_early_proposal(received)
            return
        known = proposal.height != state.height or proposal.round in (*state.proposals, *self.set_aside)
        if known or self._is_far(proposal.round) or proposal.pol_round >= proposal.round:
            received.judge(None, "")
            return
        candidate = state.candidates.get(proposal.block_id)

        def examined() -> tuple[Block, bool] | None:
            if not proposal_is_signed(state.chain_id, state.validators, proposal):
                return None
            if part_set_header(raw) != proposal.block_id.part_set_header:
                raise MalformedInput("proposal.block", "is not the block that was signed")
            if candidate is not None:
                return candidate.block, candidate.accepted
            block = decode_block(raw)
            if header_hash(block.header) != proposal.block_id.hash:
                raise MalformedInput("proposal.block", "has another hash than the one that was signed")
            return block, self._accepts(block)

        try:
            result = await self._driver.blocking(examined)
        except EvidenceOutOfReach as error:
            # Neither for nor against it: if the others commit it, it comes as a committed block.
            _log.warning("a proposed block is refused", height=proposal.height, reason=str(error))
            self.set_aside.add(proposal.round)
            received.judge(None, "")
            return
        except VerificationError as error:
            received.judge(Offence.INVALID_BLOCK, str(error))
            return
        if result is None:
            received.judge(Offence.INVALID_SIGNATURE, f"a proposal of round {proposal.round} is not its proposer's")
            return
        received.judge(None, "")
        block, accepted = result
        self._encoded.setdefault(proposal.block_id, raw)
        await self._driver.take(
            ProposalReceived(proposal, block, proposal.block_id, accepted, self._validator.now_ns())
        )

    def _judge_early_proposal(self, received: ReceivedProposal) -> None:
        """Its places are few: whoever filled them would make others wait for the real one."""
        proposal = received.proposal
        if proposal.round > MAX_ROUNDS_AHEAD:
            received.judge(None, "")
        elif proposal_is_signed(self.state.chain_id, self._validator.ledger.tip.next_validators, proposal):
            self._keep_early(received)
        else:
            received.judge(Offence.INVALID_SIGNATURE, f"a proposal of round {proposal.round} is not its proposer's")

    def _accepts(self, block: Block) -> bool:
        """A proposer may be wrong without its peers knowing: then the block is refused, nobody is blamed."""
        try:
            return self._validator.ledger.accepts(block, self._last_precommits)
        except EvidenceOutOfReach:
            raise
        except MalformedInput as error:
            _log.warning("a proposed block is refused", height=block.header.height, reason=str(error))
            return False

    async def _judge_block(self, received: ReceivedBlock) -> None:
        message, state = received.message, self.state
        if message.height != state.height or state.step is Step.COMMIT:
            received.judge(None, "")
            return

        def examined() -> tuple[Block, BlockId]:
            block = decode_block(message.block)
            block_id = BlockId(header_hash(block.header), part_set_header(message.block))
            seen = state.tally(message.commit.round, SignedMessageType.PRECOMMIT).votes
            check_commit(state.chain_id, state.validators, state.height, block_id, message.commit, seen)
            return block, block_id

        try:
            block, block_id = await self._driver.blocking(examined)
        except VerificationError as error:
            received.judge(Offence.INVALID_BLOCK, f"its block {message.height}: {error}")
            return
        received.judge(None, "")
        try:
            check_block(self._validator.ledger.tip, block)
        except MalformedInput as error:
            await self._driver.blocking(lambda: self._require_executed(block))
            raise NetworkDisagrees(
                f"more than two thirds committed block {message.height}, which does not follow from this node's state: {error}"
            ) from error
        try:
            check_turn(state.validators, block, message.commit.round)
        except WrongTurn as error:
            # It would refuse honest proposals and make others refuse its own, each blaming the other.
            raise NetworkDisagrees(
                f"{error}: the peer that served this node's snapshot gave it false priorities; run `hutong hub join`"
                " again, which begins without them"
            ) from error
        self._caught_up_at = trio.current_time()
        await self._driver.apply(block, block_id, message.commit)

    async def _judge_skip(self, received: ReceivedSkip) -> None:
        """In the order in which it came, so that it is there before the block that it is about."""
        desk, took = self._validator.skips, False
        if desk is not None:
            try:
                took = await self._driver.blocking(lambda: desk.offer(received.certificate))
            except PredicateFailed as error:
                received.judge(Offence.INVALID_SIGNATURE, str(error))
                return
        received.judge(None, "")
        if took:
            self._peers.skip_came()

    def _require_executed(self, successor: Block) -> None:
        """Raises SkippedHere where the committed successor of the tip shows that the tip counts as empty; the certificate is
        kept for the next start."""
        try:
            check_not_skipped_here(self._validator.ledger, successor)
        except SkippedHere as error:
            if self._validator.skips is not None:
                self._validator.skips.offer(error.certificate)
            raise

    async def _heard_of(
        self, desk: SkipDesk, height: int, block_hash: bytes, look: LookForSkip, until_s: float
    ) -> SkipCertificate | None:
        """The certificate; None at that time, or where the next block is committed over the executed state, so that there is
        none and this key has no part in that block."""
        while trio.current_time() < until_s:
            while self._inbox:
                received = self._inbox.popleft()
                if isinstance(received, ReceivedSkip):
                    await self._judge_skip(received)
                    continue
                over_executed = isinstance(received, ReceivedBlock) and await self._goes_on(desk, received.message)
                received.judge(None, "")
                if over_executed:
                    if desk.forbids(height, block_hash):
                        self._driver.abstain_at(height + 1)
                    return None
            found = await look()
            if found is not None:
                return found
            with trio.move_on_after(SKIP_POLL_S):
                await self._arrival.park()
        return None

    async def _goes_on(self, desk: SkipDesk, message: CommittedBlock) -> bool:
        """Whether it is the committed successor of the waiting block, over the executed state. Of one over the skipped state the
        certificate is taken."""
        tip = self._validator.ledger.tip
        if message.height != tip.height + 2:
            return False

        def judged() -> bool:
            try:
                block = decode_block(message.block)
                block_id = BlockId(header_hash(block.header), part_set_header(message.block))
                check_commit(tip.chain_id, tip.next_validators, message.height, block_id, message.commit)
                if block.transactions and is_certificate(block.transactions[0]):
                    desk.offer(decode_certificate(block.transactions[0]))
                    return False
            except VerificationError:
                return False
            return True

        return await self._driver.blocking(judged)


def later_patience(patience: int, round_: int) -> int:
    """Rounds by whose growth the timeouts of the next height begin, 0 to MAX_PATIENCE; `round_` decided the last one.

    More after a height that took several, so that a slow network or machine does not learn it anew each time; fewer
    after each that took one. One absent proposer is no reason.
    """
    return min(MAX_PATIENCE, patience + round_ - 1) if round_ > 1 else max(0, patience - 1)


def _nobody(_offence: Offence | None, _reason: str) -> None:
    """What came too early is not blamed on anyone later."""


def _name(vote: Vote) -> str:
    return vote.block_id.hash.hex()[:16] or "no block"
