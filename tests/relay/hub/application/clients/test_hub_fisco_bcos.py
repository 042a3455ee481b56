"""A FISCO BCOS chain at the hub's other end: its client lives on the hub, its packets are proven by its router's events."""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import gm
from hutong.light_clients.fisco_bcos import CryptoSuite, Generation, encode_header_message
from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.ibc.transfer import Denom, TransferData
from hutong.light_clients.table import clients_with_gm
from hutong.relay.hub.application import abi, gas
from hutong.relay.hub.application.admin import create_client_action
from hutong.relay.hub.application.module import TRANSFER_ADDRESS, message_gas
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.application.revision.consensus_libraries import GM_LIBRARY
from hutong.relay.hub.application.transfer import interface
from tests.light_clients.fisco_bcos.fisco_chain import SimulatedChain, receipt, sent
from tests.relay.hub.application.packets.test_hub_packet_attacks import refused
from tests.relay.hub.application.transfer.token_chain import (
    ALICE,
    TokenChain,
    forward_failure,
    held,
    supply,
    transfer_payload,
)
from tests.relay.hub.simulated_hub import (
    DAPP,
    RemoteChain,
    SimulatedHub,
    address_of,
    forward_payload,
    hub_genesis,
    sent_packet,
    written_acknowledgement,
)

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


def test_packet_from_there_is_received_by_its_event_and_forwarded(hub, chain_a):
    remote = FiscoRemote(hub)
    payload = forward_payload(chain_a.client, hub.time_s + 500)
    packet = Packet(1, "client-0", remote.client, hub.time_s + 600, (payload,))
    own = receipt([sent(packet)])
    remote.chain.include(own)
    remote.chain.advance()
    height = remote.chain.height
    assert hub.send(ROUTER_ADDRESS, remote.update_call(height)).ok
    proof = remote.chain.proof_of(height, own)
    refused(hub, remote.receive_call(replace(packet, sequence=2), height, proof), abi.VERIFICATION_FAILED)
    leg_2 = sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height, proof)))
    assert leg_2.destination_client == chain_a.own_client


def test_nothing_is_sent_where_nothing_can_time_out(hub, chain_a):
    remote = FiscoRemote(hub)
    outcome = chain_a.deliver(chain_a.send_forward(remote.client))
    _, acknowledgement = written_acknowledgement(outcome)
    assert acknowledgement.is_error
    (reason,) = outcome.events(abi.APP_CALLBACK_ERROR_EVENT)[0]
    assert b"none could time out" in reason
    assert outcome.events(abi.SEND_PACKET_EVENT) == []


def test_tokens_stay_where_they_are_when_nothing_can_time_out(hub):
    """Neither a forward nor a holder on the hub moves tokens towards such a chain; what came from it stays here."""
    remote, chain_a = FiscoRemote(hub), TokenChain(hub, salt=1)
    holder = "0x" + address_of(DAPP).hex()
    packet = chain_a.send_transfer(100, to=remote.client)
    _, acknowledgement = written_acknowledgement(chain_a.deliver(packet))
    assert acknowledgement.is_error
    assert "none could time out" in forward_failure(hub, packet)
    assert supply(hub, chain_a.on_hub()) == 0

    brought = TransferData("0xtoken", ALICE, holder, 7)
    incoming = Packet(1, "client-0", remote.client, hub.time_s + 600, (transfer_payload(brought),))
    own = receipt([sent(incoming)])
    remote.chain.include(own)
    remote.chain.advance()
    height = remote.chain.height
    assert hub.send(ROUTER_ADDRESS, remote.update_call(height)).ok
    delivered = hub.send(ROUTER_ADDRESS, remote.receive_call(incoming, height, remote.chain.proof_of(height, own)))
    assert delivered.ok, delivered.data
    chain_a.deliver(chain_a.send_transfer(100, receiver=holder))
    own_denom = Denom.parse(f"transfer/{remote.client}/0xtoken")
    for denom, amount in ((own_denom, 7), (chain_a.on_hub(), 100)):
        call = interface.SEND_TRANSFER.call(remote.client, denom.path, amount, ALICE, hub.time_s + 60, "")
        name, reason = hub.send(TRANSFER_ADDRESS, call, DAPP).reverted_with(abi.VERIFICATION_FAILED)
        assert (name, "none could time out" in reason) == ("UnsupportedOperation", True)
        assert held(hub, denom, address_of(DAPP)) == amount


def test_attack_G18_hub_suite_that_not_every_validator_has_is_refused(hub):
    chain = SimulatedChain(suite=CryptoSuite.GM)
    hub.advance(time_s=max(hub.time_s, chain.now_ns // 10**9))
    action = create_client_action(hub.next_salt(), CLIENT_TYPE, chain.client_state(1), chain.consensus_state(1))
    assert hub.execute(action).reverted_with(abi.VERIFICATION_FAILED)
    chain = SimulatedChain()
    hub.create_client(CLIENT_TYPE, chain.client_state(1), chain.consensus_state(1))


def test_attack_G18_hub_answers_alike_with_and_without_the_extra(hub, monkeypatch):
    """What a transaction returned is hashed into the next header: other words are another chain."""
    chain = SimulatedChain(suite=CryptoSuite.GM)
    hub.advance(time_s=max(hub.time_s, chain.now_ns // 10**9))
    states = chain.client_state(1), chain.consensus_state(1)
    with_extra = hub.execute(create_client_action(hub.next_salt(), CLIENT_TYPE, *states)).data
    monkeypatch.setattr(gm, "is_installed", lambda: False)
    assert hub.execute(create_client_action(hub.next_salt(), CLIENT_TYPE, *states)).data == with_extra


@pytest.fixture
def gm_hub():
    """Its genesis names the library of SM2 and SM3."""
    return SimulatedHub(genesis=hub_genesis(libraries=(GM_LIBRARY,)))


@pytest.mark.parametrize("suite", list(CryptoSuite))
@pytest.mark.parametrize("generation", list(Generation))
def test_hub_whose_genesis_names_the_library_follows_chains_under_either_suite(gm_hub, generation, suite):
    remote = FiscoRemote(gm_hub, generation=generation, suite=suite)
    height = remote.update()
    assert gm_hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, remote.client) == "Active"
    unsigned = remote.chain.propose(height, signers=[0]).message(1)
    refused(gm_hub, abi.UPDATE_CLIENT.call(remote.client, encode_header_message(unsigned)), abi.VERIFICATION_FAILED)
    fork = remote.chain.propose(height, receipts=(b"another",)).message(1)
    evidence = remote.chain.misbehaviour(remote.chain.update(height, 1), fork)
    assert gm_hub.send(ROUTER_ADDRESS, abi.SUBMIT_MISBEHAVIOUR.call(remote.client, evidence)).ok
    assert gm_hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, remote.client) == "Frozen"


def test_packet_of_a_gm_chain_is_received_by_its_event_and_forwarded(gm_hub):
    chain_a = RemoteChain(gm_hub, salt=1)
    remote = FiscoRemote(gm_hub, suite=CryptoSuite.GM)
    payload = forward_payload(chain_a.client, gm_hub.time_s + 500)
    packet = Packet(1, "client-0", remote.client, gm_hub.time_s + 600, (payload,))
    own = receipt([sent(packet, digest=gm.sm3)])
    remote.chain.include(own)
    remote.chain.advance()
    height = remote.chain.height
    assert gm_hub.send(ROUTER_ADDRESS, remote.update_call(height)).ok
    proof = remote.chain.proof_of(height, own)
    other = replace(packet, sequence=2)
    refused(gm_hub, remote.receive_call(other, height, proof), abi.VERIFICATION_FAILED)
    assert sent_packet(gm_hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height, proof)))


def test_a_message_in_which_sm2_may_be_pays_for_it(hub, gm_hub):
    """Four times a byte; every other client's messages cost what they did."""
    costs = []
    for one in (hub, gm_hub):
        remote = FiscoRemote(one)
        remote.chain.advance()
        call = remote.update_call(remote.chain.height)
        one.advance(time_s=one.time_s + 60)
        costs.append((one.send(ROUTER_ADDRESS, call).gas_used, len(remote.chain.header(remote.chain.height, 1))))
    (plain, size), (dear, same_size) = costs
    assert size == same_size
    assert dear - plain == (gas.GM_MESSAGE_BYTE - gas.CLIENT_MESSAGE_BYTE) * size
    clients = clients_with_gm()
    assert message_gas(clients, "bft-evm-0", bytes(10)) == gas.CLIENT_MESSAGE + 10 * gas.CLIENT_MESSAGE_BYTE
    assert message_gas(clients, "fisco-bcos-7", bytes(10)) == gas.CLIENT_MESSAGE + 10 * gas.GM_MESSAGE_BYTE
    assert message_gas(clients, "", b"") == gas.CLIENT_MESSAGE
