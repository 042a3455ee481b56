"""Token packets: what a receive does with them, how they go on, and how each is settled or undone exactly.

Rules 1, 3 and 4 of the design ("Rules that protect funds"). A forward is one move from where the tokens came from (minted
here, or the arriving client's escrow) to where they go (the next client's escrow, or homeward); its failure is the same
move backwards.
"""

from dataclasses import dataclass

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.forward import MAX_STAMPED_BYTES
from hutong.light_clients.ibc.forward_failure import refusal_words, timeout_words, transfer_failed
from hutong.light_clients.ibc.identifiers import MAX_CLIENT_ID_CHARS, client_type_of
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    JSON_ENCODING,
    SUCCESS_ACKNOWLEDGEMENT,
    TRANSFER_PORT,
    TRANSFER_VERSION,
    ForwardInstruction,
    TransferData,
    decode_forward_memo,
    decode_transfer,
    encode_transfer,
)
from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.hub.application.packets.packets import ApplicationRefused, PacketRouter
from hutong.relay.hub.application.packets.pending import put_pending, take_pending
from hutong.relay.hub.application.packets.pending_record import PendingForward
from hutong.relay.hub.application.packets.routes import check_onward
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.application.transfer.accounts import parse_account
from hutong.relay.hub.application.transfer.bank import (
    Account,
    Bank,
    Escrow,
    Holder,
    Homeward,
    InsufficientTokens,
    Supply,
    SupplyOverflow,
)

_JSON_CLIENT_TYPES = ("07-tendermint",)
"""Stock chains: every version of their transfer module reads JSON."""
_LONGEST_CLIENT_ID = "c" * (MAX_CLIENT_ID_CHARS - 2) + "-0"
MAX_VALUE_BYTES = MAX_STAMPED_BYTES
"""JSON writes a control character in six bytes, so that a memo of legal length can outgrow the transaction that settles."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a proven packet brings: the denomination as the hub names it, and where its tokens come from."""

    data: TransferData
    denom: Denom
    source: Escrow | Supply


def arrival_of(packet: Packet) -> Arrival:
    """Read a packet that came to port `transfer`; who receives it is not looked at.

    Raises:
        ApplicationRefused: it is of another source port or version.
        VerificationError: its payload or denomination does not decode.
    """
    payload = packet.payloads[0]
    if payload.source_port != TRANSFER_PORT:
        # Anybody may own another port on a router, and would mint what its transfer application escrows.
        raise ApplicationRefused("transfer: the source port must be transfer")
    if payload.version != TRANSFER_VERSION:
        raise ApplicationRefused(f"transfer: payload version must be {TRANSFER_VERSION}")
    data = decode_transfer(payload.value, payload.encoding)
    sent = Denom.parse(data.denom)
    if sent.is_returning(payload.source_port, packet.source_client):
        return Arrival(data, sent.stripped(), Escrow(packet.destination_client))
    return Arrival(data, sent.prefixed(payload.destination_port, packet.destination_client), Supply())


def destination_of(denom: Denom, next_client: str) -> Escrow | Homeward:
    """Where tokens stay while they are away: in the next client's escrow, or apart if that chain is their home."""
    return Homeward() if denom.is_returning(TRANSFER_PORT, next_client) else Escrow(next_client)


def transfer_payload(data: TransferData, next_client: str) -> Payload:
    """The payload of a transfer over `next_client`, in the encoding that the chain at its other end reads.

    Raises:
        MalformedInput: it could not settle or come home: too long, or a denomination without room for one more hop.
    """
    denom = Denom.parse(data.denom)
    if not denom.is_returning(TRANSFER_PORT, next_client):
        # A stock chain takes a trace of any length, and what it sends back has its hop in front.
        denom.prefixed(TRANSFER_PORT, _LONGEST_CLIENT_ID)
    encoding = JSON_ENCODING if client_type_of(next_client) in _JSON_CLIENT_TYPES else ABI_ENCODING
    value = encode_transfer(data, encoding)
    if len(value) > MAX_VALUE_BYTES:
        raise MalformedInput("transfer", f"more than {MAX_VALUE_BYTES} bytes in {encoding}", got=len(value))
    return Payload(TRANSFER_PORT, TRANSFER_PORT, TRANSFER_VERSION, encoding, value)


class TransferApplication:
    """The application of the port."""

    def __init__(self, router: PacketRouter) -> None:
        self._router = router
        self._bank = Bank(router.store, router.emit)

    def on_receive(self, packet: Packet) -> bytes | None:
        """Credit the receiver on the hub and acknowledge, or send the tokens on as the memo says.

        Returns:
            The acknowledgement; None for a forward, whose acknowledgement is written when leg 2 is settled.

        Raises:
            ApplicationRefused: nothing was written.
        """
        try:
            arrival = arrival_of(packet)
            instruction = decode_forward_memo(arrival.data.memo)
        except VerificationError as error:
            raise ApplicationRefused(f"transfer: {self._router.words_of(error)}") from error
        if instruction is not None:
            self._forward(packet, arrival, instruction)
            return None
        self._take(arrival, Account(parse_account(arrival.data.receiver)))
        return SUCCESS_ACKNOWLEDGEMENT

    def on_acknowledgement(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        """Finish a transfer that succeeded, or give the tokens back after an error.

        A chain that brought the tokens home before and answers with an error now is not paid twice: that is logged.
        """
        if acknowledgement.is_error:
            self._undo(packet, refusal_words(packet))
        else:
            self._complete(packet)

    def on_timeout(self, packet: Packet) -> None:
        """Give the tokens back; of a forward to where leg 1 brought them from."""
        self._undo(packet, timeout_words(packet))

    # --- receiving

    def _take(self, arrival: Arrival, target: Holder) -> None:
        try:
            self._bank.move(arrival.denom, arrival.source, target, arrival.data.amount)
        except InsufficientTokens as error:
            raise ApplicationRefused(f"transfer: more than was sent to this client: {error}") from error
        except SupplyOverflow as error:
            raise ApplicationRefused(f"transfer: {error}") from error

    def _forward(self, packet: Packet, arrival: Arrival, instruction: ForwardInstruction) -> None:
        next_client = instruction.next_client
        timeout_s = instruction.deadline_s(self._router.now_s)
        # The origin's sender under the client that was proven: nobody can write as a hub account or as another chain.
        sender = f"{packet.destination_client}/{arrival.data.sender}"
        try:
            onward = TransferData(arrival.denom.path, sender, instruction.receiver, arrival.data.amount)
            payload = transfer_payload(onward, next_client)
        except VerificationError as error:
            raise ApplicationRefused(f"transfer: {self._router.words_of(error)}") from error
        check_onward(self._router, "transfer", packet, next_client, timeout_s, payload)
        self._take(arrival, destination_of(arrival.denom, next_client))
        leg_2 = self._router.send(next_client, timeout_s, payload, packet.destination_client)
        put_pending(self._router, packet, leg_2)

    # --- settling what was sent

    def _complete(self, sent: Packet) -> None:
        data, denom, away = self._sent(sent)
        if isinstance(away, Homeward):
            self._bank.move(denom, away, Supply(), data.amount)
        pending = take_pending(self._router, sent)
        if pending is not None:
            self._succeed(pending)

    def _succeed(self, pending: PendingForward) -> None:
        """Whatever the destination's success says: stock senders settle by these bytes only, and must settle."""
        self._router.write_acknowledgement(pending.leg_1, Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,)))

    def _undo(self, sent: Packet, failure: str) -> None:
        data, denom, away = self._sent(sent)
        pending = take_pending(self._router, sent)
        origin = Account(parse_account(data.sender)) if pending is None else arrival_of(pending.leg_1).source
        try:
            self._bank.move(denom, away, origin, data.amount)
        except InsufficientTokens as error:
            self._contradicted(sent, pending, failure, error)
            return
        if pending is not None:
            self._router.record_failure(pending.leg_1, transfer_failed(sent.source_client, failure))
            self._router.write_acknowledgement(pending.leg_1, ERROR)

    def _contradicted(
        self, sent: Packet, pending: PendingForward | None, failure: str, error: InsufficientTokens
    ) -> None:
        """A chain that brought the tokens home and says now that it never had them is not paid twice."""
        reason = f"{failure}, yet the tokens came home before: {error}"
        self._router.emit(interface.REFUND_REFUSED_EVENT, (sent.source_client, sent.sequence), (reason,))
        if pending is not None:
            self._router.record_failure(pending.leg_1, transfer_failed(sent.source_client, reason))
            self._succeed(pending)

    @staticmethod
    def _sent(packet: Packet) -> tuple[TransferData, Denom, Escrow | Homeward]:
        payload = packet.payloads[0]
        data = decode_transfer(payload.value, payload.encoding)
        denom = Denom.parse(data.denom)
        return data, denom, destination_of(denom, packet.source_client)
