"""Bytes of the clique client's protobuf messages (docs/spec/clique-client.md), canonical both ways."""

from hutong.light_clients.clique.seals import MAX_EXTRA_DATA_BYTES, sealed_block
from hutong.light_clients.clique.types import (
    MAX_HEADERS,
    ClientState,
    ConsensusState,
    Header,
    Misbehaviour,
    Snapshot,
    Vote,
)
from hutong.light_clients.evm_header import decode_header, encode_header
from hutong.light_clients.ibc.evm_router import MAX_ACCOUNT_PROOF_BYTES, bounded_nodes
from hutong.light_clients.interface import (
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    Height,
    MalformedInput,
)
from hutong.light_clients.protobuf import clique_pb2, ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

MAX_HEADERS_BYTES = 3 * 512 * 1024
"""Of an update: 1 024 headers of 600 bytes take under 700 KB."""
MAX_HEADER_BYTES = MAX_HEADERS_BYTES + MAX_ACCOUNT_PROOF_BYTES + 64
MAX_MISBEHAVIOUR_BYTES = 2 * MAX_HEADER_BYTES + 16
MAX_BLOCK_HEADER_BYTES = MAX_EXTRA_DATA_BYTES + 1024


def decode_client_state(data: bytes) -> ClientState:
    """A client state whose parameters are within their bounds.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(clique_pb2.ClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    return ClientState(
        chain_id=message.chain_id,
        router_address=message.router_address,
        period_s=message.period_s,
        epoch_length=message.epoch_length,
        confirmations=message.confirmations,
        trusting_period_s=message.trusting_period_s,
        max_clock_drift_s=message.max_clock_drift_s,
        latest_height=Height(message.latest_height.revision_number, message.latest_height.revision_height),
        head_total_difficulty=message.head_total_difficulty,
        head_hash=message.head_hash,
        is_frozen=message.is_frozen,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    return clique_pb2.ClientState(
        chain_id=state.chain_id,
        router_address=state.router_address,
        period_s=state.period_s,
        epoch_length=state.epoch_length,
        confirmations=state.confirmations,
        trusting_period_s=state.trusting_period_s,
        max_clock_drift_s=state.max_clock_drift_s,
        latest_height=_height_message(state.latest_height),
        is_frozen=state.is_frozen,
        head_total_difficulty=state.head_total_difficulty,
        head_hash=state.head_hash,
    ).SerializeToString(deterministic=True)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """A consensus state with the signers' snapshot, in canonical order and within bounds.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(clique_pb2.ConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    return ConsensusState(
        timestamp_s=message.timestamp_s,
        storage_root=message.storage_root,
        block_hash=message.block_hash,
        total_difficulty=message.total_difficulty,
        snapshot=Snapshot(
            message.number,
            tuple(message.signers),
            tuple(message.recents),
            tuple(Vote(vote.candidate, vote.signer) for vote in message.votes),
        ),
    )


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    return clique_pb2.ConsensusState(
        number=state.snapshot.number,
        timestamp_s=state.timestamp_s,
        storage_root=state.storage_root,
        block_hash=state.block_hash,
        total_difficulty=state.total_difficulty,
        signers=state.snapshot.signers,
        recents=state.snapshot.recents,
        votes=[clique_pb2.Vote(candidate=vote.candidate, signer=vote.signer) for vote in state.snapshot.votes],
    ).SerializeToString(deterministic=True)


def decode_header_message(data: bytes) -> Header:
    """An update of 1 to `MAX_HEADERS` headers, down to the extra data of every one.

    Raises:
        MalformedInput: not the canonical encoding, a header that is not strict RLP, or a part out of bounds (named).
    """
    return _header(parse_canonical(clique_pb2.Header, data, "header", MAX_HEADER_BYTES), "header")


def encode_header_message(header: Header) -> bytes:
    """Inverse of `decode_header_message`."""
    return _header_message(header).SerializeToString(deterministic=True)


def decode_misbehaviour(data: bytes) -> Misbehaviour:
    """Two branches. Whether they conflict is not asked.

    Raises:
        MalformedInput: as `decode_header_message`, of either one.
    """
    message = parse_canonical(clique_pb2.Misbehaviour, data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    return Misbehaviour(
        _header(message.header_1, "misbehaviour.header_1"), _header(message.header_2, "misbehaviour.header_2")
    )


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    return clique_pb2.Misbehaviour(
        header_1=_header_message(misbehaviour.header_1), header_2=_header_message(misbehaviour.header_2)
    ).SerializeToString(deterministic=True)


def _header(message: clique_pb2.Header, field: str) -> Header:
    count = len(message.headers_rlp)
    if not 0 < count <= MAX_HEADERS:
        raise MalformedInput(f"{field}.headers_rlp", f"must be 1 to {MAX_HEADERS} headers", got=count)
    for index, one in enumerate(message.headers_rlp):
        if len(one) > MAX_BLOCK_HEADER_BYTES:
            raise MalformedInput(
                f"{field}.headers_rlp[{index}]", f"more than {MAX_BLOCK_HEADER_BYTES} bytes", got=len(one)
            )
    return Header(
        Height(message.trusted_height.revision_number, message.trusted_height.revision_height),
        message.number,
        tuple(sealed_block(decode_header(one)) for one in message.headers_rlp),
        bounded_nodes(message.account_proof, f"{field}.account_proof"),
    )


def _header_message(header: Header) -> clique_pb2.Header:
    return clique_pb2.Header(
        trusted_height=_height_message(header.trusted_height),
        number=header.number,
        headers_rlp=[encode_header(block.execution) for block in header.blocks],
        account_proof=header.account_proof,
    )


def _height_message(height: Height) -> ibc_pb2.Height:
    return ibc_pb2.Height(revision_number=height.revision_number, revision_height=height.revision_height)
