"""Storage records are written as the page says: proven under the app hash, told by their events, taken up at a height."""

import pytest
from eth_abi.abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import (
    ActionKind,
    kinds_of_admins,
    kinds_of_validators,
    name_storage_party_action,
    schedule_rules_action,
    set_storage_action,
)
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.modules import NATIVE_CODE
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.storage import interface, refusals
from hutong.relay.hub.application.storage.refusals import StorageRefusal
from hutong.relay.services.storage.rules import calls
from hutong.relay.services.storage.rules.calls import STORAGE_ADDRESS
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.parameters import (
    DEFAULTS,
    Parameters,
    decode_parameters,
    parameter_values,
)
from hutong.relay.services.storage.rules.records.rounds import Phase
from tests.relay.hub.abci.abci_client import init_chain, serving
from tests.relay.hub.abci.test_abci_replay import play
from tests.relay.hub.application.governance.governed_hub import GovernedHub
from tests.relay.hub.application.identity.test_identity_module import replayed
from tests.relay.hub.application.storage.storage_hub import (
    GAS,
    OUTSIDER,
    TABLE,
    WRITER,
    StorageHub,
    abi_values,
    account_of,
    genesis_with,
)
from tests.relay.hub.simulated_hub import SimulatedHub, address_of, hub_genesis

VERSION = rules_versions.STORAGE
STORAGE_KINDS = {
    ActionKind.NAME_STORAGE_OPERATOR,
    ActionKind.SET_STORAGE_OPERATOR_STATE,
    ActionKind.NAME_STORAGE_PARTY,
    ActionKind.SET_STORAGE,
}


def held(hub: SimulatedHub) -> dict[bytes, bytes]:
    view, found = hub.view(), {}
    row = view.next(keys.STORAGE_PREFIX)
    while row is not None and row[0].startswith(keys.STORAGE_PREFIX):
        found[row[0]] = row[1]
        row = view.next(row[0])
    return found


def parameters(hub: SimulatedHub) -> Parameters | None:
    raw = hub.view().get(keys.PARAMETERS_KEY)
    return None if raw is None else decode_parameters(raw)


@pytest.fixture(scope="module")
def busy() -> StorageHub:
    """A whole epoch: two batches, one with an operator that was late; a pass, a failure, the others missed."""
    world = StorageHub()
    first, second = world.batch(0), world.batch(1, heights=(3,))
    second.unsigned = {sorted(second.shards)[2]}
    assert world.store(first).ok and world.store(second).ok
    world.seeded()
    asked = [one for one in world.operators.values() if world.set_of(one.id) is not None]
    assert world.answer(asked[0]).ok and world.answer(asked[1], octets=b"\1").ok
    assert not world.answer(asked[2], signer=OUTSIDER).ok
    world.until(Phase.CLOSED)
    return world


def test_every_record_is_proven_under_the_app_hash_and_is_what_its_event_told(busy):
    hub, told = busy.hub, {}
    for height in range(1, hub.height + 1):
        for outcome in hub.outcomes(height):
            for log in outcome.logs:
                if log.topics[0] == interface.RECORDED_EVENT.topic:
                    key, value = abi_values(interface.RECORDED_EVENT, log)
                    told[key] = value
    written = held(hub)
    for key in told:
        assert key in written
    by_calls = (b"batch/", b"log/", b"answered/")
    for key, value in written.items():
        if key[len(b"storage/") :].startswith(by_calls):
            assert told[key] == value
        stored, proof = hub.application.state.get_with_proof(hub.height, key)
        assert stored == value
        verify_chained((SMT_SPEC,), proof, hub.app_hash, (key,), value)
        assert hub.read(STORAGE_ADDRESS, interface.GET_RECORD, key) == value
    assert {key.split(b"/")[1] for key in written} >= {b"set", b"seed", b"verdict", b"operator", b"map", b"ledger"}


async def test_blocks_of_storage_calls_give_equal_hashes_under_both_engines(busy):
    """A second node of the embedded engine, and the application through an ABCI socket: seeds hold the same hashes."""
    hub = busy.hub
    assert replayed(hub).tip == hub.ledger.tip
    machine = HubMachine(MemoryStore(), hub.genesis)
    async with serving(machine) as application:
        consensus = await application.connect()
        asked = init_chain(hub.genesis)
        answer = await consensus.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
        app_hash = answer.app_hash
        for height in range(1, hub.height + 1):
            block = hub.ledger.records.block(height).block
            assert block.header.app_hash == app_hash
            app_hash = (await play(consensus, block)).app_hash
    assert app_hash == hub.app_hash


def test_running_hubs_take_the_module_up_at_a_height_and_old_blocks_replay():
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.SM2_KEYS))
    at = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(hub.next_salt(), VERSION, at)).ok
    early = hub.execute(name_storage_party_action(hub.next_salt(), 1, WRITER, address_of(OUTSIDER)))
    assert early.reverted_with(abi.ACTION_REFUSED) is not None
    while hub.height < at - 1:
        hub.advance()

    def account():
        state = hub.application.state_after(hub.application.blocks.head())
        found = state.account(STORAGE_ADDRESS)
        return None if found is None else (found.nonce, state.code(STORAGE_ADDRESS))

    assert account() is None and held(hub) == {}
    hub.advance()
    assert account() == (1, NATIVE_CODE) and parameters(hub) == DEFAULTS
    world = StorageHub(hub=hub)
    assert hub.execute(set_storage_action(hub.next_salt(), parameter_values(Parameters(**TABLE)))).ok
    assert world.store(world.batch(0)).ok
    world.until(Phase.ANSWERING)
    assert world.answer(next(one for one in world.operators.values() if one.log)).ok
    again = replayed(hub)
    assert again.tip == hub.ledger.tip and again.tip.app_version == VERSION


def test_a_genesis_may_say_the_parameters_and_decisions_change_them():
    genesis = genesis_with(TABLE)
    assert decode_genesis(encode_genesis(genesis)) == genesis
    hub = SimulatedHub(genesis=genesis)
    assert parameters(hub) == Parameters(**TABLE)
    assert parameters(SimulatedHub()) == DEFAULTS
    other = Parameters(epoch_s=3_600, price=2**60)
    outcome = hub.execute(set_storage_action(hub.next_salt(), parameter_values(other)))
    assert outcome.ok and outcome.events(abi.STORAGE_SET_EVENT) == [parameter_values(other)]
    assert parameters(hub) == other
    wrong = (*parameter_values(other)[:7], 62, 3, 0)
    assert hub.execute(set_storage_action(hub.next_salt(), wrong)).reverted_with(abi.VERIFICATION_FAILED)
    with pytest.raises(MalformedInput, match="from rules version 7 on"):
        genesis_with(TABLE, rules_version=rules_versions.SM2_KEYS)
    for bad in ({}, TABLE | {"more": 1}, TABLE | {"probes": 0}, TABLE | {"data": 60, "parity": 5}, []):
        with pytest.raises(MalformedInput):
            genesis_with(bad)


def test_validators_name_parties_where_they_govern():
    hub = GovernedHub()
    assert hub.execute(name_storage_party_action(1, 1, WRITER, address_of(account_of(WRITER)))).ok
    assert hub.view().get(keys.party_key(1, WRITER)) is not None


def test_kinds_18_to_21_are_of_version_7():
    for version in rules_versions.ALL:
        for kinds in (kinds_of_admins(version), kinds_of_validators(version)):
            assert STORAGE_KINDS & kinds == (STORAGE_KINDS if version >= VERSION else set())


def test_calls_cost_what_their_work_is_bounded_by(busy):
    """Gas by call, so that a block of the default limit holds so many."""
    world = StorageHub(data=10, parity=4, count=16)
    stored = world.store(world.batch(0))
    world.seeded()
    asked = next(one for one in world.operators.values() if one.log)
    answered = world.answer(asked)
    assert stored.ok and 500_000 < stored.gas_used < 900_000, stored.gas_used
    assert answered.ok and 300_000 < answered.gas_used < 600_000, answered.gas_used  # eight answers


def test_views_answer_and_refuse_other_keys(busy):
    hub = busy.hub
    group = hub.read(STORAGE_ADDRESS, interface.GROUP_OF, WRITER, 0)
    assert list(hub.read(STORAGE_ADDRESS, interface.PLACEMENT, busy.newest_map, group)) == busy.group(WRITER, 0)
    result = hub.call(STORAGE_ADDRESS, interface.GET_RECORD.call(b"admin/x"), gas=GAS)
    assert not result.success and result.return_data[:4] == abi.VERIFICATION_FAILED.selector
    result = hub.call(STORAGE_ADDRESS, interface.PLACEMENT.call(99, 0), gas=GAS)
    assert result.return_data[:4] == interface.UNKNOWN_MAP.selector
    result = hub.call(STORAGE_ADDRESS, interface.PLACEMENT.call(1, 0), gas=GAS)
    assert result.return_data[:4] == abi.VERIFICATION_FAILED.selector  # of the one operator that was active first


def test_calls_of_the_rules_are_those_of_the_module():
    functions = [value for value in vars(interface).values() if isinstance(value, abi.Function)]
    assert {one.selector for one in functions} == {call.selector for call in calls.CALLS}
    for call in calls.CALLS:
        function = next(one for one in functions if one.selector == call.selector)
        assert (tuple(function.arguments), tuple(function.results)) == (call.arguments, call.results)
    data = calls.COMMIT_SECRET.encode(b"\1" * 32, 7, b"\2" * 32)
    assert calls.COMMIT_SECRET.decode(data) == (b"\1" * 32, 7, b"\2" * 32)
    assert calls.COMMIT_SECRET.read(interface.COMMIT_SECRET.answer(5)) == (5,)


KNOWN_REVERTS = {
    error.selector for module in (interface, abi) for error in vars(module).values() if isinstance(error, abi.Error)
}
WORDS = [number.to_bytes(32, "big") for number in (0, 1, 2, 3, 32, 64, 96, 128, 160, 192, 256, 2**64 - 1, 2**255)]
WORDS += [WRITER]
FUNCTIONS = [value for value in vars(interface).values() if isinstance(value, abi.Function)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FUNCTIONS), st.data())
def test_attack_N50_junk_and_bent_calls_are_typed_reverts(busy, function, data):
    """Random words after a selector: never a halt, never a bare revert."""
    words = data.draw(st.lists(st.sampled_from(WORDS), max_size=24))
    junk = function.selector + b"".join(words) + data.draw(st.binary(max_size=3))
    result = busy.hub.call(STORAGE_ADDRESS, junk, address_of(OUTSIDER), GAS)
    assert result.success or result.return_data[:4] in KNOWN_REVERTS


def test_a_refusal_is_its_own_custom_error():
    kinds = [value for value in vars(refusals).values() if isinstance(value, type) and value is not StorageRefusal]
    kinds = [kind for kind in kinds if issubclass(kind, StorageRefusal)]
    errors = [value for value in vars(interface).values() if isinstance(value, abi.Error)]
    assert sorted(kind.error.signature for kind in kinds) == sorted(error.signature for error in errors)
    samples = {"bytes32": b"\x01" * 32, "string": "x", "address": b"\x02" * 20}
    for kind in kinds:
        values = [samples.get(argument, 7) for argument in kind.error.arguments]
        assert kind(*values).revert().data == kind.error.revert(*values).data
        assert len(decode(kind.error.arguments, kind(*values).revert().data[4:])) == len(values)
