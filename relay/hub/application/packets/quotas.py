"""Bounds of what may be in flight over a client: packets sent and not settled, and the bytes of their payloads. Rules versions 1
and 2; `shared_quotas` has what came with 3.

A quota refuses a new packet and nothing else: settlements and refunds only give room back, once per packet, when its
commitment goes (docs/spec/hub-modules.md).
"""

from dataclasses import dataclass

from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.state import keys


@dataclass(frozen=True, slots=True)
class Load:
    """A number of packets and of payload bytes: a limit, or what is in flight."""

    packets: int
    payload_bytes: int

    def encode(self) -> bytes:
        """16 bytes: BE8 each; what follows them in a record is not read."""
        return self.packets.to_bytes(8, "big") + self.payload_bytes.to_bytes(8, "big")

    @staticmethod
    def decode(raw: bytes) -> "Load":
        """Inverse of `encode`, of the first 16 bytes; the length is not checked."""
        return Load(int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:16], "big"))


NOTHING = Load(0, 0)
DEFAULT_LIMIT = Load(65_536, 256 * 1024 * 1024)
"""A second's worth of full blocks for hours; a flood is stopped before it fills a disk."""


class QuotaExceeded(Refusal):
    """One packet more would be over the client's limit."""

    def __init__(self, client_id: str, in_flight: Load, limit: Load, payload_bytes: int) -> None:
        self.client_id = client_id
        self.in_flight = in_flight
        self.limit = limit
        self.payload_bytes = payload_bytes
        super().__init__(client_id, in_flight, limit, payload_bytes)

    def revert(self) -> NativeRevert:
        """`QuotaExceeded(string,string)` with the identifier and the sentence."""
        return abi.QUOTA_EXCEEDED.revert(self.client_id, str(self))

    def __str__(self) -> str:
        return (
            f"quota of client {self.client_id}: {self.in_flight.packets} of {self.limit.packets} packets and "
            f"{self.in_flight.payload_bytes} of {self.limit.payload_bytes} bytes are in flight, "
            f"{self.payload_bytes} bytes more do not fit"
        )


def payload_bytes(packet: Packet) -> int:
    """What a packet counts for: bytes of its payloads' values."""
    return sum(len(payload.value) for payload in packet.payloads)


class Quotas:
    """Limits and counters of all clients over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def limit(self, client_id: str) -> Load:
        """What may be in flight over the client: DEFAULT_LIMIT until it is set. The client is not looked at."""
        raw = self._store.get(keys.quota_limit_key(client_id))
        return DEFAULT_LIMIT if raw is None else Load.decode(raw)

    def set_limit(self, client_id: str, limit: Load) -> None:
        """Bound what may be in flight, also below what is: then nothing new goes until enough has settled.

        Raises:
            ValueError: a number is no uint64, which the ABI of the action rules out.
        """
        if not (0 <= limit.packets <= MAX_UINT64 and 0 <= limit.payload_bytes <= MAX_UINT64):
            raise ValueError("a limit is two uint64")
        self._store.set(keys.quota_limit_key(client_id), limit.encode())

    def in_flight(self, client_id: str) -> Load:
        """Packets sent and not settled, and the bytes of their payloads."""
        raw = self._store.get(keys.quota_in_flight_key(client_id))
        return NOTHING if raw is None else Load.decode(raw)

    def check(self, client_id: str, payload: Payload, origin: str, timeout_s: int, now_s: int) -> None:
        """A packet with this payload fits. `origin` and the times are of no matter before rules version 3.

        Raises:
            QuotaExceeded: it does not.
        """
        size = len(payload.value)
        limit, load = self.limit(client_id), self.in_flight(client_id)
        if load.packets + 1 > limit.packets or load.payload_bytes + size > limit.payload_bytes:
            raise QuotaExceeded(client_id, load, limit, size)

    def packet_sent(self, packet: Packet, origin: str) -> None:
        """Count a packet that is committed; `check` must have passed."""
        load = self.in_flight(packet.source_client)
        self._save(packet.source_client, Load(load.packets + 1, load.payload_bytes + payload_bytes(packet)))

    def packet_settled(self, packet: Packet) -> None:
        """Give its room back. Called once per packet, by the deletion of its commitment."""
        load = self.in_flight(packet.source_client)
        left = Load(max(load.packets - 1, 0), max(load.payload_bytes - payload_bytes(packet), 0))
        self._save(packet.source_client, left)

    def _save(self, client_id: str, load: Load) -> None:
        self._store.set(keys.quota_in_flight_key(client_id), load.encode())
