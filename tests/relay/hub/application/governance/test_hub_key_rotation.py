"""A validator swaps its own consensus key, and a new one comes in: proof of possession, limits, and the set that signs."""

import pytest

from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import admit_validator_action, set_paused_action, set_validator_action
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.members import ROTATION_INTERVAL_S
from hutong.relay.hub.state import keys
from tests.relay.hub.application.governance.governed_hub import KEYS, OPERATORS, GovernedHub, possession
from tests.relay.hub.application.governance.test_hub_governance import refused
from tests.relay.hub.simulated_hub import address_of


@pytest.fixture
def hub():
    return GovernedHub()


def set_keys(hub):
    return {validator.public_key for validator in hub.ledger.tip.validators.validators}


def public(index):
    return KEYS[index].public_key.data


def test_a_validator_swaps_its_key_alone_and_the_new_one_signs_two_blocks_later(hub):
    outcome = hub.rotate(0, KEYS[5])
    assert outcome.events(interface.KEY_ROTATED_EVENT) == [(public(0), public(5))]
    assert KEYS[0].public_key in set_keys(hub), "the next block's set is fixed already"
    hub.advance()
    assert set_keys(hub) == {KEYS[index].public_key for index in (5, 1, 2, 3)}
    hub.absent = {KEYS[0].public_key.address}
    for _ in range(3):
        hub.advance()
    members = {key: (account, power) for key, account, power, _ in hub.ask(interface.GET_MEMBERS)}
    assert members[public(5)] == (OPERATORS[0].address.lower(), 10) and public(0) not in members
    assert hub.propose(set_paused_action(1, True), 0).ok, "the operator speaks for the new key"
    assert hub.ask(interface.GET_PROPOSAL, 1)[3][0] == public(5)


def test_attack_C42_a_vote_under_the_old_key_is_not_counted_again_under_the_new(hub):
    hub.propose(set_paused_action(1, True), 0)
    hub.vote(1, 1)
    assert hub.rotate(0, KEYS[5]).ok
    assert hub.ask(interface.GET_PROPOSAL, 1)[1:3] == (10, 40)
    assert hub.vote(1, 0).events(interface.VOTED_EVENT) == [(True, 20, 40)]
    assert not hub.read(b"\0" * 18 + b"\x10\0", abi.PAUSED)


@pytest.mark.parametrize(
    "forge",
    [
        lambda: possession(KEYS[5], OPERATORS[1]),
        lambda: possession(KEYS[6], OPERATORS[0]),
        lambda: possession(KEYS[5], OPERATORS[0], "hutong-2"),
        lambda: bytes(64),
        lambda: possession(KEYS[5], OPERATORS[0])[:63],
        lambda: possession(KEYS[5], OPERATORS[0]) + b"\0",
    ],
    ids=["another operator's", "another key's", "another hub's", "zero", "short", "long"],
)
def test_attack_C42_a_key_comes_in_only_signed_by_itself_for_this_operator_and_hub(hub, forge):
    refused(hub.rotate(0, KEYS[5], forge()), "validator_key_possessed")
    assert hub.rotate(0, KEYS[5]).ok


def test_attack_C40_a_key_is_nobodys_twice(hub):
    refused(hub.rotate(0, KEYS[1]), "validator_key_never_used")
    refused(hub.rotate(0, KEYS[0]), "validator_key_never_used")
    assert hub.rotate(0, KEYS[5]).ok
    hub.advance(time_s=hub.time_s + ROTATION_INTERVAL_S + 2)
    hub.advance()
    refused(hub.rotate(0, KEYS[0]), "validator_key_never_used")
    refused(hub.rotate(1, KEYS[5]), "validator_key_never_used")
    assert hub.view().get(keys.used_key_key(public(0))) == address_of(OPERATORS[0])


def test_a_key_is_swapped_once_a_day_at_most(hub):
    assert hub.rotate(0, KEYS[5]).ok
    rotated_s = next(at for key, _, _, at in hub.ask(interface.GET_MEMBERS) if key == public(5))
    hub.advance(time_s=rotated_s + ROTATION_INTERVAL_S - 1)
    refused(hub.rotate(0, KEYS[6]), "rotation_interval")
    assert hub.rotate(1, KEYS[7]).ok, "another validator's turn is its own"
    hub.advance(time_s=rotated_s + ROTATION_INTERVAL_S)
    hub.advance()
    assert hub.rotate(0, KEYS[6]).ok


def test_a_swap_obeys_the_rule_of_overlap_over_the_whole_block():
    """Three times the swapped power may not exceed the total: else who trusts the old set need not believe the new."""
    exact = GovernedHub((10, 10, 10))
    assert exact.rotate(0, KEYS[5]).ok
    above = GovernedHub((11, 10, 10))
    refused(above.rotate(0, KEYS[5]), "validators_overlap_with_last_block")
    calls = [
        exact.raw(
            (0x1004).to_bytes(20, "big"),
            interface.ROTATE_KEY.call(KEYS[new].public_key.data, possession(KEYS[new], OPERATORS[operator])),
            OPERATORS[operator],
        )
        for operator, new in ((1, 6), (2, 7))
    ]
    first, second = exact.advance(*calls)
    assert first.ok
    refused(second, "validators_overlap_with_last_block")
    refused(GovernedHub((10,)).rotate(0, KEYS[5]), "validators_overlap_with_last_block")


def test_a_member_is_admitted_with_its_operator_and_speaks_from_then_on(hub):
    proof = possession(KEYS[4], OPERATORS[4])
    outcome = hub.execute(admit_validator_action(1, public(4), 10, address_of(OPERATORS[4]), proof))
    assert outcome.events(interface.VALIDATOR_ADMITTED_EVENT) == [(public(4), 10)]
    hub.advance()
    assert KEYS[4].public_key in set_keys(hub)
    assert hub.propose(set_paused_action(1, True), 4).ok
    assert hub.ask(interface.GET_PROPOSAL, 2)[1:3] == (10, 50)


@pytest.mark.parametrize(
    ("key", "power", "operator", "proof", "predicate"),
    [
        (4, 0, 4, None, "admitted_power"),
        (4, 10, 1, None, "operator_of_one_validator"),
        (1, 10, 4, None, "validator_key_never_used"),
        (4, 10, 4, b"", "validator_key_possessed"),
        (4, 41, 4, None, "validators_overlap_with_last_block"),
    ],
)
def test_what_is_no_new_member_is_not_admitted(hub, key, power, operator, proof, predicate):
    proof = possession(KEYS[key], OPERATORS[operator]) if proof is None else proof
    outcome = hub.execute(admit_validator_action(1, public(key), power, address_of(OPERATORS[operator]), proof))
    ((text,),) = outcome.events(interface.PROPOSAL_FAILED_EVENT)
    assert text.startswith(f"VerificationFailed: {predicate}: "), text
    assert len(hub.ask(interface.GET_MEMBERS)) == 4


def test_no_key_comes_in_without_an_operator(hub):
    outcome = hub.execute(set_validator_action(1, public(4), 10))
    ((text,),) = outcome.events(interface.PROPOSAL_FAILED_EVENT)
    assert text.startswith("VerificationFailed: validator_known: ")
    assert hub.execute(set_validator_action(2, public(3), 12)).events(abi.VALIDATOR_SET_EVENT) == [(public(3), 12)]


def test_attack_C43_signatures_of_a_swapped_key_count_until_its_last_block_and_not_after(hub):
    """The old key alone is absent at the first height of the new set: a commit without the new key has 30 of 40."""
    assert hub.rotate(0, KEYS[5]).ok
    hub.advance()
    hub.absent = {KEYS[5].public_key.address, KEYS[1].public_key.address}
    with pytest.raises(AssertionError):
        hub.advance()
    hub.absent = {KEYS[0].public_key.address}
    hub.advance()
