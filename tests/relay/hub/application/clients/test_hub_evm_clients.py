"""The hub takes IBFT 2.0, Istanbul, contract selection and Clique as it takes QBFT: create, update, prove, freeze, recover."""

import pytest

from hutong.light_clients.bft_evm import Consensus, QuorumRule, SealRules
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import recover_client_action
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from tests.light_clients.bft_evm.simulated_chain import CONTRACT
from tests.relay.hub.application.clients.clique_remote import CliqueRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import content
from tests.relay.hub.simulated_hub import RemoteChain, SimulatedHub, sent_packet

RULES = {
    "ibft2": SealRules(Consensus.IBFT2),
    "istanbul": SealRules(Consensus.ISTANBUL, QuorumRule.TWO_F_PLUS_ONE),
    "contract": SealRules(validator_contract=CONTRACT),
}
each_rule = pytest.mark.parametrize("rules", RULES.values(), ids=RULES)


def status(hub: SimulatedHub, client: str) -> str:
    return hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, client)


def update_result(outcome) -> int:
    ((_, result),) = outcome.events(abi.CLIENT_UPDATED_EVENT)
    return result


@each_rule
def test_a_message_crosses_the_hub_between_chains_of_any_rule(hub, rules):
    source, destination = RemoteChain(hub, rules=rules), RemoteChain(hub, salt=1, rules=rules)
    packet = source.send_forward(destination.client)
    onward = sent_packet(source.deliver(packet))
    assert destination.answer(onward).ok


@each_rule
def test_validators_come_and_go_under_any_rule(hub, rules):
    remote = RemoteChain(hub, rules=rules)
    for first in (1, 2, 3):
        remote.chain.replace_validators(range(first, first + 4))
        remote.update()
    assert status(hub, remote.client) == "Active"


@each_rule
def test_attack_C17_hub_two_blocks_of_one_height_freeze_and_a_substitute_recovers(hub, rules):
    remote = RemoteChain(hub, rules=rules)
    remote.update()
    remote.freeze()
    assert status(hub, remote.client) == "Frozen"
    substitute = remote.substitute()
    assert hub.execute(recover_client_action(hub.next_salt(), remote.client, substitute)).ok
    assert status(hub, remote.client) == "Active"
    remote.update()


@each_rule
def test_attack_C18_hub_substitute_of_another_rule(hub, rules):
    remote, qbft = RemoteChain(hub, rules=rules), RemoteChain(hub, salt=1)
    remote.freeze()
    qbft.update()
    before = content(hub)
    outcome = hub.execute(recover_client_action(hub.next_salt(), remote.client, qbft.substitute()))
    assert not outcome.ok
    assert status(hub, remote.client) == "Frozen"
    assert content(hub) != before, "approvals are written; the client is not"


def test_a_message_crosses_the_hub_between_clique_chains(hub):
    source, destination = CliqueRemote(hub), CliqueRemote(hub)
    packet = source.send_forward(destination.client)
    onward = sent_packet(source.deliver(packet))
    destination.receive(onward)
    height = destination.update()
    assert hub.send(ROUTER_ADDRESS, destination.acknowledge_call(onward, height)).ok


def test_attack_C50_hub_deep_reorganisation_freezes_the_clique_client_and_its_route(hub):
    remote = CliqueRemote(hub)
    first = remote.trusted
    packet = remote.send_forward(remote.client)
    height = remote.update()
    remote.trusted = first
    fork = remote.deep_fork(first)
    outcome = hub.send(ROUTER_ADDRESS, remote.update_call(height, fork))
    assert update_result(outcome) == 1
    assert outcome.events(abi.MISBEHAVIOUR_EVENT) == [(remote.client,)]
    assert status(hub, remote.client) == "Frozen"
    assert not hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height)).ok


def test_attack_C16_hub_stale_clique_block_freezes_nothing(hub):
    remote = CliqueRemote(hub)
    first = remote.trusted
    height = remote.update()
    stale = remote.chain.main.fork(height - 1)
    stale.advance(2, gas_used=1)
    remote.trusted = first
    before = content(hub)
    outcome = hub.send(ROUTER_ADDRESS, remote.update_call(first + 1, stale))
    assert not outcome.ok
    assert status(hub, remote.client) == "Active"
    assert content(hub) == before
    same = hub.send(ROUTER_ADDRESS, remote.update_call(height))
    assert update_result(same) == 2


def test_attack_C18_hub_abandoned_branch_proves_nothing_after_recovery(hub):
    """What the client believed on the branch that the chain left is dead once a substitute has taken over."""
    remote = CliqueRemote(hub)
    first = remote.trusted
    packet = remote.send_forward(remote.client)
    height = remote.update()
    proven = remote.receive_call(packet, height)
    remote.trusted = first
    fork = remote.deep_fork(first)
    assert update_result(hub.send(ROUTER_ADDRESS, remote.update_call(height, fork))) == 1
    remote.chain.main = fork
    fork.advance(3)
    remote.catch_up()
    remote.trusted = fork.height
    substitute = remote.create()
    assert hub.execute(recover_client_action(hub.next_salt(), remote.client, substitute)).ok
    assert status(hub, remote.client) == "Active"
    outcome = hub.send(ROUTER_ADDRESS, proven)
    assert not outcome.ok
    assert not outcome.events(abi.SEND_PACKET_EVENT)
    remote.update()
