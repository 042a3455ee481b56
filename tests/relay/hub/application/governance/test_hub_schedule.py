"""What governance decides for later blocks: rules by height, parameters, a revision's end; and the pause that pays back."""

from dataclasses import replace

import pytest
from google.protobuf.any_pb2 import Any

from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.interface import Height, PredicateFailed
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    decode_consensus_state,
    encode_client_state,
    encode_consensus_state,
    encode_tendermint_header,
    encode_upgrade,
)
from hutong.light_clients.tendermint.hashing import validator_set_hash
from hutong.light_clients.tendermint.types import Upgrade
from hutong.light_clients.tendermint.upgrade import UPGRADED_CLIENT, UPGRADED_CONSENSUS_STATE
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.abci import ProposalVerdict
from hutong.relay.hub.application.admin import (
    ActionKind,
    encode_action,
    end_revision_action,
    schedule_rules_action,
    set_parameter_action,
    set_paused_action,
    set_validator_action,
)
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.coming import RevisionEnded, UnknownRulesVersion
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.modules import ROUTER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.transfer import interface as transfer
from hutong.relay.hub.state import keys
from tests.relay.hub.application.governance.governed_hub import KEYS, GovernedHub
from tests.relay.hub.application.governance.test_hub_governance import refused
from tests.relay.hub.application.transfer.token_chain import BOB, TokenChain
from tests.relay.hub.simulated_hub import ANSWER, DAPP, RemoteChain, SimulatedHub, hub_genesis, sent_packet

LATER = rules_versions.NEWEST + 1
"""That this code does not have."""


def failure(outcome):
    ((text,),) = outcome.events(interface.PROPOSAL_FAILED_EVENT)
    return text


@pytest.fixture
def hub():
    return GovernedHub((10,))


def test_attack_E20_a_pause_refuses_what_is_new_and_pays_back_what_is_old(hub):
    """Rules version 2: receives and sends are refused; a timeout refunds, an acknowledgement settles."""
    chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
    late = sent_packet(chain_a.deliver(chain_a.send_transfer(30, chain_b.client)))
    answered = sent_packet(chain_a.deliver(chain_a.send_transfer(5, chain_b.client)))
    assert chain_a.deliver(chain_a.send_transfer(9, receiver=DAPP.address.lower())).ok
    waiting = chain_a.send_transfer(7, chain_b.client)
    height = chain_a.update()
    assert hub.execute(set_paused_action(1, True)).ok
    received = hub.send(ROUTER_ADDRESS, chain_a.receive_call(waiting, height))
    assert received.reverted_with(abi.ENFORCED_PAUSE) == ()
    call = transfer.SEND_TRANSFER.call(chain_b.client, chain_a.on_hub().path, 1, BOB, hub.time_s + 500, "")
    assert hub.send(TRANSFER_ADDRESS, call, DAPP).reverted_with(abi.ENFORCED_PAUSE) == ()
    assert chain_b.take(answered).events(abi.ACK_PACKET_EVENT)
    refunded = chain_b.expire(late)
    assert refunded.events(abi.TIMEOUT_PACKET_EVENT)
    assert refunded.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT), "the first leg's refund goes home"
    assert hub.execute(set_paused_action(2, False)).ok


def test_under_the_first_rules_a_pause_holds_everything():
    hub = GovernedHub((10,), rules_version=1)
    chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_transfer(30, chain_b.client)))
    assert hub.execute(set_paused_action(1, True)).ok
    assert chain_b.expire(leg_2).reverted_with(abi.ENFORCED_PAUSE) == ()


def test_attack_C43_rules_change_at_their_height_and_not_a_block_before():
    hub = GovernedHub((10,), rules_version=1)
    chain_a, chain_b = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    chain_b.receive(leg_2, Acknowledgement((ANSWER,)))
    height_b = chain_b.update()
    acknowledge = chain_b.acknowledge_call(leg_2, ANSWER, height_b)
    assert hub.execute(set_paused_action(1, True)).ok
    at = hub.height + 1 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(2, 2, at)).events(abi.RULES_SCHEDULED_EVENT) == [(2, at)]
    assert hub.ask(interface.GET_SCHEDULE) == (1, 2, at, 0)
    while hub.height < at - 2:
        hub.advance()
    assert hub.send(ROUTER_ADDRESS, acknowledge).reverted_with(abi.ENFORCED_PAUSE) == ()
    assert hub.ledger.tip.app_version == 2 and hub.height == at - 1
    assert hub.application.process_proposal((), 1) is ProposalVerdict.REJECT
    assert hub.application.process_proposal((), 2) is ProposalVerdict.ACCEPT
    assert hub.send(ROUTER_ADDRESS, acknowledge).events(abi.ACK_PACKET_EVENT)
    versions = [hub.ledger.records.block(height).block.header.version_app for height in (at - 1, at)]
    assert versions == [1, 2]
    assert hub.ask(interface.GET_SCHEDULE) == (2, 0, 0, 0)
    reopened = GovernedHub(store=hub.store, genesis=hub.genesis)
    assert (reopened.ledger.tip.app_version, reopened.application.info().app_version) == (2, 2)


def test_software_without_the_coming_rules_halts_before_their_height_with_one_sentence(hub):
    at = hub.height + 1 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(1, LATER, at)).ok
    while hub.height < at - 1:
        hub.advance()
    before = hub.app_hash
    with pytest.raises(AssertionError):
        hub.advance()
    known = ", ".join(map(str, rules_versions.ALL))
    sentence = f"rules version {LATER} begins at block {at} and this hutong has {known}: install one that has it, then start the node again"
    with pytest.raises(UnknownRulesVersion) as halted:
        hub.application.coming.require_block(at)
    assert str(halted.value) == sentence
    assert (hub.height, hub.app_hash) == (at - 1, before)
    assert hub.application.process_proposal((), LATER) is ProposalVerdict.REJECT
    assert hub.application.process_proposal((), rules_versions.NEWEST) is ProposalVerdict.REJECT


def test_a_change_of_rules_is_one_forward_in_time_and_can_be_withdrawn(hub):
    far = hub.height + 1_000
    for version, height, predicate in (
        (rules_versions.NEWEST, far, "rules_version_increases"),
        (1, far, "rules_version_increases"),
        (2**31 + 1, far, "rules_version_increases"),
        (LATER, hub.height + NOTICE_BLOCKS, "notice"),
        (LATER, 2**63, "notice"),
        (LATER, 0, "upgrade_planned"),
    ):
        text = failure(hub.execute(schedule_rules_action(hub.next_salt(), version, height)))
        assert text.startswith(f"VerificationFailed: {predicate}: "), text
    at = hub.height + 1 + NOTICE_BLOCKS + 2
    assert hub.execute(schedule_rules_action(1, LATER, at)).ok
    again = failure(hub.execute(schedule_rules_action(2, LATER + 1, far)))
    assert again.startswith("VerificationFailed: one_upgrade_planned: ")
    while hub.height < at - 3:
        hub.advance()
    assert hub.execute(schedule_rules_action(3, 0, 0)).events(abi.RULES_SCHEDULED_EVENT) == [(0, 0)]
    for _ in range(4):
        hub.advance()
    assert hub.ledger.tip.app_version == rules_versions.NEWEST and hub.height > at


def test_a_change_of_rules_is_not_withdrawn_under_the_next_header(hub):
    at = hub.height + 1 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(1, LATER, at)).ok
    while hub.height < at - 2:
        hub.advance()
    text = failure(hub.execute(schedule_rules_action(2, 0, 0)))
    assert hub.height == at - 1 and text.startswith("VerificationFailed: upgrade_planned: ")


def test_parameters_change_within_their_bounds_and_no_others_do(hub):
    coming = hub.application.coming
    assert (coming.interval_ms(changed=False), coming.interval_ms(changed=True)) == (1_000, 200)
    for name, value in (("block_interval_ms", 5_000), ("proof_block_delay_ms", 5_000), ("block_interval_ms", 5_000)):
        outcome = hub.execute(set_parameter_action(hub.next_salt(), name, value))
        assert outcome.events(abi.PARAMETER_SET_EVENT) == [(name, value)]
        assert hub.ask(interface.GET_PARAMETER, name) == value
    assert (coming.interval_ms(changed=False), coming.interval_ms(changed=True)) == (5_000, 5_000)
    for name, value, predicate in (
        ("block_interval_ms", 9, "parameter_in_bounds"),
        ("block_interval_ms", 5_001, "parameter_in_bounds"),
        ("block_interval_ms", 4_999, "proof_block_within_interval"),
        ("voting_period_s", 59, "parameter_in_bounds"),
        ("voting_period_s", 30 * 86_400 + 1, "parameter_in_bounds"),
        ("trusting_period_s", 86_400, "parameter_may_change"),
        ("block_max_gas", 10**6, "parameter_may_change"),
    ):
        text = failure(hub.execute(set_parameter_action(hub.next_salt(), name, value)))
        assert text.startswith(f"VerificationFailed: {predicate}: "), text
    for period_s in (60, 30 * 86_400):
        assert hub.execute(set_parameter_action(hub.next_salt(), "voting_period_s", period_s)).ok
        hub.propose(set_paused_action(hub.next_salt(), False))
        proposal = hub.ask(interface.GET_PROPOSAL, hub.newest)[3]
        assert proposal[4] - proposal[2] == period_s


def test_attack_C43_the_set_is_fixed_at_the_end_and_clients_follow_it(hub):
    """ICS-07: what the chain commits before its last block brings a client of hutong-1 to hutong-2."""
    light_client = TendermintClient()
    hub = GovernedHub((10, 10, 10, 10))
    trusted = hub.height
    end = hub.height + 4 + NOTICE_BLOCKS
    outcome = hub.execute(end_revision_action(1, end))
    assert outcome.events(abi.REVISION_END_EVENT) == [(end,)]
    while hub.height < end - 2:
        hub.advance()
    fixed = hub.rotate(0, KEYS[5])
    assert hub.height == end - 1
    refused(fixed, "set_fixed_at_end")
    set_hash = validator_set_hash(hub.ledger.tip.validators)
    hub.send(ROUTER_ADDRESS, abi.PAUSED.call())
    assert hub.height == end
    with pytest.raises(RevisionEnded) as ended:
        hub.application.coming.require_block(end + 1)
    assert str(ended.value) == (
        f"hutong-1 ended at block {end}, as was decided: `hutong hub restart` makes the genesis of hutong-2"
    )
    client, states = (
        encode_client_state(hub.client_state(trusted)),
        MemoryConsensusStates({Height(1, trusted): encode_consensus_state(hub.consensus_state(trusted))}),
    )
    now_ns = hub.time_s * 10**9 + 10**9
    header = encode_tendermint_header(hub.tendermint_header(end, trusted))
    updated = light_client.verify_header(client, states, header, now_ns)
    states = MemoryConsensusStates({updated.height: updated.consensus_state})
    committed = []
    for item in (UPGRADED_CLIENT, UPGRADED_CONSENSUS_STATE):
        answer = hub.application.query("/store/ibc/key", keys.upgraded_key(end, item), end - 1, prove=True)
        assert answer.height == end
        committed.append(answer)
    upgrade = Upgrade(
        decode_client_state(Any.FromString(committed[0].value).value),
        decode_consensus_state(Any.FromString(committed[1].value).value),
        committed[0].proof,
        committed[1].proof,
    )
    followed = light_client.verify_upgrade(updated.client_state, states, encode_upgrade(upgrade), now_ns)
    assert followed.height == Height(2, end + 1)
    state = decode_client_state(followed.client_state)
    assert (state.chain_id, state.trusting_period_ns) == ("hutong-2", hub.client_state(trusted).trusting_period_ns)
    assert decode_consensus_state(followed.consensus_state).next_validators_hash == set_hash
    forged = replace(upgrade, client_state=replace(upgrade.client_state, chain_id="hutong-3"))
    with pytest.raises(PredicateFailed) as refusal:
        light_client.verify_upgrade(updated.client_state, states, encode_upgrade(forged), now_ns)
    assert refusal.value.predicate == "value_matches"


def test_the_end_is_one_with_notice_and_can_be_withdrawn_until_the_set_is_fixed(hub):
    for height, predicate in ((hub.height + NOTICE_BLOCKS, "notice"), (2**63, "notice"), (0, "end_planned")):
        text = failure(hub.execute(end_revision_action(hub.next_salt(), height)))
        assert text.startswith(f"VerificationFailed: {predicate}: "), text
    end = hub.height + 1 + NOTICE_BLOCKS + 1
    assert hub.execute(end_revision_action(1, end)).ok
    assert failure(hub.execute(end_revision_action(2, end + 9))).startswith("VerificationFailed: one_end_planned: ")
    while hub.height < end - 3:
        hub.advance()
    assert hub.execute(end_revision_action(3, 0)).events(abi.REVISION_END_EVENT) == [(0,)]
    assert hub.height == end - 2
    rest = [key for key, _ in hub.view().with_prefix(b"upgrade/")]
    assert rest == [] and hub.view().get(keys.HALT_KEY) is None
    for _ in range(4):
        hub.advance()
    end = hub.height + 1 + NOTICE_BLOCKS
    assert hub.execute(end_revision_action(4, end)).ok
    while hub.height < end - 2:
        hub.advance()
    text = failure(hub.execute(end_revision_action(5, 0)))
    assert text.startswith("VerificationFailed: set_fixed_at_end: ")
    text = failure(hub.execute(set_validator_action(6, KEYS[0].public_key.data, 11)))
    assert hub.height == end and text.startswith("VerificationFailed: set_fixed_at_end: ")


def test_admins_under_the_second_rules_decide_the_same_but_no_operators():
    hub = SimulatedHub(genesis=hub_genesis(rules_version=2))
    at = hub.height + 100
    assert hub.execute(schedule_rules_action(1, 3, at)).events(abi.RULES_SCHEDULED_EVENT) == [(3, at)]
    assert hub.execute(set_parameter_action(2, "block_interval_ms", 2_000)).ok
    assert hub.application.coming.interval_ms(changed=False) == 2_000
    admit = encode_action(ActionKind.ADMIT_VALIDATOR, 3, b"")
    assert hub.execute(admit).reverted_with(abi.ACTION_REFUSED)[1] == "unknown kind 7"


@pytest.mark.parametrize("kind", [7, 8, 9, 10])
def test_recorded_admin_chains_know_no_later_kind(kind):
    hub = SimulatedHub(genesis=hub_genesis(rules_version=1))
    action = encode_action(ActionKind(kind), 1, b"")
    assert hub.execute(action).reverted_with(abi.ACTION_REFUSED)[1] == f"unknown kind {kind}"
