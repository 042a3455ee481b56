"""The record that settles leg 1 of a forward, of messages and of tokens (docs/spec/hub-state.md).

It is written in the transaction that commits leg 2, so settling leg 1 needs nothing that could be missing.
"""

from dataclasses import dataclass

from light_clients.ibc.abi import decode_canonical, encode_abi
from light_clients.ibc.packet import MAX_PACKET_BYTES, Packet, decode_packet, encode_packet
from light_clients.interface import MalformedInput
from relay.hub.application.packets import PacketRouter
from relay.hub.state import keys

_RECORD_TYPES = ["uint8", "uint64", "bytes"]
_RECORD_VERSION = 1
MAX_RECORD_BYTES = MAX_PACKET_BYTES + 1024


@dataclass(frozen=True, slots=True)
class PendingForward:
    """What settles leg 1: its packet, whole, because its acknowledgement event carries it."""

    leg_1: Packet
    accepted_at_s: int


def encode_pending_forward(pending: PendingForward) -> bytes:
    """`abi.encode(uint8 version, uint64 acceptedAt, bytes packet)` with the packet in protobuf."""
    return encode_abi(_RECORD_TYPES, [_RECORD_VERSION, pending.accepted_at_s, encode_packet(pending.leg_1)])


def decode_pending_forward(data: bytes) -> PendingForward:
    """Inverse of `encode_pending_forward`."""
    version, accepted_at_s, packet = decode_canonical(_RECORD_TYPES, data, "pending_forward", MAX_RECORD_BYTES)
    if version != _RECORD_VERSION:
        raise MalformedInput("pending_forward.version", "unknown", got=version, expected=_RECORD_VERSION)
    return PendingForward(decode_packet(packet), accepted_at_s)


def put_pending(router: PacketRouter, leg_1: Packet, leg_2: Packet) -> None:
    """Remember leg 1 under leg 2."""
    key = keys.forward_key(leg_2.source_client, leg_2.sequence)
    router.store.set(key, encode_pending_forward(PendingForward(leg_1, router.now_s)))


def take_pending(router: PacketRouter, leg_2: Packet) -> PendingForward | None:
    """Remove and return the record of a settled leg 2; None where it was no forward."""
    key = keys.forward_key(leg_2.source_client, leg_2.sequence)
    record = router.store.get(key)
    if record is None:
        return None
    router.store.delete(key)
    return decode_pending_forward(record)
