"""Light client of FISCO BCOS 2 and 3 consortium chains (client type `fisco-bcos`)."""

from hutong.light_clients.fisco_bcos.block_header import block_hash, decode_block_header, encode_block_header
from hutong.light_clients.fisco_bcos.client import FiscoBcosClient, consensus_state_of
from hutong.light_clients.fisco_bcos.codec import (
    decode_client_state,
    decode_consensus_state,
    decode_event_proof,
    decode_header_message,
    encode_client_state,
    encode_consensus_state,
    encode_event_proof,
    encode_header_message,
    encode_misbehaviour,
)
from hutong.light_clients.fisco_bcos.rpc_json import header_from_rpc, steps_from_rpc
from hutong.light_clients.fisco_bcos.types import (
    BlockHeaderV2,
    BlockHeaderV3,
    ClientState,
    ConsensusState,
    CryptoSuite,
    EventProof,
    Generation,
    Header,
    MerkleStep,
    Misbehaviour,
    Sealer,
    SealSignature,
)

__all__ = [
    "BlockHeaderV2",
    "BlockHeaderV3",
    "ClientState",
    "ConsensusState",
    "CryptoSuite",
    "EventProof",
    "FiscoBcosClient",
    "Generation",
    "Header",
    "MerkleStep",
    "Misbehaviour",
    "SealSignature",
    "Sealer",
    "block_hash",
    "consensus_state_of",
    "decode_block_header",
    "decode_client_state",
    "decode_consensus_state",
    "decode_event_proof",
    "decode_header_message",
    "encode_block_header",
    "encode_client_state",
    "encode_consensus_state",
    "encode_event_proof",
    "encode_header_message",
    "encode_misbehaviour",
    "header_from_rpc",
    "steps_from_rpc",
]
