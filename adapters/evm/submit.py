"""What HubClient.sol takes: 07-tendermint headers and ICS-23 proofs in its ABI encodings (docs/spec/hub-client.md)."""

from functools import cache

from hutong.adapters.evm.hub_client import (
    encode_membership_proof,
    encode_misbehaviour,
    encode_non_membership_proof,
    encode_update,
)
from hutong.adapters.ics26.reverts import RevertReader, definitions_of
from hutong.contracts.artifacts import artifact_names, load_artifact
from hutong.light_clients.tendermint.codec import decode_misbehaviour, decode_tendermint_header


def header_to_abi(header: bytes) -> bytes:
    """`abi.encode(HeaderUpdate)` of an encoded 07-tendermint Header.

    Raises:
        VerificationError: malformed, or as `encode_update`.
    """
    return encode_update(decode_tendermint_header(header))


def misbehaviour_to_abi(misbehaviour: bytes) -> bytes:
    """`abi.encode(Misbehaviour)` of an encoded 07-tendermint Misbehaviour.

    Raises:
        VerificationError: malformed, or as `encode_misbehaviour`.
    """
    return encode_misbehaviour(decode_misbehaviour(misbehaviour))


def proof_to_abi(proof: bytes, absent: bool) -> bytes:
    """HubClient's encoding of an encoded MerkleProof with one proof; `absent` says which kind it must be.

    Raises:
        VerificationError: as `encode_membership_proof`.
    """
    return encode_non_membership_proof(proof) if absent else encode_membership_proof(proof)


@cache
def evm_reverts() -> RevertReader:
    """A reader that knows the custom errors of every contract that is deployed; made once in a process."""
    return RevertReader(
        definition for name in artifact_names() for definition in definitions_of(load_artifact(name).abi)
    )
