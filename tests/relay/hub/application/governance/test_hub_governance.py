"""Governance by the validators: who may propose and vote, when a proposal is executed, and what its record says."""

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import (
    ACTION_TUPLE,
    admit_validator_action,
    recover_client_action,
    set_parameter_action,
    set_paused_action,
    set_validator_action,
)
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.proposals import MAX_OPEN_PROPOSALS, Status
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, GOVERNANCE_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.state import keys
from tests.relay.hub.application.governance.governed_hub import (
    KEYS,
    OPERATORS,
    VOTING_PERIOD_S,
    GovernedHub,
    possession,
)
from tests.relay.hub.simulated_hub import ADMINS, STRANGER, address_of


@pytest.fixture
def hub():
    return GovernedHub()


def power_of(hub, index):
    return {key: power for key, _, power, _ in hub.ask(interface.GET_MEMBERS)}.get(KEYS[index].public_key.data)


def refused(outcome, name):
    """The predicate that an outcome was refused with is `name`."""
    reverted = outcome.reverted_with(abi.VERIFICATION_FAILED)
    assert reverted is not None and reverted[0] == name, (outcome, reverted)


def test_two_thirds_are_not_enough_and_one_unit_more_is():
    hub = GovernedHub((20, 20, 20, 1))
    # 40 of 61, then 41: 122 < 123
    hub.propose(set_paused_action(1, True), 0)
    assert hub.vote(1, 1).ok and hub.vote(1, 3).ok
    assert (hub.status(1), hub.read(ROUTER_ADDRESS, abi.PAUSED)) == (Status.EXECUTED, True)
    exact = GovernedHub((20, 20, 20))
    exact.propose(set_paused_action(1, True), 0)
    assert exact.vote(1, 1).ok
    assert exact.ask(interface.GET_PROPOSAL, 1)[:3] == (Status.OPEN, 40, 60)
    reason = "approved by 40 of 60, more than two thirds are needed"
    early = exact.send(GOVERNANCE_ADDRESS, interface.EXECUTE_PROPOSAL.call(1), STRANGER)
    assert early.reverted_with(interface.PROPOSAL_REFUSED) == (1, reason)
    assert not exact.read(ROUTER_ADDRESS, abi.PAUSED)
    done = exact.vote(1, 2)
    assert done.events(interface.PROPOSAL_EXECUTED_EVENT) and done.events(abi.PAUSED_EVENT) == [(True,)]


def test_the_record_says_who_proposed_who_approved_with_which_power_and_when(hub):
    hub.propose(set_paused_action(7, True), 2, "stop: alpha's node lies")
    proposed_height, proposed_s = hub.height, hub.ask(interface.GET_PROPOSAL, 1)[3][2]
    hub.vote(1, 0, approve=False)
    hub.vote(1, 1)
    assert hub.vote(1, 3).events(interface.VOTED_EVENT) == [(True, 30, 40)]
    status, approved, total, proposal = hub.ask(interface.GET_PROPOSAL, 1)
    assert (status, approved, total) == (Status.EXECUTED, 30, 40)
    key, account, at_s, height, expires_s, title, action = proposal
    assert (key, account) == (KEYS[2].public_key.data, OPERATORS[2].address.lower())
    assert (height, at_s, expires_s) == (proposed_height, proposed_s, proposed_s + VOTING_PERIOD_S)
    assert (title, action) == ("stop: alpha's node lies", set_paused_action(7, True))
    executed, time_s, height, total, approvals, text = hub.ask(interface.GET_RESULT, 1)
    assert (executed, height, total, text) == (Status.EXECUTED, hub.height, 40, "")
    assert dict(approvals) == {KEYS[index].public_key.data: 10 for index in (1, 2, 3)}
    votes = {row[0]: row[1:3] for row in hub.ask(interface.GET_VOTES, 1)}
    assert votes == {KEYS[index].public_key.data: (index != 0, 10) for index in range(4)}
    assert time_s >= proposed_s


def test_the_record_is_proven_by_the_next_headers_app_hash(hub):
    hub.execute(set_paused_action(1, True))
    hub.advance()
    key = keys.proposal_result_key(1)
    answer = hub.application.query("/store/hub/key", key, hub.height - 1, prove=True)
    header = hub.ledger.records.block(answer.height).block.header
    verify_chained((SMT_SPEC,), answer.proof, header.app_hash, (key,), answer.value)
    absent = keys.proposal_result_key(2)
    answer = hub.application.query("/store/hub/key", absent, hub.height - 1, prove=True)
    verify_chained((SMT_SPEC,), answer.proof, header.app_hash, (absent,), None)


def test_attack_only_operators_of_the_set_propose_vote_and_rotate(hub):
    hub.propose(set_paused_action(1, True))
    for account in (STRANGER, ADMINS[0], OPERATORS[4]):
        for call in (
            interface.PROPOSE.call(set_paused_action(2, True), "mine"),
            interface.VOTE.call(1, True),
            interface.ROTATE_KEY.call(KEYS[5].public_key.data, possession(KEYS[5], account)),
        ):
            outcome = hub.send(GOVERNANCE_ADDRESS, call, account)
            assert outcome.reverted_with(interface.NOT_AN_OPERATOR) == (account.address.lower(),)
    for account in (*ADMINS, OPERATORS[0]):
        outcome = hub.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(set_paused_action(1, True)), account)
        assert outcome.reverted_with(abi.NOT_AN_ADMIN) == (account.address.lower(),)
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_ADMINS) == ((), 0)


def test_attack_C42_a_vote_counts_once_and_may_be_withdrawn(hub):
    hub.propose(set_paused_action(1, True))
    for _ in range(3):
        assert hub.vote(1, 0).events(interface.VOTED_EVENT) == [(True, 10, 40)]
    assert hub.vote(1, 1).events(interface.VOTED_EVENT) == [(True, 20, 40)]
    assert hub.vote(1, 1, approve=False).events(interface.VOTED_EVENT) == [(False, 10, 40)]
    assert not hub.vote(1, 2).events(interface.PROPOSAL_EXECUTED_EVENT)
    assert hub.vote(1, 3).events(interface.VOTED_EVENT) == [(True, 30, 40)]
    assert hub.read(ROUTER_ADDRESS, abi.PAUSED)
    again = hub.vote(1, 1)
    assert again.reverted_with(interface.PROPOSAL_REFUSED) == (1, "it was executed")
    twice = hub.send(GOVERNANCE_ADDRESS, interface.EXECUTE_PROPOSAL.call(1), OPERATORS[0])
    assert twice.reverted_with(interface.PROPOSAL_REFUSED) == (1, "it was executed")


def test_attack_C43_votes_of_a_removed_validator_do_not_count():
    hub = GovernedHub((10, 10, 10, 10, 10))
    hub.propose(set_paused_action(1, True), 4)
    hub.vote(1, 0)
    hub.vote(1, 1)
    assert hub.ask(interface.GET_PROPOSAL, 1)[1:3] == (30, 50)
    assert hub.execute(set_validator_action(2, KEYS[4].public_key.data, 0), range(4)).ok
    assert power_of(hub, 4) is None
    assert hub.ask(interface.GET_PROPOSAL, 1)[1:3] == (20, 40)
    gone = hub.vote(1, 4)
    assert gone.reverted_with(interface.NOT_AN_OPERATOR) == (OPERATORS[4].address.lower(),)
    with_old_votes = hub.send(GOVERNANCE_ADDRESS, interface.EXECUTE_PROPOSAL.call(1), OPERATORS[0])
    assert with_old_votes.reverted_with(interface.PROPOSAL_REFUSED)[0] == 1
    assert hub.vote(1, 2).events(interface.PROPOSAL_EXECUTED_EVENT)


def test_attack_C42_a_key_that_left_never_comes_back_with_its_old_votes():
    hub = GovernedHub((10, 10, 10, 10, 10))
    hub.propose(set_paused_action(1, True), 4)
    assert hub.execute(set_validator_action(2, KEYS[4].public_key.data, 0), range(4)).ok
    proof = possession(KEYS[4], OPERATORS[4])
    back = hub.execute(admit_validator_action(3, KEYS[4].public_key.data, 5, address_of(OPERATORS[4]), proof), range(4))
    ((text,),) = back.events(interface.PROPOSAL_FAILED_EVENT)
    assert text.startswith("VerificationFailed: validator_key_never_used")
    proof = possession(KEYS[6], OPERATORS[4])
    assert hub.execute(
        admit_validator_action(4, KEYS[6].public_key.data, 5, address_of(OPERATORS[4]), proof), range(4)
    ).events(interface.VALIDATOR_ADMITTED_EVENT) == [(KEYS[6].public_key.data, 5)]
    assert hub.ask(interface.GET_PROPOSAL, 1)[1:3] == (0, 45)


def test_a_proposal_expires_at_its_second_and_not_before(hub):
    hub.propose(set_paused_action(1, True))
    expires_s = hub.ask(interface.GET_PROPOSAL, 1)[3][4]
    hub.vote(1, 1)
    # the last commit fixes the next block's time
    hub.advance(time_s=expires_s - 1)
    assert hub.vote(1, 1).ok
    hub.advance(time_s=expires_s)
    late = hub.vote(1, 2)
    assert late.reverted_with(interface.PROPOSAL_REFUSED) == (1, f"it expired at {expires_s}")
    assert hub.status(1) == Status.EXPIRED
    late = hub.send(GOVERNANCE_ADDRESS, interface.EXECUTE_PROPOSAL.call(1), OPERATORS[0])
    assert late.reverted_with(interface.PROPOSAL_REFUSED) == (1, f"it expired at {expires_s}")


def test_an_action_that_is_refused_leaves_the_votes_and_its_reason_and_may_be_tried_again(hub):
    hub.propose(recover_client_action(1, "bft-evm-0", "bft-evm-1"))
    hub.vote(1, 1)
    outcome = hub.vote(1, 2)
    assert outcome.ok and outcome.events(interface.PROPOSAL_FAILED_EVENT) == [("IBCClientNotFound: bft-evm-0",)]
    status, _, height, total, approvals, text = hub.ask(interface.GET_RESULT, 1)
    assert (status, height, total, len(approvals)) == (Status.FAILED, hub.height, 40, 3)
    assert text == "IBCClientNotFound: bft-evm-0"
    again = hub.send(GOVERNANCE_ADDRESS, interface.EXECUTE_PROPOSAL.call(1), STRANGER)
    assert again.reverted_with(abi.CLIENT_NOT_FOUND) == ("bft-evm-0",)


def test_attack_a_voter_that_gives_too_little_gas_cannot_spoil_a_decision(hub):
    hub.propose(set_parameter_action(1, "voting_period_s", 120))
    hub.vote(1, 1)
    starved = 0
    for gas in range(100_000, 2_000_001, 20_000):
        outcome = hub.send(GOVERNANCE_ADDRESS, interface.VOTE.call(1, True), OPERATORS[2], gas=gas)
        if outcome.ok:
            break
        assert hub.ask(interface.GET_PROPOSAL, 1)[:2] == (Status.OPEN, 20)
        starved += outcome.reverted_with(interface.INSUFFICIENT_EXECUTION_GAS) == (1,)
    assert starved and outcome.events(interface.PROPOSAL_EXECUTED_EVENT)
    assert hub.ask(interface.GET_PARAMETER, "voting_period_s") == 120


def test_attack_one_validator_cannot_fill_the_state_with_proposals(hub):
    for number in range(MAX_OPEN_PROPOSALS):
        assert hub.propose(set_paused_action(number, True)).ok
    full = hub.propose(set_paused_action(99, True))
    assert full.reverted_with(interface.PROPOSAL_REFUSED) == (9, "its validator has 8 open proposals")
    assert hub.propose(set_paused_action(99, True), 1).ok
    assert hub.vote(1, 1).ok and hub.vote(1, 2).ok
    assert hub.propose(set_paused_action(100, True)).ok, "an executed one gives its place back"
    hub.advance(time_s=hub.time_s + VOTING_PERIOD_S)
    assert hub.propose(set_paused_action(101, True)).ok, "so do expired ones"


def test_what_is_no_action_is_not_proposed(hub):
    refused(hub.propose(b"no action"), "action")
    refused(hub.propose(set_paused_action(1, True), title=""), "proposal.title")
    refused(hub.propose(set_paused_action(1, True), title="x" * 257), "proposal.title")
    assert hub.newest == 0
    assert hub.propose(set_paused_action(1, True), title="x" * 256).ok
    unknown = hub.vote(2, 0)
    assert unknown.reverted_with(interface.PROPOSAL_REFUSED) == (2, "no such proposal")


def test_a_one_validator_hub_decides_by_proposing():
    hub = GovernedHub((10,))
    outcome = hub.propose(set_paused_action(1, True))
    assert outcome.events(interface.PROPOSAL_EXECUTED_EVENT) and hub.status(1) == Status.EXECUTED


@pytest.mark.parametrize("size", [0, 1, 32, 34, 300, 60_000])
def test_attack_a_key_of_another_size_is_refused_wherever_it_comes(size):
    """A key becomes part of a key of the state, which is at most 200 bytes: longer ones must be a refusal, not a halt."""
    hub = GovernedHub((10,))
    key = b"\x02" * size
    account = address_of(OPERATORS[5])
    for action in (set_validator_action(1, key, 0), admit_validator_action(2, key, 1, account, bytes(64))):
        ((text,),) = hub.propose(action).events(interface.PROPOSAL_FAILED_EVENT)
        assert text.startswith("VerificationFailed: validator.public_key: "), text
    refused(
        hub.send(GOVERNANCE_ADDRESS, interface.ROTATE_KEY.call(key, bytes(64)), OPERATORS[0]), "validator.public_key"
    )


@settings(max_examples=150, deadline=None)
@given(
    function=st.sampled_from([value for value in vars(interface).values() if isinstance(value, abi.Function)]),
    body=st.one_of(
        st.binary(max_size=300),
        st.integers(0, 2**256 - 1).map(lambda number: number.to_bytes(32, "big")),
        st.tuples(st.integers(0, 12), st.binary(max_size=400)).map(lambda one: encode_call(*one)),
    ),
)
def test_attack_H_hub_governance_takes_any_calldata_without_halting(fuzzed, function, body):
    """Every outcome is an answer or a revert: an exception of another kind would halt the node, and fails here."""
    hub, sender = fuzzed
    result = hub.call(GOVERNANCE_ADDRESS, function.selector + body, sender, 8_000_000)
    assert result.success or result.return_data


def encode_call(kind: int, data: bytes) -> bytes:
    """`propose` of an action of any kind and any data."""
    action = encode([ACTION_TUPLE], [(kind, 0, data)])
    return encode(["bytes", "string"], [action, "fuzz"])


@pytest.fixture(scope="module")
def fuzzed():
    return GovernedHub((10,)), address_of(OPERATORS[0])
