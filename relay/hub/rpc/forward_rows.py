"""Packets that wait for the next chain, as the hub's RPC shows them."""

from typing import Any

from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.relay.hub.application.packets.pending_record import decode_pending_forward
from hutong.relay.hub.application.transfer.app import arrival_of
from hutong.relay.hub.state import StateView, keys

MESSAGE = "message"
TOKENS = "tokens"


def waiting_packet(view: StateView, client_id: str, sequence: int) -> dict[str, Any]:
    """The JSON row of an unsettled packet over `client_id`; whether it is unsettled is not checked.

    A forward has its `origin` and `acceptedAt`; what an account of the hub sent has the origin null. `denom` and
    `amount` are there for forwarded tokens alone.
    """
    shown: dict[str, Any] = {"client": client_id, "sequence": hex(sequence), "kind": TOKENS, "origin": None}
    record = view.get(keys.forward_key(client_id, sequence))
    if record is None:
        return shown
    pending = decode_pending_forward(record)
    leg_1 = pending.leg_1
    shown["acceptedAt"] = hex(pending.accepted_at_s)
    shown["origin"] = {"client": leg_1.destination_client, "sequence": hex(leg_1.sequence)}
    if leg_1.payloads[0].destination_port != TRANSFER_PORT:
        return shown | {"kind": MESSAGE}
    arrival = arrival_of(leg_1)
    return shown | {"denom": arrival.denom.path, "amount": hex(arrival.data.amount)}
