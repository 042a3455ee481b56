"""N validators over the pure transition function: schedules, partitions, crashes and liars, from a seed. No clock, no I/O."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from hutong.light_clients.tendermint.types import BlockId, Commit, KeyType, PublicKey, ValidatorSet
from hutong.relay.hub.consensus.blocks import (
    ChainTip,
    ConsensusParams,
    RevisionStart,
    block_id_of,
    check_block,
    genesis_tip,
    make_block,
)
from hutong.relay.hub.consensus.signing import LastSigned, next_signature
from hutong.relay.hub.consensus.transition import RoundState, step
from hutong.relay.hub.consensus.types import (
    EMPTY_COMMIT,
    Block,
    BlockPrepared,
    Decided,
    Equivocation,
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
from hutong.relay.hub.consensus.validators import advance_proposer, genesis_validators, with_changes
from hutong.relay.hub.consensus.votes import vote_bytes

CHAIN_ID = "sim-1"
START_NS = 1_700_000_000 * 10**9


def secret_of(number: int) -> bytes:
    return sha256(b"simulated validator %d" % number).digest()


def public_key_of(number: int) -> PublicKey:
    return PublicKey(KeyType.SECP256K1, secp256k1.public_key_of(secret_of(number)))


def signed_vote(secret: bytes, vote: Vote) -> Vote:
    digest = sign_digest(KeyType.SECP256K1, vote_bytes(CHAIN_ID, vote))
    return replace(vote, signature=secp256k1.sign(secret, digest))


def signed_proposal(secret: bytes, proposal: Proposal) -> Proposal:
    message = proposal_sign_bytes(
        CHAIN_ID, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, proposal.timestamp_ns
    )
    return replace(proposal, signature=secp256k1.sign(secret, sign_digest(KeyType.SECP256K1, message)))


@dataclass
class Node:
    """A validator: its round state, its chain, and its last-signed record (which survives a crash)."""

    number: int
    state: RoundState
    tip: ChainTip
    last_commit: Commit = EMPTY_COMMIT
    record: LastSigned = field(default_factory=LastSigned)
    decided: list[tuple[BlockId, Block]] = field(default_factory=list)
    equivocations: list[Equivocation] = field(default_factory=list)
    salt: int = 0
    """Makes the blocks of a liar differ."""


class Network:
    """All messages are kept and delivered in an order drawn from the seed; the test decides who is reachable."""

    def __init__(
        self,
        powers: list[int],
        seed: int,
        clock_skew_ns: int = 0,
        changes: Mapping[int, list[tuple[int, int]]] | None = None,
    ) -> None:
        """Nodes of power 0 only listen. `changes`: (node, power) by the height whose block changes the set."""
        self.rng = random.Random(seed)
        self.changes = {} if changes is None else changes
        validators = genesis_validators([(public_key_of(n), power) for n, power in enumerate(powers) if power])
        self.now_ns = START_NS
        self.skew = [self.rng.randint(-clock_skew_ns, clock_skew_ns) for _ in powers]
        self.nodes = []
        for number in range(len(powers)):
            tip = genesis_tip(
                RevisionStart(CHAIN_ID, START_NS, ConsensusParams(), 1),
                b"\x01" * 32,
                validators,
                advance_proposer(validators, 1),
            )
            state = RoundState(CHAIN_ID, public_key_of(number).address, 0, validators, START_NS)
            self.nodes.append(Node(number, state, tip))
        self.inbox: list[tuple[int, object]] = []
        self.timers: list[tuple[int, ScheduleTimeout]] = []
        self.silent: set[int] = set()
        for number in range(len(powers)):
            self.feed(number, HeightStarted(1, validators, START_NS, self.time(number)))

    def time(self, number: int) -> int:
        return self.now_ns + self.skew[number]

    def feed(self, number: int, event) -> None:
        node = self.nodes[number]
        node.state, effects = step(node.state, event)
        for effect in effects:
            self.carry_out(node, effect)

    def broadcast(self, sender: int, message) -> None:
        for number in range(len(self.nodes)):
            if number != sender:
                self.inbox.append((number, message))

    def carry_out(self, node: Node, effect) -> None:
        secret = secret_of(node.number)
        match effect:
            case ScheduleTimeout():
                self.timers.append((node.number, effect))
            case PrepareBlock():
                block = make_block(
                    node.tip, node.last_commit, (b"tx %d" % node.salt,), public_key_of(node.number).address
                )
                self.feed(
                    node.number,
                    BlockPrepared(effect.height, effect.round, block, block_id_of(block), self.time(node.number)),
                )
            case SignProposal():
                proposal = effect.proposal
                node.record, signed = next_signature(
                    node.record,
                    proposal.height,
                    proposal.round,
                    Step.PROPOSE,
                    proposal.timestamp_ns,
                    lambda at: proposal_sign_bytes(
                        CHAIN_ID, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, at
                    ),
                    lambda message: secp256k1.sign(secret, sign_digest(KeyType.SECP256K1, message)),
                )
                proposal = replace(proposal, timestamp_ns=signed.timestamp_ns, signature=signed.signature)
                message = (proposal, effect.block)
                self.broadcast(node.number, message)
                self.deliver(node.number, message)
            case SignVote():
                vote = effect.vote
                at = Step.PREVOTE if vote.message_type == 1 else Step.PRECOMMIT
                node.record, signed = next_signature(
                    node.record,
                    vote.height,
                    vote.round,
                    at,
                    vote.timestamp_ns,
                    lambda time_ns: vote_bytes(CHAIN_ID, replace(vote, timestamp_ns=time_ns)),
                    lambda message: secp256k1.sign(secret, sign_digest(KeyType.SECP256K1, message)),
                )
                vote = replace(vote, timestamp_ns=signed.timestamp_ns, signature=signed.signature)
                self.broadcast(node.number, vote)
                self.deliver(node.number, vote)
            case Decided():
                self.apply(node, effect)
            case Equivocation():
                node.equivocations.append(effect)

    def apply(self, node: Node, decided: Decided) -> None:
        header = decided.block.header
        check_block(node.tip, decided.block)
        node.decided.append((decided.block_id, decided.block))
        tip = node.tip
        node.tip = ChainTip(
            CHAIN_ID,
            header.height,
            decided.block_id,
            header.time_ns,
            sha256(tip.app_hash + decided.block_id.hash).digest(),
            tip.results_hash,
            tip.validators,
            tip.next_validators,
            self.next_validators(tip, header.height),
            tip.params,
            1,
        )
        node.last_commit = decided.commit
        self.feed(
            node.number,
            HeightStarted(header.height + 1, node.tip.validators, header.time_ns, self.time(node.number)),
        )

    def next_validators(self, tip: ChainTip, height: int) -> ValidatorSet:
        changes = [(public_key_of(number), power) for number, power in self.changes.get(height, ())]
        return advance_proposer(with_changes(tip.next_validators, changes), 1)

    def deliver(self, number: int, message) -> None:
        node = self.nodes[number]
        if isinstance(message, Vote):
            self.feed(number, VoteReceived(message, self.time(number)))
            return
        proposal, block = message
        try:
            check_block(node.tip, block)
            accepted = True
        except Exception:
            accepted = False
        self.feed(number, ProposalReceived(proposal, block, block_id_of(block), accepted, self.time(number)))

    def run(self, events: int, *, drop: float = 0.0) -> None:
        """Random messages first; a timer fires where nothing is left, or by chance. What comes early waits, what is lost is lost."""
        for _ in range(events):
            if self.inbox and (not self.timers or self.rng.random() < 0.97):
                number, message = self.inbox.pop(self.rng.randrange(len(self.inbox)))
                height = message.height if isinstance(message, Vote) else message[0].height
                if number in self.silent or self.rng.random() < drop:
                    continue
                if height > self.nodes[number].state.height:
                    self.inbox.append((number, message))
                    continue
                self.deliver(number, message)
            elif self.timers:
                index = self.rng.randrange(len(self.timers))
                number, timer = self.timers.pop(index)
                self.now_ns += 10_000_000
                if number not in self.silent:
                    self.feed(number, TimeoutElapsed(timer.height, timer.round, timer.step, self.time(number)))

    @property
    def heights(self) -> list[int]:
        return [len(node.decided) for node in self.nodes]

    def agreed(self) -> bool:
        """No two nodes have decided differently at any height."""
        for height in range(max(self.heights)):
            chosen = {node.decided[height][0] for node in self.nodes if len(node.decided) > height}
            if len(chosen) > 1:
                return False
        return True
