"""Bytes of the fisco-bcos client's protobuf messages (docs/spec/fisco-bcos-client.md), canonical both ways."""

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos.block_header import MAX_BLOCK_HEADER_BYTES, decode_block_header
from hutong.light_clients.fisco_bcos.merkle import MAX_INDEX, MAX_STEPS, V2_WIDTH
from hutong.light_clients.fisco_bcos.receipt import MAX_RECEIPT_BYTES
from hutong.light_clients.fisco_bcos.suite import MAX_SIGNATURE_BYTES
from hutong.light_clients.fisco_bcos.types import (
    MAX_SEALERS,
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
from hutong.light_clients.interface import (
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    MAX_PROOF_BYTES,
    Height,
    MalformedInput,
)
from hutong.light_clients.protobuf import fisco_bcos_pb2, ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

MAX_HEADER_BYTES = MAX_BLOCK_HEADER_BYTES + MAX_SEALERS * (MAX_SIGNATURE_BYTES + 16) + 64
MAX_MISBEHAVIOUR_BYTES = 2 * MAX_HEADER_BYTES + 16
MAX_SIBLING_BYTES = HASH_BYTES + 5
"""A hash after the RLP of a 32-bit index."""

EnumT = TypeVar("EnumT", bound=IntEnum)


def decode_client_state(data: bytes) -> ClientState:
    """A client state whose parameters are within their bounds.

    The same everywhere: whether the suite is installed is not asked.

    Raises:
        MalformedInput: not the canonical encoding, an unknown generation or suite, or a field out of bounds.
    """
    message = parse_canonical(fisco_bcos_pb2.ClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    return ClientState(
        chain_id=message.chain_id,
        generation=_known(Generation, message.generation, "client_state.generation"),
        crypto_suite=_known(CryptoSuite, message.crypto_suite, "client_state.crypto_suite"),
        router_address=message.router_address,
        trusting_period_s=message.trusting_period_s,
        max_clock_drift_s=message.max_clock_drift_s,
        latest_height=_height(message.latest_height),
        is_frozen=message.is_frozen,
    )


def _known(kind: type[EnumT], number: int, field: str) -> EnumT:
    try:
        return kind(number)
    except ValueError:
        raise MalformedInput(field, "is no known one", number, [member.value for member in kind]) from None


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    return fisco_bcos_pb2.ClientState(
        chain_id=state.chain_id,
        generation=int(state.generation),
        crypto_suite=int(state.crypto_suite),
        router_address=state.router_address,
        trusting_period_s=state.trusting_period_s,
        max_clock_drift_s=state.max_clock_drift_s,
        latest_height=_height_message(state.latest_height),
        is_frozen=state.is_frozen,
    ).SerializeToString(deterministic=True)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """A consensus state; sealers ascend by key and are distinct.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    return _decode_consensus_state(bytes(data))


@lru_cache(maxsize=64)
def _decode_consensus_state(data: bytes) -> ConsensusState:
    """A question for a client's status reads its newest state, at the price of one word: 1.4 ms with 512 sealers."""
    message = parse_canonical(fisco_bcos_pb2.ConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    return ConsensusState(
        message.timestamp_ms,
        message.transactions_root,
        message.receipts_root,
        tuple(Sealer(sealer.public_key, sealer.weight) for sealer in message.sealers),
    )


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    return fisco_bcos_pb2.ConsensusState(
        timestamp_ms=state.timestamp_ms,
        transactions_root=state.transactions_root,
        receipts_root=state.receipts_root,
        sealers=[fisco_bcos_pb2.Sealer(public_key=sealer.public_key, weight=sealer.weight) for sealer in state.sealers],
    ).SerializeToString(deterministic=True)


def decode_header_message(generation: Generation, data: bytes) -> Header:
    """An update, down to the block header's fields; signatures are bounded, not verified.

    Raises:
        MalformedInput: not the canonical encoding, more than `MAX_SEALERS` signatures, or a field out of bounds
            (named).
    """
    return _header(generation, parse_canonical(fisco_bcos_pb2.Header, data, "header", MAX_HEADER_BYTES))


def encode_header_message(header: Header) -> bytes:
    """Inverse of `decode_header_message`."""
    return _header_message(header).SerializeToString(deterministic=True)


def decode_misbehaviour(generation: Generation, data: bytes) -> Misbehaviour:
    """Two updates of a chain of `generation`. Whether they conflict is not asked.

    Raises:
        MalformedInput: as `decode_header_message`, of either one.
    """
    message = parse_canonical(fisco_bcos_pb2.Misbehaviour, data, "misbehaviour", MAX_MISBEHAVIOUR_BYTES)
    return Misbehaviour(_header(generation, message.header_1), _header(generation, message.header_2))


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    return fisco_bcos_pb2.Misbehaviour(
        header_1=_header_message(misbehaviour.header_1), header_2=_header_message(misbehaviour.header_2)
    ).SerializeToString(deterministic=True)


def decode_event_proof(data: bytes) -> EventProof:
    """A proof of an event; the receipt in it is not read here.

    Raises:
        MalformedInput: not the canonical encoding, more than `MAX_STEPS` steps, or a part that is too long (named).
    """
    message = parse_canonical(fisco_bcos_pb2.EventProof, data, "proof", MAX_PROOF_BYTES)
    if message.transaction_index > MAX_INDEX:
        raise MalformedInput("proof.transaction_index", f"more than {MAX_INDEX}", got=message.transaction_index)
    if len(message.receipt_rlp) > MAX_RECEIPT_BYTES:
        raise MalformedInput("proof.receipt_rlp", f"more than {MAX_RECEIPT_BYTES} bytes", got=len(message.receipt_rlp))
    if len(message.steps) > MAX_STEPS:
        raise MalformedInput("proof.steps", f"more than {MAX_STEPS}", got=len(message.steps))
    return EventProof(
        message.transaction_index,
        message.receipt_rlp,
        tuple(
            MerkleStep(
                _siblings(step.left, f"proof.steps[{index}].left"), _siblings(step.right, f"proof.steps[{index}].right")
            )
            for index, step in enumerate(message.steps)
        ),
        message.log_index,
    )


def encode_event_proof(proof: EventProof) -> bytes:
    """Inverse of `decode_event_proof`."""
    return fisco_bcos_pb2.EventProof(
        transaction_index=proof.transaction_index,
        receipt_rlp=proof.receipt_rlp,
        steps=[fisco_bcos_pb2.MerkleStep(left=step.left, right=step.right) for step in proof.steps],
        log_index=proof.log_index,
    ).SerializeToString(deterministic=True)


def _siblings(siblings: Iterable[bytes], field: str) -> tuple[bytes, ...]:
    kept = tuple(siblings)
    if len(kept) >= V2_WIDTH or any(len(sibling) > MAX_SIBLING_BYTES for sibling in kept):
        raise MalformedInput(field, f"more than {V2_WIDTH - 1} siblings, or one above {MAX_SIBLING_BYTES} bytes")
    return kept


def _header(generation: Generation, message: fisco_bcos_pb2.Header) -> Header:
    if len(message.signatures) > MAX_SEALERS:
        raise MalformedInput("header.signatures", f"more than {MAX_SEALERS}", got=len(message.signatures))
    for index, signature in enumerate(message.signatures):
        if len(signature.signature) > MAX_SIGNATURE_BYTES:
            raise MalformedInput(
                f"header.signatures[{index}]", f"more than {MAX_SIGNATURE_BYTES} bytes", got=len(signature.signature)
            )
    return Header(
        _height(message.trusted_height),
        message.block_header,
        decode_block_header(generation, message.block_header),
        tuple(SealSignature(signature.sealer_index, signature.signature) for signature in message.signatures),
    )


def _header_message(header: Header) -> fisco_bcos_pb2.Header:
    return fisco_bcos_pb2.Header(
        trusted_height=_height_message(header.trusted_height),
        block_header=header.encoded,
        signatures=[
            fisco_bcos_pb2.SealSignature(sealer_index=signature.sealer_index, signature=signature.signature)
            for signature in header.signatures
        ],
    )


def _height(message: ibc_pb2.Height) -> Height:
    return Height(message.revision_number, message.revision_height)


def _height_message(height: Height) -> ibc_pb2.Height:
    return ibc_pb2.Height(revision_number=height.revision_number, revision_height=height.revision_height)
