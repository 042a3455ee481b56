"""A crash while restoring leaves genesis or the whole."""

import pytest

from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.abci import ChunkVerdict
from hutong.relay.hub.state import GENESIS_KEY
from tests.relay.hub.joining.snapshot_chain import HEIGHT, JoiningNode, Taken, everything, recording_hub


@pytest.fixture(scope="module")
def hub():
    return recording_hub()


@pytest.fixture(scope="module")
def taken(hub):
    return Taken.of(hub, HEIGHT)


@pytest.fixture
def node(hub, tmp_path):
    return JoiningNode(hub.genesis, tmp_path)


class Crash(Exception):
    pass


class FailingStore(MemoryStore):
    """Fails at a chosen write: nothing of that batch is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left = 10**9
        self.writes = 0

    def batch(self):
        if self.writes_left == 0:
            raise Crash
        self.writes_left -= 1
        self.writes += 1
        return super().batch()


@pytest.mark.long
def test_a_crash_at_any_write_leaves_genesis_or_the_whole_and_the_next_try_succeeds(hub, taken, tmp_path, monkeypatch):
    monkeypatch.setattr("hutong.relay.hub.joining.state_sync._ROWS_IN_BATCH", 4)
    trusted = hub.app_hash_at(HEIGHT)
    genesis = everything(JoiningNode(hub.genesis, tmp_path))
    whole = JoiningNode(hub.genesis, tmp_path, FailingStore())
    first = whole.store.writes
    assert whole.restore(taken, trusted).verdict is ChunkVerdict.ACCEPT
    total = whole.store.writes - first
    assert total > 10
    for writes in range(total + 1):
        store = FailingStore()
        node = JoiningNode(hub.genesis, tmp_path, store)
        store.writes_left = writes
        if writes < total:
            with pytest.raises(Crash):
                node.restore(taken, trusted)
        else:
            node.restore(taken, trusted)
        # The healing may crash as well.
        for healing in range(4):
            store.writes_left = healing
            try:
                JoiningNode(hub.genesis, tmp_path, store)
            except Crash:
                pass
        store.writes_left = 10**9
        again = JoiningNode(hub.genesis, tmp_path, store)
        if again.height == 0:
            assert everything(again) == genesis
            assert again.restore(taken, trusted).verdict is ChunkVerdict.ACCEPT
        assert everything(again) == everything(whole)


def test_a_half_restored_node_serves_genesis_only(hub, taken, node):
    small = Taken.packed(taken.manifest, taken.records, chunk_bytes=2_000)
    genesis_hash = node.application.info().last_block_app_hash
    node.sync.offer_snapshot(small.offer, hub.app_hash_at(HEIGHT))
    for index, chunk in enumerate(small.chunks[:-1]):
        assert node.sync.apply_snapshot_chunk(index, chunk, "peer").verdict is ChunkVerdict.ACCEPT
        info = node.application.info()
        assert (info.last_block_height, info.last_block_app_hash) == (0, genesis_hash)
        assert node.application.blocks.head_number() == 0
        assert node.application.query("/key", GENESIS_KEY, HEIGHT, prove=True).code != 0
