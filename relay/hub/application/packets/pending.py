"""Keeping the record that settles leg 1: written in the transaction that commits leg 2, so that settling needs nothing that
could be missing."""

from hutong.light_clients.ibc.packet import Packet
from hutong.relay.hub.application.packets.packets import PacketRouter
from hutong.relay.hub.application.packets.pending_record import (
    PendingForward,
    decode_pending_forward,
    encode_pending_forward,
)
from hutong.relay.hub.state import keys


def put_pending(router: PacketRouter, leg_1: Packet, leg_2: Packet) -> None:
    """Remember leg 1 under leg 2, with this block's time."""
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
