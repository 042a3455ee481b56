"""What a proposal's signature is over, and whether it is its proposer's."""

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from hutong.light_clients.tendermint.types import KeyType, ValidatorSet
from hutong.relay.hub.consensus.types import Proposal
from hutong.relay.hub.consensus.validators import proposer_of


def proposal_bytes(chain_id: str, proposal: Proposal) -> bytes:
    """The canonical proposal (cometbft types/canonical.go), before it is hashed."""
    return proposal_sign_bytes(
        chain_id, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, proposal.timestamp_ns
    )


def proposal_is_signed(chain_id: str, validators: ValidatorSet, proposal: Proposal) -> bool:
    """Whether the proposer of its round signed it.

    `validators` is the set of round 0 of its height (cometbft types/proposal.go).

    Raises:
        ValueError: the set names no proposer.
    """
    digest = sign_digest(KeyType.SECP256K1, proposal_bytes(chain_id, proposal))
    proposer = proposer_of(validators, proposal.round)
    return secp256k1.verify_low_s(proposer.public_key.data, digest, proposal.signature)
