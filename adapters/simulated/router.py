"""The router's rules (ICS-02 and ICS-04 v2) over the simulated store, judged by the real light clients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from hutong.adapters.ics26.abi import (
    ACK_PACKET,
    RECV_PACKET,
    SUBMIT_MISBEHAVIOUR,
    TIMEOUT_PACKET,
    UPDATE_CLIENT,
    selector,
)
from hutong.adapters.ics26.events import (
    ACK_PACKET_TOPIC,
    NOOP_TOPIC,
    SEND_PACKET_TOPIC,
    TIMEOUT_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    client_topic,
    sequence_topic,
)
from hutong.adapters.ics26.refusals import CALLBACK_ERROR_TOPIC
from hutong.adapters.simulated.store import ProvableStore
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import PACKET_TUPLE, encode_packet_abi, packet_from_tuple, packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    merkle_path,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientStatus,
    Height,
    LightClient,
    Misbehaved,
    NotEnoughTrust,
    Updated,
    VerificationError,
)
from hutong.light_clients.proofs.mpt import EMPTY_TRIE_ROOT

MAX_TIMEOUT_S = 24 * 3600

App = Callable[[Packet], bytes]
"""Receives a packet and returns the app acknowledgement; `AppRefused` becomes the error acknowledgement, `OutOfGas`
undoes the receive."""


class AppRefused(Exception):
    """The application reverts with a reason: error acknowledgement."""


class OutOfGas(Exception):
    """The application reverts without a reason: the packet can be received again."""


class Reverted(Exception):
    """A router rule is broken; the message is the reason."""


@dataclass(frozen=True, slots=True)
class HostedClient:
    """A light client on the simulated chain, by value."""

    client_type: str
    client_state: bytes
    consensus_states: Mapping[Height, bytes]
    counterparty: tuple[str, tuple[bytes, ...]] | None = None

    def get(self, height: Height) -> bytes | None:
        """The encoded consensus state at exactly `height`; None if there is none (see ConsensusStates)."""
        return self.consensus_states.get(height)

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        """The next lower height with a consensus state, and the state; None if there is none."""
        found = max((h for h in self.consensus_states if h < height), default=None)
        return None if found is None else (found, self.consensus_states[found])

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        """The next higher height with a consensus state, and the state; None if there is none."""
        found = min((h for h in self.consensus_states if h > height), default=None)
        return None if found is None else (found, self.consensus_states[found])


@dataclass(frozen=True, slots=True)
class RouterState:
    """Everything that a block changes; a new value for every change, so that undoing is keeping the old one."""

    storage_root: bytes = EMPTY_TRIE_ROOT
    clients: Mapping[str, HostedClient] = field(default_factory=dict)
    next_sequences: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Emitted:
    """A log before its block is known."""

    topics: tuple[bytes, ...]
    data: bytes


class Router:
    """One block's view of the router: `state` moves on, `emitted` grows; the caller undoes by restoring both."""

    def __init__(
        self,
        state: RouterState,
        store: ProvableStore,
        light_clients: Mapping[str, LightClient],
        apps: Mapping[str, App],
        now_s: int,
    ) -> None:
        self.state = state
        self.emitted: list[Emitted] = []
        self._store = store
        self._light_clients = light_clients
        self._apps = apps
        self._now_s = now_s
        self._calls: Mapping[bytes, tuple[tuple[str, ...], Callable[..., None]]] = {
            UPDATE_CLIENT.selector: (UPDATE_CLIENT.inputs, self._update_client),
            SUBMIT_MISBEHAVIOUR.selector: (SUBMIT_MISBEHAVIOUR.inputs, self._submit_misbehaviour),
            RECV_PACKET.selector: (RECV_PACKET.inputs, self._recv_packet),
            ACK_PACKET.selector: (ACK_PACKET.inputs, self._ack_packet),
            TIMEOUT_PACKET.selector: (TIMEOUT_PACKET.inputs, self._timeout_packet),
        }

    @property
    def _now_ns(self) -> int:
        return self._now_s * NANOSECONDS_PER_SECOND

    def execute(self, call: bytes) -> None:
        """Run one relay call: an update, evidence, or a packet's message.

        Args:
            call: calldata of the router.

        Raises:
            Reverted: a rule is broken; then nothing has changed.
        """
        state, emitted = self.state, len(self.emitted)
        try:
            if call[:4] not in self._calls:
                raise Reverted("BatchSelectorNotAllowed")
            inputs, handler = self._calls[call[:4]]
            handler(*decode(inputs, call[4:]))
        except (Reverted, VerificationError, DecodingError, OutOfGas) as error:
            self.state = state
            del self.emitted[emitted:]
            raise Reverted(str(error) or type(error).__name__) from error

    def send(self, source_client: str, timeout_timestamp_s: int, payload: Payload) -> Packet:
        """What an app does on this chain: store the commitment and emit the event.

        Args:
            timeout_timestamp_s: Unix seconds, after the block's time by at most MAX_TIMEOUT_S.

        Raises:
            Reverted: the client is not there, has no counterparty or is not active, or the timeout is out of bounds.
        """
        counterparty_id, _ = self._counterparty(source_client)
        self._require_active(source_client)
        if not self._now_s < timeout_timestamp_s <= self._now_s + MAX_TIMEOUT_S:
            raise Reverted("IBCInvalidTimeoutTimestamp")
        sequence = self.state.next_sequences.get(source_client, 1)
        packet = Packet(sequence, source_client, counterparty_id, timeout_timestamp_s, (payload,))
        self._put(commitment_key(packet), packet_commitment(packet))
        self.state = replace(self.state, next_sequences={**self.state.next_sequences, source_client: sequence + 1})
        self._emit(SEND_PACKET_TOPIC, source_client, sequence, [PACKET_TUPLE], [packet_to_tuple(packet)])
        return packet

    def _client(self, client_id: str) -> HostedClient:
        client = self.state.clients.get(client_id)
        if client is None:
            raise Reverted(f"IBCClientNotFound: client {client_id}")
        return client

    def _counterparty(self, client_id: str) -> tuple[str, tuple[bytes, ...]]:
        counterparty = self._client(client_id).counterparty
        if counterparty is None:
            raise Reverted(f"IBCCounterpartyClientNotFound: client {client_id}")
        return counterparty

    def _light_client(self, client_id: str) -> LightClient:
        return self._light_clients[self._client(client_id).client_type]

    def _require_active(self, client_id: str) -> None:
        client = self._client(client_id)
        status = self._light_client(client_id).status(client.client_state, client, self._now_ns)
        if status is not ClientStatus.ACTIVE:
            raise Reverted(f"IBCClientNotActive: client {client_id} is {status}")

    def _replace_client(self, client_id: str, client: HostedClient) -> None:
        self.state = replace(self.state, clients={**self.state.clients, client_id: client})

    def _put(self, key: bytes, word: bytes | None) -> None:
        self.state = replace(self.state, storage_root=self._store.put(self.state.storage_root, key, word))

    def _get(self, key: bytes) -> bytes | None:
        return self._store.get(self.state.storage_root, key)

    def _emit(self, topic: bytes, client_id: str, sequence: int, types: list[str], values: list[Any]) -> None:
        topics = (topic, client_topic(client_id), sequence_topic(sequence))
        self.emitted.append(Emitted(topics, encode(types, values)))

    def _noop(self) -> None:
        self.emitted.append(Emitted((NOOP_TOPIC,), b""))

    def _update_client(self, client_id: str, header: bytes) -> None:
        client = self._client(client_id)
        verdict = self._light_client(client_id).verify_header(client.client_state, client, header, self._now_ns)
        match verdict:
            case NotEnoughTrust():
                raise Reverted(f"NotEnoughTrust: {verdict.signed_power} of {verdict.needed_power}")
            case Misbehaved():
                self._replace_client(client_id, replace(client, client_state=verdict.client_state))
            case Updated():
                states = {**client.consensus_states, verdict.height: verdict.consensus_state}
                self._replace_client(
                    client_id, replace(client, client_state=verdict.client_state, consensus_states=states)
                )

    def _submit_misbehaviour(self, client_id: str, misbehaviour: bytes) -> None:
        client = self._client(client_id)
        frozen = self._light_client(client_id).check_misbehaviour(
            client.client_state, client, misbehaviour, self._now_ns
        )
        self._replace_client(client_id, replace(client, client_state=frozen.client_state))

    def _proven(
        self, client_id: str, other_end: str, key: bytes, value: bytes | None, proof: bytes, height: Height
    ) -> int:
        """Counterparty time in seconds at which `value` (None: nothing) stood under `key`."""
        counterparty_id, prefix = self._counterparty(client_id)
        if counterparty_id != other_end:
            raise Reverted(f"IBCInvalidCounterparty: expected {counterparty_id}, actual {other_end}")
        self._require_active(client_id)
        client = self._client(client_id)
        consensus_state = client.get(height)
        if consensus_state is None:
            raise Reverted(f"UnknownHeight: {height}")
        light_client = self._light_client(client_id)
        path = merkle_path(prefix, key)
        if value is None:
            light_client.verify_non_membership(client.client_state, consensus_state, proof, path)
        else:
            light_client.verify_membership(client.client_state, consensus_state, proof, path, value)
        return light_client.timestamp_ns(consensus_state) // NANOSECONDS_PER_SECOND

    def _recv_packet(self, message: tuple[Any, ...]) -> None:
        fields, proof, height = message
        packet = packet_from_tuple(fields)
        if self._now_s >= packet.timeout_timestamp_s:
            raise Reverted("IBCInvalidTimeoutTimestamp")
        self._proven(
            packet.destination_client,
            packet.source_client,
            commitment_key(packet),
            packet_commitment(packet),
            proof,
            Height(*height),
        )
        if self._get(receipt_key(packet)) is not None:
            self._noop()
            return
        self._put(receipt_key(packet), keccak256(encode_packet_abi(packet)))
        acknowledgement = self._deliver(packet)
        self._put(acknowledgement_key(packet), acknowledgement_commitment(acknowledgement))
        self._emit(
            WRITE_ACKNOWLEDGEMENT_TOPIC,
            packet.destination_client,
            packet.sequence,
            [PACKET_TUPLE, "bytes[]"],
            [packet_to_tuple(packet), list(acknowledgement.app_acknowledgements)],
        )

    def _deliver(self, packet: Packet) -> Acknowledgement:
        app = self._apps.get(packet.payloads[0].destination_port)
        if app is None:
            return ERROR
        try:
            return Acknowledgement((app(packet),))
        except AppRefused as refused:
            data = selector("Error(string)") + encode(["string"], [str(refused)])
            self.emitted.append(Emitted((CALLBACK_ERROR_TOPIC,), encode(["bytes"], [data])))
            return ERROR

    def _take_commitment(self, packet: Packet) -> bool:
        stored = self._get(commitment_key(packet))
        if stored is None:
            self._noop()
            return False
        if stored != packet_commitment(packet):
            raise Reverted("IBCPacketCommitmentMismatch")
        self._put(commitment_key(packet), None)
        return True

    def _ack_packet(self, message: tuple[Any, ...]) -> None:
        fields, entry, proof, height = message
        packet = packet_from_tuple(fields)
        value = acknowledgement_commitment(Acknowledgement((entry,)))
        self._proven(
            packet.source_client,
            packet.destination_client,
            acknowledgement_key(packet),
            value,
            proof,
            Height(*height),
        )
        if self._take_commitment(packet):
            values = [packet_to_tuple(packet), entry]
            self._emit(ACK_PACKET_TOPIC, packet.source_client, packet.sequence, [PACKET_TUPLE, "bytes"], values)

    def _timeout_packet(self, message: tuple[Any, ...]) -> None:
        fields, proof, height = message
        packet = packet_from_tuple(fields)
        proven_at_s = self._proven(
            packet.source_client, packet.destination_client, receipt_key(packet), None, proof, Height(*height)
        )
        if proven_at_s < packet.timeout_timestamp_s:
            raise Reverted("IBCInvalidTimeoutTimestamp")
        if self._take_commitment(packet):
            values = [packet_to_tuple(packet)]
            self._emit(TIMEOUT_PACKET_TOPIC, packet.source_client, packet.sequence, [PACKET_TUPLE], values)
