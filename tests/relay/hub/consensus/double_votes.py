"""A simulated hub's validator that votes twice, and blocks that carry the proof."""

from dataclasses import replace

from hutong.light_clients.tendermint.hashing import sign_digest
from hutong.light_clients.tendermint.types import BlockId, KeyType
from hutong.relay.hub.consensus.blocks import block_id_of, make_block
from hutong.relay.hub.consensus.types import NIL, Equivocation, Vote
from hutong.relay.hub.consensus.votes import Tally, vote_bytes
from tests.relay.hub.consensus.consensus_table import PRECOMMIT
from tests.relay.hub.simulated_hub import VALIDATOR, SimulatedHub


def double_vote_at(hub: SimulatedHub, height: int) -> Equivocation:
    """The hub's one validator voted for no block as well."""
    stored = hub.ledger.records.block(height)
    [validator] = hub.ledger.records.validators(height).validators

    def vote(block_id: BlockId) -> Vote:
        unsigned = Vote(PRECOMMIT, height, 0, block_id, stored.block.header.time_ns + 1, 0, validator.address)
        digest = sign_digest(KeyType.SECP256K1, vote_bytes(hub.genesis.chain_id, unsigned))
        return replace(unsigned, signature=VALIDATOR.sign(digest))

    return Equivocation(vote(stored.block_id), vote(NIL))


def advance_with(hub: SimulatedHub, evidence: tuple[bytes, ...]) -> None:
    ledger = hub.ledger
    proposer = ledger.tip.validators.proposer.address
    block = make_block(ledger.tip, ledger.last_commit(), (), proposer, evidence)
    assert ledger.accepts(block)
    [(_, vote)] = hub.votes(block.header.height, block_id_of(block), block.header.time_ns + 10**9)
    ledger.apply(block, block_id_of(block), Tally({0: vote}).commit(ledger.tip.validators, block_id_of(block)))
