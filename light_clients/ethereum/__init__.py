"""Light client of Ethereum's proof-of-stake chains: the sync-committee protocol (client type `ethereum`)."""

from hutong.light_clients.ethereum.client import EthereumClient
from hutong.light_clients.ethereum.codec import (
    decode_client_state,
    decode_consensus_state,
    decode_header_message,
    decode_header_message_alone,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_misbehaviour,
)
from hutong.light_clients.ethereum.forks import Fork, ForkActivation, Network, Preset
from hutong.light_clients.ethereum.networks import (
    HOODI,
    MAINNET,
    MAINNET_PRESET,
    MINIMAL_PRESET,
    NETWORKS,
    PRESETS,
    SEPOLIA,
)
from hutong.light_clients.ethereum.roots import beacon_block_root, execution_payload_root, sync_committee_root
from hutong.light_clients.ethereum.start import Parameters, states_from_bootstrap
from hutong.light_clients.ethereum.store import LightClientStore
from hutong.light_clients.ethereum.types import (
    BeaconBlockHeader,
    Bootstrap,
    ClientState,
    ConsensusState,
    ExecutionPayloadHeader,
    Header,
    LightClientHeader,
    Misbehaviour,
    SyncAggregate,
    SyncCommittee,
    TrustedCommittees,
    Update,
    supermajority,
)

__all__ = [
    "HOODI",
    "MAINNET",
    "MAINNET_PRESET",
    "MINIMAL_PRESET",
    "NETWORKS",
    "PRESETS",
    "SEPOLIA",
    "BeaconBlockHeader",
    "Bootstrap",
    "ClientState",
    "ConsensusState",
    "EthereumClient",
    "ExecutionPayloadHeader",
    "Fork",
    "ForkActivation",
    "Header",
    "LightClientHeader",
    "LightClientStore",
    "Misbehaviour",
    "Network",
    "Parameters",
    "Preset",
    "SyncAggregate",
    "SyncCommittee",
    "TrustedCommittees",
    "Update",
    "beacon_block_root",
    "decode_client_state",
    "decode_consensus_state",
    "decode_header_message",
    "decode_header_message_alone",
    "encode_client_state",
    "encode_consensus_state",
    "encode_header_message",
    "encode_misbehaviour",
    "execution_payload_root",
    "states_from_bootstrap",
    "supermajority",
    "sync_committee_root",
]
