"""An honest validator: driver, disk and gossip of a simulated node around the real rules."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from hutong.light_clients.tendermint.types import BlockId, Commit, KeyType, SignedMessageType
from hutong.relay.hub.consensus.blocks import ChainTip, block_id_of, check_block, make_block
from hutong.relay.hub.consensus.replay import resume
from hutong.relay.hub.consensus.round_state import RoundState
from hutong.relay.hub.consensus.signing import LastSigned, Signed, next_signature
from hutong.relay.hub.consensus.transition import step
from hutong.relay.hub.consensus.types import (
    EMPTY_COMMIT,
    Block,
    BlockPrepared,
    BlockReceived,
    BlockWanted,
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
from hutong.relay.hub.consensus.validators import advance_proposer
from hutong.relay.hub.consensus.votes import vote_bytes
from tests.relay.hub.simulation.keys import public_key_of, secret_of
from tests.relay.hub.simulation.messages import Content, DecidedBlock, Message, Offer, Status, votes_of
from tests.relay.hub.simulation.schedule import MS

if TYPE_CHECKING:
    from tests.relay.hub.simulation.network import Network

CHAIN_ID = "sim-1"
BLOCK_INTERVAL_NS = 500 * MS
TIMEOUTS_NS = {Step.PROPOSE: 600 * MS, Step.PREVOTE: 200 * MS, Step.PRECOMMIT: 200 * MS}
GROWTH_NS = 150 * MS
MAX_SENT_AT_ONCE = 40


class CrashNow(Exception):
    """The schedule lets the validator crash at this signature."""


class Validator:
    """`place` is its number among the network's endpoints; twins share `number`."""

    honest = True

    def __init__(self, network: "Network", place: int, number: int, tip: ChainTip) -> None:
        self.network, self.place, self.number = network, place, number
        self.address = public_key_of(number).address
        self.peers: list[int] = []
        # On disk:
        self.tip = tip
        self.chain: list[Decided] = []
        self.record = LastSigned()
        self.log: list[Event] = []
        self.synced = 0
        # Lost in a crash:
        self.up = True
        self.lives = 0
        self.events: deque[Event] = deque()
        self.logs = True
        self.abstains_at: int | None = None
        self.crash_at_signature = 0
        self.content: dict[BlockId, Block] = {}
        self.accused: list[Equivocation] = []
        self.blocks_made = 0
        self.state = self._before_height()

    def _before_height(self) -> RoundState:
        return RoundState(CHAIN_ID, self.address, self.tip.height, self.tip.validators, self.tip.time_ns)

    @property
    def height(self) -> int:
        return self.tip.height

    def now_ns(self) -> int:
        return self.network.host_time_ns(self.number)

    # --- life

    def start(self) -> None:
        self.run(HeightStarted(self.height + 1, self.tip.validators, self.tip.time_ns, self.now_ns()))

    def crash(self, *, log_lost: bool) -> None:
        """What was not synced is on disk up to some point."""
        self.up, self.lives = False, self.lives + 1
        kept = 0 if log_lost else self.network.rng.randint(self.synced, len(self.log))
        self.log = self.log[:kept]
        self.synced = kept
        self.events.clear()
        self.content.clear()
        self.crash_at_signature = 0
        if self.network.forgets_records:
            self.record = LastSigned()

    def restart(self) -> None:
        self.up = True
        resumed = resume(self._before_height(), self.log, self.record)
        self.abstains_at = None if resumed.signs else self.height + 1
        self.logs = resumed.signs
        if resumed.signs and self.log:
            self.state = resumed.state
            self.content = {key: item.block for key, item in self.state.candidates.items()}
            try:
                for effect in resumed.effects:
                    self.carry_out(effect)
                self._drain()
            except CrashNow:
                self.network.crash(self)
            return
        self.log, self.synced = [], 0
        self.state = self._before_height()
        self.start()

    # --- events

    def run(self, event: Event) -> None:
        self.events.append(event)
        try:
            self._drain()
        except CrashNow:
            self.network.crash(self)

    def _drain(self) -> None:
        while self.events:
            event = self.events.popleft()
            if isinstance(event, HeightStarted):
                if event.height > self.state.height:
                    self.logs = event.height != self.abstains_at
                    self.state = replace(self.state, own_address=self.address if self.logs else None)
                    self.log, self.synced = [], 0
                    self.content.clear()
            if self.logs:
                self.log.append(event)
            self.state, effects = step(self.state, event)
            for effect in effects:
                self.carry_out(effect)

    def carry_out(self, effect: Effect) -> None:
        match effect:
            case ScheduleTimeout():
                self.network.after(self._duration_ns(effect), self, self.on_timer, self.lives, effect)
            case PrepareBlock():
                block = self.make_block(effect.last_commit)
                self.events.append(BlockPrepared(effect.height, effect.round, block, block_id_of(block), self.now_ns()))
            case SignProposal():
                proposal = self.sign_proposal(effect.proposal)
                self.send_offer(Offer(proposal, effect.block, proposal.block_id))
            case SignVote():
                self.send_vote(self.sign_vote(effect.vote))
            case Decided():
                self.apply(effect)
            case Equivocation():
                self.accused.append(effect)
            case BlockWanted():
                pass  # in the next status

    def _duration_ns(self, effect: ScheduleTimeout) -> int:
        if effect.step is Step.NEW_HEIGHT:
            return BLOCK_INTERVAL_NS
        return TIMEOUTS_NS[effect.step] + GROWTH_NS * effect.round

    def on_timer(self, life: int, effect: ScheduleTimeout) -> None:
        if self.up and life == self.lives:
            self.run(TimeoutElapsed(effect.height, effect.round, effect.step, self.now_ns()))

    def make_block(self, last_commit: Commit | None) -> Block:
        self.blocks_made += 1
        if last_commit is None:
            last_commit = self.chain[-1].commit if self.chain else EMPTY_COMMIT
        tag = b"%d.%d.%d" % (self.number, self.place, self.blocks_made)
        return make_block(self.tip, last_commit, (tag,), self.address)

    def apply(self, decided: Decided) -> None:
        check_block(self.tip, decided.block)
        header, tip = decided.block.header, self.tip
        self.chain.append(decided)
        self.tip = ChainTip(
            CHAIN_ID,
            header.height,
            decided.block_id,
            header.time_ns,
            self.app_hash_after(decided),
            tip.results_hash,
            tip.validators,
            tip.next_validators,
            advance_proposer(tip.next_validators, 1),
            tip.params,
            tip.app_version,
        )
        self.network.decided(self, decided)
        self.events.append(HeightStarted(header.height + 1, self.tip.validators, header.time_ns, self.now_ns()))

    def app_hash_after(self, decided: Decided) -> bytes:
        return sha256(self.tip.app_hash + decided.block_id.hash).digest()

    # --- signatures

    def sign_vote(self, vote: Vote) -> Vote:
        at = Step.PREVOTE if vote.message_type == 1 else Step.PRECOMMIT
        signed = self._sign(
            vote.height,
            vote.round,
            at,
            vote.timestamp_ns,
            lambda time_ns: vote_bytes(CHAIN_ID, replace(vote, timestamp_ns=time_ns)),
        )
        self.network.signed(self, vote.height, vote.round, at, vote.block_id)
        self._crash_after_signature()
        return replace(vote, timestamp_ns=signed.timestamp_ns, signature=signed.signature)

    def sign_proposal(self, proposal: Proposal) -> Proposal:
        signed = self._sign(
            proposal.height,
            proposal.round,
            Step.PROPOSE,
            proposal.timestamp_ns,
            lambda time_ns: proposal_sign_bytes(
                CHAIN_ID, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, time_ns
            ),
        )
        self.network.signed(self, proposal.height, proposal.round, Step.PROPOSE, proposal.block_id)
        self._crash_after_signature()
        return replace(proposal, timestamp_ns=signed.timestamp_ns, signature=signed.signature)

    def _sign(self, height, round_, at, timestamp_ns, sign_bytes_at) -> Signed:
        if self.crash_at_signature == -1:
            raise CrashNow
        self.synced = len(self.log)
        self.record, signed = next_signature(
            self.record,
            height,
            round_,
            at,
            timestamp_ns,
            sign_bytes_at,
            lambda message: secp256k1.sign(secret_of(self.number), sign_digest(KeyType.SECP256K1, message)),
        )
        return signed

    def _crash_after_signature(self) -> None:
        if self.crash_at_signature == 1:
            raise CrashNow

    # --- messages

    def send_offer(self, offer: Offer) -> None:
        self.content[offer.block_id] = offer.block
        self.network.broadcast(self, offer)
        self.events.append(self._received(offer))

    def send_vote(self, vote: Vote) -> None:
        self.network.broadcast(self, vote)
        self.events.append(VoteReceived(vote, self.now_ns()))

    def _received(self, offer: Offer) -> ProposalReceived:
        accepted = self.accepts(offer.block, offer.block_id)
        return ProposalReceived(offer.proposal, offer.block, offer.block_id, accepted, self.now_ns())

    def accepts(self, block: Block, block_id: BlockId) -> bool:
        tip = (self.tip.block_id, self.tip.app_hash)
        known = self.network.verdicts.get((tip, block_id))
        if known is None:
            try:
                check_block(self.tip, block)
                known = True
            except MalformedInput:
                known = False
            self.network.verdicts[tip, block_id] = known
        return known

    def receive(self, sender: int, message: Message) -> None:
        match message:
            case Offer():
                if message.proposal.height == self.state.height:
                    self.content[message.block_id] = message.block
                    self.run(self._received(message))
            case Vote():
                if message.height in (self.state.height, self.state.height - 1):
                    known = self.state.tally(message.round, message.message_type).votes.get(message.validator_index)
                    if known != message:
                        self.run(VoteReceived(message, self.now_ns()))
            case DecidedBlock():
                if message.block.header.height == self.state.height == self.height + 1:
                    for vote in votes_of(message.commit, self.tip.validators):
                        self.run(VoteReceived(vote, self.now_ns()))
                    self._take_content(message.block, message.block_id)
            case Content():
                self._take_content(message.block, message.block_id)
            case Status():
                self.answer(sender, message)

    def _take_content(self, block: Block, block_id: BlockId) -> None:
        if self.up and block.header.height == self.state.height == self.height + 1:
            self.content[block_id] = block
            self.run(BlockReceived(block, block_id, self.accepts(block, block_id), self.now_ns()))

    # --- gossip

    def status(self) -> Status:
        state = self.state
        return Status(
            state.height,
            frozenset(state.proposals),
            frozenset((*key, vote.validator_index, vote.block_id) for key, vote in self._votes()),
            state.wanted - set(state.candidates),
        )

    def _votes(self) -> Iterator[tuple[tuple[int, SignedMessageType], Vote]]:
        for key, tally in self.state.tallies.items():
            for index, vote in tally.votes.items():
                yield key, vote
                for conflict in tally.conflicts.get(index, ()):
                    yield key, conflict

    def answer(self, asker: int, status: Status) -> None:
        state = self.state
        if status.height <= self.height:
            if 1 <= status.height:
                decided = self.chain[status.height - 1]
                self.network.send(self, asker, DecidedBlock(decided.block, decided.block_id, decided.commit))
            return
        if status.height != state.height:
            return
        lacking: list[Message] = [
            Offer(proposal, self.content[proposal.block_id], proposal.block_id)
            for round_, proposal in state.proposals.items()
            if round_ not in status.proposals and proposal.block_id in self.content
        ]
        lacking += [
            vote for key, vote in self._votes() if (*key, vote.validator_index, vote.block_id) not in status.votes
        ]
        lacking += [Content(self.content[key], key) for key in status.wanted if key in self.content]
        for message in lacking[:MAX_SENT_AT_ONCE]:
            self.network.send(self, asker, message)
