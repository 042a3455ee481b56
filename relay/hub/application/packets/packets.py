"""ICS-04 v2 on the hub: packets in, acknowledgements and timeouts back, and what native applications send.

Every packet entry point checks everything first and writes afterwards; commitments are deleted before the application
learns of the settlement. Refusals are exceptions, which the module turns into reverts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    RECEIPT_VALUE,
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.clients import Clients, Store
from hutong.relay.hub.application.packets.quotas import Quotas
from hutong.relay.hub.application.packets.shared_quotas import SharedQuotas
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.recorded_sentences import as_recorded
from hutong.relay.hub.state import keys

MAX_REASON_CHARS = 512


class HubPaused(Refusal):
    """Packets are paused; client updates go on, and from rules version 2 on what settles a sent packet."""

    def revert(self) -> NativeRevert:
        """`EnforcedPause()`."""
        return abi.ENFORCED_PAUSE.revert()


class InvalidTimeout(Refusal):
    """`timeout_s` against the time that it was compared with."""

    def __init__(self, timeout_s: int, compared_s: int) -> None:
        self.timeout_s = timeout_s
        self.compared_s = compared_s
        super().__init__(timeout_s, compared_s)

    def revert(self) -> NativeRevert:
        """`IBCInvalidTimeoutTimestamp(uint256,uint256)` with both times in seconds."""
        return abi.INVALID_TIMEOUT_TIMESTAMP.revert(self.timeout_s, self.compared_s)


class PassedOnNextChain(InvalidTimeout):
    """The other chain's own time, as the client knows it, is at or after the timeout."""


class SequencesExhausted(Refusal):
    """A client has sent 2^64 - 2 packets."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        super().__init__(client_id)

    def revert(self) -> NativeRevert:
        """`QuotaExceeded(string,string)` with the identifier and a sentence."""
        return abi.QUOTA_EXCEEDED.revert(self.client_id, "the client has used all sequences")


class CounterpartyMismatch(Refusal):
    """The packet's other end is not the counterparty of the client on this end."""

    def __init__(self, expected: str, actual: str) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(expected, actual)

    def revert(self) -> NativeRevert:
        """`IBCInvalidCounterparty(string,string)` with the client that was expected and the one in the packet."""
        return abi.INVALID_COUNTERPARTY.revert(self.expected, self.actual)


class MultiPayloadUnsupported(Refusal):
    """One payload a packet."""

    def revert(self) -> NativeRevert:
        """`IBCMultiPayloadPacketNotSupported()`."""
        return abi.MULTI_PAYLOAD.revert()


class CommitmentMismatch(Refusal):
    """The packet is not the one that was sent under this client and sequence."""

    def __init__(self, expected: bytes, actual: bytes) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(expected, actual)

    def revert(self) -> NativeRevert:
        """`IBCPacketCommitmentMismatch(bytes32,bytes32)` with the stored commitment and the packet's."""
        return abi.COMMITMENT_MISMATCH.revert(self.expected, self.actual)


class ApplicationRefused(Refusal):
    """An application's refusal of a packet: an error acknowledgement, with the reason kept for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason.encode(errors="replace").decode()[:MAX_REASON_CHARS]
        super().__init__(reason)

    def revert(self) -> NativeRevert:
        """`IBCAppNotFound(string)` with the reason: where it is not caught the packet has no application."""
        return abi.APP_NOT_FOUND.revert(self.reason)


class Application(Protocol):
    """The native application of a port."""

    def on_receive(self, packet: Packet) -> bytes | None:
        """The acknowledgement of a proven packet, or None where it is written later.

        Raises:
            ApplicationRefused: before any write; the packet gets an error acknowledgement.
        """

    def on_acknowledgement(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        """Settle a sent packet, whose commitment is gone.

        An application may not refuse: what it raises undoes the settlement.
        """

    def on_timeout(self, packet: Packet) -> None:
        """Undo a sent packet that was never received, whose commitment is gone; as `on_acknowledgement`."""


Emit = Callable[[abi.Event, tuple[object, ...], tuple[object, ...]], None]
"""Event, indexed values, other values."""


@dataclass(frozen=True, slots=True)
class RelayedProof:
    """A proof with the counterparty height that it verifies at."""

    height: Height
    proof: bytes


class PacketRouter:
    """One execution's view of the packet state machine; applications are attached by port."""

    MAX_HORIZON_S = 24 * 3600
    """How far ahead a sent packet's timeout may be (ICS-04 v2)."""

    def __init__(
        self,
        store: Store,
        clients: Clients,
        now_s: int,
        emit: Emit,
        *,
        rules_version: int = rules_versions.FIRST,
    ) -> None:
        self._rules_version = rules_version
        self._settles_while_paused = rules_version >= rules_versions.SETTLES_WHILE_PAUSED
        self.store = store
        self.clients = clients
        self.now_s = now_s
        self.quotas = SharedQuotas(store) if rules_version >= rules_versions.BOUNDED_EXECUTION else Quotas(store)
        self.emit = emit
        self.applications: Mapping[str, Application] = {}

    # --- state

    @property
    def paused(self) -> bool:
        """Whether packets are paused; from rules version 2 on settlements go on."""
        return self.store.get(keys.PAUSED_KEY) is not None

    def next_sequence(self, client_id: str) -> int:
        """The sequence of the next packet over this client, from 1 on; the client is not looked at."""
        raw = self.store.get(keys.next_sequence_key(client_id))
        return 1 if raw is None else int.from_bytes(raw, "big")

    def commitment_by_hash(self, hashed_path: bytes) -> bytes:
        """What `getCommitment` answers: the value under the path with this Keccak-256, else 32 zero bytes."""
        path = self.store.get(keys.path_key(hashed_path))
        value = None if path is None else self.store.get(path)
        return bytes(32) if value is None else value.rjust(32, b"\0")

    def _write_path(self, key: bytes, value: bytes) -> None:
        self.store.set(key, value)
        self.store.set(keys.path_key(keccak256(key)), key)

    def _delete_path(self, key: bytes) -> None:
        self.store.delete(key)
        self.store.delete(keys.path_key(keccak256(key)))

    def words_of(self, error: Exception) -> str:
        """The sentence of a refusal as a block of these rules stores it."""
        return str(as_recorded(error, self._rules_version))

    # --- sending, by native applications only

    def check_sendable(self, source_client: str, timeout_s: int, payload: Payload, origin: str) -> None:
        """Everything that could refuse a packet over `source_client`, before an application writes anything.

        A pause is not looked at. `timeout_s` is Unix time, at most MAX_HORIZON_S ahead; `origin` is the client over
        which the packet came, empty for what accounts of the hub send.

        Raises:
            InvalidTimeout, PassedOnNextChain: the timeout has passed here or there, or is too far.
            UnknownClient, NoCounterparty, ClientNotActive: nothing can be sent over this client.
            UnsupportedOperation: no packet could time out over it.
            QuotaExceeded, SequencesExhausted: there is no room.
            MalformedInput: the identifier is not of the form.
        """
        if not self.now_s < timeout_s <= self.now_s + self.MAX_HORIZON_S:
            raise InvalidTimeout(timeout_s, self.now_s)
        self.clients.counterparty(source_client)
        self.clients.require_active(source_client)
        self.clients.require_timeouts(source_client)
        known_s = self.clients.latest_timestamp_ns(source_client) // NANOSECONDS_PER_SECOND
        if known_s >= timeout_s:
            raise PassedOnNextChain(timeout_s, known_s)
        if self.next_sequence(source_client) >= MAX_UINT64:
            raise SequencesExhausted(source_client)
        self.quotas.check(source_client, payload, origin, timeout_s, self.now_s)

    def send(self, source_client: str, timeout_s: int, payload: Payload, origin: str) -> Packet:
        """Commit the next packet over `source_client`, and log it; the caller has asked `check_sendable`.

        Raises:
            UnknownClient, NoCounterparty, MalformedInput: it has not.
        """
        sequence = self.next_sequence(source_client)
        counterparty = self.clients.counterparty(source_client)
        packet = Packet(sequence, source_client, counterparty.client_id, timeout_s, (payload,))
        self.store.set(keys.next_sequence_key(source_client), (sequence + 1).to_bytes(8, "big"))
        self._write_path(commitment_key(packet), packet_commitment(packet))
        self.quotas.packet_sent(packet, origin)
        self.emit(abi.SEND_PACKET_EVENT, (source_client, sequence), (packet_to_tuple(packet),))
        return packet

    # --- what relayers bring

    def receive(self, packet: Packet, commitment_proof: RelayedProof) -> None:
        """Prove a packet, write the receipt, let the application acknowledge. A second time it is a Noop.

        Where the application refuses, the reason is kept and the acknowledgement is the error sentinel.

        Raises:
            HubPaused, MultiPayloadUnsupported, CounterpartyMismatch, InvalidTimeout: nothing was written.
            UnknownClient, NoCounterparty, ClientNotActive, VerificationError: the proof does not hold; nothing was
                written.
        """
        payload = self._relayable(packet)
        self._check_counterparty(packet.destination_client, packet.source_client)
        if self.now_s >= packet.timeout_timestamp_s:
            raise InvalidTimeout(packet.timeout_timestamp_s, self.now_s)
        self.clients.verify_membership(
            packet.destination_client,
            commitment_proof.height,
            commitment_proof.proof,
            commitment_key(packet),
            packet_commitment(packet),
        )
        if self.store.get(receipt_key(packet)) is not None:
            self.emit(abi.NOOP_EVENT, (), ())
            return
        self._write_path(receipt_key(packet), RECEIPT_VALUE)
        try:
            acknowledgement = self._application(payload.destination_port).on_receive(packet)
        except ApplicationRefused as refusal:
            self.record_failure(packet, refusal.reason)
            self.emit(abi.APP_CALLBACK_ERROR_EVENT, (), (refusal.reason.encode(),))
            self.write_acknowledgement(packet, ERROR)
            return
        if acknowledgement is not None:
            self.write_acknowledgement(packet, Acknowledgement((acknowledgement,)))

    def write_acknowledgement(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        """Commit the acknowledgement of a received packet, once: at receive, or when its forwarding is settled.

        Raises:
            RuntimeError: there is one already, or no receipt; that is a bug and halts the node.
        """
        key = acknowledgement_key(packet)
        if self.store.get(key) is not None or self.store.get(receipt_key(packet)) is None:
            raise RuntimeError(f"acknowledgement of {packet.destination_client} {packet.sequence} is not due")
        self._write_path(key, acknowledgement_commitment(acknowledgement))
        self.emit(
            abi.WRITE_ACKNOWLEDGEMENT_EVENT,
            (packet.destination_client, packet.sequence),
            (packet_to_tuple(packet), list(acknowledgement.app_acknowledgements)),
        )

    def acknowledge(self, packet: Packet, app_acknowledgement: bytes, proof: RelayedProof) -> None:
        """Settle a sent packet by the acknowledgement that its destination committed. A settled one is a Noop.

        Raises:
            HubPaused: under rules version 1 alone.
            MultiPayloadUnsupported, CounterpartyMismatch, CommitmentMismatch: it is not the packet that was sent.
            UnknownClient, NoCounterparty, ClientNotActive, VerificationError: the proof does not hold.
        """
        payload = self._settleable(packet)
        acknowledgement = Acknowledgement((app_acknowledgement,))
        self._check_counterparty(packet.source_client, packet.destination_client)
        self.clients.verify_membership(
            packet.source_client,
            proof.height,
            proof.proof,
            acknowledgement_key(packet),
            acknowledgement_commitment(acknowledgement),
        )
        if not self._take_commitment(packet):
            return
        self._application(payload.source_port).on_acknowledgement(packet, acknowledgement)
        self.emit(
            abi.ACK_PACKET_EVENT,
            (packet.source_client, packet.sequence),
            (packet_to_tuple(packet), app_acknowledgement),
        )

    def timeout(self, packet: Packet, proof: RelayedProof) -> None:
        """Settle a sent packet by the absence of its receipt at a counterparty time not before the timeout.

        A settled one is a Noop. Times are compared in whole seconds.

        Raises:
            InvalidTimeout: the proof is of an earlier time.
            HubPaused: under rules version 1 alone.
            MultiPayloadUnsupported, CounterpartyMismatch, CommitmentMismatch: it is not the packet that was sent.
            UnknownClient, NoCounterparty, ClientNotActive, VerificationError: the proof does not hold.
        """
        payload = self._settleable(packet)
        self._check_counterparty(packet.source_client, packet.destination_client)
        timestamp_ns = self.clients.verify_non_membership(
            packet.source_client, proof.height, proof.proof, receipt_key(packet)
        )
        timestamp_s = timestamp_ns // NANOSECONDS_PER_SECOND
        if timestamp_s < packet.timeout_timestamp_s:
            raise InvalidTimeout(packet.timeout_timestamp_s, timestamp_s)
        if not self._take_commitment(packet):
            return
        self._application(payload.source_port).on_timeout(packet)
        self.emit(abi.TIMEOUT_PACKET_EVENT, (packet.source_client, packet.sequence), (packet_to_tuple(packet),))

    def record_failure(self, packet: Packet, reason: str) -> None:
        """Keep why a received packet failed, at most MAX_REASON_CHARS bytes: v2 errors carry no reason."""
        key = keys.forward_reason_key(packet.destination_client, packet.sequence)
        self.store.set(key, reason.encode()[:MAX_REASON_CHARS] or b"no reason given")

    # --- inside

    def _relayable(self, packet: Packet) -> Payload:
        if self.paused:
            raise HubPaused
        return _only_payload(packet)

    def _settleable(self, packet: Packet) -> Payload:
        return _only_payload(packet) if self._settles_while_paused else self._relayable(packet)

    def _check_counterparty(self, own_client: str, other_client: str) -> None:
        expected = self.clients.counterparty(own_client).client_id
        if expected != other_client:
            raise CounterpartyMismatch(expected, other_client)

    def _take_commitment(self, packet: Packet) -> bool:
        """Delete the packet's commitment; False (and Noop) where it was settled before."""
        key = commitment_key(packet)
        stored = self.store.get(key)
        if stored is None:
            self.emit(abi.NOOP_EVENT, (), ())
            return False
        expected = packet_commitment(packet)
        if stored != expected:
            raise CommitmentMismatch(stored, expected)
        self._delete_path(key)
        self.quotas.packet_settled(packet)
        return True

    def _application(self, port: str) -> Application:
        application = self.applications.get(port)
        if application is None:
            raise ApplicationRefused(f"no application owns port {port} on the hub")
        return application


def _only_payload(packet: Packet) -> Payload:
    if len(packet.payloads) != 1:
        raise MultiPayloadUnsupported
    return packet.payloads[0]
