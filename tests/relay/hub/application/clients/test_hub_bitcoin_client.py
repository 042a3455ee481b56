"""The hub holds a client of Bitcoin: packets come from it at their depth, a deep reorganisation stops it, none go there."""

import pytest

from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import recover_client_action
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from tests.light_clients.bitcoin.bitcoin_chain import DEPTH
from tests.relay.hub.application.clients.bitcoin_remote import BitcoinRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import content, refused
from tests.relay.hub.simulated_hub import forward_payload, sent_packet, written_acknowledgement


@pytest.fixture
def bitcoin(hub):
    return BitcoinRemote(hub)


def status(hub, client_id: str) -> str:
    return hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, client_id)


def test_packet_published_on_bitcoin_goes_on_to_another_chain(hub, chain_a, bitcoin):
    packet = bitcoin.publish(forward_payload(chain_a.client, hub.time_s + 20_000))
    bitcoin.advance()
    height = bitcoin.update()
    chain_a.update()
    outcome = hub.send(ROUTER_ADDRESS, bitcoin.receive_call(packet, height))
    assert outcome.ok, (outcome.log, outcome.data)
    assert sent_packet(outcome).source_client == chain_a.client
    again = hub.send(ROUTER_ADDRESS, bitcoin.receive_call(packet, height))
    assert [log.topics[0] for log in again.logs] == [abi.NOOP_EVENT.topic]


def test_attack_C51_hub_block_below_the_depth_is_no_update(hub, bitcoin):
    bitcoin.advance()
    high = bitcoin.chain.height - DEPTH + 2
    assert refused(hub, bitcoin.update_call(high), abi.VERIFICATION_FAILED)[0] == "confirmation_depth"
    assert hub.send(ROUTER_ADDRESS, bitcoin.update_call(high - 1)).ok


def test_attack_C50_hub_reorganisation_below_the_depth_stops_the_route(hub, chain_a, bitcoin):
    packet = bitcoin.publish(forward_payload(chain_a.client, hub.time_s + 20_000))
    bitcoin.advance()
    first = bitcoin.trusted
    height = bitcoin.update()
    chain_a.update()
    message = outrunning(bitcoin, first, height)
    hub.advance(time_s=hub.time_s + 3_600)
    outcome = hub.send(ROUTER_ADDRESS, bitcoin.update_call(height, message))
    assert outcome.events(abi.MISBEHAVIOUR_EVENT) == [(bitcoin.client,)]
    assert status(hub, bitcoin.client) == "Frozen"
    refused(hub, bitcoin.receive_call(packet, height))


def outrunning(bitcoin: BitcoinRemote, first: int, height: int) -> bytes:
    """A chain from the block at `first` that leaves out all blocks above it, and is one block longer."""
    fork = bitcoin.chain.fork(first + 1, bitcoin.chain.height - first + 1)
    return bitcoin.chain.header(height, first, fork)


def test_attack_C52_hub_two_versions_of_one_packet_are_received_once(hub, chain_a, bitcoin):
    """The publisher commits twice under one sequence: the first received is the only one, for good."""
    first = bitcoin.publish(forward_payload(chain_a.client, hub.time_s + 20_000))
    key = commitment_key(first)
    place = bitcoin.chain.published[key]
    bitcoin.sequence -= 1
    second = bitcoin.publish(forward_payload(chain_a.client, hub.time_s + 30_000))
    assert commitment_key(second) == key
    assert packet_commitment(second) != packet_commitment(first)
    bitcoin.advance()
    height = bitcoin.update()
    chain_a.update()
    assert hub.send(ROUTER_ADDRESS, bitcoin.receive_call(second, height)).ok
    bitcoin.chain.published[key] = place
    before = content(hub)
    outcome = hub.send(ROUTER_ADDRESS, bitcoin.receive_call(first, height))
    assert [log.topics[0] for log in outcome.logs] == [abi.NOOP_EVENT.topic]
    assert content(hub) == before


def test_nothing_is_sent_where_nothing_can_time_out(hub, chain_a, bitcoin):
    packet = chain_a.send_forward(bitcoin.client)
    outcome = chain_a.deliver(packet)
    _, acknowledgement = written_acknowledgement(outcome)
    assert acknowledgement.is_error
    (reason,) = outcome.events(abi.APP_CALLBACK_ERROR_EVENT)[0]
    assert b"none could time out" in reason
    assert outcome.events(abi.SEND_PACKET_EVENT) == []


def test_recovery_by_a_substitute(hub, bitcoin):
    bitcoin.advance()
    first = bitcoin.trusted
    height = bitcoin.update()
    message = outrunning(bitcoin, first, height)
    hub.advance(time_s=hub.time_s + 3_600)
    assert hub.send(ROUTER_ADDRESS, bitcoin.update_call(height, message)).events(abi.MISBEHAVIOUR_EVENT)
    bitcoin.advance()
    bitcoin.trusted = bitcoin.chain.height - DEPTH + 1
    substitute = bitcoin.create()
    assert hub.execute(recover_client_action(hub.next_salt(), bitcoin.client, substitute)).ok
    assert status(hub, bitcoin.client) == "Active"
    bitcoin.advance()
    bitcoin.update()
