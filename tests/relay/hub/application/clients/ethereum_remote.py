"""An Ethereum chain at the hub's other end: its router's storage is proven under finalized blocks, its client of the hub is `client-0`."""

from dataclasses import replace
from hashlib import sha256

from hutong.light_clients.ethereum import Network, Preset
from hutong.light_clients.ethereum.networks import MINIMAL_PRESET
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
from tests.light_clients.bft_evm.simulated_chain import State
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon, network_of
from tests.relay.hub.simulated_hub import ANSWER, Outcome, SimulatedHub, forward_payload


class EthereumRemote:
    """Slots follow the hub's clock: genesis is laid so that the first block is of the hub's present."""

    def __init__(self, hub: SimulatedHub, preset: Preset = MINIMAL_PRESET, first_slot: int = FIRST_SLOT) -> None:
        self.hub = hub
        network = network_of(preset=preset)
        self.network: Network = replace(network, genesis_time_s=hub.time_s - first_slot * network.seconds_per_slot)
        self.chain = SimulatedBeacon(self.network, first_slot)
        self.own_client = "client-0"
        self.sequence = 0
        self.client = self.create()
        assert hub.register(self.client, self.own_client).ok

    def create(self, **changes: object) -> str:
        slot = self.chain.slot
        return self.hub.create_client(
            "ethereum",
            self.chain.client_state(slot, **{"trusting_period_s": 100_000} | changes),
            self.chain.consensus_state(slot),
        )

    # on Ethereum

    def send(self, payload: Payload) -> Packet:
        self.sequence += 1
        packet = Packet(self.sequence, self.own_client, self.client, self.hub.time_s + 600, (payload,))
        self.chain.commit(commitment_key(packet), packet_commitment(packet))
        return packet

    def send_forward(self, next_client: str) -> Packet:
        return self.send(forward_payload(next_client, self.hub.time_s + 500))

    def receive(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        self.chain.commit(receipt_key(packet), sha256(b"receipt").digest())
        self.chain.commit(acknowledgement_key(packet), acknowledgement_commitment(acknowledgement))

    def finalize(self, slots: int = 1) -> int:
        """A block `slots` later that becomes final; both clocks then stand where it has been signed for."""
        slot = self.chain.slot + slots
        self.chain.blocks[slot] = self.chain.propose(slot, State(self.chain.storage))
        self.hub.advance(time_s=max(self.hub.time_s, self.chain.now_ns // NANOSECONDS_PER_SECOND))
        self.hub.advance()
        return slot

    # to the hub

    def update_call(self, slot: int, **how: object) -> bytes:
        return abi.UPDATE_CLIENT.call(self.client, self.chain.message(slot, **how))

    def update(self, slots: int = 1, **how: object) -> int:
        slot = self.finalize(slots)
        outcome = self.hub.send(ROUTER_ADDRESS, self.update_call(slot, **how))
        assert outcome.ok, (outcome.log, outcome.data)
        return slot

    def receive_call(self, packet: Packet, slot: int) -> bytes:
        proof = self.chain.proof(slot, commitment_key(packet))
        return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, slot)))

    def acknowledge_call(self, packet: Packet, slot: int) -> bytes:
        proof = self.chain.proof(slot, acknowledgement_key(packet))
        return abi.ACK_PACKET.call((packet_to_tuple(packet), ANSWER, proof, (0, slot)))

    def timeout_call(self, packet: Packet, slot: int) -> bytes:
        proof = self.chain.proof(slot, receipt_key(packet))
        return abi.TIMEOUT_PACKET.call((packet_to_tuple(packet), proof, (0, slot)))

    def misbehaviour_call(self, slot: int) -> bytes:
        fork = self.chain.header(self.chain.propose(slot, State({}), label="fork"))
        return abi.SUBMIT_MISBEHAVIOUR.call(self.client, self.chain.misbehaviour(self.chain.header(slot), fork))

    def answer(self, packet: Packet) -> Outcome:
        self.receive(packet, Acknowledgement((ANSWER,)))
        slot = self.update()
        return self.hub.send(ROUTER_ADDRESS, self.acknowledge_call(packet, slot))
