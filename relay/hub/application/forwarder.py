"""The hub's `forward` port: leg 1 comes in, leg 2 goes out with the origin stamp, leg 1 settles as leg 2 did.

Rules 2, 3 and 4 of the design ("Rules that protect funds"). The pending record is written in the transaction that
commits leg 2, so settling leg 1 needs nothing that could be missing.
"""

from dataclasses import dataclass

from eth_abi.abi import encode

from light_clients.ibc.abi import ABI_ENCODING, decode_canonical
from light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    MAX_FORWARD_HORIZON_S,
    MAX_HOPS,
    STAMP_VERSION,
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    encode_stamped_payload,
)
from light_clients.ibc.packet import (
    ERROR,
    MAX_PACKET_BYTES,
    Acknowledgement,
    Packet,
    Payload,
    decode_packet,
    encode_packet,
)
from light_clients.interface import NANOSECONDS_PER_SECOND, ClientStatus, MalformedInput, VerificationError
from relay.hub.application.clients import NoCounterparty, UnknownClient
from relay.hub.application.packets import ApplicationRefused, PacketRouter
from relay.hub.state import keys

_RECORD_TYPES = ["uint8", "uint64", "bytes"]
_RECORD_VERSION = 1
MAX_RECORD_BYTES = MAX_PACKET_BYTES + 1024
MAX_ONWARD_VALUE_BYTES = 64 * 1024
"""Of leg 2's payload. Its settlement carries it again, with an acknowledgement of up to 16 KiB and a proof, in one
transaction of at most 128 KiB: what could be delivered but never settled is refused."""


@dataclass(frozen=True, slots=True)
class PendingForward:
    """What settles leg 1: its packet, whole, because its acknowledgement event carries it."""

    leg_1: Packet
    accepted_at_s: int


def encode_pending_forward(pending: PendingForward) -> bytes:
    """`abi.encode(uint8 version, uint64 acceptedAt, bytes packet)` with the packet in protobuf."""
    return encode(_RECORD_TYPES, [_RECORD_VERSION, pending.accepted_at_s, encode_packet(pending.leg_1)])


def decode_pending_forward(data: bytes) -> PendingForward:
    """Inverse of `encode_pending_forward`."""
    version, accepted_at_s, packet = decode_canonical(_RECORD_TYPES, data, "pending_forward", MAX_RECORD_BYTES)
    if version != _RECORD_VERSION:
        raise MalformedInput("pending_forward.version", "unknown", got=version, expected=_RECORD_VERSION)
    return PendingForward(decode_packet(packet), accepted_at_s)


class Forwarder:
    """The application behind the port."""

    def __init__(self, router: PacketRouter) -> None:
        self._router = router

    def on_receive(self, packet: Packet) -> None:
        payload = packet.payloads[0]
        request = self._request(packet, payload)
        self._check_route(packet, request)
        stamp = OriginStamp(
            version=STAMP_VERSION,
            client_id=packet.destination_client,
            source_port=payload.source_port,
            destination_port=payload.destination_port,
            sequence=packet.sequence,
            hops=MAX_HOPS,
        )
        try:
            stamped = StampedPayload(stamp, request.version, request.encoding, request.value)
            onward = Payload(
                FORWARD_PORT,
                request.destination_port,
                FORWARD_VERSION,
                ABI_ENCODING,
                encode_stamped_payload(stamped),
            )
            # The sender's bounds may fit leg 1 and not leg 2: seen before anything is written.
            Packet(1, request.next_client, packet.source_client, request.timeout_timestamp_s, (onward,))
        except MalformedInput as error:
            raise ApplicationRefused(f"forward: {error}") from error
        if len(onward.value) > MAX_ONWARD_VALUE_BYTES:
            raise ApplicationRefused(f"forward: stamped payload has more than {MAX_ONWARD_VALUE_BYTES} bytes")
        leg_2 = self._router.send(request.next_client, request.timeout_timestamp_s, onward)
        pending = PendingForward(packet, self._router.now_s)
        self._router.store.set(keys.forward_key(leg_2.source_client, leg_2.sequence), encode_pending_forward(pending))

    def _request(self, packet: Packet, payload: Payload) -> ForwardRequest:
        if payload.version != FORWARD_VERSION:
            raise ApplicationRefused(f"forward: payload version must be {FORWARD_VERSION}")
        if payload.encoding != ABI_ENCODING:
            raise ApplicationRefused(f"forward: payload encoding must be {ABI_ENCODING}")
        try:
            return decode_forward_request(payload.value)
        except VerificationError as error:
            raise ApplicationRefused(f"forward: {error}") from error

    def _check_route(self, packet: Packet, request: ForwardRequest) -> None:
        router = self._router
        next_client = request.next_client
        if next_client == packet.destination_client:
            raise ApplicationRefused("forward: the next client is the one that the packet came from")
        timeout_s = request.timeout_timestamp_s
        if not router.now_s < timeout_s <= router.now_s + MAX_FORWARD_HORIZON_S:
            raise ApplicationRefused(
                f"forward: timeout {timeout_s} must be after {router.now_s} and within {MAX_FORWARD_HORIZON_S} s"
            )
        try:
            status = router.clients.status(next_client)
            router.clients.counterparty(next_client)
        except (UnknownClient, NoCounterparty) as error:
            missing = "client" if isinstance(error, UnknownClient) else "counterparty of client"
            raise ApplicationRefused(f"forward: the hub has no {missing} {next_client}") from error
        except MalformedInput as error:
            raise ApplicationRefused(f"forward: {error}") from error
        if status is not ClientStatus.ACTIVE:
            raise ApplicationRefused(f"forward: client {next_client} is {status}")
        known_s = router.clients.latest_timestamp_ns(next_client) // NANOSECONDS_PER_SECOND
        if known_s >= timeout_s:
            raise ApplicationRefused(f"forward: timeout {timeout_s} has passed on the next chain ({known_s})")

    def on_acknowledgement(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        """A success passes unchanged; an error becomes the sentinel, which it already is."""
        if acknowledgement.is_error:
            self._settle(packet, ERROR, f"{packet.destination_client} at the destination answered with an error")
        else:
            self._settle(packet, acknowledgement, None)

    def on_timeout(self, packet: Packet) -> None:
        self._settle(packet, ERROR, f"timed out at the destination at {packet.timeout_timestamp_s}")

    def _settle(self, leg_2: Packet, acknowledgement: Acknowledgement, failure: str | None) -> None:
        key = keys.forward_key(leg_2.source_client, leg_2.sequence)
        record = self._router.store.get(key)
        if record is None:
            raise RuntimeError(f"forward {leg_2.source_client} {leg_2.sequence} has no pending record")
        pending = decode_pending_forward(record)
        self._router.store.delete(key)
        if failure is not None:
            self._router.record_failure(pending.leg_1, f"forward over {leg_2.source_client}: {failure}")
        self._router.write_acknowledgement(pending.leg_1, acknowledgement)
