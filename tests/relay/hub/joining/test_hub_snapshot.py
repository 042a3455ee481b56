"""What is restored is the state, whoever made the snapshot, and a restored node says where it begins."""

import json

import pytest

from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.application.abci import ChunkVerdict
from hutong.relay.hub.application.admin import name_deployer_action, set_validator_action
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.snapshot.format import (
    first_header,
    header_count,
)
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.state import GENESIS_KEY, keys
from tests.relay.hub.application.governance.governed_hub import KEYS, GovernedHub
from tests.relay.hub.joining.snapshot_chain import HEIGHT, JoiningNode, Taken, recording_hub
from tests.relay.hub.recorded_chain import FILE as RECORDED_CHAIN
from tests.relay.hub.recorded_chain import replay
from tests.relay.hub.simulated_hub import STRANGER, SimulatedHub, address_of, hub_genesis


@pytest.fixture(scope="module")
def hub():
    return recording_hub()


@pytest.fixture(scope="module")
def taken(hub):
    return Taken.of(hub, HEIGHT)


@pytest.fixture
def node(hub, tmp_path):
    return JoiningNode(hub.genesis, tmp_path)


def test_a_node_joins_and_executes_every_later_block_as_the_others_do(hub, taken, node):
    trusted = hub.app_hash_at(HEIGHT)
    assert node.restore(taken, trusted).verdict is ChunkVerdict.ACCEPT
    info = node.application.info()
    assert (info.last_block_height, info.last_block_app_hash, info.app_version) == (
        HEIGHT,
        trusted,
        rules_versions.NEWEST,
    )
    for height in range(HEIGHT + 1, hub.height + 1):
        assert node.execute(hub.request(height)) == hub.app_hash_at(height)
        assert node.application.blocks.block(height) == hub.application.blocks.block(height)
        assert node.application.blocks.receipts(height) == hub.application.blocks.receipts(height)
    slots = range(HEIGHT - 5, hub.height + 1)
    here, there = (one.state_after(one.blocks.head()) for one in (node.application, hub.application))
    read = [[state.storage(address, slot) for address in hub.recorders for slot in slots] for state in (here, there)]
    assert read[0] == read[1]
    assert any(read[0])


@pytest.mark.parametrize("height", [1, 2, HEIGHT, 19])
def test_any_height_below_the_head_can_be_joined_from(hub, tmp_path, height):
    node = JoiningNode(hub.genesis, tmp_path)
    assert (
        node.restore(Taken.of(hub, height), hub.application.state.require_root(height)).verdict is ChunkVerdict.ACCEPT
    )
    assert node.application.block_time_ns(height) == hub.application.block_time_ns(height)
    assert node.execute(hub.request(height + 1)) == hub.app_hash_at(height + 1)


def test_clients_packets_and_tokens_of_the_recorded_chain_are_there_after_a_snapshot(tmp_path):
    ledger = replay(json.loads(RECORDED_CHAIN.read_text()))
    hub = type("Recorded", (), {"store": ledger.store, "genesis": ledger.genesis, "ledger": ledger})
    height = ledger.tip.height - 1
    node = JoiningNode(ledger.genesis, tmp_path)
    trusted = ledger.application.state.require_root(height)
    assert node.restore(Taken.of(hub, height), trusted).verdict is ChunkVerdict.ACCEPT
    views = [one.state.view_at(height) for one in (node.application, ledger.application)]
    rows = [list(view.with_prefix(b"")) for view in views]
    assert rows[0] == rows[1]
    key = rows[0][-1][0]
    proofs = [one.state.get_with_proof(height, key) for one in (node.application, ledger.application)]
    assert proofs[0] == proofs[1]


def test_every_node_makes_the_same_bytes_also_one_that_was_restored_itself(hub, taken, tmp_path):
    node = JoiningNode(hub.genesis, tmp_path / "snapshots", LmdbStore(tmp_path / "data", map_bytes=2**28, sync=False))
    assert node.restore(taken, hub.app_hash_at(HEIGHT)).verdict is ChunkVerdict.ACCEPT
    for height in range(HEIGHT + 1, hub.height + 1):
        node.execute(hub.request(height))
    from hutong.relay.hub.application.snapshot.making import SnapshotMaker
    from hutong.relay.hub.joining.snapshot_taker import headers_of_node

    def engine(height):
        assert height > HEIGHT + 1, "what the snapshot brought is not asked for again"
        return hub.ledger.records.block(height).block.header

    for height in (HEIGHT, HEIGHT + 3):
        maker = SnapshotMaker(node.store, hub.genesis, height, headers_of_node(node.store, engine))
        chunks = list(maker.chunks())
        again = Taken.of(hub, height)
        assert chunks == again.chunks
        assert maker.manifest() == again.manifest
    node.store.close()


def test_queries_below_the_restored_height_say_where_the_node_begins(hub, taken, node):
    node.restore(taken, hub.app_hash_at(HEIGHT))
    answer = node.application.query("/key", GENESIS_KEY, HEIGHT - 1, prove=False)
    assert answer.code != 0
    assert f"restored at {HEIGHT}" in answer.log
    found = node.application.query("/key", GENESIS_KEY, HEIGHT, prove=True)
    assert (found.code, found.value, found.height) == (0, hub.genesis.digest, HEIGHT + 1)


def test_the_embedded_engine_does_not_run_on_a_restored_store(hub, taken, node):
    """It lacks the commit and the validators of the restored height: block sync comes with the network of validators."""
    from hutong.relay.hub.chain.ledger import ChainDamaged

    node.restore(taken, hub.app_hash_at(HEIGHT))
    with pytest.raises(ChainDamaged, match=f"the state is at {HEIGHT}"):
        HubLedger(node.store, hub.genesis)


def test_which_headers_a_snapshot_has():
    assert [(first_header(height), header_count(height)) for height in (1, 255, 256, 257, 1000)] == [
        (1, 2),
        (1, 256),
        (1, 257),
        (2, 257),
        (745, 257),
    ]


def restored_state(hub, tmp_path):
    """Rows of the newest state: of a hub, and of a node that joined it by a snapshot of that state."""
    hub.advance()
    height = hub.height - 1
    node = JoiningNode(hub.genesis, tmp_path)
    assert (
        node.restore(Taken.of(hub, height), hub.application.state.require_root(height)).verdict is ChunkVerdict.ACCEPT
    )
    views = [one.state.view_at(height) for one in (hub.application, node.application)]
    return [list(view.with_prefix(b"")) for view in views]


def test_attack_H_what_left_the_state_since_genesis_is_gone_in_a_restored_node(tmp_path):
    """A removed validator's operator of genesis still spoke in a node that had joined: it would have left the chain."""
    hub = GovernedHub((10, 10, 10, 10))
    assert hub.execute(set_validator_action(1, KEYS[3].public_key.data, 0)).ok
    assert hub.view().get(keys.operator_key(KEYS[3].public_key.data)) is None
    theirs, restored = restored_state(hub, tmp_path)
    assert restored == theirs


def test_attack_H_a_deployer_of_genesis_that_was_removed_is_none_in_a_restored_node(tmp_path):
    account = address_of(STRANGER)
    hub = SimulatedHub(genesis=hub_genesis(code=CodeRules(False, (account,))))
    assert hub.execute(name_deployer_action(1, account, False)).ok
    theirs, restored = restored_state(hub, tmp_path)
    assert restored == theirs
