"""Events ↔ bytes for the write-ahead log: RLP lists, each after a marker and a CRC.

The marker stands nowhere but before a frame: whatever an event holds, a write that was cut short holds no second one, so that
a torn end and damage are told apart in one pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import rlp
from rlp.exceptions import DecodingError

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.codec import decode_validator_set, encode_validator_set
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType
from hutong.relay.hub.consensus.blocks import MAX_BLOCK_BYTES, block_id_of, decode_block, encode_block
from hutong.relay.hub.consensus.types import (
    BlockPrepared,
    BlockReceived,
    Event,
    HeightStarted,
    Proposal,
    ProposalReceived,
    Step,
    TimeoutElapsed,
    Vote,
    VoteReceived,
)

MARKER = b"hwal"
_STEM = MARKER[:-1]
_STUFFED = _STEM + b"\x00"
"""What a frame holds in place of the marker's stem, so that the body of a frame never contains the marker."""
_HEAD_BYTES = 8
MAX_EVENT_BYTES = MAX_BLOCK_BYTES + 64 * 1024
_INT64_BYTES = 8


class LogDamaged(Exception):
    """Intact events follow bytes that are not an event, so the log was altered after it was written."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset, self.reason = offset, reason
        super().__init__(offset, reason)

    def __str__(self) -> str:
        return f"damaged at byte {self.offset}: {self.reason}"


@dataclass(frozen=True, slots=True)
class LogContent:
    """`whole_bytes`: where the torn end begins, if there is one."""

    events: tuple[Event, ...]
    whole_bytes: int


def encode_frame(event: Event) -> bytes:
    """MARKER ‖ stuffed(BE4(length) ‖ BE4(CRC of length and payload) ‖ payload), the length that of the bare payload."""
    payload: bytes = rlp.encode(_fields(event))
    return _frame(payload)


def _frame(payload: bytes) -> bytes:
    size = len(payload).to_bytes(4, "big")
    body = size + crc32(size + payload).to_bytes(4, "big") + payload
    return MARKER + body.replace(_STEM, _STUFFED)


def decode_log(data: bytes) -> LogContent:
    """All whole frames. What follows the last of them is a write that a crash cut short.

    Linear in the bytes: each belongs to the one marker before it. Signatures in the events are not verified.

    Raises:
        LogDamaged: a frame follows bytes that are not a frame, or a frame holds no event.
    """
    events: list[Event] = []
    whole, start = 0, data.find(MARKER)
    while start >= 0:
        following = data.find(MARKER, start + len(MARKER))
        found = _payload_of(data[start : len(data) if following < 0 else following])
        if found is not None:
            payload, size = found
            if start != whole:
                raise LogDamaged(whole, f"the bytes are not an event, though one follows at byte {start}")
            try:
                events.append(_event(rlp.decode(payload, strict=True)))
            except (DecodingError, MalformedInput, ValueError, TypeError) as error:
                raise LogDamaged(start, f"holds no event ({type(error).__name__})") from error
            whole += size
        start = following
    return LogContent(tuple(events), whole)


def _payload_of(frame: bytes) -> tuple[bytes, int] | None:
    """The payload and the length of the whole frame in bytes; later bytes may not be an event. None if it is no frame."""
    body = frame[len(MARKER) :].replace(_STUFFED, _STEM)
    size = int.from_bytes(body[:4], "big")
    payload = body[_HEAD_BYTES : _HEAD_BYTES + size]
    if len(body) < _HEAD_BYTES or size > MAX_EVENT_BYTES or len(payload) < size:
        return None
    if crc32(body[:4] + payload) != int.from_bytes(body[4:_HEAD_BYTES], "big"):
        return None
    if len(body) == _HEAD_BYTES + size:
        # Also a frame of a version before stuffing, whose stem may stand bare.
        return payload, len(frame)
    encoded = _frame(payload)
    return (payload, len(encoded)) if frame.startswith(encoded) else None


def _int(value: int) -> bytes:
    return value.to_bytes(_INT64_BYTES, "big", signed=True)


def _read_int(data: Any) -> int:
    if not isinstance(data, bytes) or len(data) != _INT64_BYTES:
        raise ValueError("no int64")
    return int.from_bytes(data, "big", signed=True)


def _block_id(block_id: BlockId) -> list[bytes]:
    return [block_id.hash, _int(block_id.part_set_header.total), block_id.part_set_header.hash]


def _read_block_id(row: Any) -> BlockId:
    hash_, total, parts = row
    return BlockId(hash_, PartSetHeader(_read_int(total), parts))


def _fields(event: Event) -> list[Any]:
    now = _int(event.now_ns)
    match event:
        case HeightStarted():
            validators = encode_validator_set(event.validators)
            return [b"h", now, _int(event.height), validators, _int(event.last_block_time_ns), _int(event.round)]
        case TimeoutElapsed():
            return [b"t", now, _int(event.height), _int(event.round), _int(event.step)]
        case BlockPrepared():
            return [b"b", now, _int(event.height), _int(event.round), encode_block(event.block)]
        case BlockReceived():
            return [b"c", now, encode_block(event.block), _int(event.accepted)]
        case ProposalReceived():
            p = event.proposal
            proposal = [_int(p.height), _int(p.round), _int(p.pol_round), _block_id(p.block_id), _int(p.timestamp_ns)]
            return [b"p", now, [*proposal, p.signature], encode_block(event.block), _int(event.accepted)]
        case VoteReceived():
            v = event.vote
            numbers = [v.message_type, v.height, v.round, v.timestamp_ns, v.validator_index]
            return [b"v", now, [_int(n) for n in numbers], _block_id(v.block_id), v.validator_address, v.signature]


def _read_flag(data: Any) -> bool:
    return bool(_read_int(data))


def _height_started(now_ns: int, height: Any, validators: Any, time_ns: Any, round_: Any) -> Event:
    members = decode_validator_set(validators)
    return HeightStarted(_read_int(height), members, _read_int(time_ns), now_ns, _read_int(round_))


def _timeout(now_ns: int, height: Any, round_: Any, at: Any) -> Event:
    return TimeoutElapsed(_read_int(height), _read_int(round_), Step(_read_int(at)), now_ns)


def _prepared(now_ns: int, height: Any, round_: Any, encoded: Any) -> Event:
    block = decode_block(encoded)
    return BlockPrepared(_read_int(height), _read_int(round_), block, block_id_of(block), now_ns)


def _received(now_ns: int, encoded: Any, accepted: Any) -> Event:
    block = decode_block(encoded)
    return BlockReceived(block, block_id_of(block), _read_flag(accepted), now_ns)


def _proposal(now_ns: int, row: Any, encoded: Any, accepted: Any) -> Event:
    height, round_, pol_round, block_id, time_ns, signature = row
    proposal = Proposal(
        _read_int(height),
        _read_int(round_),
        _read_int(pol_round),
        _read_block_id(block_id),
        _read_int(time_ns),
        signature,
    )
    block = decode_block(encoded)
    return ProposalReceived(proposal, block, block_id_of(block), _read_flag(accepted), now_ns)


def _vote(now_ns: int, numbers: Any, block_id: Any, address: Any, signature: Any) -> Event:
    kind, height, round_, time_ns, index = map(_read_int, numbers)
    vote = Vote(SignedMessageType(kind), height, round_, _read_block_id(block_id), time_ns, index, address, signature)
    return VoteReceived(vote, now_ns)


_READERS: dict[bytes, Callable[..., Event]] = {
    b"h": _height_started,
    b"t": _timeout,
    b"b": _prepared,
    b"c": _received,
    b"p": _proposal,
    b"v": _vote,
}


def _event(row: Any) -> Event:
    kind, now, *rest = row
    return _READERS[bytes(kind)](_read_int(now), *rest)
