"""One validator of four under test, and the signed messages of the other three, given by hand."""

from dataclasses import replace

from hutong.light_clients.tendermint.types import BlockId, SignedMessageType
from hutong.relay.hub.consensus.blocks import (
    ChainTip,
    ConsensusParams,
    RevisionStart,
    block_id_of,
    genesis_tip,
    make_block,
)
from hutong.relay.hub.consensus.round_state import RoundState
from hutong.relay.hub.consensus.transition import step
from hutong.relay.hub.consensus.types import (
    EMPTY_COMMIT,
    Block,
    BlockReceived,
    Effect,
    HeightStarted,
    Proposal,
    ProposalReceived,
    SignVote,
    Step,
    TimeoutElapsed,
    Vote,
    VoteReceived,
)
from hutong.relay.hub.consensus.validators import advance_proposer, genesis_validators, proposer_of
from tests.relay.hub.consensus.consensus_simulator import (
    CHAIN_ID,
    START_NS,
    public_key_of,
    secret_of,
    signed_proposal,
    signed_vote,
)

PREVOTE, PRECOMMIT = SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT


class Table:
    """Validators by number in the set's order; number 0 is under test and proposes in no round below 3."""

    def __init__(self, members: int = 4) -> None:
        secrets = {public_key_of(number).address: secret_of(number) for number in range(members)}
        self.validators = genesis_validators([(public_key_of(number), 1) for number in range(members)])
        self.secrets = secrets
        turns = [proposer_of(self.validators, round_).address for round_ in range(members)]
        self.me = turns[-1]
        self.others = [address for address in turns if address != self.me]
        self.tip: ChainTip = genesis_tip(
            RevisionStart(CHAIN_ID, START_NS, ConsensusParams(), 1),
            b"\x01" * 32,
            self.validators,
            advance_proposer(self.validators, 1),
        )
        self.state = RoundState(CHAIN_ID, self.me, 0, self.validators, START_NS)
        self.now_ns = START_NS + 10**9
        self.feed(HeightStarted(1, self.validators, START_NS, self.now_ns))
        self.feed(TimeoutElapsed(1, 0, Step.NEW_HEIGHT, self.now_ns))

    def feed(self, event) -> list[Effect]:
        """Effects of the event and, since own votes come back, of those."""
        self.state, effects = step(self.state, event)
        found = list(effects)
        for effect in effects:
            if isinstance(effect, SignVote):
                found += self.feed(VoteReceived(signed_vote(self.secrets[self.me], effect.vote), self.now_ns))
        return found

    def block(self, tag: bytes, round_: int = 0) -> Block:
        return make_block(self.tip, EMPTY_COMMIT, (tag,), proposer_of(self.validators, round_).address)

    def proposal(
        self, block: Block, round_: int, pol_round: int = -1, *, content: Block | None = None, accepted: bool = True
    ) -> ProposalReceived:
        proposal = Proposal(1, round_, pol_round, block_id_of(block), self.now_ns)
        secret = self.secrets[proposer_of(self.validators, round_).address]
        sent = block if content is None else content
        return ProposalReceived(signed_proposal(secret, proposal), sent, block_id_of(sent), accepted, self.now_ns)

    def content(self, block: Block, *, accepted: bool = True) -> BlockReceived:
        return BlockReceived(block, block_id_of(block), accepted, self.now_ns)

    def vote(self, address: bytes, kind: SignedMessageType, round_: int, block_id: BlockId, height: int = 1) -> Vote:
        index = next(i for i, v in enumerate(self.validators.validators) if v.address == address)
        unsigned = Vote(kind, height, round_, block_id, self.now_ns, index, address)
        return signed_vote(self.secrets[address], unsigned)

    def votes(self, kind: SignedMessageType, round_: int, block_id: BlockId, voters: int = 2) -> list[Effect]:
        """Of the first `voters` others."""
        return [
            effect
            for address in self.others[:voters]
            for effect in self.feed(VoteReceived(self.vote(address, kind, round_, block_id), self.now_ns))
        ]

    def timeout(self, at: Step) -> list[Effect]:
        return self.feed(TimeoutElapsed(1, self.state.round, at, self.now_ns))

    def next_round(self) -> None:
        """Nobody agrees on anything and the round ends."""
        self.timeout(Step.PROPOSE)
        self.timeout(Step.PREVOTE)
        round_ = self.state.round
        self.timeout(Step.PRECOMMIT)
        assert self.state.round == round_ + 1


def own_votes(effects: list[Effect]) -> list[tuple[SignedMessageType, int, BlockId]]:
    return [
        (effect.vote.message_type, effect.vote.round, effect.vote.block_id)
        for effect in effects
        if isinstance(effect, SignVote)
    ]


def retimed(vote: Vote, secret: bytes, timestamp_ns: int) -> Vote:
    """The same vote signed again at another time."""
    return signed_vote(secret, replace(vote, timestamp_ns=timestamp_ns, signature=b""))
