"""Quotas from rules version 3 on: one origin, or one token on its way home, cannot take what others need (audit M1).

A quota has two lanes of the same limit. Tokens that go home to the next chain are in the lane of redemptions, shared by
denomination; everything else is shared by origin, which is the hub's client over which it came, or the accounts of the hub
together. Within a lane a share may be at most twice what the lane has free after it (the dynamic threshold of Choudhury and
Hahne, IEEE/ACM ToN 6(2), 1998, with alpha 2): one greedy sender gets two thirds of a lane, n of them leave 1/(2n + 1) free,
and an origin with nothing in flight finds room as long as anything is free. An origin that holds much is settled soon, since
its timeouts must be near.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.ibc.transfer import TRANSFER_PORT, decode_transfer
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.packets.pending_record import decode_pending_forward
from hutong.relay.hub.application.packets.quotas import NOTHING, Load, QuotaExceeded, Quotas
from hutong.relay.hub.state import keys

SHARE_OF_FREE = 2
"""A share may be so many times what is free after it."""
GREEDY_PART = 8
"""A share above 1/8 of the limit counts as greedy."""
GREEDY_HORIZON_S = 3_600
"""How far ahead the timeouts of a greedy share may be: what a burning receiver holds up comes back within the hour."""
HUB_ACCOUNTS = ""
"""Origin of what accounts of the hub send."""
_LOAD_BYTES = 16


class Lane(Enum):
    """Parts of a quota that do not take room from each other."""

    GENERAL = "packets"
    REDEMPTIONS = "redemptions"


@dataclass(frozen=True, slots=True)
class Charge:
    """What a packet counts for, and whose share it is: a client identifier, or the hex digest of a denomination."""

    lane: Lane
    share: str
    payload_bytes: int

    def after(self, load: Load) -> Load:
        """`load` with this packet."""
        return Load(load.packets + 1, load.payload_bytes + self.payload_bytes)

    def without(self, load: Load) -> Load:
        """`load` without this packet, never below nothing: packets of before version 3 were counted in no share."""
        return Load(max(load.packets - 1, 0), max(load.payload_bytes - self.payload_bytes, 0))


class ShareExceeded(QuotaExceeded):
    """One packet more would be over the share of its origin or denomination; the lane itself may have room."""

    def __init__(self, client_id: str, charge: Charge, share: Load, free: Load) -> None:
        super().__init__(client_id, share, free, charge.payload_bytes)
        self.charge = charge
        self.free = free

    def __str__(self) -> str:
        return (
            f"quota of client {self.client_id}: {_name(self.charge)} has {self.in_flight.packets} packets and"
            f" {self.in_flight.payload_bytes} bytes in flight, and may have {SHARE_OF_FREE} times what is free:"
            f" {self.free.packets} packets and {self.free.payload_bytes} bytes"
        )


class TimeoutTooFar(QuotaExceeded):
    """An origin that has much in flight may only send what is settled soon."""

    def __init__(self, client_id: str, charge: Charge, share: Load, timeout_s: int, latest_s: int) -> None:
        super().__init__(client_id, share, share, charge.payload_bytes)
        self.charge = charge
        self.timeout_s = timeout_s
        self.latest_s = latest_s

    def __str__(self) -> str:
        return (
            f"quota of client {self.client_id}: {_name(self.charge)} has {self.in_flight.packets} packets in flight, so its"
            f" timeouts may be {self.latest_s} at the latest, not {self.timeout_s}"
        )


def _name(charge: Charge) -> str:
    if charge.lane is Lane.REDEMPTIONS:
        return f"the denomination {charge.share[:16]}…"
    return f"the origin {charge.share}" if charge.share else "the hub's accounts together"


def charge_of(payload: Payload, next_client: str, origin: str) -> Charge:
    """What a packet over `next_client` counts for; `payload` is one that the hub itself made, so it decodes.

    Tokens that go home to the next chain count by their denomination, everything else by `origin`.
    """
    size = len(payload.value)
    if payload.source_port == TRANSFER_PORT:
        denom = Denom.parse(decode_transfer(payload.value, payload.encoding).denom)
        if denom.is_returning(TRANSFER_PORT, next_client):
            return Charge(Lane.REDEMPTIONS, denom.digest.hex(), size)
    return Charge(Lane.GENERAL, origin, size)


class SharedQuotas(Quotas):
    """Limits and counters of all clients over one store."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._rows = store

    def check(self, client_id: str, payload: Payload, origin: str, timeout_s: int, now_s: int) -> None:
        """A packet with this payload fits into its lane and its share. Times are Unix seconds.

        Raises:
            QuotaExceeded: the lane is full.
            ShareExceeded: the share of its origin or denomination is.
            TimeoutTooFar: the share is greedy, and the timeout more than GREEDY_HORIZON_S ahead.
        """
        charge = charge_of(payload, client_id, origin)
        limit, (total, share, _) = self.limit(client_id), self._standing(client_id, charge)
        after = charge.after(total)
        if after.packets > limit.packets or after.payload_bytes > limit.payload_bytes:
            raise QuotaExceeded(client_id, total, limit, charge.payload_bytes)
        share_after = charge.after(share)
        # Free before the packet comes: the first packet of an empty lane fits whatever the limit is.
        free = Load(limit.packets - total.packets, limit.payload_bytes - total.payload_bytes)
        if (
            share_after.packets > SHARE_OF_FREE * free.packets
            or share_after.payload_bytes > SHARE_OF_FREE * free.payload_bytes
        ):
            raise ShareExceeded(client_id, charge, share, free)
        is_greedy = (
            GREEDY_PART * share.packets >= limit.packets or GREEDY_PART * share.payload_bytes >= limit.payload_bytes
        )
        if share.packets and is_greedy and timeout_s > now_s + GREEDY_HORIZON_S:
            raise TimeoutTooFar(client_id, charge, share, timeout_s, now_s + GREEDY_HORIZON_S)

    def lane_load(self, client_id: str, lane: Lane) -> Load:
        """What is in flight in one lane of the client."""
        if lane is Lane.GENERAL:
            return self.in_flight(client_id)
        raw = self._rows.get(keys.quota_redemptions_key(client_id))
        return NOTHING if raw is None else Load.decode(raw)

    def by_origin(self, client_id: str) -> dict[str, Load]:
        """What each origin has in flight in the general lane, in the order of their identifiers.

        Those with nothing are left out. Origins are clients of the hub, which admins or validators create, and "" for
        the accounts of the hub.
        """
        raw = self._rows.get(keys.quota_in_flight_key(client_id))
        return {} if raw is None else _decode_origins(raw[_LOAD_BYTES:])

    def packet_sent(self, packet: Packet, origin: str) -> None:
        """Count a packet that is committed, in its lane and its share; `check` must have passed."""
        charge = charge_of(packet.payloads[0], packet.source_client, origin)
        self._change(packet.source_client, charge, charge.after)

    def packet_settled(self, packet: Packet) -> None:
        """Give its room back, before its pending record goes, which says whose share it was."""
        record = self._rows.get(keys.forward_key(packet.source_client, packet.sequence))
        origin = HUB_ACCOUNTS if record is None else decode_pending_forward(record).leg_1.destination_client
        charge = charge_of(packet.payloads[0], packet.source_client, origin)
        self._change(packet.source_client, charge, charge.without)

    def _standing(self, client_id: str, charge: Charge) -> tuple[Load, Load, dict[str, Load]]:
        """Of the lane, of the share, and of every origin where the lane is shared by origin."""
        if charge.lane is Lane.GENERAL:
            raw = self._rows.get(keys.quota_in_flight_key(client_id))
            if raw is None:
                return NOTHING, NOTHING, {}
            origins = _decode_origins(raw[_LOAD_BYTES:])
            return Load.decode(raw), origins.get(charge.share, NOTHING), origins
        raw = self._rows.get(keys.quota_denom_key(client_id, bytes.fromhex(charge.share)))
        share = NOTHING if raw is None else Load.decode(raw)
        return self.lane_load(client_id, charge.lane), share, {}

    def _change(self, client_id: str, charge: Charge, change: Callable[[Load], Load]) -> None:
        total, share, origins = self._standing(client_id, charge)
        total, share = change(total), change(share)
        if charge.lane is Lane.GENERAL:
            origins[charge.share] = share
            rows = b"".join(_encode_origin(origin, load) for origin, load in sorted(origins.items()) if load != NOTHING)
            self._rows.set(keys.quota_in_flight_key(client_id), total.encode() + rows)
            return
        self._rows.set(keys.quota_redemptions_key(client_id), total.encode())
        key = keys.quota_denom_key(client_id, bytes.fromhex(charge.share))
        if share == NOTHING:
            self._rows.delete(key)
        else:
            self._rows.set(key, share.encode())


def _encode_origin(origin: str, load: Load) -> bytes:
    return bytes([len(origin)]) + origin.encode() + load.encode()


def _decode_origins(raw: bytes) -> dict[str, Load]:
    found: dict[str, Load] = {}
    while raw:
        end = 1 + raw[0]
        found[raw[1:end].decode()] = Load.decode(raw[end : end + _LOAD_BYTES])
        raw = raw[end + _LOAD_BYTES :]
    return found
