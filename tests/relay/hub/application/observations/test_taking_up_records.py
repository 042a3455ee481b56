"""A running hub takes up rules version 4: the module's account is written at that height, old blocks replay to equal hashes."""

import pytest

from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import name_writer_action, schedule_rules_action
from hutong.relay.hub.application.governance.coming import UnknownRulesVersion
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.modules import NATIVE_CODE
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.chain.ledger import HubLedger
from tests.relay.hub.application.observations.observed_chains import WORD, WRITER, ObservedBft
from tests.relay.hub.simulated_hub import ADMINS, DAPP, SimulatedHub, address_of, hub_genesis


def account(hub):
    state = hub.application.state_after(hub.application.blocks.head())
    found = state.account(OBSERVATIONS_ADDRESS)
    return None if found is None else (found.nonce, found.balance_wei, state.code(OBSERVATIONS_ADDRESS))


def state_root(hub, height: int) -> bytes:
    return hub.application.blocks.header(height)[1].state_root


def taking_up(version: int, hub: SimulatedHub | None = None) -> tuple[SimulatedHub, int]:
    """A hub of an earlier version that stands one block before it takes up version 4, and that height."""
    hub = hub or SimulatedHub(genesis=hub_genesis(rules_version=version))
    at = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(hub.next_salt(), rules_versions.RECORDS, at)).ok
    while hub.height < at - 1:
        hub.advance()
    return hub, at


def replayed(hub) -> HubLedger:
    again = HubLedger(MemoryStore(), hub.genesis)
    for height in range(1, hub.height + 1):
        stored = hub.ledger.records.block(height)
        assert again.accepts(stored.block)
        again.apply(stored.block, stored.block_id, hub.ledger.records.commit(height))
    return again


@pytest.mark.parametrize("version", [rules_versions.SETTLES_WHILE_PAUSED, rules_versions.BOUNDED_EXECUTION])
def test_the_account_is_there_from_the_height_on_also_in_an_empty_block(version):
    hub, at = taking_up(version)
    assert account(hub) is None
    assert hub.call(OBSERVATIONS_ADDRESS, interface.OPEN_TO_ALL.call()).return_data == b""
    hub.advance()
    assert account(hub) == (1, 0, NATIVE_CODE)
    assert state_root(hub, at) != state_root(hub, at - 1)
    hub.advance()
    assert state_root(hub, at + 1) == state_root(hub, at)
    assert hub.read(OBSERVATIONS_ADDRESS, interface.OPEN_TO_ALL) is False
    assert replayed(hub).tip == hub.ledger.tip
    assert HubLedger(hub.store, hub.genesis).tip.app_version == rules_versions.RECORDS


def test_it_observes_in_the_very_block_that_brings_the_module():
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.BOUNDED_EXECUTION))
    chain = ObservedBft(hub)
    height = chain.put()
    at = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(hub.next_salt(), rules_versions.RECORDS, at)).ok
    name = name_writer_action(hub.next_salt(), address_of(WRITER), 10)
    hub.approve(name)
    while hub.height < at - 1:
        hub.advance()
    (early,) = hub.advance(hub.raw(OBSERVATIONS_ADDRESS, chain.call(height), WRITER))
    assert early.reverted_with(interface.OBSERVATIONS_NOT_OPEN) is not None and hub.height == at
    assert hub.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(name), ADMINS[0]).ok
    assert chain.observe(height).ok and chain.observation().value == WORD
    assert replayed(hub).tip == hub.ledger.tip


def test_what_the_account_held_before_is_kept():
    """Somebody sent coins to the address while it was an account like others."""
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.BOUNDED_EXECUTION))
    assert hub.send(OBSERVATIONS_ADDRESS, b"", DAPP, value=7).ok
    taking_up(rules_versions.BOUNDED_EXECUTION, hub)
    assert account(hub) == (0, 7, b"")
    hub.advance()
    assert account(hub) == (1, 7, NATIVE_CODE)
    assert replayed(hub).tip == hub.ledger.tip


def test_a_new_hub_has_the_account_from_genesis_on():
    hub = SimulatedHub()
    assert account(hub) == (1, 0, NATIVE_CODE)
    assert state_root(hub, 0) == state_root(hub, hub.height)
    for version in (1, 2, 3):
        assert account(SimulatedHub(genesis=hub_genesis(rules_version=version))) is None


def test_a_node_without_the_version_halts_before_its_height_with_one_sentence(monkeypatch):
    """As the release before: its rules are those of versions 1 to 3."""
    hub, at = taking_up(rules_versions.BOUNDED_EXECUTION)
    monkeypatch.setattr(rules_versions, "ALL", rules_versions.ALL[:3])
    earlier = replayed(hub)
    assert earlier.tip == hub.ledger.tip
    with pytest.raises(UnknownRulesVersion) as halted:
        earlier.application.coming.require_block(at)
    assert str(halted.value) == (
        f"rules version 4 begins at block {at} and this hutong has 1, 2, 3:"
        " install one that has it, then start the node again"
    )
    hub.advance()
    stored = hub.ledger.records.block(at)
    assert not earlier.accepts(stored.block)
    with pytest.raises(UnknownRulesVersion):
        earlier.apply(stored.block, stored.block_id, hub.ledger.records.commit(at))
