"""Messages that a relayer submits, in chain-neutral form: headers and proofs in the Python light clients' encoding."""

from dataclasses import dataclass
from typing import TypeAlias

from hutong.light_clients.ibc.packet import Acknowledgement, Packet
from hutong.light_clients.interface import Height


@dataclass(frozen=True, slots=True)
class UpdateClient:
    """Bring `client_id` (on the destination) forward with one header."""

    client_id: str
    header: bytes


@dataclass(frozen=True, slots=True)
class SubmitMisbehaviour:
    """Freeze `client_id` with evidence."""

    client_id: str
    misbehaviour: bytes


@dataclass(frozen=True, slots=True)
class RecvPacket:
    """Deliver a packet; `proof` is of its commitment on the source."""

    packet: Packet
    proof: bytes
    proof_height: Height


@dataclass(frozen=True, slots=True)
class AcknowledgePacket:
    """Settle a packet on its source; `proof` is of the acknowledgement commitment on the destination."""

    packet: Packet
    acknowledgement: Acknowledgement
    proof: bytes
    proof_height: Height


@dataclass(frozen=True, slots=True)
class TimeoutPacket:
    """Settle a packet on its source; `proof` is of the receipt's absence at a time past the timeout."""

    packet: Packet
    proof: bytes
    proof_height: Height


Message: TypeAlias = UpdateClient | SubmitMisbehaviour | RecvPacket | AcknowledgePacket | TimeoutPacket


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one transaction, in execution order. One message's failure sinks the others only where batches are
    atomic.
    """

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one transaction may hold on a chain.

    `max_bytes` bounds the signed transaction (128 KiB is the pool limit of public clients), `max_gas` the sum of gas.
    """

    max_messages: int
    max_bytes: int
    max_gas: int
