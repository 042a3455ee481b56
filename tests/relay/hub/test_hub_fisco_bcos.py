"""A FISCO BCOS chain at the hub's other end: its client lives on the hub, its packets are proven by its router's events."""

import pytest

from light_clients.fisco_bcos import CryptoSuite, Generation
from light_clients.ibc.abi import packet_to_tuple
from light_clients.ibc.packet import Acknowledgement, Packet
from relay.hub.application import abi
from relay.hub.application.admin import create_client_action
from relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from tests.light_clients.fisco_bcos.fisco_chain import SimulatedChain, acknowledged, receipt, sent
from tests.relay.hub.simulated_hub import ANSWER, forward_payload, sent_packet, written_acknowledgement
from tests.relay.hub.test_hub_packet_attacks import refused

CLIENT_TYPE = "fisco-bcos"


class FiscoRemote:
    """Its client of the hub is `client-0`."""

    def __init__(self, hub, **kind) -> None:
        self.hub = hub
        self.chain = SimulatedChain(**kind)
        hub.advance(time_s=max(hub.time_s, self.chain.now_ns // 10**9))
        self.client = hub.create_client(CLIENT_TYPE, self.chain.client_state(1), self.chain.consensus_state(1))
        assert hub.register(self.client, "client-0").ok

    def update(self, *receipts: bytes) -> int:
        """A block with these receipts, proven to the hub."""
        for data in receipts:
            self.chain.include(data)
        behind = self.hub.time_s - self.chain.now_ns // 10**9
        self.chain.advance(max(1, behind))
        height = self.chain.height
        outcome = self.hub.send(ROUTER_ADDRESS, self.update_call(height))
        assert outcome.events(abi.CLIENT_UPDATED_EVENT) == [(self.client, 0)], (outcome.log, outcome.data)
        return height

    def update_call(self, height: int) -> bytes:
        return abi.UPDATE_CLIENT.call(self.client, self.chain.header(height, 1))

    def receive_call(self, packet: Packet, height: int, proof: bytes) -> bytes:
        return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, height)))


@pytest.mark.parametrize("generation", list(Generation))
def test_hub_creates_and_updates_the_client_and_freezes_it_on_a_fork(hub, generation):
    remote = FiscoRemote(hub, generation=generation)
    assert remote.client == "fisco-bcos-0"
    height = remote.update()
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, remote.client) == "Active"
    fork = remote.chain.propose(height, receipts=(b"another",)).message(1)
    evidence = remote.chain.misbehaviour(remote.chain.update(height, 1), fork)
    assert hub.send(ROUTER_ADDRESS, abi.SUBMIT_MISBEHAVIOUR.call(remote.client, evidence)).ok
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, remote.client) == "Frozen"


def test_packet_goes_there_and_its_acknowledgement_comes_back(hub, chain_a):
    """From the FISCO BCOS chain over the hub to chain A, and from A to it, both proven by events."""
    remote = FiscoRemote(hub)
    packet = Packet(
        1, "client-0", remote.client, hub.time_s + 600, (forward_payload(chain_a.client, hub.time_s + 500),)
    )
    own = receipt([sent(packet)])
    remote.chain.include(own)
    remote.chain.advance()
    height = remote.chain.height
    assert hub.send(ROUTER_ADDRESS, remote.update_call(height)).ok
    proof = remote.chain.proof_of(height, own)
    other = Packet(
        2,
        *[getattr(packet, name) for name in ("source_client", "destination_client")],
        packet.timeout_timestamp_s,
        packet.payloads,
    )
    refused(hub, remote.receive_call(other, height, proof), abi.VERIFICATION_FAILED)
    leg_2 = sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height, proof)))
    assert leg_2.destination_client == chain_a.own_client

    back = chain_a.send(forward_payload(remote.client, hub.time_s + 500))
    leg_2 = sent_packet(chain_a.deliver(back))
    done = receipt([acknowledged(leg_2, Acknowledgement((ANSWER,)))])
    height = remote.chain.height + 1
    remote.chain.include(done)
    remote.chain.advance()
    assert hub.send(ROUTER_ADDRESS, remote.update_call(height)).ok
    call = abi.ACK_PACKET.call((packet_to_tuple(leg_2), ANSWER, remote.chain.proof_of(height, done), (0, height)))
    settled = hub.send(ROUTER_ADDRESS, call)
    assert settled.ok, (settled.log, settled.data)
    _, acknowledgement = written_acknowledgement(settled)
    assert not acknowledgement.is_error


def test_timeout_cannot_be_proven_and_is_refused_by_name(hub, chain_a):
    remote = FiscoRemote(hub)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send(forward_payload(remote.client, hub.time_s + 500))))
    hub.advance(time_s=leg_2.timeout_timestamp_s)
    remote.chain.blocks[2] = remote.chain.propose(2, receipts=(receipt([]),), timestamp_ms=hub.time_s * 1000)
    assert hub.send(ROUTER_ADDRESS, remote.update_call(2)).ok
    proof = remote.chain.proof_of(2, receipt([]))
    refused(hub, abi.TIMEOUT_PACKET.call((packet_to_tuple(leg_2), proof, (0, 2))), abi.VERIFICATION_FAILED)


def test_attack_G18_hub_suite_that_not_every_validator_has_is_refused(hub):
    chain = SimulatedChain(suite=CryptoSuite.GM)
    hub.advance(time_s=max(hub.time_s, chain.now_ns // 10**9))
    action = create_client_action(hub.next_salt(), CLIENT_TYPE, chain.client_state(1), chain.consensus_state(1))
    assert hub.execute(action).reverted_with(abi.VERIFICATION_FAILED)
    chain = SimulatedChain()
    hub.create_client(CLIENT_TYPE, chain.client_state(1), chain.consensus_state(1))
