"""Bytes of the bitcoin client's protobuf messages (docs/spec/bitcoin-client.md), canonical both ways."""

from collections.abc import Iterable

from hutong.light_clients.bitcoin.merkle import MAX_BRANCH_STEPS
from hutong.light_clients.bitcoin.networks import Network
from hutong.light_clients.bitcoin.types import (
    HEADER_BYTES,
    MAX_HEADERS,
    ClientState,
    ConsensusState,
    Header,
    MembershipProof,
    MerkleBranch,
    Misbehaviour,
)
from hutong.light_clients.bitcoin.wire import decode_headers, decode_transaction, encode_headers
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import (
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    MAX_PROOF_BYTES,
    Height,
    MalformedInput,
)
from hutong.light_clients.protobuf import bitcoin_pb2, ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

MAX_HEADER_BYTES = MAX_HEADERS * HEADER_BYTES + 64
MAX_MISBEHAVIOUR_BYTES = 2 * MAX_HEADER_BYTES + 16
MAX_PROVEN_TRANSACTION_BYTES = 100_000
"""Without witness: what nodes pass on has at most 400 000 weight units. A coinbase is far below."""


def decode_client_state(data: bytes) -> ClientState:
    """A client state whose parameters are within their bounds.

    Raises:
        MalformedInput: not the canonical encoding, an unknown network, or a field out of bounds.
        UnsupportedOperation: a network that is named but not offered.
    """
    message = parse_canonical(bitcoin_pb2.ClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    try:
        network = Network(message.network)
    except ValueError:
        raise MalformedInput("client_state.network", "is no known network", got=message.network) from None
    return ClientState(
        network=network,
        publisher_script=message.publisher_script,
        confirmation_depth=message.confirmation_depth,
        trusting_period_s=message.trusting_period_s,
        latest_height=_height(message.latest_height),
        best_chainwork=_work(message.best_chainwork, "client_state.best_chainwork"),
        is_frozen=message.is_frozen,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    return bitcoin_pb2.ClientState(
        network=int(state.network),
        publisher_script=state.publisher_script,
        confirmation_depth=state.confirmation_depth,
        trusting_period_s=state.trusting_period_s,
        latest_height=_height_message(state.latest_height),
        best_chainwork=state.best_chainwork.to_bytes(HASH_BYTES, "big"),
        is_frozen=state.is_frozen,
    ).SerializeToString(deterministic=True)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """A consensus state: chainwork is 32 bytes, big-endian; near genesis it has fewer times than elsewhere.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(bitcoin_pb2.ConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    return ConsensusState(
        height=message.height,
        block_hash=message.block_hash,
        chainwork=_work(message.chainwork, "consensus_state.chainwork"),
        bits=message.bits,
        regular_bits=message.regular_bits,
        period_first_bits=message.period_first_bits,
        period_first_time_s=message.period_first_time_s,
        recent_times_s=tuple(message.recent_times_s),
    )


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    return bitcoin_pb2.ConsensusState(
        height=state.height,
        block_hash=state.block_hash,
        chainwork=state.chainwork.to_bytes(HASH_BYTES, "big"),
        bits=state.bits,
        regular_bits=state.regular_bits,
        period_first_bits=state.period_first_bits,
        period_first_time_s=state.period_first_time_s,
        recent_times_s=state.recent_times_s,
    ).SerializeToString(deterministic=True)


def decode_header_message(data: bytes) -> Header:
    """An update of 1 to `MAX_HEADERS` headers, whose links and work are still to be judged.

    Raises:
        MalformedInput: not the canonical encoding, a height with a revision, or headers that are not whole.
    """
    return _header(parse_canonical(bitcoin_pb2.Header, data, "header", MAX_HEADER_BYTES), "header")


def encode_header_message(header: Header) -> bytes:
    """Inverse of `decode_header_message`."""
    return _header_message(header).SerializeToString(deterministic=True)


def decode_misbehaviour(data: bytes) -> Misbehaviour:
    """Two updates. Whether they conflict is not asked.

    Raises:
        MalformedInput: as `decode_header_message`, of either one.
    """
    message = parse_canonical(bitcoin_pb2.Misbehaviour, data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    return Misbehaviour(
        _header(message.header_1, "misbehaviour.header_1"), _header(message.header_2, "misbehaviour.header_2")
    )


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    return bitcoin_pb2.Misbehaviour(
        header_1=_header_message(misbehaviour.header_1), header_2=_header_message(misbehaviour.header_2)
    ).SerializeToString(deterministic=True)


def decode_membership_proof(data: bytes) -> MembershipProof:
    """A proof whose transactions carry no witness and have at most `MAX_PROVEN_TRANSACTION_BYTES` each.

    Raises:
        MalformedInput: not the canonical encoding, or a part out of bounds (named).
    """
    message = parse_canonical(bitcoin_pb2.MembershipProof, data, "proof", MAX_PROOF_BYTES)
    return MembershipProof(
        headers=decode_headers(message.headers, "proof.headers"),
        transaction=decode_transaction(
            message.transaction, "proof.transaction", max_bytes=MAX_PROVEN_TRANSACTION_BYTES
        ),
        branch=MerkleBranch(message.branch.index, _siblings(message.branch.siblings, "proof.branch.siblings")),
        output_index=message.output_index,
        input_index=message.input_index,
        funding=decode_transaction(message.funding, "proof.funding", max_bytes=MAX_PROVEN_TRANSACTION_BYTES),
        coinbase=decode_transaction(message.coinbase, "proof.coinbase", max_bytes=MAX_PROVEN_TRANSACTION_BYTES),
        coinbase_siblings=_siblings(message.coinbase_siblings, "proof.coinbase_siblings"),
    )


def encode_membership_proof(proof: MembershipProof) -> bytes:
    """Inverse of `decode_membership_proof`."""
    return bitcoin_pb2.MembershipProof(
        headers=encode_headers(proof.headers),
        transaction=proof.transaction.serialized,
        branch=bitcoin_pb2.MerkleBranch(index=proof.branch.index, siblings=proof.branch.siblings),
        output_index=proof.output_index,
        input_index=proof.input_index,
        funding=proof.funding.serialized,
        coinbase=proof.coinbase.serialized,
        coinbase_siblings=proof.coinbase_siblings,
    ).SerializeToString(deterministic=True)


def _header(message: bitcoin_pb2.Header, field: str) -> Header:
    trusted, height = _height(message.trusted_height), _height(message.height)
    for name, value in (("trusted_height", trusted), ("height", height)):
        if value.revision_number:
            raise MalformedInput(f"{field}.{name}", "Bitcoin heights are of revision 0", got=str(value))
    return Header(trusted, height, decode_headers(message.headers, f"{field}.headers"))


def _header_message(header: Header) -> bitcoin_pb2.Header:
    return bitcoin_pb2.Header(
        trusted_height=_height_message(header.trusted_height),
        height=_height_message(header.height),
        headers=encode_headers(header.headers),
    )


def _siblings(siblings: Iterable[bytes], field: str) -> tuple[bytes, ...]:
    kept = tuple(siblings)
    if len(kept) > MAX_BRANCH_STEPS:
        raise MalformedInput(field, f"more than {MAX_BRANCH_STEPS} steps", got=len(kept))
    for index, sibling in enumerate(kept):
        if len(sibling) != HASH_BYTES:
            raise MalformedInput(f"{field}[{index}]", f"must be {HASH_BYTES} bytes", got=sibling)
    return kept


def _work(data: bytes, field: str) -> int:
    if len(data) != HASH_BYTES:
        raise MalformedInput(field, f"must be {HASH_BYTES} bytes", got=data)
    return int.from_bytes(data, "big")


def _height(message: ibc_pb2.Height) -> Height:
    return Height(message.revision_number, message.revision_height)


def _height_message(height: Height) -> ibc_pb2.Height:
    return ibc_pb2.Height(revision_number=height.revision_number, revision_height=height.revision_height)
