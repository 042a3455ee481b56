"""The tree of a stream, the traversal of an EVM state, and whole snapshots of random states."""

from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import BLOCK_PROTOCOL, BlockId, Header, PartSetHeader
from hutong.relay.evm.store.database import MemoryStore, Table, WritableTable
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.state_traversal import StateItem, StateTraversal
from hutong.relay.hub.application.abci import ChunkVerdict
from hutong.relay.hub.application.application import STATE_TABLE, SnapshotLied
from hutong.relay.hub.application.machine.evm_pruning import EVM_TABLE
from hutong.relay.hub.application.snapshot.format import (
    RecordKind,
    decode_leaf,
    decode_manifest,
    records_of,
)
from hutong.relay.hub.application.snapshot.making import SnapshotMaker
from hutong.relay.hub.state import GENESIS_KEY, SparseMerkleTree, VersionedState
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.streamed_tree import LeavesOutOfOrder, StreamedTree
from hutong.relay.hub.state.tree import EMPTY_ROOT, Leaf
from tests.relay.hub.joining.snapshot_chain import HEIGHT, JoiningNode, Taken, recording_hub
from tests.relay.hub.simulated_hub import hub_genesis

KEYS = st.binary(min_size=1, max_size=5)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, st.binary(min_size=1, max_size=8), max_size=40))
def test_the_streamed_tree_has_root_and_nodes_of_the_tree(content):
    root, nodes = SparseMerkleTree(_Nothing()).update(EMPTY_ROOT, content)
    tree, made = StreamedTree(), {}
    for leaf in sorted((Leaf.of(key, value) for key, value in content.items()), key=lambda one: one.key_hash):
        made |= dict(tree.add(leaf))
    made |= dict(tree.finish())
    assert tree.root == root
    assert made == nodes


class _Nothing:
    def get(self, key):
        return None


ACCOUNTS = st.dictionaries(
    st.binary(min_size=20, max_size=20),
    st.builds(
        GenesisAccount,
        balance_wei=st.integers(1, 2**90),
        nonce=st.integers(1, 9),
        code=st.sampled_from([b"", b"\x00", b"\x01" * 60]),
        storage=st.dictionaries(st.integers(0, 12), st.integers(1, 2**256 - 1), max_size=8),
    ),
    max_size=12,
)
CONTEXT = BlockContext(1, 1, bytes(20), 10**7, bytes(32), lambda _: b"")
RULES = EvmRules("prague", 1)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(ACCOUNTS, ACCOUNTS)
def test_a_traversal_carries_the_whole_evm_state_and_nothing_of_older_ones(older, accounts):
    store, root = MemoryStore(), EMPTY_STATE_ROOT
    for content in (older, accounts):
        with store.batch() as batch:
            state = EvmState(WritableTable(batch, b"evm/"), root, RULES, CONTEXT)
            for address, account in content.items():
                state.set_account(address, account)
            root = state.persist()
    writing, reading, copy = StateTraversal(root), StateTraversal(root), MemoryStore()
    with copy.batch() as batch:
        while (expected := writing.expected) is not None:
            record = store.get(b"evm/" + expected.hash)
            assert writing.feed(record) == reading.feed(record)
            batch.put(b"evm/" + expected.hash, record)
    assert reading.expected is None
    with pytest.raises(PredicateFailed, match="evm_nothing_extra"):
        reading.feed(b"\x80")
    with copy.batch() as batch:
        restored = EvmState(WritableTable(batch, b"evm/"), root, RULES, CONTEXT)
        for address, account in (older | accounts).items():
            assert restored.balance_wei(address) == account.balance_wei
            assert restored.code(address) == account.code
            for slot in range(13):
                assert restored.storage(address, slot) == account.storage.get(slot, 0)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_manifest_chunk_or_record_crashes_the_parsers(data):
    for parse in (decode_manifest, lambda one: list(records_of(one)), decode_leaf):
        try:
            parse(data)
        except VerificationError:
            pass


def test_trie_records_that_are_no_nodes_are_refused():
    from eth_hash.auto import keccak

    for junk in (
        b"",
        b"\xc0",
        b"\xc1\x80",
        b"\xc3\x01\x02\x03",
        b"\xc2\x80\x80",
        b"\xff",
        b"\x91" + bytes(17),
        b"\xc4\x20\xc2\x01\x02",
    ):
        with pytest.raises(MalformedInput) as refused:
            StateTraversal(keccak(junk)).feed(junk)
        assert refused.value.field == StateItem.ACCOUNT_NODE.value


def test_leaves_in_path_order_only():
    first, second = sorted((Leaf.of(b"a", b"1"), Leaf.of(b"b", b"1")), key=lambda leaf: leaf.key_hash)
    for pair in ((second, first), (first, first)):
        tree = StreamedTree()
        list(tree.add(pair[0]))
        with pytest.raises(LeavesOutOfOrder):
            list(tree.add(pair[1]))


# --- whole snapshots of random states

GENESIS = hub_genesis()


@dataclass
class RandomChain:
    """Version 1 of a state made up by Hypothesis, and headers of blocks 1 and 2 that agree with it."""

    store: MemoryStore
    headers: dict
    app_hash: bytes

    @classmethod
    def of(cls, rows, accounts) -> "RandomChain":
        store = MemoryStore()
        with store.batch() as batch:
            evm = EvmState(WritableTable(batch, EVM_TABLE), EMPTY_STATE_ROOT, RULES, CONTEXT)
            for address, account in accounts.items():
                evm.set_account(address, account)
            table = WritableTable(batch, STATE_TABLE)
            state = VersionedState(table)
            state.commit(table, 0, {GENESIS_KEY: GENESIS.digest, b"gone": b"\x01"})
            changes = {b"row/" + key: value for key, value in rows.items()}
            app_hash = state.commit(table, 1, changes | {EVM_STATE_ROOT_KEY: evm.persist(), b"gone": None})
        empty = sha256(b"").digest()
        common = dict.fromkeys(
            (
                "last_commit_hash",
                "data_hash",
                "validators_hash",
                "next_validators_hash",
                "consensus_hash",
                "last_results_hash",
                "evidence_hash",
            ),
            empty,
        )

        def header(height, last, app_hash):
            time_ns = GENESIS.genesis_time_ns + height
            fixed = {"version_block": BLOCK_PROTOCOL, "version_app": 1, "chain_id": GENESIS.chain_id}
            placed = {"height": height, "time_ns": time_ns, "last_block_id": last, "app_hash": app_hash}
            return Header(**fixed, **placed, **common, proposer_address=bytes(20))

        first = header(1, BlockId(b"", PartSetHeader(0, b"")), bytes(32))
        second = header(2, BlockId(header_hash(first), PartSetHeader(1, empty)), app_hash)
        return cls(store, {1: first, 2: second}, app_hash)

    def taken(self) -> Taken:
        maker = SnapshotMaker(self.store, GENESIS, 1, self.headers.__getitem__)
        return Taken(chunks=list(maker.chunks()), manifest=maker.manifest())


ROWS = st.dictionaries(st.binary(min_size=1, max_size=6), st.binary(min_size=1, max_size=40), max_size=20)


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(ROWS, ACCOUNTS, st.integers(60, 3_000))
def test_a_random_state_comes_out_of_its_snapshot_as_it_went_in(tmp_path_factory, rows, accounts, chunk_bytes):
    chain = RandomChain.of(rows, accounts)
    whole = chain.taken()
    cut = Taken.packed(whole.manifest, whole.records, chunk_bytes)
    node = JoiningNode(GENESIS, tmp_path_factory.mktemp("snapshots"))
    assert node.restore(cut, chain.app_hash).verdict is ChunkVerdict.ACCEPT
    state = VersionedState(Table(chain.store, STATE_TABLE))
    views = [one.view_at(1) for one in (node.application.state, state)]
    assert list(views[0].with_prefix(b"")) == list(views[1].with_prefix(b""))
    evm = EvmState(Table(node.store, EVM_TABLE), views[0].get(EVM_STATE_ROOT_KEY), RULES, CONTEXT)
    for address, account in accounts.items():
        assert (evm.balance_wei(address), evm.nonce(address)) == (account.balance_wei, account.nonce)
        assert evm.code(address) == account.code
        assert all(evm.storage(address, slot) == account.storage.get(slot, 0) for slot in range(13))
    again = SnapshotMaker(node.store, GENESIS, 1, chain.headers.__getitem__)
    assert list(again.chunks()) == whole.chunks


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_byte_of_the_state_is_ever_taken(tmp_path_factory, data):
    """Of the last header's other fields too: those are found out by the first block."""
    hub = recording_hub()
    honest = Taken.of(hub, HEIGHT)
    records = honest.records
    at = data.draw(st.integers(0, len(records) - 1))
    kind, body = records[at]
    place = data.draw(st.integers(0, len(body) - 1))
    flipped = body[:place] + bytes([body[place] ^ data.draw(st.integers(1, 255))]) + body[place + 1 :]
    records[at] = (kind, flipped)
    node = JoiningNode(hub.genesis, tmp_path_factory.mktemp("snapshots"))
    answer = node.restore(Taken.packed(honest.manifest, records), hub.app_hash_at(HEIGHT))
    if kind is RecordKind.HEADER and answer.verdict is ChunkVerdict.ACCEPT:
        assert at == honest.manifest.headers - 1
        with pytest.raises(SnapshotLied):
            node.execute(hub.request(HEIGHT + 1))
    else:
        assert answer.verdict is ChunkVerdict.REJECT_SNAPSHOT
        assert node.height == 0


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(list(RecordKind)), st.binary(max_size=80)), min_size=1, max_size=5), st.binary()
)
def test_whatever_a_manifest_agrees_with_is_refused_by_a_sentence(tmp_path_factory, records, tail):
    hub = recording_hub()
    honest = Taken.of(hub, HEIGHT)
    junk = Taken.packed(honest.manifest, [*honest.records[:17], *records])
    chunks = [*junk.chunks[:-1], junk.chunks[-1] + tail]
    hashes = tuple(sha256(chunk).digest() for chunk in chunks)
    lie = Taken(replace(junk.manifest, headers=honest.manifest.headers, chunk_hashes=hashes), chunks)
    node = JoiningNode(hub.genesis, tmp_path_factory.mktemp("snapshots"))
    answer = node.restore(lie, hub.app_hash_at(HEIGHT))
    assert answer.verdict is ChunkVerdict.REJECT_SNAPSHOT
    assert answer.reason
    assert node.height == 0
