"""Attack lines C on the hub's client manager, and who may do what: each refusal beside its positive twin."""

import pytest

from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from hutong.light_clients.tendermint.types import TrustLevel
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import (
    AdminSet,
    action_hash,
    create_client_action,
    encode_action,
    recover_client_action,
    register_counterparty_action,
    set_paused_action,
)
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.relay.hub.application.clients.tendermint_remote import CLIENT_TYPE, TendermintRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import content, refused
from tests.relay.hub.simulated_hub import (
    ADMINS,
    ANSWER,
    RELAYER,
    STRANGER,
    RemoteChain,
    forward_payload,
    sent_packet,
    written_acknowledgement,
)

SECOND = 10**9


@pytest.fixture
def remote(hub):
    return TendermintRemote(hub)


def status(hub, client_id: str) -> str:
    return hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATUS, client_id)


def test_attack_C15_hub_same_header_is_no_op_and_another_one_freezes(hub, remote):
    height = remote.update()
    same = remote.header_call(remote.chain.update(height, height - 2))
    before = content(hub)
    outcome = hub.send(ROUTER_ADDRESS, same)
    assert outcome.events(abi.CLIENT_UPDATED_EVENT) == [(remote.client, 2)]
    assert content(hub) == before
    fork = remote.chain.fork(height, app_hash=b"\x07" * 32)
    outcome = hub.send(ROUTER_ADDRESS, remote.header_call(remote.chain.update(height, height - 2, fork)))
    assert outcome.events(abi.CLIENT_UPDATED_EVENT) == [(remote.client, 1)]
    assert outcome.events(abi.MISBEHAVIOUR_EVENT) == [(remote.client,)]
    assert status(hub, remote.client) == "Frozen"


def test_attack_C15_hub_header_between_stored_ones_with_time_out_of_order_freezes(hub, remote):
    first = remote.trusted
    remote.update(4)
    between = remote.chain.fork(first + 2, time_ns=remote.chain.latest.header.time_ns + 1)
    outcome = hub.send(ROUTER_ADDRESS, remote.header_call(remote.chain.update(first + 2, first, between)))
    assert outcome.events(abi.MISBEHAVIOUR_EVENT)
    assert status(hub, remote.client) == "Frozen"
    twin = TendermintRemote(hub)
    first = twin.trusted
    twin.update(4)
    assert hub.send(ROUTER_ADDRESS, twin.header_call(twin.chain.update(first + 2, first))).ok
    assert status(hub, twin.client) == "Active"


def test_attack_C16_hub_evidence_that_is_invalid_freezes_nothing(hub, remote):
    trusted = remote.trusted
    remote.update(3)
    chain = remote.chain
    top = len(chain.blocks)
    honest = chain.update(top, trusted)
    fork = chain.update(top, trusted, chain.fork(top, app_hash=b"\x07" * 32))
    unsigned = chain.update(top, trusted, chain.fork(top, app_hash=b"\x07" * 32, signed_chain_id="other-1"))
    lower = chain.update(top - 1, trusted)
    for one, two in ((honest, honest), (honest, unsigned), (lower, honest), (honest, lower)):
        refused(hub, remote.misbehaviour_call(one, two), abi.VERIFICATION_FAILED)
    assert status(hub, remote.client) == "Active"
    assert hub.send(ROUTER_ADDRESS, remote.misbehaviour_call(honest, fork)).events(abi.MISBEHAVIOUR_EVENT)
    assert status(hub, remote.client) == "Frozen"


def test_attack_C17_hub_frozen_client_does_nothing_until_it_is_recovered(hub, chain_a, chain_b):
    """Rule 3: before leg 2 is committed an error acknowledgement at once; after it the forward waits."""
    leg_1 = chain_a.send_forward(chain_b.client)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    chain_b.receive(leg_2, Acknowledgement((ANSWER,)))
    height_b = chain_b.update()
    packet_of_b = chain_b.send_forward(chain_a.client)
    height_of_send = chain_b.update()
    chain_b.freeze()
    assert status(hub, chain_b.client) == "Frozen"
    not_active = (chain_b.client,)
    assert refused(hub, chain_b.acknowledge_call(leg_2, ANSWER, height_b), abi.CLIENT_NOT_ACTIVE) == not_active
    assert refused(hub, chain_b.timeout_call(leg_2, height_b), abi.CLIENT_NOT_ACTIVE) == not_active
    assert refused(hub, chain_b.receive_call(packet_of_b, height_of_send), abi.CLIENT_NOT_ACTIVE) == not_active
    assert refused(hub, chain_b.update_call(chain_b.seal()), abi.CLIENT_NOT_ACTIVE) == not_active
    assert refused(hub, chain_b.misbehaviour_call(), abi.CLIENT_NOT_ACTIVE) == not_active
    refused_leg = chain_a.send_forward(chain_b.client)
    assert written_acknowledgement(chain_a.deliver(refused_leg))[1].is_error

    substitute = chain_b.substitute()
    assert hub.execute(recover_client_action(hub.next_salt(), chain_b.client, substitute)).ok
    assert status(hub, chain_b.client) == "Active"
    settled = hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, ANSWER, chain_b.trusted))
    assert written_acknowledgement(settled)[0] == leg_1
    # What was proven before the freeze may come from the fork: those heights are dead.
    refused(hub, chain_b.receive_call(packet_of_b, height_of_send), abi.VERIFICATION_FAILED)
    assert sent_packet(hub.send(ROUTER_ADDRESS, chain_b.receive_call(packet_of_b, chain_b.trusted)))


def test_attack_C17_hub_expired_client_waits_for_recovery(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    hub.advance(time_s=hub.time_s + 2_000)
    hub.advance()
    assert status(hub, chain_b.client) == "Expired"
    refused(hub, chain_b.timeout_call(leg_2, chain_b.trusted), abi.CLIENT_NOT_ACTIVE)
    refused(hub, chain_b.update_call(chain_b.seal()), abi.CLIENT_NOT_ACTIVE)
    assert hub.execute(recover_client_action(hub.next_salt(), chain_b.client, chain_b.substitute())).ok
    outcome = hub.send(ROUTER_ADDRESS, chain_b.timeout_call(leg_2, chain_b.trusted))
    assert written_acknowledgement(outcome)[1].is_error


def test_attack_C18_hub_recovery_with_a_substitute_that_does_not_fit(hub, chain_a, chain_b):
    def recover(subject: str, substitute: str):
        return hub.execute(recover_client_action(hub.next_salt(), subject, substitute))

    def name(outcome) -> str:
        return outcome.reverted_with(abi.VERIFICATION_FAILED)[0]

    trusted = chain_b.trusted
    fresh = chain_b.substitute()
    chain_b.trusted = trusted
    assert name(recover(chain_b.client, fresh)) == "subject_needs_recovery"
    older = chain_b.client
    chain_b.update()
    chain_b.freeze()
    other_type = TendermintRemote(hub, register=False).client
    assert name(recover(chain_b.client, other_type)) == "substitute_type"
    assert recover(chain_b.client, older).reverted_with(abi.CLIENT_NOT_ACTIVE)
    assert recover(chain_b.client, "bft-evm-99").reverted_with(abi.CLIENT_NOT_FOUND)
    state = chain_b.chain.client_state(chain_b.seal(), chain_id=4_242)
    other_chain = hub.create_client("bft-evm", state, chain_b.chain.consensus_state(chain_b.chain.height))
    assert recover(chain_b.client, other_chain).reverted_with(abi.VERIFICATION_FAILED)
    frozen = RemoteChain(hub, register=False, salt=9)
    frozen.freeze()
    assert recover(chain_b.client, frozen.client).reverted_with(abi.CLIENT_NOT_ACTIVE)
    assert status(hub, chain_b.client) == "Frozen"
    assert recover(chain_b.client, chain_b.substitute()).ok
    assert status(hub, chain_b.client) == "Active"


BAD_STATES = {
    "trust level below a third": {"trust_level": TrustLevel(1, 4)},
    "trust level above one": {"trust_level": TrustLevel(4, 3)},
    "trusting is unbonding": {"trusting_period_ns": 21 * 86_400 * SECOND},
    "zero drift": {"max_clock_drift_ns": 0},
    "no proof specs": {"proof_specs": ()},
    "revision of another chain": {"latest_height": Height(2, 1)},
    "zero height": {"latest_height": Height(1, 0)},
    "frozen": {"frozen_height": Height(0, 1)},
}


@pytest.mark.parametrize("name", BAD_STATES)
def test_attack_C20_hub_client_with_unsound_parameters(hub, name):
    chain = SimulatedChain()
    hub.advance()
    state = chain.client_state(1, **BAD_STATES[name])
    consensus_state = encode_consensus_state(chain.consensus_state(1))
    action = create_client_action(hub.next_salt(), CLIENT_TYPE, encode_client_state(state), consensus_state)
    before = content(hub)
    outcome = hub.execute(action)
    assert outcome.reverted_with(abi.VERIFICATION_FAILED), outcome
    assert {key for key in set(content(hub)) - set(before) if not key.startswith(b"admin/")} == set()
    good = create_client_action(
        hub.next_salt(), CLIENT_TYPE, encode_client_state(chain.client_state(1)), consensus_state
    )
    assert hub.execute(good).events(abi.CLIENT_CREATED_EVENT) == [("07-tendermint-0",)]


def test_attack_C20_hub_client_of_an_unknown_type_or_of_garbage(hub):
    for client_type in ("06-solomachine", "08-wasm", "", "x" * 300):
        outcome = hub.execute(create_client_action(hub.next_salt(), client_type, b"\x01", b"\x01"))
        assert outcome.reverted_with(abi.VERIFICATION_FAILED)[0] == "client_type"
    for client_state, consensus_state in (
        (b"", b"\x01"),
        (b"\x01", b""),
        (b"\xff" * 99, b"\x01"),
        (b"\x01" * 20_000, b"\x01"),
    ):
        outcome = hub.execute(create_client_action(hub.next_salt(), "bft-evm", client_state, consensus_state))
        assert outcome.reverted_with(abi.VERIFICATION_FAILED)


# --- who may act


def manage(hub, function: abi.Function, *values, account=ADMINS[0]):
    return hub.send(CLIENT_MANAGER_ADDRESS, function.call(*values), account)


def test_an_action_needs_two_different_admins_and_runs_once(hub):
    action = set_paused_action(1, True)
    hashed = action_hash("hutong-1", action)
    assert manage(hub, abi.EXECUTE, action).reverted_with(abi.ACTION_REFUSED) == (hashed, "0 of 2 approvals")
    assert manage(hub, abi.APPROVE, hashed).events(abi.ACTION_APPROVED_EVENT) == [(1,)]
    assert manage(hub, abi.APPROVE, hashed).reverted_with(abi.ACTION_REFUSED)[1] == "this admin has approved already"
    assert manage(hub, abi.EXECUTE, action).reverted_with(abi.ACTION_REFUSED) == (hashed, "1 of 2 approvals")
    assert manage(hub, abi.APPROVE, hashed, account=ADMINS[2]).ok
    assert manage(hub, abi.EXECUTE, action, account=STRANGER).reverted_with(abi.NOT_AN_ADMIN)
    other = set_paused_action(2, True)
    assert manage(hub, abi.EXECUTE, other).reverted_with(abi.ACTION_REFUSED)
    assert manage(hub, abi.EXECUTE, action).events(abi.ACTION_EXECUTED_EVENT) == [(4,)]
    assert manage(hub, abi.EXECUTE, action).reverted_with(abi.ACTION_REFUSED) == (hashed, "the action was executed")
    assert manage(hub, abi.APPROVE, hashed, account=ADMINS[1]).reverted_with(abi.ACTION_REFUSED)
    approvals, executed = hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_APPROVALS, hashed)
    assert (len(approvals), executed) == (2, True)


def test_attack_D5_hub_approval_of_another_chain_is_worth_nothing(hub):
    action = set_paused_action(1, True)
    foreign = action_hash("hutong-2", action)
    for admin in ADMINS[:2]:
        assert manage(hub, abi.APPROVE, foreign, account=admin).ok
    assert manage(hub, abi.EXECUTE, action).reverted_with(abi.ACTION_REFUSED)[1] == "0 of 2 approvals"


@pytest.mark.parametrize(
    ("addresses", "threshold"),
    [((), 1), ((b"\x01" * 20,), 0), ((b"\x01" * 20,), 2), ((b"\x01" * 20,) * 2, 1), ((bytes(20),), 1), ((b"\x01",), 1)],
)
def test_attack_D4_hub_admin_set_with_a_threshold_that_is_invalid(addresses, threshold):
    with pytest.raises(ValueError, match="admin|threshold"):
        AdminSet(addresses, threshold)
    assert AdminSet((b"\x01" * 20,), 1).threshold == 1


def test_attack_F12_hub_strangers_and_relayers_cannot_administer(hub, chain_a):
    action = register_counterparty_action(7, chain_a.client, "client-5", [b""])
    before = content(hub)
    for account in (STRANGER, RELAYER):
        assert manage(hub, abi.APPROVE, bytes(32), account=account).reverted_with(abi.NOT_AN_ADMIN)
        assert manage(hub, abi.EXECUTE, action, account=account).reverted_with(abi.NOT_AN_ADMIN)
    assert content(hub) == before


@pytest.mark.parametrize(
    "action", [b"", b"\x01", encode_action(9, 1, b""), encode_action(1, 1, b"\x01"), bytes(200_000)]
)
def test_actions_that_are_invalid_are_refused(hub, action):
    hashed = action_hash("hutong-1", action)
    for admin in ADMINS[:2]:
        assert manage(hub, abi.APPROVE, hashed, account=admin).ok
    outcome = hub.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action[:100_000]), ADMINS[0], gas=16_000_000)
    assert not outcome.ok
    assert outcome.code == 1


def test_stock_chain_packet_over_the_tendermint_client(hub, remote, chain_b):
    """The hub believes a CometBFT chain by its commits and ICS-23 proofs, and forwards for it alike."""
    packet = remote.send(forward_payload(chain_b.client, hub.time_s + 500))
    height = remote.update()
    leg_2 = sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height)))
    assert written_acknowledgement(chain_b.answer(leg_2))[0] == packet
