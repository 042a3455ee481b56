"""Identity records are written as the page says: proven under the app hash, told by their events, within their gas."""

import json
from hashlib import sha256

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
    accredit_root_action,
    kinds_of_admins,
    kinds_of_validators,
    schedule_rules_action,
    set_identity_action,
)
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.identity import interface, refusals
from hutong.relay.hub.application.identity.refusals import IdentityRefusal
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.hub.application.modules import NATIVE_CODE
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.records.parameters import DEFAULTS, Parameters, decode_parameters
from tests.relay.hub.abci.abci_client import init_chain, serving
from tests.relay.hub.abci.test_abci_replay import play
from tests.relay.hub.application.governance.governed_hub import GovernedHub
from tests.relay.hub.application.identity.organisations import (
    GAS,
    OUTSIDER,
    SCHEMA,
    Organisation,
    accredit_root,
    accredited_by,
    held,
    key_struct,
    named,
    public_key,
    registered,
    root_of,
)
from tests.relay.hub.simulated_hub import SimulatedHub, address_of, hub_genesis

VERSION = rules_versions.IDENTITY


def parameters(hub) -> Parameters | None:
    raw = hub.view().get(keys.PARAMETERS_KEY)
    return None if raw is None else decode_parameters(raw)


def replayed(hub) -> HubLedger:
    again = HubLedger(MemoryStore(), hub.genesis)
    for height in range(1, hub.height + 1):
        stored = hub.ledger.records.block(height)
        assert again.accepts(stored.block)
        again.apply(stored.block, stored.block_id, hub.ledger.records.commit(height))
    return again


def busy_hub() -> SimulatedHub:
    """With an issuer that has lists, a log, a key that ended, and a refused call."""
    hub = SimulatedHub()
    issuer = accredited_by(root_of(hub), "issuer")
    assert issuer.open_list().ok and issuer.append(b"one").ok and issuer.revoke(0, 9).ok
    assert not issuer.send(issuer.approved(interface.DEACTIVATE), OUTSIDER).ok
    rotated = key_struct(public_key(named("next")), KeyPurpose.SIGNING | KeyPurpose.CONTRACT)
    assert issuer.decide(interface.ROTATE_KEY, thumbprint(public_key(issuer.issuing)), rotated).ok
    return hub


@pytest.fixture(scope="module")
def busy():
    return busy_hub()


def test_every_record_is_proven_under_the_app_hash_and_is_what_its_event_told(busy):
    told: dict[bytes, bytes] = {}
    for height in range(1, busy.height + 1):
        for outcome in busy.outcomes(height):
            for log in outcome.logs:
                if log.topics[0] == interface.RECORDED_EVENT.topic:
                    key, value = decode(interface.RECORDED_EVENT.data_types, log.data)
                    told[key] = value
                    assert log.topics[1] in key
    written = held(busy)
    private = (b"bound/", b"checkpoint", b"stranger", b"parameters")
    public = {key: value for key, value in written.items() if not key[len(b"identity/") :].startswith(private)}
    roots_alone = {key for key in public if key not in told}
    assert {key: value for key, value in told.items() if value} == {k: v for k, v in public.items() if k in told}
    assert len(roots_alone) == 1  # the root of accreditation, told by the admins' module
    for key, value in public.items():
        stored, proof = busy.application.state.get_with_proof(busy.height, key)
        assert stored == value
        verify_chained((SMT_SPEC,), proof, busy.app_hash, (key,), value)
        assert busy.read(IDENTITY_ADDRESS, interface.GET_RECORD, key) == value


async def test_blocks_of_identity_calls_give_equal_hashes_under_both_engines(busy):
    """A second node of the embedded engine, and the application through an ABCI socket."""
    assert replayed(busy).tip == busy.ledger.tip
    machine = HubMachine(MemoryStore(), busy.genesis)
    async with serving(machine) as application:
        consensus = await application.connect()
        asked = init_chain(busy.genesis)
        answer = await consensus.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
        app_hash = answer.app_hash
        for height in range(1, busy.height + 1):
            block = busy.ledger.records.block(height).block
            assert block.header.app_hash == app_hash
            finalized = await play(consensus, block)
            results = busy.ledger.records.results(height)
            assert [one.data for one in finalized.tx_results] == [one.data for one in results.tx_results]
            app_hash = finalized.app_hash
    assert app_hash == busy.app_hash


def test_calls_cost_what_their_work_is_bounded_by():
    """Gas by call, so that a block of the default limit holds so many."""
    hub = SimulatedHub()
    root = root_of(hub)
    issuer = accredited_by(root, "issuer")
    used = {
        "open list": issuer.open_list().gas_used,
        "append": issuer.append(b"one").gas_used,
        "revoke": issuer.revoke(0, 9).gas_used,
        "grant": root.grant(Organisation(hub, "other").did).gas_used,
        "retire": issuer.decide(interface.RETIRE_KEY, thumbprint(public_key(issuer.issuing))).gas_used,
        "stranger": Organisation(hub, "stranger").register().gas_used,
    }
    assert all(60_000 < gas < 200_000 for gas in used.values()), used


def test_views_answer_and_refuse_other_keys(busy):
    did = Organisation(busy, "issuer").did
    assert busy.read(IDENTITY_ADDRESS, interface.IS_ACCREDITED, did, SCHEMA) == (True, 0)
    assert busy.read(IDENTITY_ADDRESS, interface.IS_ACCREDITED, did, bytes(32)) == (False, 0)
    found = busy.read(IDENTITY_ADDRESS, interface.GET_PARAMETERS)
    assert found == (DEFAULTS.persons, DEFAULTS.strangers, DEFAULTS.stranger_life_s)
    salt = b"\x05" * 32
    mine = busy.read(IDENTITY_ADDRESS, interface.DID_OF, "0x" + address_of(OUTSIDER).hex(), salt)
    assert mine == keys.did_id("hutong", address_of(OUTSIDER), salt)
    result = busy.call(IDENTITY_ADDRESS, interface.GET_RECORD.call(b"admin/x"), gas=GAS)
    assert not result.success and result.return_data[:4] == abi.VERIFICATION_FAILED.selector


KNOWN_REVERTS = {
    error.selector for module in (interface, abi) for error in vars(module).values() if isinstance(error, abi.Error)
}
WORDS = [number.to_bytes(32, "big") for number in (0, 1, 2, 3, 32, 64, 96, 128, 160, 256, 2**64 - 1, 2**255)]
WORDS += [registered(named("issuer controller"), sha256(b"issuer").digest()), SCHEMA]
FUNCTIONS = [value for value in vars(interface).values() if isinstance(value, abi.Function)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FUNCTIONS), st.data())
def test_attack_N50_junk_and_bent_calls_are_typed_reverts(busy, function, data):
    """Random bytes after a selector, and a real call with words exchanged: never a halt, never a bare revert."""
    words = data.draw(st.lists(st.sampled_from(WORDS), max_size=24))
    junk = function.selector + b"".join(words) + data.draw(st.binary(max_size=3))
    result = busy.call(IDENTITY_ADDRESS, junk, address_of(OUTSIDER), GAS)
    assert result.success or result.return_data[:4] in KNOWN_REVERTS


def test_a_refusal_is_its_own_custom_error():
    kinds = [value for value in vars(refusals).values() if isinstance(value, type) and value is not IdentityRefusal]
    kinds = [kind for kind in kinds if issubclass(kind, IdentityRefusal)]
    errors = [value for value in vars(interface).values() if isinstance(value, abi.Error)]
    assert sorted(kind.error.signature for kind in kinds) == sorted(error.signature for error in errors)
    samples = {"bytes32": b"\x01" * 32, "uint64": 7, "uint8": 7, "string": "x", "address": b"\x02" * 20}
    for kind in kinds:
        values = [samples[argument] for argument in kind.error.arguments]
        assert kind(*values).revert().data == kind.error.revert(*values).data


def test_running_hubs_take_the_module_up_at_a_height_and_old_blocks_replay():
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.RECORDS))
    stranger = Organisation(hub, "stranger")
    at = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(hub.next_salt(), VERSION, at)).ok
    early = accredit_root(hub, stranger.did)
    assert early.reverted_with(abi.ACTION_REFUSED) is not None
    while hub.height < at - 1:
        hub.advance()

    def account():
        state = hub.application.state_after(hub.application.blocks.head())
        found = state.account(IDENTITY_ADDRESS)
        return None if found is None else (found.nonce, state.code(IDENTITY_ADDRESS))

    assert account() is None and parameters(hub) is None
    assert hub.call(IDENTITY_ADDRESS, interface.GET_PARAMETERS.call()).return_data == b""
    hub.advance()
    assert account() == (1, NATIVE_CODE) and parameters(hub) == DEFAULTS
    assert stranger.register().ok and accredit_root(hub, stranger.did).ok and stranger.is_accredited()
    again = replayed(hub)
    assert again.tip == hub.ledger.tip and again.tip.app_version == VERSION


def genesis_with(table: object, **changed):
    document = json.loads(encode_genesis(hub_genesis(**changed))) | {"identity": table}
    return decode_genesis(json.dumps(document).encode())


def test_a_genesis_may_say_the_parameters_and_decisions_change_them():
    good = {"persons": True, "strangers": 3, "stranger_life_s": 3_600}
    genesis = genesis_with(good)
    assert decode_genesis(encode_genesis(genesis)) == genesis
    hub = SimulatedHub(genesis=genesis)
    assert parameters(hub) == Parameters(True, 3, 3_600)
    assert parameters(SimulatedHub()) == DEFAULTS
    assert hub.execute(set_identity_action(hub.next_salt(), False, 0, 7_200)).ok
    assert parameters(hub) == Parameters(False, 0, 7_200)
    assert hub.execute(set_identity_action(hub.next_salt(), False, 4_097, 7_200)).reverted_with(abi.VERIFICATION_FAILED)
    with pytest.raises(MalformedInput, match="from rules version 5 on"):
        genesis_with(good, rules_version=rules_versions.RECORDS)
    for wrong in ({}, good | {"more": 1}, good | {"strangers": 4_097}, good | {"stranger_life_s": 1}, []):
        with pytest.raises(MalformedInput):
            genesis_with(wrong)


def test_validators_accredit_roots_where_they_govern():
    hub = GovernedHub()
    root = Organisation(hub, "root")
    assert hub.execute(accredit_root_action(1, root.did, SCHEMA, 4, (0, 2**40))).ok
    assert root.register(schema=SCHEMA).ok and root.is_accredited()


def test_kinds_16_and_17_are_of_version_5():
    new = {ActionKind.ACCREDIT_ROOT, ActionKind.SET_IDENTITY}
    for version in rules_versions.ALL:
        for kinds in (kinds_of_admins(version), kinds_of_validators(version)):
            assert new & kinds == (new if version >= VERSION else set())
