"""Whether a proposal is its proposer's."""

from light_clients.crypto import secp256k1
from light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from light_clients.tendermint.types import KeyType, ValidatorSet
from relay.hub.consensus.types import Proposal
from relay.hub.consensus.validators import proposer_of


def proposal_is_signed(chain_id: str, validators: ValidatorSet, proposal: Proposal) -> bool:
    """By the proposer of its round; `validators` is the set of round 0 of its height (cometbft types/proposal.go)."""
    message = proposal_sign_bytes(
        chain_id, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, proposal.timestamp_ns
    )
    proposer = proposer_of(validators, proposal.round)
    return secp256k1.verify_low_s(proposer.public_key.data, sign_digest(KeyType.SECP256K1, message), proposal.signature)
