"""Changes of the hub's validators by admin action: every rule from both sides, and what clients of the hub see of them."""

from dataclasses import replace
from hashlib import sha256

import pytest
from eth_abi import encode as abi_encode
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint.hashing import validator_set_hash
from hutong.light_clients.tendermint.types import MAX_TOTAL_VOTING_POWER, KeyType, PublicKey, TrustLevel
from hutong.relay.evm.store.database import MemoryStore, Table
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import ActionKind, action_hash, encode_action, set_validator_action
from hutong.relay.hub.application.genesis import GenesisValidator, encode_genesis
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS
from hutong.relay.hub.application.validators import (
    MAX_VALIDATORS,
    Validators,
    canonical_order,
    changed_powers,
    check_overlap,
    read_powers,
    updates_between,
)
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.validators import advance_proposer, genesis_validators, with_changes
from hutong.relay.hub.home.home import validator_key
from hutong.relay.hub.state import StateView
from hutong.relay.hub.state.keys import VALIDATOR_POWER_PREFIX
from hutong.relay.hub.state.versions import ValuesAtVersion
from tests.relay.hub.simulated_hub import ADMINS, VALIDATOR, SimulatedHub, hub_genesis

KEYS = tuple(validator_key(sha256(b"validator %d" % number).digest()) for number in range(MAX_VALIDATORS + 2))
NEW = KEYS[0]
PUBLIC = [key.public_key.data for key in KEYS]


def genesis_of(*powers: int):
    """Genesis with the first keys as validators of these powers."""
    members = tuple(GenesisValidator(key.public_key, power) for key, power in zip(KEYS, powers, strict=False))
    return replace(hub_genesis(), validators=members)


def set_validator(hub: SimulatedHub, public_key: bytes, power: int):
    return hub.execute(set_validator_action(hub.next_salt(), public_key, power))


def powers_at(hub: SimulatedHub, height: int) -> dict[bytes, int]:
    validators = hub.ledger.records.validators(height)
    return {member.public_key.data: member.voting_power for member in validators.validators}


def test_attack_C43_a_validator_joins_two_blocks_after_the_block_of_its_action_and_not_before():
    hub = SimulatedHub()
    hub.add_key(NEW)
    outcome = set_validator(hub, NEW.public_key.data, 4)
    assert outcome.ok
    assert outcome.events(abi.VALIDATOR_SET_EVENT) == [(NEW.public_key.data, 4)]
    changed_at = hub.height
    old, new = {VALIDATOR.public_key.data: 10}, {VALIDATOR.public_key.data: 10, NEW.public_key.data: 4}
    hub.advance()
    hub.advance()
    hub.advance()
    assert [powers_at(hub, height) for height in range(changed_at, changed_at + 4)] == [old, old, new, new]
    headers = [hub.ledger.records.block(height).block.header for height in range(changed_at, changed_at + 3)]
    sets = [hub.ledger.records.validators(height) for height in (changed_at, changed_at + 2)]
    assert [header.validators_hash for header in headers] == [validator_set_hash(sets[i]) for i in (0, 0, 1)]
    assert [header.next_validators_hash for header in headers] == [validator_set_hash(sets[i]) for i in (0, 1, 1)]
    assert len(hub.ledger.records.commit(changed_at + 1).signatures) == 1
    assert len(hub.ledger.records.commit(changed_at + 2).signatures) == 2
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_VALIDATORS) == (
        (VALIDATOR.public_key.data, 10),
        (NEW.public_key.data, 4),
    )


def test_the_set_of_genesis_is_not_in_the_state_until_it_changes_and_then_whole():
    hub = SimulatedHub()
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_VALIDATORS) == ((VALIDATOR.public_key.data, 10),)
    assert list(hub.view().with_prefix(VALIDATOR_POWER_PREFIX)) == []
    assert set_validator(hub, NEW.public_key.data, 4).ok
    rows = dict(hub.view().with_prefix(VALIDATOR_POWER_PREFIX))
    assert rows == {
        VALIDATOR_POWER_PREFIX + VALIDATOR.public_key.data: (10).to_bytes(8, "big"),
        VALIDATOR_POWER_PREFIX + NEW.public_key.data: (4).to_bytes(8, "big"),
    }
    hub.add_key(NEW)
    assert set_validator(hub, NEW.public_key.data, 0).ok
    hub.advance()
    hub.advance()
    assert list(hub.view().with_prefix(VALIDATOR_POWER_PREFIX)) == [
        (VALIDATOR_POWER_PREFIX + VALIDATOR.public_key.data, (10).to_bytes(8, "big"))
    ]
    assert powers_at(hub, hub.height) == {VALIDATOR.public_key.data: 10}


def test_a_set_survives_a_restart_with_its_priorities():
    hub = SimulatedHub()
    hub.add_key(NEW)
    assert set_validator(hub, NEW.public_key.data, 4).ok
    for _ in range(5):
        hub.advance()
    assert HubLedger(hub.store, hub.genesis).tip == hub.ledger.tip
    assert hub.ledger.tip.validators.proposer is not None


def test_changes_of_one_block_merge_and_the_last_of_a_key_counts():
    hub = SimulatedHub()
    actions = [set_validator_action(hub.next_salt(), PUBLIC[0], power) for power in (3, 4, 0)]
    actions += [set_validator_action(hub.next_salt(), PUBLIC[1], power) for power in (2, 3)]
    for action in actions:
        hashed = action_hash(hub.genesis.chain_id, action)
        for admin in ADMINS[:2]:
            assert hub.send(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(hashed), admin).ok
    calls = [hub.raw(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0], gas=3_000_000) for action in actions]
    assert all(outcome.ok for outcome in hub.advance(*calls))
    updates = hub.ledger.records.results(hub.height).validator_updates
    assert [(update.public_key.data, update.power) for update in updates] == [(PUBLIC[1], 3)]
    hub.advance()
    assert powers_at(hub, hub.height + 1) == {VALIDATOR.public_key.data: 10, PUBLIC[1]: 3}


def test_a_block_cannot_double_the_power_twice():
    hub = SimulatedHub()
    actions = [set_validator_action(hub.next_salt(), PUBLIC[number], power) for number, power in ((0, 10), (1, 20))]
    for action in actions:
        hashed = action_hash(hub.genesis.chain_id, action)
        for admin in ADMINS[:2]:
            assert hub.send(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(hashed), admin).ok
    calls = [hub.raw(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0], gas=3_000_000) for action in actions]
    first, second = hub.advance(*calls)
    assert first.ok
    name, sentence = second.reverted_with(abi.VERIFICATION_FAILED)
    assert name == "validators_overlap_with_last_block"
    assert "expected <= 10, got 30" in sentence


def test_a_change_that_is_undone_in_its_block_is_no_update():
    hub = SimulatedHub()
    actions = [set_validator_action(hub.next_salt(), PUBLIC[0], power) for power in (3, 0)]
    for action in actions:
        hashed = action_hash(hub.genesis.chain_id, action)
        for admin in ADMINS[:2]:
            assert hub.send(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(hashed), admin).ok
    calls = [hub.raw(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0], gas=3_000_000) for action in actions]
    assert all(outcome.ok for outcome in hub.advance(*calls))
    assert hub.ledger.records.results(hub.height).validator_updates == ()


def test_a_validator_change_needs_the_threshold_of_admins():
    hub = SimulatedHub()
    action = set_validator_action(hub.next_salt(), NEW.public_key.data, 4)
    outcome = hub.execute(action, admins=ADMINS[:1])
    hashed, reason = outcome.reverted_with(abi.ACTION_REFUSED)
    assert (hashed, reason) == (action_hash(hub.genesis.chain_id, action), "1 of 2 approvals")
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_VALIDATORS) == ((VALIDATOR.public_key.data, 10),)


OFF_CURVE = next(
    key for key in (b"\x02" + sha256(b"%d" % n).digest() for n in range(99)) if secp256k1.decompress(key) is None
)


@pytest.mark.parametrize(
    ("public_key", "power", "name"),
    [
        (NEW.public_key.data[:-1], 1, "validator.public_key"),
        (b"\x04" + bytes(64), 1, "validator.public_key"),
        (OFF_CURVE, 1, "validator_key_on_curve"),
        (b"\x04" + NEW.public_key.data[1:], 1, "validator_key_on_curve"),
        (NEW.public_key.data, 0, "validator_known"),
        (OFF_CURVE, 0, "validator_known"),
        (VALIDATOR.public_key.data, 0, "validator_set_not_empty"),
        (NEW.public_key.data, MAX_TOTAL_VOTING_POWER, "total_voting_power"),
        (NEW.public_key.data, 2**64 - 1, "total_voting_power"),
        (NEW.public_key.data, 11, "validators_overlap_with_last_block"),
        (VALIDATOR.public_key.data, 4, "validators_overlap_with_last_block"),
    ],
)
def test_attack_C12_a_bad_change_reverts_with_the_rules_name_and_leaves_the_set(public_key, power, name):
    hub = SimulatedHub()
    outcome = set_validator(hub, public_key, power)
    stated, _ = outcome.reverted_with(abi.VERIFICATION_FAILED)
    assert stated == name
    assert hub.ledger.records.results(hub.height).validator_updates == ()
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_VALIDATORS) == ((VALIDATOR.public_key.data, 10),)


@pytest.mark.parametrize(
    ("public_key", "power"),
    [(NEW.public_key.data, 10), (VALIDATOR.public_key.data, 5), (VALIDATOR.public_key.data, 20)],
)
def test_the_greatest_change_of_one_block_is_accepted(public_key, power):
    hub = SimulatedHub()
    assert set_validator(hub, public_key, power).ok


def test_bytes_after_a_change_are_refused():
    hub = SimulatedHub()
    data = abi_encode(["bytes", "uint64"], [NEW.public_key.data, 1]) + bytes(32)
    outcome = hub.execute(encode_action(ActionKind.SET_VALIDATOR, hub.next_salt(), data))
    assert outcome.reverted_with(abi.VERIFICATION_FAILED)[0] == "action.set_validator"


def test_the_rule_of_overlap_is_counted_over_the_whole_block():
    before = {PUBLIC[0]: 10, PUBLIC[1]: 10, PUBLIC[2]: 10}
    once = changed_powers(before, before, PUBLIC[3], 10)
    replaced = changed_powers(once, before, PUBLIC[2], 0)
    assert replaced == {PUBLIC[0]: 10, PUBLIC[1]: 10, PUBLIC[3]: 10}
    with pytest.raises(PredicateFailed) as refused:
        changed_powers(replaced, before, PUBLIC[4], 1)
    assert (refused.value.got, refused.value.expected) == (31, "<= 30")
    assert changed_powers(replaced, replaced, PUBLIC[4], 30) == {**replaced, PUBLIC[4]: 30}


def test_attack_C12_the_hundred_and_first_validator_is_refused():
    full = dict.fromkeys(PUBLIC[:MAX_VALIDATORS], 1)
    almost = dict.fromkeys(PUBLIC[: MAX_VALIDATORS - 1], 1)
    assert len(changed_powers(almost, almost, PUBLIC[MAX_VALIDATORS], 1)) == MAX_VALIDATORS
    with pytest.raises(PredicateFailed) as refused:
        changed_powers(full, full, PUBLIC[MAX_VALIDATORS], 1)
    assert (refused.value.predicate, refused.value.got) == ("validator_count", 101)
    with pytest.raises(MalformedInput) as malformed:
        changed_powers(full, full, b"", 1)
    assert malformed.value.got == 0


def test_a_set_of_the_greatest_size_is_written_within_a_transaction():
    genesis = genesis_of(*[1] * (MAX_VALIDATORS - 1))
    hub = SimulatedHub(genesis=genesis, validator_keys=KEYS)
    outcome = set_validator(hub, PUBLIC[MAX_VALIDATORS - 1], 1)
    assert outcome.ok
    assert outcome.gas_used < hub.genesis.params.transaction_max_gas / 4
    hub.advance()
    hub.advance()
    assert len(powers_at(hub, hub.height)) == MAX_VALIDATORS


def test_a_key_of_genesis_that_is_no_point_can_be_removed():
    current = {PUBLIC[0]: 10, OFF_CURVE: 3}
    assert changed_powers(current, current, OFF_CURVE, 0) == {PUBLIC[0]: 10}
    with pytest.raises(PredicateFailed, match="secp256k1"):
        changed_powers(current, current, OFF_CURVE, 4)


class Rows:
    """The state as `Validators` uses it."""

    def __init__(self) -> None:
        self.view = StateView(ValuesAtVersion(Table(MemoryStore(), b"v"), 0))

    def __getattr__(self, name):
        return getattr(self.view, name)

    def copy(self) -> "Rows":
        twin = Rows()
        for key, value in self.view.changes().items():
            if value is not None:
                twin.view.set(key, value)
        return twin


ANY_POWER = st.one_of(st.integers(0, 60), st.sampled_from([2**58, 2**59, MAX_TOTAL_VOTING_POWER, 2**64 - 1]))


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(PUBLIC[:4]), st.one_of(st.integers(1, 40), st.just(2**57)), min_size=1),
    st.lists(st.lists(st.tuples(st.sampled_from(PUBLIC[:8]), ANY_POWER), max_size=4), max_size=8),
)
def test_attack_C12_whatever_admins_ask_cometbft_takes_every_update_and_has_the_states_set(genesis, blocks):
    """CometBFT halts on an update that it refuses, so none may ever be given to it."""
    state = Rows()
    engine = genesis_validators([(PublicKey(KeyType.SECP256K1, key), power) for key, power in genesis.items()])
    model = dict(genesis)
    for changes in blocks:
        parent = state.copy()
        validators = Validators(state, parent, genesis)
        for key, power in changes:
            snapshot = state.snapshot()
            try:
                validators.set_power(key, power)
            except (MalformedInput, PredicateFailed):
                state.revert(snapshot)
                continue
            model[key] = power
        model = {key: power for key, power in model.items() if power}
        before, after = read_powers(parent, genesis), read_powers(state, genesis)
        assert after == model
        updates = updates_between(before, after)
        engine = advance_proposer(with_changes(engine, [(one.public_key, one.power) for one in updates]), 1)
        assert {member.public_key.data: member.voting_power for member in engine.validators} == model
        assert [(member.public_key, member.voting_power) for member in engine.validators] == canonical_order(model)


powers = st.dictionaries(st.sampled_from(PUBLIC[:8]), st.integers(1, 40), min_size=1)


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(powers, powers, st.sets(st.sampled_from(PUBLIC[:8]), max_size=4))
@example(dict.fromkeys(PUBLIC[:3], 10), {PUBLIC[0]: 10, PUBLIC[3]: 10}, set())
@example(dict.fromkeys(PUBLIC[:3], 10), dict.fromkeys(PUBLIC[1:4], 10), {PUBLIC[1]})
def test_attack_C8_whatever_the_rule_allows_every_commit_of_the_new_set_convinces_who_trusts_the_old(
    before, after, absent
):
    try:
        check_overlap(before, after)
    except PredicateFailed:
        return
    signers = after.keys() - absent
    signed = sum(after[key] for key in signers)
    if signed <= TrustLevel(2, 3).power_needed(sum(after.values())):
        return
    trusted = sum(before.get(key, 0) for key in signers)
    assert trusted > TrustLevel(1, 3).power_needed(sum(before.values()))


@given(powers, powers)
def test_updates_turn_one_set_into_the_other(before, after):
    updates = updates_between(before, after)
    changed = {**before, **{update.public_key.data: update.power for update in updates}}
    assert {key: power for key, power in changed.items() if power} == after
    assert [update.public_key.data for update in updates] == sorted({update.public_key.data for update in updates})
    assert updates_between(after, after) == ()


def test_the_genesis_of_several_validators_survives_its_encoding():
    from hutong.relay.hub.application.genesis import decode_genesis

    genesis = genesis_of(3, 2, 1)
    assert decode_genesis(encode_genesis(genesis)) == genesis
