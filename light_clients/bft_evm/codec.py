"""Bytes of the bft-evm client's protobuf messages (docs/spec/bft-evm-client.md), canonical both ways."""

from light_clients.bft_evm.extra_data import decode_extra_data
from light_clients.bft_evm.types import ClientState, Consensus, ConsensusState, Header, Misbehaviour
from light_clients.evm_header import MAX_HEADER_RLP_BYTES, ExecutionHeader, decode_header, encode_header
from light_clients.ibc.evm_router import MAX_ACCOUNT_PROOF_BYTES, bounded_nodes
from light_clients.interface import (
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    Height,
    MalformedInput,
)
from light_clients.protobuf import bft_evm_pb2, ibc_pb2
from light_clients.protobuf.canonical import parse_canonical

MAX_HEADER_BYTES = MAX_HEADER_RLP_BYTES + MAX_ACCOUNT_PROOF_BYTES + 64
MAX_MISBEHAVIOUR_BYTES = 2 * MAX_HEADER_BYTES + 16


def decode_client_state(data: bytes) -> ClientState:
    """Raises MalformedInput, or UnsupportedOperation for a consensus rule that is named but not offered."""
    message = parse_canonical(bft_evm_pb2.ClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    try:
        consensus = Consensus(message.consensus)
    except ValueError:
        raise MalformedInput("client_state.consensus", "is no known rule", got=message.consensus) from None
    return ClientState(
        chain_id=message.chain_id,
        consensus=consensus,
        router_address=message.router_address,
        trusting_period_s=message.trusting_period_s,
        max_clock_drift_s=message.max_clock_drift_s,
        latest_height=_height(message.latest_height),
        is_frozen=message.is_frozen,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    return bft_evm_pb2.ClientState(
        chain_id=state.chain_id,
        consensus=int(state.consensus),
        router_address=state.router_address,
        trusting_period_s=state.trusting_period_s,
        max_clock_drift_s=state.max_clock_drift_s,
        latest_height=_height_message(state.latest_height),
        is_frozen=state.is_frozen,
    ).SerializeToString(deterministic=True)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """Raises MalformedInput."""
    message = parse_canonical(bft_evm_pb2.ConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    return ConsensusState(message.timestamp_s, message.storage_root, tuple(message.validators))


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    return bft_evm_pb2.ConsensusState(
        timestamp_s=state.timestamp_s, storage_root=state.storage_root, validators=state.validators
    ).SerializeToString(deterministic=True)


def decode_header_message(data: bytes) -> Header:
    """An update, down to the extra data. Raises MalformedInput."""
    return _header(parse_canonical(bft_evm_pb2.Header, data, "header", MAX_HEADER_BYTES), "header")


def encode_header_message(header: Header) -> bytes:
    """Inverse of `decode_header_message`."""
    return _header_message(header).SerializeToString(deterministic=True)


def decode_misbehaviour(data: bytes) -> Misbehaviour:
    """Raises MalformedInput."""
    message = parse_canonical(bft_evm_pb2.Misbehaviour, data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    return Misbehaviour(
        _header(message.header_1, "misbehaviour.header_1"), _header(message.header_2, "misbehaviour.header_2")
    )


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    return bft_evm_pb2.Misbehaviour(
        header_1=_header_message(misbehaviour.header_1), header_2=_header_message(misbehaviour.header_2)
    ).SerializeToString(deterministic=True)


def header_of(trusted_height: Height, execution: ExecutionHeader, account_proof: tuple[bytes, ...]) -> Header:
    """An update made of a node's answers; parses the extra data (MalformedInput)."""
    return Header(trusted_height, execution, decode_extra_data(execution.extra_data), account_proof)


def _header(message: bft_evm_pb2.Header, field: str) -> Header:
    return header_of(
        _height(message.trusted_height),
        decode_header(message.header_rlp),
        bounded_nodes(message.account_proof, f"{field}.account_proof"),
    )


def _header_message(header: Header) -> bft_evm_pb2.Header:
    return bft_evm_pb2.Header(
        trusted_height=_height_message(header.trusted_height),
        header_rlp=encode_header(header.execution),
        account_proof=header.account_proof,
    )


def _height(message: ibc_pb2.Height) -> Height:
    return Height(message.revision_number, message.revision_height)


def _height_message(height: Height) -> ibc_pb2.Height:
    return ibc_pb2.Height(revision_number=height.revision_number, revision_height=height.revision_height)
