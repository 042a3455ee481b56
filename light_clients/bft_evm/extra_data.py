"""QBFT extra data: RLP [vanity, validators, vote, round, seals], and the three hashes of a sealed header.

Source: EEA QBFT specification, block header section; hyperledger/besu consensus/qbft QbftExtraDataCodec, BftBlockHashing.
The field order and the empty string as drop vote are those of Besu and GoQuorum.
"""

from dataclasses import replace

from rlp.codec import encode_raw

from light_clients.bft_evm.types import (
    ADDRESS_BYTES,
    MAX_ROUND,
    MAX_VALIDATORS,
    MAX_VANITY_BYTES,
    SEAL_BYTES,
    ExtraData,
    Vote,
    VoteKind,
)
from light_clients.crypto import keccak256
from light_clients.evm_header import MAX_EXTRA_DATA_BYTES, ExecutionHeader, big_endian, encode_header
from light_clients.interface import MalformedInput
from light_clients.proofs.mpt import RlpItem, decode_fixed, decode_rlp, decode_uint

_FIELD = "header.extra_data"
_VOTE_BYTES = {VoteKind.ADD: b"\xff", VoteKind.DROP: b""}
_VOTE_KINDS = {value: kind for kind, value in _VOTE_BYTES.items()}


def decode_extra_data(data: bytes) -> ExtraData:
    """Parse strictly; an empty validator list and an empty vanity are legal here.

    Raises:
        MalformedInput: not strict RLP, not five items, or an item of another shape, size or count.
    """
    items = _list(decode_rlp(data, _FIELD, MAX_EXTRA_DATA_BYTES), _FIELD)
    if len(items) != 5:
        raise MalformedInput(_FIELD, "must be [vanity, validators, vote, round, seals]", got=len(items), expected=5)
    vanity = items[0]
    if not isinstance(vanity, bytes) or len(vanity) > MAX_VANITY_BYTES:
        raise MalformedInput(f"{_FIELD}.vanity", f"must be a string of at most {MAX_VANITY_BYTES} bytes")
    round_number = decode_uint(items[3], f"{_FIELD}.round", 4)
    return ExtraData(
        vanity=vanity,
        validators=_byte_strings(items[1], f"{_FIELD}.validators", ADDRESS_BYTES),
        vote=_vote(items[2]),
        round=round_number,
        seals=_byte_strings(items[4], f"{_FIELD}.seals", SEAL_BYTES),
    )


def _list(item: RlpItem, field: str) -> tuple[RlpItem, ...]:
    if isinstance(item, bytes):
        raise MalformedInput(field, "is a string, must be a list", got=item)
    return item


def _byte_strings(item: RlpItem, field: str, size: int) -> tuple[bytes, ...]:
    entries = _list(item, field)
    if len(entries) > MAX_VALIDATORS:
        raise MalformedInput(field, f"more than {MAX_VALIDATORS}", got=len(entries))
    return tuple(decode_fixed(entry, f"{field}[{index}]", size) for index, entry in enumerate(entries))


def _vote(item: RlpItem) -> Vote | None:
    field = f"{_FIELD}.vote"
    parts = _list(item, field)
    if not parts:
        return None
    if len(parts) != 2:
        raise MalformedInput(field, "must be empty or [recipient, kind]", got=len(parts))
    recipient = decode_fixed(parts[0], f"{field}.recipient", ADDRESS_BYTES)
    code = parts[1]
    kind = _VOTE_KINDS.get(code) if isinstance(code, bytes) else None
    if kind is None:
        raise MalformedInput(f"{field}.kind", "must be 0xff (auth) or empty (drop)", got=code)
    return Vote(recipient, kind)


def encode_extra_data(extra: ExtraData) -> bytes:
    """Inverse of `decode_extra_data`."""
    vote: RlpItem = () if extra.vote is None else (extra.vote.recipient, _VOTE_BYTES[extra.vote.kind])
    if not 0 <= extra.round <= MAX_ROUND:
        raise MalformedInput(f"{_FIELD}.round", f"must be 0 to {MAX_ROUND}", got=extra.round)
    encoded: bytes = encode_raw((extra.vanity, extra.validators, vote, big_endian(extra.round), extra.seals))
    return encoded


def commit_seal_hash(header: ExecutionHeader, extra: ExtraData) -> bytes:
    """What validators sign: the header with its round and without seals."""
    return keccak256(encode_header(replace(header, extra_data=encode_extra_data(extra.without_seals()))))


def block_hash(header: ExecutionHeader, extra: ExtraData) -> bytes:
    """The hash by which the chain links and names the block: without seals and round."""
    return keccak256(encode_header(replace(header, extra_data=encode_extra_data(extra.without_seals_and_round()))))


def sealed(header: ExecutionHeader, extra: ExtraData) -> ExecutionHeader:
    """`header` carrying `extra` whole."""
    return replace(header, extra_data=encode_extra_data(extra))
