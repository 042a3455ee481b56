"""Light client of EVM chains under Clique, proof of authority (client type `clique`)."""

from hutong.light_clients.clique.client import CliqueClient
from hutong.light_clients.clique.codec import (
    decode_client_state,
    decode_consensus_state,
    decode_header_message,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_misbehaviour,
)
from hutong.light_clients.clique.seals import recover_signer, sealed_block
from hutong.light_clients.clique.snapshot import apply_block, is_checkpoint
from hutong.light_clients.clique.types import (
    ClientState,
    ConsensusState,
    Header,
    Misbehaviour,
    SealedBlock,
    Snapshot,
    Vote,
)

__all__ = [
    "ClientState",
    "CliqueClient",
    "ConsensusState",
    "Header",
    "Misbehaviour",
    "SealedBlock",
    "Snapshot",
    "Vote",
    "apply_block",
    "decode_client_state",
    "decode_consensus_state",
    "decode_header_message",
    "encode_client_state",
    "encode_consensus_state",
    "encode_header_message",
    "encode_misbehaviour",
    "is_checkpoint",
    "recover_signer",
    "sealed_block",
]
