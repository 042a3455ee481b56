"""What the audit found of the hub's clients: one counterparty for two of them (M5), and a height that is for ever (M4)."""

from dataclasses import replace

import pytest

from hutong.light_clients.bft_evm.codec import encode_header_message
from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import receipt_key
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import recover_client_action
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from hutong.relay.hub.application.revision import rules_versions
from tests.light_clients.attestation.attested_chain import address_of, attestor_keys
from tests.light_clients.bft_evm.simulated_chain import proof_nodes, slot_of
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.relay.hub.application.clients.attested_remote import CLIENT_TYPE, AttestedRemote
from tests.relay.hub.application.clients.tendermint_remote import TendermintRemote
from tests.relay.hub.application.clients.test_hub_client_attacks import status
from tests.relay.hub.application.packets.test_hub_packet_attacks import refused
from tests.relay.hub.simulated_hub import (
    ADMINS,
    ANSWER,
    RemoteChain,
    SimulatedHub,
    hub_genesis,
    sent_packet,
    written_acknowledgement,
)

pytestmark = pytest.mark.safety

FAILED = abi.VERIFICATION_FAILED
FAR_HEIGHT = 2**64 - 1


def hub_of(version: int) -> SimulatedHub:
    return SimulatedHub(genesis=hub_genesis(rules_version=version))


@pytest.fixture
def hub():
    return hub_of(rules_versions.BOUNDED_EXECUTION)


def recover(hub, subject: str, substitute: str):
    return hub.execute(recover_client_action(hub.next_salt(), subject, substitute))


def why(outcome) -> str | None:
    found = outcome.reverted_with(FAILED)
    return None if found is None else found[0]


# M5


def test_audit_M5_a_second_client_would_settle_what_was_never_delivered():
    """By the rules before: the acknowledgement of the one client's packet settles the other's of that number as a success."""
    hub = hub_of(rules_versions.SETTLES_WHILE_PAUSED)
    chain_a, chain_b = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    first = chain_b.client
    delivered = sent_packet(chain_a.deliver(chain_a.send_forward(first)))
    chain_b.receive(delivered, Acknowledgement((ANSWER,)))
    second = chain_b.create_client(chain_b.trusted)
    assert hub.register(second, chain_b.own_client).ok
    lost_leg = chain_a.send_forward(second)
    lost = sent_packet(chain_a.deliver(lost_leg))
    assert lost.sequence == delivered.sequence
    chain_b.client = second
    settled = hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(lost, ANSWER, chain_b.update()))
    assert not written_acknowledgement(settled)[1].is_error


def test_audit_M5_second_client_of_the_same_counterparty_is_refused(hub):
    chain_a, chain_b = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    second = chain_b.create_client(chain_b.trusted)
    assert why(hub.register(second, chain_b.own_client)) == "counterparty_is_free"
    assert sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    assert written_acknowledgement(chain_a.deliver(chain_a.send_forward(second)))[1].is_error
    # of the same chain and router another remote client, and of another router the same name
    assert hub.register(second, "client-1").ok
    elsewhere = chain_b.create_client(chain_b.trusted, router_address=b"\x31" * 20)
    assert hub.register(elsewhere, chain_b.own_client).ok


def test_audit_M5_the_type_of_the_client_makes_no_difference(hub):
    """Attestors of a chain that the hub follows by its consensus read the same receipts."""
    chain = RemoteChain(hub, salt=1)
    scope = replace(
        AttestedRemote(hub, register=False).chain.scope, source_chain_id=str(chain.chain_id), source_router=b"\x31" * 20
    )
    same_chain = AttestedRemote(hub, 1, register=False, scope=scope)
    assert hub.register(same_chain.client, chain.own_client).ok
    twin = chain.create_client(chain.trusted, router_address=b"\x31" * 20)
    assert why(hub.register(twin, chain.own_client)) == "counterparty_is_free"


def test_audit_M5_a_chains_next_revision_is_the_same_chain(hub):
    remote = TendermintRemote(hub, chain=SimulatedChain(chain_id="stock-1"))
    later = TendermintRemote(hub, register=False, chain=SimulatedChain(chain_id="stock-2"))
    assert why(hub.register(later.client, remote.own_client)) == "counterparty_is_free"
    other = TendermintRemote(hub, register=False, chain=SimulatedChain(chain_id="store-1"))
    assert hub.register(other.client, remote.own_client).ok


def test_audit_M5_also_where_the_first_client_is_frozen_for_good(hub):
    """Its receipts stand at the other end: it is recovered, never replaced by a second client."""
    chain = RemoteChain(hub, salt=1)
    chain.freeze()
    substitute = chain.substitute()
    assert why(hub.register(substitute, chain.own_client)) == "counterparty_is_free"
    assert recover(hub, chain.client, substitute).ok
    assert status(hub, chain.client) == "Active"


# M4


def far_ahead(chain: RemoteChain) -> bytes:
    """An update to the greatest height that there is, sealed by all validators of the chain."""
    height = chain.seal()
    forged = chain.chain.propose(FAR_HEIGHT, chain.chain.states[height], time_s=chain.hub.time_s)
    return chain.chain.update(FAR_HEIGHT, chain.trusted, forged, chain.chain.states[height])


def test_audit_M4_a_height_far_ahead_is_left_by_a_lower_substitute(hub):
    chain_a, chain = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(chain.client)))
    message = encode_header_message(far_ahead(chain))
    assert hub.send(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(chain.client, message)).ok
    fresh = chain.substitute()
    assert why(recover(hub, chain.client, fresh)) == "subject_needs_recovery"
    hub.advance(time_s=hub.time_s + 2_000)
    hub.advance()
    assert status(hub, chain.client) == "Expired"
    assert recover(hub, chain.client, fresh).reverted_with(abi.CLIENT_NOT_ACTIVE)
    assert recover(hub, chain.client, chain.substitute()).ok
    assert status(hub, chain.client) == "Active"
    answer = hub.send(ROUTER_ADDRESS, chain.timeout_call(leg_2, chain.update()))
    assert written_acknowledgement(answer)[1].is_error


def test_audit_M4_before_rules_version_3_it_was_for_ever():
    hub = hub_of(rules_versions.SETTLES_WHILE_PAUSED)
    chain = RemoteChain(hub, salt=1)
    message = encode_header_message(far_ahead(chain))
    assert hub.send(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(chain.client, message)).ok
    hub.advance(time_s=hub.time_s + 2_000)
    hub.advance()
    assert why(recover(hub, chain.client, chain.substitute())) == "substitute_is_newer"


def test_audit_M4_forked_states_above_a_lower_substitute_are_dead(hub):
    """They lie between the substitute and the heights that honest headers reach later."""
    chain_a, chain = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    leg_1 = chain_a.send_forward(chain.client)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    honest = chain.seal()
    lying = chain.chain.next_state(honest + 3)
    forged = chain.chain.propose(honest + 3, lying, time_s=hub.time_s, gas_used=5)
    message = encode_header_message(chain.chain.update(honest + 3, chain.trusted, forged, lying))
    assert hub.send(ROUTER_ADDRESS, abi.UPDATE_CLIENT.call(chain.client, message)).ok
    chain.trusted = honest
    assert recover(hub, chain.client, chain.create_client(honest)).reverted_with(FAILED)
    first = chain.chain.update(honest, honest - 1)
    second = chain.chain.update(honest, honest - 1, chain.chain.propose(honest, gas_used=1))
    evidence = abi.SUBMIT_MISBEHAVIOUR.call(chain.client, chain.chain.misbehaviour(first, second))
    assert hub.send(ROUTER_ADDRESS, evidence).ok
    substitute = chain.create_client(honest)
    assert recover(hub, chain.client, substitute).ok
    chain.receive(leg_2, Acknowledgement((ANSWER,)))
    absence = encode_storage_proof(StorageProof(proof_nodes(lying.storage_trie, slot_of(receipt_key(leg_2)))))
    timeout = abi.TIMEOUT_PACKET.call((packet_to_tuple(leg_2), absence, (0, honest + 3)))
    refused(hub, timeout, FAILED)
    for _ in range(3):
        height = chain.update()
    assert height == honest + 3
    refused(hub, timeout, FAILED)
    assert status(hub, chain.client) == "Active"
    settled = hub.send(ROUTER_ADDRESS, chain.acknowledge_call(leg_2, ANSWER, height))
    assert written_acknowledgement(settled)[0] == leg_1


def test_audit_M4_the_attestors_unit_error(hub):
    """Milliseconds for a height: the substitute names other attestors, for the signature on the error stays good."""
    remote = AttestedRemote(hub)
    remote.advance()
    height = 1_700_000_000_000
    message = remote.chain.update(height, remote.chain.times_s[-1])
    assert hub.send(ROUTER_ADDRESS, remote.update_call(height, message)).ok
    conflict = remote.chain.state_misbehaviour((9, remote.chain.times_s[-1]), (9, remote.chain.times_s[-1] + 1))
    assert hub.send(ROUTER_ADDRESS, remote.misbehaviour_call(conflict)).ok
    remote.advance()
    scope = replace(remote.chain.scope, destination_client_id=f"{CLIENT_TYPE}-1")
    remote.chain.keys = sorted([*remote.chain.keys[2:], *attestor_keys(2, 7)], key=address_of)
    substitute = remote.create(scope=scope)
    assert recover(hub, remote.client, substitute).ok
    refused(hub, remote.update_call(height, message), FAILED)
    assert remote.update()


@pytest.mark.parametrize("frozen", [True, False])
def test_audit_M4_who_may_take_a_lower_substitute(hub, frozen):
    """Not an active client, not without the admins' threshold, not a substitute that has expired itself."""
    chain = RemoteChain(hub, salt=1)
    chain.update()
    lower = chain.create_client(chain.trusted - 1)
    assert why(recover(hub, chain.client, lower)) == "subject_needs_recovery"
    if frozen:
        chain.freeze()
        alone = hub.execute(recover_client_action(hub.next_salt(), chain.client, lower), admins=ADMINS[:1])
        assert alone.reverted_with(abi.ACTION_REFUSED)
        assert recover(hub, chain.client, lower).ok
        assert status(hub, chain.client) == "Active"
    else:
        hub.advance(time_s=hub.time_s + 2_000)
        hub.advance()
        assert recover(hub, chain.client, lower).reverted_with(abi.CLIENT_NOT_ACTIVE)
        assert status(hub, chain.client) == "Expired"


def test_attack_C17_hub_by_earlier_rules_states_below_the_floor_are_dead():
    """There a recovery leaves the states where they are, and the floor alone parts them."""
    hub = hub_of(rules_versions.SETTLES_WHILE_PAUSED)
    chain_a, chain = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    packet = chain.send_forward(chain_a.client)
    before = chain.update()
    chain.freeze()
    assert recover(hub, chain.client, chain.substitute()).ok
    refused(hub, chain.receive_call(packet, before), FAILED)
    assert sent_packet(hub.send(ROUTER_ADDRESS, chain.receive_call(packet, chain.trusted)))
