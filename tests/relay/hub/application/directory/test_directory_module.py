"""Entries, heads and the log are written as the pages say: proven under the app hash, told by events, taken up at a height."""

import pytest
from eth_abi.abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import (
    ActionKind,
    kinds_of_admins,
    kinds_of_validators,
    name_directory_publisher_action,
    schedule_rules_action,
    set_directory_action,
)
from hutong.relay.hub.application.directory import interface, refusals
from hutong.relay.hub.application.directory.refusals import DirectoryRefusal
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.modules import NATIVE_CODE
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.directory.rules import calls
from hutong.relay.services.directory.rules.calls import DIRECTORY_ADDRESS
from hutong.relay.services.directory.rules.log.following import changed_facets
from hutong.relay.services.directory.rules.log.operations import encode_logged
from hutong.relay.services.directory.rules.log.pages import judge_operations_page, make_operations_page
from hutong.relay.services.directory.rules.log.replaying import head_counts_these, live_entries, replay_log
from hutong.relay.services.directory.rules.records import keys
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, Facet, FacetKind, decode_head, name_code
from hutong.relay.services.directory.rules.records.publishers import (
    DEFAULTS,
    DirectoryParameters,
    decode_directory_parameters,
    decode_publisher_use,
)
from tests.relay.hub.application.directory.directory_hub import (
    CITY,
    GAS,
    HOSPITAL,
    OUTSIDER,
    TABLE,
    DirectoryHub,
    account_of,
    genesis_with,
    held,
)
from tests.relay.hub.application.governance.governed_hub import GovernedHub
from tests.relay.hub.application.identity.test_identity_module import replayed
from tests.relay.hub.simulated_hub import SimulatedHub, address_of, hub_genesis
from tests.relay.services.directory.rules.log.published import HEALTH, TRAFFIC, put, update, withdraw

VERSION = rules_versions.DIRECTORY
KINDS = {ActionKind.NAME_DIRECTORY_PUBLISHER, ActionKind.SET_DIRECTORY}


def parameters(hub: SimulatedHub) -> DirectoryParameters | None:
    raw = hub.view().get(keys.PARAMETERS_KEY)
    return None if raw is None else decode_directory_parameters(raw)


@pytest.fixture(scope="module")
def busy() -> DirectoryHub:
    """Seven operations of two publishers: an entry that leaves a theme, one withdrawn and put again, one restricted."""
    world = DirectoryHub()
    assert world.publish(put(1, themes=(TRAFFIC, HEALTH)), put(2, restricted=True), put(3)).ok
    assert world.publish(put(1, themes=(HEALTH,)), publisher=HOSPITAL).ok
    assert world.publish(update(1, 1, themes=(HEALTH,)), withdraw(3, 1)).ok
    assert world.publish(put(3, 2, number=9)).ok
    return world


def test_every_record_is_proven_under_the_app_hash(busy):
    hub, written = busy.hub, held(busy.hub)
    for key, value in written.items():
        stored, proof = hub.application.state.get_with_proof(hub.height, key)
        assert stored == value
        verify_chained((SMT_SPEC,), proof, hub.app_hash, (key,), value)
        assert hub.read(DIRECTORY_ADDRESS, interface.GET_RECORD, key) == value
    assert {key.split(b"/")[1] for key in written} == {
        b"entry",
        b"facet",
        b"parameters",
        b"publisher",
        b"publishers",
        b"use",
    }


def test_from_events_alone_anybody_has_the_log_entries_and_heads(busy):
    log, written = busy.told(), held(busy.hub)
    assert len(log) == 7 and [one.publisher for one in log].count(HOSPITAL) == 1
    entries = replay_log(VERIFY, log, {})
    assert {keys.entry_key(entry): encode_logged(one) for entry, one in entries.items()} == {
        key: value for key, value in written.items() if key.startswith(keys.ENTRY_PREFIX)
    }
    leaves: dict = {}
    standing: dict = {}
    for one in log:
        for facet in changed_facets(standing.get(one.entry), one):
            leaves.setdefault(facet, []).append(one)
        standing[one.entry] = one
    heads = {key: decode_head(value) for key, value in written.items() if key.startswith(keys.FACET_PREFIX)}
    assert {keys.head_key(facet) for facet in leaves} == heads.keys()
    for facet, operations in leaves.items():
        head = heads[keys.head_key(facet)]
        judge_operations_page(VERIFY, make_operations_page(facet, operations, 0, len(operations)), facet, head)
        head_counts_these(head, live_entries(operations, facet))


def test_heads_count_what_is_there_and_what_is_restricted(busy):
    head = busy.head()
    assert (head.size, head.live, head.restricted) == (7, 4, 1)
    traffic, city = busy.head(Facet(FacetKind.THEME, TRAFFIC)), busy.head(Facet(FacetKind.PUBLISHER, CITY))
    assert (traffic.size, traffic.live) == (6, 2) and (city.size, city.live, city.restricted) == (6, 3, 1)
    origin = busy.head(Facet(FacetKind.ORIGIN, name_code(FacetKind.ORIGIN, "hutong-1")))
    assert origin == head
    assert busy.entry(3).version == 3 and busy.entry(3).is_live
    use = decode_publisher_use(busy.hub.view().get(keys.use_key(CITY)))
    # Three entries; the log, publisher, origin, two themes and a format.
    assert (use.records, use.operations) == (9, 1)


def test_blocks_of_directory_calls_replay_to_equal_hashes(busy):
    assert replayed(busy.hub).tip == busy.hub.ledger.tip


def test_running_hubs_take_the_directory_up_at_a_height_and_old_blocks_replay():
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.STORAGE))
    at = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(hub.next_salt(), VERSION, at)).ok
    early = hub.execute(name_directory_publisher_action(hub.next_salt(), CITY, address_of(OUTSIDER), 9))
    assert early.reverted_with(abi.ACTION_REFUSED) is not None
    while hub.height < at - 1:
        hub.advance()

    def account():
        state = hub.application.state_after(hub.application.blocks.head())
        found = state.account(DIRECTORY_ADDRESS)
        return None if found is None else (found.nonce, state.code(DIRECTORY_ADDRESS))

    assert account() is None and held(hub) == {}
    hub.advance()
    assert account() == (1, NATIVE_CODE) and parameters(hub) == DEFAULTS
    world = DirectoryHub(hub)
    assert world.publish(put(1)).ok
    again = replayed(hub)
    assert again.tip == hub.ledger.tip and again.tip.app_version == VERSION


def test_a_genesis_may_say_the_parameters_and_decisions_change_them():
    genesis = genesis_with(TABLE)
    assert decode_genesis(encode_genesis(genesis)) == genesis
    hub = SimulatedHub(genesis=genesis)
    assert parameters(hub) == DirectoryParameters(**TABLE)
    assert parameters(SimulatedHub()) == DEFAULTS
    outcome = hub.execute(set_directory_action(hub.next_salt(), 4, 5))
    assert outcome.ok and outcome.events(abi.DIRECTORY_SET_EVENT) == [(4, 5)]
    assert parameters(hub) == DirectoryParameters(4, 5)
    assert hub.execute(set_directory_action(hub.next_salt(), 513, 5)).reverted_with(abi.VERIFICATION_FAILED)
    with pytest.raises(MalformedInput, match="from rules version 8 on"):
        genesis_with(TABLE, rules_version=rules_versions.STORAGE)
    for bad in ({}, TABLE | {"more": 1}, TABLE | {"call_operations": 513}, TABLE | {"block_operations": 0}, []):
        with pytest.raises(MalformedInput):
            genesis_with(bad)


def test_validators_name_publishers_where_they_govern():
    hub = GovernedHub()
    assert hub.execute(name_directory_publisher_action(1, CITY, address_of(account_of(CITY)), 5)).ok
    assert hub.view().get(keys.publisher_key(CITY)) is not None


def test_kinds_22_and_23_are_of_version_8():
    for version in rules_versions.ALL:
        for kinds in (kinds_of_admins(version), kinds_of_validators(version)):
            assert KINDS & kinds == (KINDS if version >= VERSION else set())


def test_a_call_of_the_most_operations_fits_into_a_block():
    """Their gas is what the page says, within the default limit of a block and of a transaction's bytes."""
    world = DirectoryHub()
    assert len(world.raw(*(put(number) for number in range(512)))) < 128 * 1024
    world = DirectoryHub()
    done = world.publish(*(put(number) for number in range(512)))
    assert done.ok and 8_000_000 < done.gas_used < 16_000_000, done.gas_used
    assert world.head().size == 512


# --- refused


def test_attack_R13_strangers_and_other_publishers_write_nothing(busy):
    before = held(busy.hub)
    done = busy.publish(put(7), account=OUTSIDER)
    assert done.reverted_with(interface.NOT_THE_NAMED_ACCOUNT) is not None
    done = busy.publish(put(7), account=account_of(HOSPITAL))
    assert done.reverted_with(interface.NOT_THE_NAMED_ACCOUNT) is not None
    stranger = b"\x77" * 32
    assert busy.publish(put(7), publisher=stranger).reverted_with(interface.UNKNOWN_PUBLISHER) is not None
    # The same local name of another publisher is another entry.
    assert busy.entry(1).entry != busy.entry(1, HOSPITAL).entry
    assert held(busy.hub) == before


@pytest.mark.parametrize(
    ("operations", "rule"),
    [
        ([put(1)], "operation_follows"),
        ([put(1, 2)], "operation_follows"),
        ([update(1, 1)], "operation_follows"),
        ([update(8, 0)], "operation_follows"),
        ([withdraw(8, 0)], "operation_follows"),
        ([put(8), put(8)], "operations"),
        ([put(8, until=1)], "entry_is_not_over"),
        ([put(8), update(1, 1)], "operation_follows"),
    ],
    ids=["there", "there at its version", "replayed", "not there", "withdraws nothing", "twice", "over", "one of two"],
)
def test_attack_R13_what_does_not_follow_changes_nothing(busy, operations, rule):
    before = held(busy.hub)
    refused = busy.publish(*operations).reverted_with(abi.VERIFICATION_FAILED)
    assert refused is not None and refused[0] == rule
    assert held(busy.hub) == before


def test_attack_R13_a_publisher_fills_neither_blocks_nor_the_state():
    world = DirectoryHub(SimulatedHub(genesis=genesis_with(TABLE)), records=13)
    nine = world.publish(*(put(number) for number in range(9))).reverted_with(abi.VERIFICATION_FAILED)
    assert nine is not None and nine[0] == "operations"
    # Four entries, and the heads of the log, publisher, origin, a theme and a format: nine of thirteen records.
    assert world.publish(*(put(number) for number in range(4))).ok
    fifth = world.publish(*(put(number) for number in range(4, 9))).reverted_with(abi.VERIFICATION_FAILED)
    assert fifth is not None and fifth[0] == "records_are_left"
    updates = [[update(number, version, number=9) for number in range(4)] for version in (1, 2, 3)]
    done = world.hub.advance(
        *(world.raw(*one, gas=1_500_000) for one in updates),
        world.raw(update(0, 4, number=6), gas=1_500_000),
        world.raw(put(1), publisher=HOSPITAL, gas=1_500_000),
    )
    assert [one.ok for one in done] == [True, True, True, False, True]
    share = done[3].reverted_with(abi.VERIFICATION_FAILED)
    assert share is not None and share[0] == "share_of_block_is_left"
    assert world.publish(update(0, 4, number=6)).ok


def test_attack_R13_whoever_is_named_no_longer_publishes_nothing():
    world = DirectoryHub(records=50)
    assert world.publish(put(1)).ok
    assert world.name(CITY, 0, bytes(20)).ok
    assert world.publish(withdraw(1, 1)).reverted_with(interface.UNKNOWN_PUBLISHER) is not None
    assert world.entry(1).is_live and world.head().live == 1
    again = world.name(CITY, 0, bytes(20))
    assert again.reverted_with(interface.UNKNOWN_PUBLISHER) is not None
    # Named again for fewer records than it has: it may withdraw, and bring nothing.
    assert world.name(CITY, 1).ok
    assert world.publish(put(2)).reverted_with(abi.VERIFICATION_FAILED)[0] == "records_are_left"
    assert world.publish(withdraw(1, 1)).ok and world.head().live == 0


def test_views_answer_and_refuse_other_keys(busy):
    hub = busy.hub
    assert hub.read(DIRECTORY_ADDRESS, interface.GET_RECORD, keys.entry_key(b"\x09" * 32)) == b""
    assert decode_head(hub.read(DIRECTORY_ADDRESS, interface.GET_RECORD, keys.head_key(EVERYTHING))) == busy.head()
    result = hub.call(DIRECTORY_ADDRESS, interface.GET_RECORD.call(b"storage/x"), gas=GAS)
    assert not result.success and result.return_data[:4] == abi.VERIFICATION_FAILED.selector


def test_calls_of_the_rules_are_those_of_the_module():
    functions = [value for value in vars(interface).values() if isinstance(value, abi.Function)]
    assert {one.selector for one in functions} == {call.selector for call in calls.CALLS}


KNOWN_REVERTS = {
    error.selector for module in (interface, abi) for error in vars(module).values() if isinstance(error, abi.Error)
}
WORDS = [number.to_bytes(32, "big") for number in (0, 1, 2, 32, 64, 96, 128, 2**64 - 1, 2**255)] + [CITY]
FUNCTIONS = [value for value in vars(interface).values() if isinstance(value, abi.Function)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FUNCTIONS), st.data())
def test_attack_R12_junk_and_bent_calls_are_typed_reverts(busy, function, data):
    """Random words after a selector: never a halt, never a bare revert."""
    words = data.draw(st.lists(st.sampled_from(WORDS), max_size=12))
    junk = function.selector + b"".join(words) + data.draw(st.binary(max_size=3))
    result = busy.hub.call(DIRECTORY_ADDRESS, junk, address_of(account_of(CITY)), GAS)
    assert result.success or result.return_data[:4] in KNOWN_REVERTS


def test_a_refusal_is_its_own_custom_error():
    kinds = [value for value in vars(refusals).values() if isinstance(value, type) and value is not DirectoryRefusal]
    kinds = [kind for kind in kinds if issubclass(kind, DirectoryRefusal)]
    errors = [value for value in vars(interface).values() if isinstance(value, abi.Error)]
    assert sorted(kind.error.signature for kind in kinds) == sorted(error.signature for error in errors)
    samples = {"bytes32": b"\x01" * 32, "address": b"\x02" * 20}
    for kind in kinds:
        values = [samples.get(argument, 7) for argument in kind.error.arguments]
        assert kind(*values).revert().data == kind.error.revert(*values).data
        assert len(decode(kind.error.arguments, kind(*values).revert().data[4:])) == len(values)
