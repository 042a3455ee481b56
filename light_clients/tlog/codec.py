"""Bytes of the tlog client's protobuf messages (docs/spec/tlog-client.md), canonical both ways."""

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MAX_CLIENT_STATE_BYTES, MAX_CONSENSUS_STATE_BYTES, Height
from hutong.light_clients.protobuf import ibc_pb2, tlog_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tlog.checkpoints import decode_checkpoint
from hutong.light_clients.tlog.notes import MAX_NOTE_BYTES, Key, encode_note
from hutong.light_clients.tlog.types import (
    MAX_NODES,
    ClientState,
    ConsensusState,
    Growth,
    Header,
    MembershipProof,
    Misbehaviour,
)

_MAX_GROWTH_BYTES = (MAX_NODES + 1) * (HASH_BYTES + 2)
MAX_HEADER_BYTES = MAX_NOTE_BYTES + _MAX_GROWTH_BYTES + 64
MAX_MISBEHAVIOUR_BYTES = 2 * MAX_NOTE_BYTES + _MAX_GROWTH_BYTES + 64
MAX_MEMBERSHIP_PROOF_BYTES = MAX_NODES * (HASH_BYTES + 2) + 128


def decode_client_state(data: bytes) -> ClientState:
    """A client state whose keys and parameters are within their bounds.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(tlog_pb2.ClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    return ClientState(
        origin=message.origin,
        log_key=_key(message.log_key),
        witnesses=tuple(map(_key, message.witnesses)),
        quorum=message.quorum,
        publisher_key=message.publisher_key,
        trusting_period_s=message.trusting_period_s,
        max_clock_drift_s=message.max_clock_drift_s,
        latest_height=_height(message.latest_height),
        is_frozen=message.is_frozen,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    return tlog_pb2.ClientState(
        origin=state.origin,
        log_key=_key_message(state.log_key),
        witnesses=map(_key_message, state.witnesses),
        quorum=state.quorum,
        publisher_key=state.publisher_key,
        trusting_period_s=state.trusting_period_s,
        max_clock_drift_s=state.max_clock_drift_s,
        latest_height=_height_message(state.latest_height),
        is_frozen=state.is_frozen,
    ).SerializeToString(deterministic=True)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """A tree with at least one entry.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(tlog_pb2.ConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    return ConsensusState(message.size, message.root, message.timestamp_s)


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    return tlog_pb2.ConsensusState(size=state.size, root=state.root, timestamp_s=state.timestamp_s).SerializeToString(
        deterministic=True
    )


def decode_header_message(data: bytes) -> Header:
    """An update, down to the lines of its checkpoint. No signature is judged.

    Raises:
        MalformedInput: not the canonical encoding, a checkpoint of another form, or a part out of bounds (named).
    """
    message = parse_canonical(tlog_pb2.Header, data, "header", MAX_HEADER_BYTES)
    return Header(
        _height(message.trusted_height),
        decode_checkpoint(message.checkpoint, "header.checkpoint"),
        Growth(message.first_root, tuple(message.nodes)),
    )


def encode_header_message(header: Header) -> bytes:
    """Inverse of `decode_header_message`."""
    return tlog_pb2.Header(
        trusted_height=_height_message(header.trusted_height),
        checkpoint=encode_note(header.checkpoint.note),
        first_root=header.growth.first_root,
        nodes=header.growth.nodes,
    ).SerializeToString(deterministic=True)


def decode_misbehaviour(data: bytes) -> Misbehaviour:
    """Two trees. Whether they conflict is not asked.

    Raises:
        MalformedInput: as `decode_header_message`, or not exactly one first tree.
    """
    message = parse_canonical(tlog_pb2.Misbehaviour, data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    return Misbehaviour(
        decode_checkpoint(message.checkpoint_1, "misbehaviour.checkpoint_1") if message.checkpoint_1 else None,
        _height(message.stored_height) if message.HasField("stored_height") else None,
        decode_checkpoint(message.checkpoint_2, "misbehaviour.checkpoint_2"),
        Growth(message.first_root, tuple(message.nodes)),
    )


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    first, stored = misbehaviour.checkpoint_1, misbehaviour.stored_height
    return tlog_pb2.Misbehaviour(
        checkpoint_1=b"" if first is None else encode_note(first.note),
        stored_height=None if stored is None else _height_message(stored),
        checkpoint_2=encode_note(misbehaviour.checkpoint_2.note),
        first_root=misbehaviour.growth.first_root,
        nodes=misbehaviour.growth.nodes,
    ).SerializeToString(deterministic=True)


def decode_membership_proof(data: bytes) -> MembershipProof:
    """A path of at most `MAX_NODES` siblings.

    Raises:
        MalformedInput: not the canonical encoding, or a part out of bounds (named).
    """
    message = parse_canonical(tlog_pb2.MembershipProof, data, "proof", MAX_MEMBERSHIP_PROOF_BYTES)
    return MembershipProof(message.index, tuple(message.siblings), message.signature)


def encode_membership_proof(proof: MembershipProof) -> bytes:
    """Inverse of `decode_membership_proof`."""
    return tlog_pb2.MembershipProof(
        index=proof.index, siblings=proof.siblings, signature=proof.signature
    ).SerializeToString(deterministic=True)


def _key(message: tlog_pb2.Key) -> Key:
    return Key(message.name, message.public_key)


def _key_message(key: Key) -> tlog_pb2.Key:
    return tlog_pb2.Key(name=key.name, public_key=key.public_key)


def _height(message: ibc_pb2.Height) -> Height:
    return Height(message.revision_number, message.revision_height)


def _height_message(height: Height) -> ibc_pb2.Height:
    return ibc_pb2.Height(revision_number=height.revision_number, revision_height=height.revision_height)
