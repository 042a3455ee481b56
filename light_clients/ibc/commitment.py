"""Packet and acknowledgement commitments and the ICS-24 v2 paths under which they are stored."""

from enum import IntEnum
from hashlib import sha256

from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import MalformedInput

_V2 = b"\x02"
RECEIPT_VALUE = b"\x02"
"""What the hub stores as a receipt, as ibc-go does. Solidity routers store keccak256(abi.encode(packet)); both are only proven absent."""


class PathKind(IntEnum):
    """Byte between client identifier and sequence."""

    COMMITMENT = 1
    RECEIPT = 2
    ACKNOWLEDGEMENT = 3


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()


def payload_hash(payload: Payload) -> bytes:
    """SHA-256 over the five field hashes, so that no byte can move between fields."""
    fields = (
        payload.source_port.encode(),
        payload.destination_port.encode(),
        payload.version.encode(),
        payload.encoding.encode(),
        payload.value,
    )
    return _hash(b"".join(map(_hash, fields)))


def packet_commitment(packet: Packet) -> bytes:
    """32 bytes; source client and sequence are bound by the storage key, not by the value."""
    return _hash(
        _V2
        + _hash(packet.destination_client.encode())
        + _hash(packet.timeout_timestamp_s.to_bytes(8, "big"))
        + _hash(b"".join(map(payload_hash, packet.payloads)))
    )


def acknowledgement_commitment(acknowledgement: Acknowledgement) -> bytes:
    """32 bytes over all app acknowledgements in their order; the packet is bound by the storage key alone."""
    return _hash(_V2 + b"".join(map(_hash, acknowledgement.app_acknowledgements)))


def path_key(client_id: str, kind: PathKind, sequence: int) -> bytes:
    """The ICS-24 v2 path `client ‖ kind ‖ BE8(sequence)`, without the store's prefix."""
    return client_id.encode() + bytes([kind]) + sequence.to_bytes(8, "big")


def commitment_key(packet: Packet) -> bytes:
    """Key of the commitment on the source chain, without the store's prefix."""
    return path_key(packet.source_client, PathKind.COMMITMENT, packet.sequence)


def receipt_key(packet: Packet) -> bytes:
    """Key of the receipt on the destination chain, without the store's prefix; absent until the packet is received."""
    return path_key(packet.destination_client, PathKind.RECEIPT, packet.sequence)


def acknowledgement_key(packet: Packet) -> bytes:
    """Key of the acknowledgement on the destination chain, without the store's prefix."""
    return path_key(packet.destination_client, PathKind.ACKNOWLEDGEMENT, packet.sequence)


def merkle_path(prefix: tuple[bytes, ...], key: bytes) -> tuple[bytes, ...]:
    """Apply the counterparty's prefix: the key is appended to the last element (ICS-24 v2).

    Elements may come out empty, as in ibc-go `BuildMerklePath`: no verifier takes an empty key, so nothing is proven
    there.

    Raises:
        MalformedInput: an empty prefix.
    """
    if not prefix:
        raise MalformedInput("merkle_prefix", "is empty")
    return (*prefix[:-1], prefix[-1] + key)


def check_merkle_prefix(prefix: tuple[bytes, ...]) -> None:
    """Of a counterparty that can be proven to: ibc-go `ValidateAsPrefix`.

    Raises:
        MalformedInput: an empty prefix, or an empty element that is not the last.
    """
    if not prefix:
        raise MalformedInput("merkle_prefix", "is empty")
    if any(not element for element in prefix[:-1]):
        raise MalformedInput("merkle_prefix", "only the last element may be empty")
