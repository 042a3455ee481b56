"""Bitcoin at the hub's other end: its publisher commits packets in OP_RETURN outputs and reads the hub by itself."""

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.bitcoin.bitcoin_chain import DEPTH, SPACING_S, SimulatedChain
from tests.relay.hub.simulated_hub import SimulatedHub

CLIENT_TYPE = "bitcoin"


class BitcoinRemote:
    """Its blocks come every ten minutes of the hub's clock."""

    def __init__(self, hub: SimulatedHub, *, register: bool = True) -> None:
        self.hub = hub
        self.chain = SimulatedChain(start_s=hub.time_s - 20 * SPACING_S)
        self.own_client = "client-0"
        self.sequence = 0
        self.trusted = self.chain.height
        self.client = self.create()
        if register:
            assert hub.register(self.client, self.own_client).ok

    def create(self, **changes: object) -> str:
        return self.hub.create_client(
            CLIENT_TYPE,
            self.chain.client_state(self.trusted, **changes),
            self.chain.consensus_state(self.trusted),
        )

    def publish(self, payload: Payload, timeout_s: int | None = None) -> Packet:
        self.sequence += 1
        timeout_s = self.hub.time_s + 12 * 3_600 if timeout_s is None else timeout_s
        packet = Packet(self.sequence, self.own_client, self.client, timeout_s, (payload,))
        self.chain.publish((commitment_key(packet), packet_commitment(packet)))
        return packet

    def advance(self, blocks: int = DEPTH) -> None:
        self.chain.advance(blocks)
        self.hub.advance(time_s=max(self.hub.time_s, self.chain.now_ns // 10**9))

    def update_call(self, height: int, message: bytes | None = None) -> bytes:
        return abi.UPDATE_CLIENT.call(
            self.client, self.chain.header(height, self.trusted) if message is None else message
        )

    def update(self) -> int:
        """Bring the client to the highest block with the depth on it."""
        height = self.chain.height - DEPTH + 1
        outcome = self.hub.send(ROUTER_ADDRESS, self.update_call(height))
        assert outcome.ok, (outcome.log, outcome.data)
        self.trusted = height
        return height

    def receive_call(self, packet: Packet, height: int, proof: bytes | None = None) -> bytes:
        proof = self.chain.proof(commitment_key(packet), height) if proof is None else proof
        return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, height)))
