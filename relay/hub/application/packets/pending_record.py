"""The record that settles leg 1 of a forward, of messages and of tokens, as bytes (docs/spec/hub-state.md)."""

from dataclasses import dataclass

from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.ibc.packet import MAX_PACKET_BYTES, Packet, decode_packet, encode_packet
from hutong.light_clients.interface import MalformedInput

_RECORD_TYPES = ["uint8", "uint64", "bytes"]
_RECORD_VERSION = 1
MAX_RECORD_BYTES = MAX_PACKET_BYTES + 1024


@dataclass(frozen=True, slots=True)
class PendingForward:
    """What settles leg 1: its packet, whole, because its acknowledgement event carries it."""

    leg_1: Packet
    accepted_at_s: int


def encode_pending_forward(pending: PendingForward) -> bytes:
    """`abi.encode(uint8 version, uint64 acceptedAt, bytes packet)`, in seconds and with the packet in protobuf."""
    return encode_abi(_RECORD_TYPES, [_RECORD_VERSION, pending.accepted_at_s, encode_packet(pending.leg_1)])


def decode_pending_forward(data: bytes) -> PendingForward:
    """Inverse of `encode_pending_forward`.

    Raises:
        MalformedInput: the record is not canonical or of another version, which is damage.
    """
    version, accepted_at_s, packet = decode_canonical(_RECORD_TYPES, data, "pending_forward", MAX_RECORD_BYTES)
    if version != _RECORD_VERSION:
        raise MalformedInput("pending_forward.version", "unknown", got=version, expected=_RECORD_VERSION)
    return PendingForward(decode_packet(packet), accepted_at_s)
