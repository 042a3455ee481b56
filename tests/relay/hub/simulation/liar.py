"""Validators that break the rules on purpose."""

from dataclasses import replace

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from hutong.light_clients.tendermint.types import BlockId, KeyType
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.types import NIL, Event, Proposal, Vote, VoteReceived
from hutong.relay.hub.consensus.votes import vote_bytes
from tests.relay.hub.simulation.keys import secret_of
from tests.relay.hub.simulation.messages import Message, Offer, Status
from tests.relay.hub.simulation.schedule import Mode
from tests.relay.hub.simulation.validator import CHAIN_ID, Validator

MAX_KEPT = 60


class Liar(Validator):
    """Signs what it is asked to, with no record. A pair of twins is two of these."""

    honest = False

    def __init__(self, network, place, number, tip, mode: Mode) -> None:
        super().__init__(network, place, number, tip)
        self.mode = mode
        self.seen: list[Message] = []

    def start(self) -> None:
        if self.mode is not Mode.SILENT:
            super().start()

    def run(self, event: Event) -> None:
        if self.mode is Mode.SILENT:
            return
        if self.mode is Mode.FORGETFUL:
            self.state = replace(self.state, locked=None, locked_round=-1, valid=None, valid_round=-1)
        super().run(event)

    def sign_vote(self, vote: Vote) -> Vote:
        digest = sign_digest(KeyType.SECP256K1, vote_bytes(CHAIN_ID, vote))
        return replace(vote, signature=secp256k1.sign(secret_of(self.number), digest))

    def sign_proposal(self, proposal: Proposal) -> Proposal:
        message = proposal_sign_bytes(
            CHAIN_ID, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, proposal.timestamp_ns
        )
        signature = secp256k1.sign(secret_of(self.number), sign_digest(KeyType.SECP256K1, message))
        return replace(proposal, signature=signature)

    def send_vote(self, vote: Vote) -> None:
        if self.mode is Mode.EQUIVOCATES:
            other = self.sign_vote(replace(vote, block_id=self._another(vote.block_id), signature=b""))
            self._send_halves(vote, other)
            self.events.append(VoteReceived(vote, self.now_ns()))
            return
        super().send_vote(vote)
        if self.mode is Mode.STALE:
            self._send_stale(vote)

    def send_offer(self, offer: Offer) -> None:
        if self.mode is Mode.EQUIVOCATES:
            block = self.make_block(offer.block.last_commit)
            block_id = block_id_of(block)
            self.content[block_id] = block
            second = Offer(
                self.sign_proposal(replace(offer.proposal, block_id=block_id, pol_round=-1, signature=b"")),
                block,
                block_id,
            )
            self._send_halves(offer, second)
            self.content[offer.block_id] = offer.block
            self.events.append(self._received(offer))
            return
        if self.mode is Mode.STALE and offer.proposal.round > 0:
            claimed = self.network.rng.randrange(-1, offer.proposal.round)
            proposal = self.sign_proposal(replace(offer.proposal, pol_round=claimed, signature=b""))
            offer = Offer(proposal, offer.block, offer.block_id)
        super().send_offer(offer)

    def _send_halves(self, first: Message, second: Message) -> None:
        for peer in self.peers:
            self.network.send(self, peer, first if self.network.rng.random() < 0.5 else second)

    def _another(self, block_id: BlockId) -> BlockId:
        choices = [key for key in (NIL, *self.content) if key != block_id]
        return self.network.rng.choice(choices) if choices else NIL

    def _send_stale(self, vote: Vote) -> None:
        rng = self.network.rng
        for _ in range(2):
            old = replace(
                vote,
                round=rng.randint(0, vote.round),
                block_id=rng.choice([NIL, *self.content]),
                signature=b"",
            )
            self.seen.append(self.sign_vote(old))
        for message in rng.sample(self.seen, min(3, len(self.seen))):
            self.network.send(self, rng.choice(self.peers), message)

    def receive(self, sender: int, message: Message) -> None:
        if self.mode is Mode.STALE and not isinstance(message, Status) and len(self.seen) < MAX_KEPT:
            self.seen.append(message)
        if self.mode is not Mode.SILENT:
            super().receive(sender, message)
