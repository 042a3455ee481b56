"""Extra data of the three consensus rules, and the hashes of a sealed header that it takes part in.

| rule | extra data | commit-seal hash | block hash |
| --- | --- | --- | --- |
| QBFT | RLP [vanity, validators, vote, round, seals] | header with seals [] | header with round 0 and seals [] |
| IBFT 2.0 | the same list, other forms of vote and round | header with four items, no seals | header with three, no round either |
| Istanbul | vanity ‖ RLP [validators, proposer seal, seals] | K(block hash ‖ 02) | header with seals [] |

Sources: EEA QBFT specification; hyperledger/besu consensus/{qbft,ibft} ExtraDataCodec, BftBlockHashing; Consensys/quorum
consensus/istanbul/ibft. The field order and the empty string as drop vote of QBFT are those of Besu and GoQuorum.
"""

from dataclasses import replace

from rlp.codec import encode_raw

from hutong.light_clients.bft_evm.types import (
    ADDRESS_BYTES,
    MAX_ROUND,
    MAX_VALIDATORS,
    MAX_VANITY_BYTES,
    SEAL_BYTES,
    Consensus,
    ExtraData,
    Vote,
    VoteKind,
)
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header import MAX_EXTRA_DATA_BYTES, ExecutionHeader, big_endian, encode_header
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.mpt import RlpItem, decode_fixed, decode_rlp, decode_uint

ISTANBUL_VANITY_BYTES = 32
COMMIT_CODE = b"\x02"
"""Istanbul's message code of a commit, signed with the block hash."""

_FIELD = "header.extra_data"
_IBFT2_ROUND_BYTES = 4
_VOTE_BYTES = {
    Consensus.QBFT: {VoteKind.ADD: b"\xff", VoteKind.DROP: b""},
    Consensus.IBFT2: {VoteKind.ADD: b"\xff", VoteKind.DROP: b"\x00"},
}
_NO_VOTE: dict[Consensus, RlpItem] = {Consensus.QBFT: (), Consensus.IBFT2: b""}


def decode_extra_data(data: bytes, consensus: Consensus = Consensus.QBFT) -> ExtraData:
    """Parse strictly; an empty validator list and an empty vanity are legal here.

    Raises:
        MalformedInput: not strict RLP, not the rule's items, or an item of another shape, size or count.
    """
    if consensus is Consensus.ISTANBUL:
        return _decode_istanbul(data)
    items = _list(decode_rlp(data, _FIELD, MAX_EXTRA_DATA_BYTES), _FIELD)
    if len(items) != 5:
        raise MalformedInput(_FIELD, "must be [vanity, validators, vote, round, seals]", got=len(items), expected=5)
    vanity = items[0]
    if not isinstance(vanity, bytes) or len(vanity) > MAX_VANITY_BYTES:
        raise MalformedInput(f"{_FIELD}.vanity", f"must be a string of at most {MAX_VANITY_BYTES} bytes")
    round_number, round_width = _round(items[3], consensus)
    return ExtraData(
        vanity=vanity,
        validators=_byte_strings(items[1], f"{_FIELD}.validators", ADDRESS_BYTES),
        vote=_vote(items[2], consensus),
        round=round_number,
        seals=_byte_strings(items[4], f"{_FIELD}.seals", SEAL_BYTES),
        consensus=consensus,
        round_width=round_width,
    )


def _decode_istanbul(data: bytes) -> ExtraData:
    if len(data) <= ISTANBUL_VANITY_BYTES:
        raise MalformedInput(_FIELD, f"must have more than the {ISTANBUL_VANITY_BYTES} bytes of vanity", got=len(data))
    items = _list(decode_rlp(data[ISTANBUL_VANITY_BYTES:], _FIELD, MAX_EXTRA_DATA_BYTES), _FIELD)
    if len(items) != 3:
        raise MalformedInput(_FIELD, "must be [validators, proposer seal, seals]", got=len(items), expected=3)
    proposer_seal = items[1]
    if not isinstance(proposer_seal, bytes) or len(proposer_seal) not in (0, SEAL_BYTES):
        raise MalformedInput(f"{_FIELD}.proposer_seal", f"must be {SEAL_BYTES} bytes, or none in a genesis block")
    return ExtraData(
        vanity=data[:ISTANBUL_VANITY_BYTES],
        validators=_byte_strings(items[0], f"{_FIELD}.validators", ADDRESS_BYTES),
        vote=None,
        round=0,
        seals=_byte_strings(items[2], f"{_FIELD}.seals", SEAL_BYTES),
        consensus=Consensus.ISTANBUL,
        proposer_seal=proposer_seal,
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


def _round(item: RlpItem, consensus: Consensus) -> tuple[int, int]:
    field = f"{_FIELD}.round"
    if consensus is Consensus.IBFT2 and isinstance(item, bytes) and len(item) == _IBFT2_ROUND_BYTES:
        return int.from_bytes(item, "big"), _IBFT2_ROUND_BYTES
    return decode_uint(item, field, 4), 0


def _vote(item: RlpItem, consensus: Consensus) -> Vote | None:
    field = f"{_FIELD}.vote"
    if item == _NO_VOTE[consensus]:
        return None
    parts = _list(item, field)
    if len(parts) != 2:
        raise MalformedInput(field, "must be empty or [recipient, kind]", got=len(parts))
    recipient = decode_fixed(parts[0], f"{field}.recipient", ADDRESS_BYTES)
    for kind, code in _VOTE_BYTES[consensus].items():
        if parts[1] == code:
            return Vote(recipient, kind)
    codes = " or ".join(
        f"{f'0x{code.hex()}' if code else 'empty'} ({kind})" for kind, code in _VOTE_BYTES[consensus].items()
    )
    raise MalformedInput(f"{field}.kind", f"must be {codes}", got=parts[1])


def encode_extra_data(extra: ExtraData) -> bytes:
    """Inverse of `decode_extra_data`.

    Raises:
        MalformedInput: a round above `MAX_ROUND`.
    """
    if extra.consensus is Consensus.ISTANBUL:
        return extra.vanity + _encoded((extra.validators, extra.proposer_seal, extra.seals))
    return _encoded((*_items_with_round(extra), extra.seals))


def _encoded(items: tuple[RlpItem, ...]) -> bytes:
    encoded: bytes = encode_raw(items)
    return encoded


def _items(extra: ExtraData) -> tuple[RlpItem, ...]:
    vote = _NO_VOTE[extra.consensus]
    if extra.vote is not None:
        vote = (extra.vote.recipient, _VOTE_BYTES[extra.consensus][extra.vote.kind])
    return (extra.vanity, extra.validators, vote)


def _items_with_round(extra: ExtraData) -> tuple[RlpItem, ...]:
    if not 0 <= extra.round <= MAX_ROUND:
        raise MalformedInput(f"{_FIELD}.round", f"must be 0 to {MAX_ROUND}", got=extra.round)
    return (*_items(extra), big_endian(extra.round).rjust(extra.round_width, b"\0"))


def _hash_with(header: ExecutionHeader, extra_data: bytes) -> bytes:
    return keccak256(encode_header(replace(header, extra_data=extra_data)))


def commit_seal_hash(header: ExecutionHeader, extra: ExtraData) -> bytes:
    """What validators sign: the header with its round (which Istanbul does not have) and without seals; 32 bytes.

    Raises:
        MalformedInput: a round above `MAX_ROUND`, which no decoder lets through.
    """
    match extra.consensus:
        case Consensus.QBFT:
            return _hash_with(header, encode_extra_data(extra.without_seals()))
        case Consensus.IBFT2:
            return _hash_with(header, _encoded(_items_with_round(extra)))
        case Consensus.ISTANBUL:
            return keccak256(block_hash(header, extra) + COMMIT_CODE)


def block_hash(header: ExecutionHeader, extra: ExtraData) -> bytes:
    """The hash by which the chain links and names the block: without seals and round; 32 bytes."""
    if extra.consensus is Consensus.IBFT2:
        return _hash_with(header, _encoded(_items(extra)))
    return _hash_with(header, encode_extra_data(extra.without_seals_and_round()))


def proposer_seal_hash(header: ExecutionHeader, extra: ExtraData) -> bytes:
    """What Istanbul's proposer signs: the hash of the hash of the header with neither its own seal nor the others'.

    32 bytes; `extra` must be Istanbul's.
    """
    bare = replace(extra, proposer_seal=b"", seals=())
    return keccak256(_hash_with(header, encode_extra_data(bare)))
