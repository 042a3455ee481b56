"""The hub's `forward` port: leg 1 comes in, leg 2 goes out with the origin stamp, leg 1 settles as leg 2 did.

Rules 2, 3 and 4 of the design ("Rules that protect funds"). The pending record is written in the transaction that
commits leg 2, so settling leg 1 needs nothing that could be missing.
"""

from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    MAX_HOPS,
    STAMP_VERSION,
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.forward_failure import forward_failed, refusal_words, timeout_words
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload
from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.hub.application.packets.packets import ApplicationRefused, PacketRouter
from hutong.relay.hub.application.packets.pending import put_pending, take_pending
from hutong.relay.hub.application.packets.routes import check_onward


class Forwarder:
    """The application of the port."""

    def __init__(self, router: PacketRouter) -> None:
        self._router = router

    def on_receive(self, packet: Packet) -> None:
        """Send leg 2 as the request in the payload says, with the origin's stamp.

        Leg 1 is acknowledged when leg 2 is settled.

        Raises:
            ApplicationRefused: the request does not decode, or leg 2 cannot be sent now; nothing was written.
        """
        payload = packet.payloads[0]
        request = self._request(packet, payload)
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
        except MalformedInput as error:
            raise ApplicationRefused(f"forward: {self._router.words_of(error)}") from error
        check_onward(self._router, "forward", packet, request.next_client, request.timeout_timestamp_s, onward)
        leg_2 = self._router.send(request.next_client, request.timeout_timestamp_s, onward, packet.destination_client)
        put_pending(self._router, packet, leg_2)

    def _request(self, packet: Packet, payload: Payload) -> ForwardRequest:
        if payload.version != FORWARD_VERSION:
            raise ApplicationRefused(f"forward: payload version must be {FORWARD_VERSION}")
        if payload.encoding != ABI_ENCODING:
            raise ApplicationRefused(f"forward: payload encoding must be {ABI_ENCODING}")
        try:
            return decode_forward_request(payload.value)
        except VerificationError as error:
            raise ApplicationRefused(f"forward: {self._router.words_of(error)}") from error

    def on_acknowledgement(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        """Settle leg 1 as leg 2 was: a success passes unchanged; an error becomes the sentinel, which it already is.

        Raises:
            RuntimeError: leg 2 has no pending record, which halts the node.
        """
        if acknowledgement.is_error:
            self._settle(packet, ERROR, refusal_words(packet))
        else:
            self._settle(packet, acknowledgement, None)

    def on_timeout(self, packet: Packet) -> None:
        """Settle leg 1 with the error sentinel, and keep the reason.

        Raises:
            RuntimeError: leg 2 has no pending record, which halts the node.
        """
        self._settle(packet, ERROR, timeout_words(packet))

    def _settle(self, leg_2: Packet, acknowledgement: Acknowledgement, failure: str | None) -> None:
        pending = take_pending(self._router, leg_2)
        if pending is None:
            raise RuntimeError(f"forward {leg_2.source_client} {leg_2.sequence} has no pending record")
        if failure is not None:
            self._router.record_failure(pending.leg_1, forward_failed(leg_2.source_client, failure))
        self._router.write_acknowledgement(pending.leg_1, acknowledgement)
