"""A Clique chain at the hub's other end: its own client of the hub is `client-0`."""

from hashlib import sha256

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.clique.simulated_clique_chain import Branch, SimulatedCliqueChain
from tests.relay.hub.simulated_hub import ANSWER, Outcome, SimulatedHub, forward_payload

CLIENT_TYPE = "clique"


class CliqueRemote:
    def __init__(self, hub: SimulatedHub) -> None:
        self.hub = hub
        self.chain = SimulatedCliqueChain()
        self.chain.main.advance(3)
        self.sequence = 0
        self.trusted = self.chain.main.height
        self.catch_up()
        self.client = self.create()
        self.own_client = f"client-{self.client.rpartition('-')[2]}"
        assert hub.register(self.client, self.own_client).ok

    def create(self) -> str:
        at = self.trusted
        return self.hub.create_client(CLIENT_TYPE, self.chain.client_state(at), self.chain.consensus_state(at))

    def catch_up(self) -> None:
        """The hub's clock is not behind the chain's."""
        now_s = self.chain.time_ns(self.chain.main.height) // NANOSECONDS_PER_SECOND
        self.hub.advance(time_s=max(self.hub.time_s + 1, now_s))

    # on the Clique chain

    def send_forward(self, next_client: str) -> Packet:
        self.sequence += 1
        payload = forward_payload(next_client, self.hub.time_s + 500)
        packet = Packet(self.sequence, self.own_client, self.client, self.hub.time_s + 600, (payload,))
        self.chain.main.commit(commitment_key(packet), packet_commitment(packet))
        return packet

    def receive(self, packet: Packet) -> None:
        self.chain.main.commit(receipt_key(packet), sha256(b"receipt").digest())
        self.chain.main.commit(acknowledgement_key(packet), acknowledgement_commitment(Acknowledgement((ANSWER,))))

    # to the hub

    def update_call(self, height: int, branch: Branch | None = None) -> bytes:
        tip = None if branch is None else branch.height
        return abi.UPDATE_CLIENT.call(self.client, self.chain.header(height, self.trusted, branch, tip))

    def update(self) -> int:
        """A block with what was committed, buried as deep as the client asks for."""
        self.chain.main.advance(1 + self.chain.confirmations)
        self.catch_up()
        height = self.chain.main.height - self.chain.confirmations
        outcome = self.hub.send(ROUTER_ADDRESS, self.update_call(height))
        assert outcome.ok, (outcome.log, outcome.data)
        self.trusted = height
        return height

    def receive_call(self, packet: Packet, height: int) -> bytes:
        proof = self.chain.proof(height, commitment_key(packet))
        return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, height)))

    def acknowledge_call(self, packet: Packet, height: int) -> bytes:
        proof = self.chain.proof(height, acknowledgement_key(packet))
        return abi.ACK_PACKET.call((packet_to_tuple(packet), ANSWER, proof, (0, height)))

    def deliver(self, packet: Packet) -> Outcome:
        return self.hub.send(ROUTER_ADDRESS, self.receive_call(packet, self.update()))

    def deep_fork(self, after: int) -> Branch:
        """The chain leaves what stood above `after`, deeper than it should."""
        branch = self.chain.main.fork(after)
        branch.commit(bytes(32), b"\x77" * 32)
        branch.advance(self.chain.main.height - after + 1)
        return branch
