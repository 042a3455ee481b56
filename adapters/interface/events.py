"""Heads and packet events, as an endpoint tells them: hints of what to read from state, never proof."""

from dataclasses import dataclass, field
from enum import StrEnum

from hutong.light_clients.ibc.packet import Acknowledgement, Packet


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block that the chain's own rule calls final."""

    height: int
    hash: bytes
    time_ns: int


class PacketEventKind(StrEnum):
    SEND = "send"
    WRITE_ACKNOWLEDGEMENT = "write_acknowledgement"
    ACKNOWLEDGE = "acknowledge"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class PooledPacket:
    """A message of a pending transaction, by the event that it would leave on client `client_id` of its chain."""

    kind: PacketEventKind
    client_id: str
    sequence: int
    sender: str


@dataclass(frozen=True, slots=True)
class Relayed:
    """Who sent a mined transaction, and the clients on its chain that it brought packets over, as far as it tells."""

    sender: str
    client_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class PacketEvent:
    """One step of a packet's life in a final block.

    `acknowledgement` is there for WRITE_ACKNOWLEDGEMENT, and for ACKNOWLEDGE where the chain tells it. `log_index`
    tells the events of a block apart.
    """

    kind: PacketEventKind
    height: int
    block_time_ns: int
    transaction_hash: bytes
    log_index: int
    packet: Packet
    acknowledgement: Acknowledgement | None = None
    refusal: str | None = field(default=None, compare=False)
    """Why the receiver refused it, where the chain tells: an endpoint's word, for people, and no part of what the event is.
    Bounded and printable."""

    @property
    def client_id(self) -> str:
        """The client on the chain that emitted the event."""
        if self.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT:
            return self.packet.destination_client
        return self.packet.source_client
