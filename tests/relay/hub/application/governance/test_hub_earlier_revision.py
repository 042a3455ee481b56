"""What a node of the second revision says of blocks of the first, and how it came by them."""

import pytest
from eth_abi.abi import decode

from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import schedule_rules_action, set_validator_action
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, GOVERNANCE_ADDRESS
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.rpc.chain import HubChain
from tests.relay.hub.application.governance.governed_hub import KEYS, GovernedHub
from tests.relay.hub.application.governance.test_hub_next_revision import at_its_end, restarted


@pytest.fixture(scope="module")
def hubs():
    """The first revision, which changed its rules and lost a validator, and the second."""
    hub = GovernedHub((10, 10, 10, 10), rules_version=1)
    hub.changed_at = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(1, 2, hub.changed_at)).ok
    assert hub.execute(set_validator_action(2, KEYS[3].public_key.data, 0)).ok
    hub.removed_at = hub.height
    at_its_end(hub)
    second = restarted(hub)
    for _ in range(3):
        second.advance()
    return hub, second


def call(hub, height: int, to: bytes, function, *values):
    """As `eth_call` at a block: (result, answer)."""
    chain = HubChain(hub.application, Mempool(), header_version=hub.ledger.records.rules_version)
    data = function.call(*values)
    result = chain.state_after(chain.blocks.block(height)).call(CallMessage(sender=bytes(20), to=to, data=data, gas=0))
    return result, decode(function.results, result.return_data) if result.success else None


def test_a_call_at_an_old_block_runs_by_the_rules_of_that_block(hubs):
    hub, second = hubs
    assert second.genesis.rules_version == rules_versions.SETTLES_WHILE_PAUSED
    base = second.genesis.base_height
    for height in (1, 2, hub.changed_at - 2, hub.changed_at - 1, hub.changed_at, base - 1, base, base + 1, base + 3):
        _, (version, *_) = call(second, height, GOVERNANCE_ADDRESS, interface.GET_SCHEDULE)
        assert version == (1 if height + 1 < hub.changed_at else 2), height
        if height <= base:
            assert call(hub, height, GOVERNANCE_ADDRESS, interface.GET_SCHEDULE)[1][0] == version
            assert second.ledger.records.rules_version(height) == (1 if height < hub.changed_at else 2)


def test_validators_of_an_earlier_revision_are_not_made_up_from_the_later_genesis(hubs):
    hub, second = hubs
    base = second.genesis.base_height
    for to, function in ((CLIENT_MANAGER_ADDRESS, abi.GET_VALIDATORS), (GOVERNANCE_ADDRESS, interface.GET_MEMBERS)):
        for height in (1, hub.removed_at - 1):
            _, (members,) = call(hub, height, to, function)
            assert len(members) == 4
            result, _ = call(second, height, to, function)
            assert not result.success and result.return_data[:4] == abi.NOT_SUPPORTED.selector
            (text,) = decode(abi.NOT_SUPPORTED.arguments, result.return_data[4:])
            assert text == f"the set that began a revision before block {base}"
        for height in (hub.removed_at, base - 1, base):
            _, (members,) = call(second, height, to, function)
            assert len(members) == 3 and call(hub, height, to, function)[1] == (members,)
        assert len(call(second, base + 3, to, function)[1][0]) == 3


def test_a_node_replays_both_revisions_to_the_same_app_hashes_each_under_its_own_genesis(hubs):
    hub, second = hubs
    base, records = second.genesis.base_height, second.ledger.records
    store = MemoryStore()
    node = HubLedger(store, hub.genesis)
    for height in range(1, base + 1):
        if height == base:
            with pytest.raises(
                ChainDamaged, match=f"hutong-2 continues hutong-1 after block {base}, the database ends at"
            ):
                HubLedger(store, second.genesis)
        follow(node, records, height)
    assert (node.tip.height, node.tip.app_hash) == (base, hub.app_hash)
    node = HubLedger(store, second.genesis)
    for height in range(base + 1, second.height + 1):
        follow(node, records, height)
    assert (node.tip.height, node.tip.app_hash) == (second.height, second.app_hash)


def follow(node: HubLedger, records, height: int) -> None:
    stored = records.block(height)
    assert node.accepts(stored.block)
    node.apply(stored.block, stored.block_id, records.commit(height))
    assert node.tip.app_hash == records.results(height).app_hash
