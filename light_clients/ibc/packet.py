"""IBC v2 packets and acknowledgements (ICS-04 v2) with their protobuf codec.

Bounds are those of ibc-go v10 (`modules/core/04-channel/v2/types`): payload values sum to at most 256 KiB.
"""

from dataclasses import dataclass

from hutong.light_clients.ibc.identifiers import check_client_id, check_port_id
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.protobuf import ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

MAX_PAYLOADS_BYTES = 262_144
MAX_PAYLOADS = 16
"""Stock chains set no count; more payloads than apps on a chain serve nobody."""
MAX_TEXT_BYTES = 256
"""Bound of a payload's version and encoding."""
MAX_PACKET_BYTES = MAX_PAYLOADS_BYTES + 32 * 1024
MAX_ACKNOWLEDGEMENT_BYTES = 16 * 1024
"""Per packet: all app acknowledgements together. Settlement of a forwarded leg stores them, so the cap is ours."""

ERROR_ACKNOWLEDGEMENT = bytes.fromhex("4774d4a575993f963b1c06573736617a457abef8589178db8d10c94b4ab511ab")
"""SHA-256 of `UNIVERSAL_ERROR_ACKNOWLEDGEMENT`: the only failure that v2 knows."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One application's data in a packet. No field is empty."""

    source_port: str
    destination_port: str
    version: str
    encoding: str
    value: bytes

    def __post_init__(self) -> None:
        check_port_id(self.source_port, "payload.source_port")
        check_port_id(self.destination_port, "payload.destination_port")
        for name in ("version", "encoding"):
            text = getattr(self, name)
            if not text.strip():
                raise MalformedInput(f"payload.{name}", "is empty")
            if len(text.encode()) > MAX_TEXT_BYTES:
                raise MalformedInput(f"payload.{name}", f"more than {MAX_TEXT_BYTES} bytes", got=text)
        if not self.value:
            raise MalformedInput("payload.value", "is empty")


@dataclass(frozen=True, slots=True)
class Packet:
    """An IBC v2 packet; `timeout_timestamp_s` is Unix seconds of the destination chain."""

    sequence: int
    source_client: str
    destination_client: str
    timeout_timestamp_s: int
    payloads: tuple[Payload, ...]

    def __post_init__(self) -> None:
        check_client_id(self.source_client, "packet.source_client")
        check_client_id(self.destination_client, "packet.destination_client")
        for name in ("sequence", "timeout_timestamp_s"):
            value = getattr(self, name)
            if not 0 < value <= MAX_UINT64:
                raise MalformedInput(f"packet.{name}", "must be a positive uint64", got=value)
        if not self.payloads:
            raise MalformedInput("packet.payloads", "is empty")
        if len(self.payloads) > MAX_PAYLOADS:
            raise MalformedInput("packet.payloads", f"more than {MAX_PAYLOADS}", got=len(self.payloads))
        size = sum(len(payload.value) for payload in self.payloads)
        if size > MAX_PAYLOADS_BYTES:
            raise MalformedInput("packet.payloads", f"values exceed {MAX_PAYLOADS_BYTES} bytes", got=size)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One entry per payload, or the single error sentinel."""

    app_acknowledgements: tuple[bytes, ...]

    def __post_init__(self) -> None:
        entries = self.app_acknowledgements
        if not entries:
            raise MalformedInput("acknowledgement", "is empty")
        if any(not entry for entry in entries):
            raise MalformedInput("acknowledgement", "has an empty entry")
        if len(entries) > 1 and ERROR_ACKNOWLEDGEMENT in entries:
            raise MalformedInput("acknowledgement", "the error sentinel must be the only entry")
        size = sum(map(len, entries))
        if size > MAX_ACKNOWLEDGEMENT_BYTES:
            raise MalformedInput("acknowledgement", f"more than {MAX_ACKNOWLEDGEMENT_BYTES} bytes", got=size)

    @property
    def is_error(self) -> bool:
        """Whether it is the error sentinel, by which senders refund."""
        return self.app_acknowledgements == (ERROR_ACKNOWLEDGEMENT,)

    def check_matches(self, packet: Packet) -> None:
        """A success has as many entries as the packet has payloads (ICS-04 v2); the error sentinel is one for all.

        Raises:
            MalformedInput: another number.
        """
        if not self.is_error and len(self.app_acknowledgements) != len(packet.payloads):
            raise MalformedInput(
                "acknowledgement",
                "one entry per payload",
                got=len(self.app_acknowledgements),
                expected=len(packet.payloads),
            )


ERROR = Acknowledgement((ERROR_ACKNOWLEDGEMENT,))


def encode_packet(packet: Packet) -> bytes:
    """Protobuf `ibc.core.channel.v2.Packet`, canonical."""
    message = ibc_pb2.Packet(
        sequence=packet.sequence,
        source_client=packet.source_client,
        destination_client=packet.destination_client,
        timeout_timestamp=packet.timeout_timestamp_s,
        payloads=[
            ibc_pb2.Payload(
                source_port=payload.source_port,
                destination_port=payload.destination_port,
                version=payload.version,
                encoding=payload.encoding,
                value=payload.value,
            )
            for payload in packet.payloads
        ],
    )
    return message.SerializeToString(deterministic=True)


def decode_packet(data: bytes) -> Packet:
    """Inverse of `encode_packet`, of at most `MAX_PACKET_BYTES`; refuses anything but the canonical bytes.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    message = parse_canonical(ibc_pb2.Packet, data, "packet", MAX_PACKET_BYTES)
    return Packet(
        sequence=message.sequence,
        source_client=message.source_client,
        destination_client=message.destination_client,
        timeout_timestamp_s=message.timeout_timestamp,
        payloads=tuple(
            Payload(
                source_port=payload.source_port,
                destination_port=payload.destination_port,
                version=payload.version,
                encoding=payload.encoding,
                value=payload.value,
            )
            for payload in message.payloads
        ),
    )


def encode_acknowledgement(acknowledgement: Acknowledgement) -> bytes:
    """Protobuf `ibc.core.channel.v2.Acknowledgement`, canonical."""
    message = ibc_pb2.Acknowledgement(app_acknowledgements=acknowledgement.app_acknowledgements)
    return message.SerializeToString(deterministic=True)


def decode_acknowledgement(data: bytes) -> Acknowledgement:
    """Inverse of `encode_acknowledgement`; refuses anything but the canonical bytes.

    Raises:
        MalformedInput: not the canonical encoding, an empty entry, or more than `MAX_ACKNOWLEDGEMENT_BYTES` in all.
    """
    message = parse_canonical(ibc_pb2.Acknowledgement, data, "acknowledgement", 2 * MAX_ACKNOWLEDGEMENT_BYTES)
    return Acknowledgement(tuple(message.app_acknowledgements))
