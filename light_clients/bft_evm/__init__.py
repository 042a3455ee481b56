"""Light client of EVM consortium chains under QBFT, IBFT 2.0 and Istanbul (client type `bft-evm`)."""

from hutong.light_clients.bft_evm.client import BftEvmClient
from hutong.light_clients.bft_evm.codec import (
    decode_client_state,
    decode_consensus_state,
    decode_header_message,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_misbehaviour,
    header_of,
)
from hutong.light_clients.bft_evm.extra_data import block_hash, commit_seal_hash, decode_extra_data, encode_extra_data
from hutong.light_clients.bft_evm.types import (
    ClientState,
    Consensus,
    ConsensusState,
    ExtraData,
    Header,
    Misbehaviour,
    QuorumRule,
    SealedBlock,
    SealRules,
    ValidatorContract,
    ValidatorsProof,
    Vote,
    VoteKind,
)

__all__ = [
    "BftEvmClient",
    "ClientState",
    "Consensus",
    "ConsensusState",
    "ExtraData",
    "Header",
    "Misbehaviour",
    "QuorumRule",
    "SealRules",
    "SealedBlock",
    "ValidatorContract",
    "ValidatorsProof",
    "Vote",
    "VoteKind",
    "block_hash",
    "commit_seal_hash",
    "decode_client_state",
    "decode_consensus_state",
    "decode_extra_data",
    "decode_header_message",
    "encode_client_state",
    "encode_consensus_state",
    "encode_extra_data",
    "encode_header_message",
    "encode_misbehaviour",
    "header_of",
]
