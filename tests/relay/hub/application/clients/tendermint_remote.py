"""A CometBFT chain at the hub's other end: what a stock chain would be."""

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
)
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.relay.hub.simulated_hub import SimulatedHub

CLIENT_TYPE = "07-tendermint"


class TendermintRemote:
    """Its clock runs with the hub's: a block a second."""

    def __init__(self, hub: SimulatedHub, *, register: bool = True, chain: SimulatedChain | None = None) -> None:
        self.hub = hub
        self.chain = SimulatedChain() if chain is None else chain
        self.sequence = 0
        self.trusted = len(self.chain.blocks)
        self.client = self.create()
        self.own_client = f"client-{self.client.rpartition('-')[2]}"
        if register:
            assert hub.register(self.client, self.own_client).ok

    def create(self, **changes) -> str:
        return self.hub.create_client(
            CLIENT_TYPE,
            encode_client_state(self.chain.client_state(self.trusted, **changes)),
            encode_consensus_state(self.chain.consensus_state(self.trusted)),
        )

    def send(self, payload: Payload) -> Packet:
        self.sequence += 1
        packet = Packet(self.sequence, self.own_client, self.client, self.hub.time_s + 600, (payload,))
        self.chain.put(commitment_key(packet), packet_commitment(packet))
        return packet

    def header_call(self, header, client: str | None = None) -> bytes:
        return abi.UPDATE_CLIENT.call(client or self.client, encode_tendermint_header(header))

    def update(self, blocks: int = 2) -> int:
        """Make blocks (writes are provable from the second) and bring the client to the newest."""
        self.chain.advance(blocks)
        height = len(self.chain.blocks)
        self.hub.advance(time_s=max(self.hub.time_s, self.chain.latest.header.time_ns // 10**9))
        outcome = self.hub.send(ROUTER_ADDRESS, self.header_call(self.chain.update(height, self.trusted)))
        assert outcome.ok, (outcome.log, outcome.data)
        self.trusted = height
        return height

    def proof(self, key: bytes, height: int) -> bytes:
        return self.chain.prove(key, height)[0]

    def receive_call(self, packet: Packet, height: int, proof: bytes | None = None) -> bytes:
        proof = self.proof(commitment_key(packet), height) if proof is None else proof
        return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (1, height)))

    def misbehaviour_call(self, one, two) -> bytes:
        return abi.SUBMIT_MISBEHAVIOUR.call(self.client, encode_misbehaviour(self.chain.misbehaviour(one, two)))
