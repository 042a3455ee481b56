"""A chain that only attestors speak for at the hub's other end: its router is the attested one, its client of the hub `client-0`."""

from dataclasses import replace

from hutong.light_clients.attestation import Scope
from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.attestation.attested_chain import SCOPE, AttestedChain
from tests.relay.hub.simulated_hub import ANSWER, Outcome, SimulatedHub, forward_payload

CLIENT_TYPE = "attestation"


class AttestedRemote:
    """`number` is that of the hub's client, which the signed scope names before the client exists."""

    def __init__(
        self, hub: SimulatedHub, number: int = 0, *, register: bool = True, scope: Scope | None = None, **attestors: int
    ) -> None:
        self.hub = hub
        scope = replace(scope or SCOPE, destination_client_id=f"{CLIENT_TYPE}-{number}")
        self.chain = AttestedChain(scope=scope, genesis_s=hub.time_s, **attestors)
        self.sequence = 0
        self.client = self.create()
        self.own_client = f"client-{self.client.rpartition('-')[2]}"
        if register:
            assert hub.register(self.client, self.own_client).ok

    def create(self, **changes: object) -> str:
        height = self.chain.height
        return self.hub.create_client(
            CLIENT_TYPE, self.chain.client_state(height, **changes), self.chain.consensus_state(height)
        )

    # on the attested chain

    def send(self, payload: Payload, timeout_s: int | None = None) -> Packet:
        self.sequence += 1
        timeout_s = self.hub.time_s + 600 if timeout_s is None else timeout_s
        packet = Packet(self.sequence, self.own_client, self.client, timeout_s, (payload,))
        self.chain.put(commitment_key(packet), packet_commitment(packet))
        return packet

    def send_forward(self, next_client: str) -> Packet:
        return self.send(forward_payload(next_client, self.hub.time_s + 500))

    def receive(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        self.chain.put(receipt_key(packet), b"\x01" * 32)
        self.chain.put(acknowledgement_key(packet), acknowledgement_commitment(acknowledgement))

    def advance(self, blocks: int = 1) -> int:
        """Blocks up to the hub's time at least; the hub's clock never falls behind."""
        behind_s = self.hub.time_s - self.chain.times_s[-1]
        self.chain.advance(1, max(1, behind_s - blocks + 1))
        height = self.chain.advance(blocks - 1) if blocks > 1 else self.chain.height
        self.hub.advance(time_s=max(self.hub.time_s, self.chain.now_ns // NANOSECONDS_PER_SECOND))
        return height

    # to the hub

    def update_call(self, height: int, update: bytes | None = None) -> bytes:
        return abi.UPDATE_CLIENT.call(self.client, self.chain.update(height) if update is None else update)

    def update(self, blocks: int = 1) -> int:
        height = self.advance(blocks)
        outcome = self.hub.send(ROUTER_ADDRESS, self.update_call(height))
        assert outcome.ok, (outcome.log, outcome.data)
        return height

    def receive_call(self, packet: Packet, height: int, proof: bytes | None = None) -> bytes:
        proof = self.chain.proof(height, commitment_key(packet)) if proof is None else proof
        return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, height)))

    def acknowledge_call(self, packet: Packet, height: int, proof: bytes | None = None) -> bytes:
        proof = self.chain.proof(height, acknowledgement_key(packet)) if proof is None else proof
        return abi.ACK_PACKET.call((packet_to_tuple(packet), ANSWER, proof, (0, height)))

    def timeout_call(self, packet: Packet, height: int, proof: bytes | None = None) -> bytes:
        proof = self.chain.proof(height, receipt_key(packet)) if proof is None else proof
        return abi.TIMEOUT_PACKET.call((packet_to_tuple(packet), proof, (0, height)))

    def misbehaviour_call(self, evidence: bytes) -> bytes:
        return abi.SUBMIT_MISBEHAVIOUR.call(self.client, evidence)

    def deliver(self, packet: Packet) -> Outcome:
        return self.hub.send(ROUTER_ADDRESS, self.receive_call(packet, self.update()))
