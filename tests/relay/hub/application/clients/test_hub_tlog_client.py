"""The hub holds a client of a signed log: packets come from it, another tree stops it, none go there; since rules version 4."""

import pytest

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.table import clients_without_extras
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import create_client_action, recover_client_action
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.client_types import SINCE, offered
from tests.light_clients.tlog.simulated_log import SimulatedLog
from tests.relay.hub.application.clients.tlog_remote import TlogRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import content, refused
from tests.relay.hub.simulated_hub import (
    SimulatedHub,
    forward_payload,
    hub_genesis,
    sent_packet,
    written_acknowledgement,
)

BEFORE = [version for version in rules_versions.ALL if version < rules_versions.RECORDS]


@pytest.fixture
def log(hub):
    return TlogRemote(hub)


def status(hub, client_id: str) -> str:
    return hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, client_id)


def test_packet_published_in_a_log_goes_on_to_another_chain(hub, chain_a, log):
    packet = log.publish(forward_payload(chain_a.client, hub.time_s + 20_000))
    log.log.advance(3)
    size = log.update()
    chain_a.update()
    outcome = hub.send(ROUTER_ADDRESS, log.receive_call(packet, size))
    assert outcome.ok, (outcome.log, outcome.data)
    assert sent_packet(outcome).source_client == chain_a.client
    again = hub.send(ROUTER_ADDRESS, log.receive_call(packet, size))
    assert [found.topics[0] for found in again.logs] == [abi.NOOP_EVENT.topic]


def test_attack_C60_hub_log_of_two_trees_stops_the_route(hub, chain_a, log):
    packet = log.publish(forward_payload(chain_a.client, hub.time_s + 20_000))
    size = log.update()
    chain_a.update()
    rewritten = forked(log)
    rewritten.advance(2)
    hub.advance(time_s=max(hub.time_s, rewritten.time_s(rewritten.size)))
    outcome = hub.send(ROUTER_ADDRESS, log.update_call(message=rewritten.header(rewritten.size, size)))
    assert outcome.events(abi.MISBEHAVIOUR_EVENT) == [(log.client,)]
    assert status(hub, log.client) == "Frozen"
    refused(hub, log.receive_call(packet, size))


def forked(log: TlogRemote) -> SimulatedLog:
    rewritten = type(log.log)([b"rewritten", *log.log.entries[1:]])
    rewritten.start_s = log.log.start_s
    return rewritten


@pytest.mark.parametrize("stored", [False, True])
def test_attack_C60_hub_evidence_of_two_trees_stops_the_route(hub, log, stored):
    log.log.advance(2)
    size = log.update()
    harmless = abi.SUBMIT_MISBEHAVIOUR.call(log.client, log.log.evidence(size, log.log, size, stored=stored))
    assert refused(hub, harmless, abi.VERIFICATION_FAILED)[0] == "headers_conflict"
    evidence = log.log.evidence(size, forked(log), size, stored=stored)
    assert hub.send(ROUTER_ADDRESS, abi.SUBMIT_MISBEHAVIOUR.call(log.client, evidence)).ok
    assert status(hub, log.client) == "Frozen"


def test_attack_C64_hub_smaller_checkpoint_writes_nothing(hub, log):
    log.log.advance(4)
    size = log.update()
    before = content(hub)
    outcome = hub.send(ROUTER_ADDRESS, log.update_call(size - 2))
    assert outcome.ok
    assert content(hub) == before
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_LATEST_HEIGHT, log.client) == (0, size)


def test_attack_C63_hub_message_of_another_entry_is_not_received(hub, chain_a, log):
    packet = log.publish(forward_payload(chain_a.client, hub.time_s + 20_000))
    other = log.publish(forward_payload(chain_a.client, hub.time_s + 30_000))
    size = log.update()
    chain_a.update()
    index = log.log.size - 1
    assert refused(hub, log.receive_call(packet, size, index), abi.VERIFICATION_FAILED)[0] == "publisher_signed"
    assert hub.send(ROUTER_ADDRESS, log.receive_call(packet, size)).ok
    assert hub.send(ROUTER_ADDRESS, log.receive_call(other, size)).ok


def test_nothing_is_sent_where_nothing_can_time_out(hub, chain_a, log):
    packet = chain_a.send_forward(log.client)
    outcome = chain_a.deliver(packet)
    _, acknowledgement = written_acknowledgement(outcome)
    assert acknowledgement.is_error
    (reason,) = outcome.events(abi.APP_CALLBACK_ERROR_EVENT)[0]
    assert b"none could time out" in reason
    assert outcome.events(abi.SEND_PACKET_EVENT) == []


def test_log_that_does_not_grow_lives_by_new_cosignatures(hub, log):
    later_s = hub.time_s + 29 * 86_400
    hub.advance(time_s=later_s)
    note = log.log.note(log.trusted, time_s=later_s)
    assert hub.send(ROUTER_ADDRESS, log.update_call(message=log.log.header(log.trusted, log.trusted, note))).ok
    hub.advance(time_s=later_s + 29 * 86_400)
    hub.advance()
    assert status(hub, log.client) == "Active"
    hub.advance(time_s=later_s + 31 * 86_400)
    hub.advance()
    assert status(hub, log.client) == "Expired"


def test_recovery_by_a_substitute_with_other_witnesses(hub, log):
    rewritten = forked(log)
    evidence = log.log.evidence(log.trusted, rewritten, log.trusted)
    assert hub.send(ROUTER_ADDRESS, abi.SUBMIT_MISBEHAVIOUR.call(log.client, evidence)).ok
    substitute = log.create(witnesses=log.log.client(log.trusted).witnesses[1:], quorum=2)
    assert hub.execute(recover_client_action(hub.next_salt(), log.client, substitute)).ok
    assert status(hub, log.client) == "Active"


@pytest.mark.parametrize("version", BEFORE)
def test_hubs_of_earlier_rules_refuse_the_type_as_an_unknown_one(version):
    hub = SimulatedHub(genesis=hub_genesis(rules_version=version))
    made = SimulatedLog()
    salts = hub.next_salt(), hub.next_salt()
    states = made.client_state(1), made.consensus_state(1)
    answers = [
        hub.execute(create_client_action(salt, name, *states)) for salt, name in zip(salts, ("c2sp-tlog", "no-such-x"))
    ]
    said = [answer.reverted_with(abi.VERIFICATION_FAILED) for answer in answers]
    assert said[0] is not None
    assert [answer.ok for answer in answers] == [False, False]
    assert said[0][0] == said[1][0]
    assert said[0][1].replace("c2sp-tlog", "no-such-x") == said[1][1]


def test_types_are_offered_from_their_rules_version_on():
    every = clients_without_extras()
    for version in rules_versions.ALL:
        assert sorted(set(every) - set(offered(every, version))) == sorted(
            name for name, since in SINCE.items() if version < since
        )
    assert SINCE == {"c2sp-tlog": rules_versions.RECORDS}
    with pytest.raises(MalformedInput):
        SimulatedLog().client(1, latest_height=Height(1, 1))
