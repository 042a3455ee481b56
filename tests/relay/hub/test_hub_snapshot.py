"""Snapshots: what is restored is the state, whoever made them; every lie is named; a crash leaves genesis or the whole."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from light_clients.tendermint.codec import decode_header, encode_header
from light_clients.tendermint.hashing import header_hash
from light_clients.tendermint.types import BlockId, PartSetHeader
from relay.evm.database import MemoryStore, WritableTable
from relay.evm.execution import EMPTY_STATE_ROOT, BlockContext, EvmState, GenesisAccount
from relay.evm.lmdb_store import LmdbStore
from relay.evm.rules import EvmRules
from relay.evm.state_traversal import MAX_CODE_BYTES, MAX_TRIE_NODE_BYTES, StateItem, StateTraversal
from relay.hub.application.abci import ChunkVerdict, OfferVerdict
from relay.hub.application.application import SnapshotLied
from relay.hub.application.snapshot.format import (
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    RecordKind,
    check_chunk,
    decode_leaf,
    decode_manifest,
    encode_leaf,
    encode_manifest,
    encode_record,
    first_header,
    header_count,
    records_of,
)
from relay.hub.node.ledger import HubLedger
from relay.hub.state import GENESIS_KEY, SparseMerkleTree
from relay.hub.state.keys import EVM_STATE_ROOT_KEY, MAX_KEY_BYTES, MAX_VALUE_BYTES
from relay.hub.state.streamed_tree import LeavesOutOfOrder, StreamedTree
from relay.hub.state.tree import EMPTY_ROOT, Leaf
from tests.relay.hub.recorded_chain import FILE as RECORDED_CHAIN
from tests.relay.hub.recorded_chain import replay
from tests.relay.hub.snapshot_chain import JoiningNode, RecordingHub, Taken, recorder_call

HEIGHT = 15


@pytest.fixture(scope="module")
def hub():
    """Blocks 1 to 20, of which 16 to 20 read ancestors' hashes and write on."""
    hub = RecordingHub()
    while hub.height < HEIGHT:
        hub.advance()
    for depth in (1, 2, HEIGHT, HEIGHT + 3, 256):
        assert hub.send(hub.recorders[depth % 2], recorder_call(depth)).ok
    return hub


@pytest.fixture(scope="module")
def taken(hub):
    return Taken.of(hub, HEIGHT)


@pytest.fixture
def node(hub, tmp_path):
    return JoiningNode(hub.genesis, tmp_path)


def everything(node):
    return dict(node.store.items())


# --- round trips


def test_a_node_joins_and_executes_every_later_block_as_the_others_do(hub, taken, node):
    trusted = hub.app_hash_at(HEIGHT)
    assert node.restore(taken, trusted).verdict is ChunkVerdict.ACCEPT
    info = node.application.info()
    assert (info.last_block_height, info.last_block_app_hash, info.app_version) == (HEIGHT, trusted, 1)
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
    assert node.restore(Taken.of(hub, height), hub.app_hash_at(height)).verdict is ChunkVerdict.ACCEPT
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
    from relay.hub.application.snapshot.making import SnapshotMaker
    from relay.hub.node.snapshot_taker import headers_of_node

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


# --- what an offer may say


def offered(node, taken, app_hash, **changes):
    return node.sync.offer_snapshot(replace(taken.offer, **changes), app_hash)


def reoffered(node, taken, app_hash, **changes):
    """A manifest that says something else, and an offer that agrees with it."""
    encoded = encode_manifest(replace(taken.manifest, **changes))
    manifest_hash = sha256(encoded).digest()
    snapshot = replace(taken.offer, metadata=encoded, hash=manifest_hash, height=changes.get("height", HEIGHT))
    return node.sync.offer_snapshot(snapshot, app_hash)


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"format": 2}, OfferVerdict.REJECT_FORMAT, "format 2"),
        ({"hash": bytes(32)}, OfferVerdict.REJECT, "snapshot.hash"),
        ({"height": HEIGHT + 1}, OfferVerdict.REJECT, "snapshot.height"),
        ({"chunks": 2}, OfferVerdict.REJECT, "snapshot.chunks"),
    ],
)
def test_an_offer_that_contradicts_itself_is_refused(hub, taken, node, changes, verdict, reason):
    answer = offered(node, taken, hub.app_hash_at(HEIGHT), **changes)
    assert answer.verdict is verdict
    assert reason in answer.reason
    assert node.sync.apply_snapshot_chunk(0, taken.chunks[0], "peer").verdict is ChunkVerdict.ABORT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"genesis_digest": b"\x01" * 32}, "snapshot_of_this_genesis"),
        ({"rules_version": 2}, "snapshot_rules_known"),
        ({"headers": 1}, "manifest.headers"),
        ({"height": 0, "headers": 2}, "manifest.height"),
        ({"height": 2**63 - 1, "headers": 257}, "manifest.height"),
    ],
)
def test_a_manifest_that_this_node_cannot_use_is_refused(hub, taken, node, changes, reason):
    answer = reoffered(node, taken, hub.app_hash_at(HEIGHT), **changes)
    assert answer.verdict is OfferVerdict.REJECT
    assert reason in answer.reason


def test_a_node_with_blocks_restores_nothing(hub, taken, node):
    node.execute(hub.request(1))
    before = everything(node)
    answer = node.sync.offer_snapshot(taken.offer, hub.app_hash_at(HEIGHT))
    assert answer.verdict is OfferVerdict.ABORT
    assert "up to height 1" in answer.reason
    assert everything(node) == before


def test_a_manifest_is_bounded_and_canonical(taken):
    encoded = encode_manifest(taken.manifest)
    assert decode_manifest(encoded) == taken.manifest
    for size in range(len(encoded)):
        with pytest.raises(MalformedInput):
            decode_manifest(encoded[:size])
    with pytest.raises(MalformedInput):
        decode_manifest(encoded + b"\x00")
    huge = replace(taken.manifest, chunk_hashes=(bytes(32),) * (MAX_CHUNKS + 1))
    with pytest.raises(MalformedInput) as refused:
        decode_manifest(encode_manifest(huge))
    assert (refused.value.field, refused.value.got) == ("manifest.chunks", MAX_CHUNKS + 1)
    with pytest.raises(MalformedInput, match=r"manifest\.chunks"):
        decode_manifest(encode_manifest(replace(taken.manifest, chunk_hashes=())))
    most = replace(taken.manifest, chunk_hashes=(bytes(32),) * MAX_CHUNKS)
    assert len(encode_manifest(most)) < 4_000_000  # cometbft statesync/messages.go snapshotMsgSize
    assert decode_manifest(encode_manifest(most)) == most


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_manifest_chunk_or_record_crashes_the_parsers(data):
    for parse in (decode_manifest, lambda one: list(records_of(one)), decode_leaf):
        try:
            parse(data)
        except VerificationError:
            pass


# --- chunks that are not the manifest's: another sender may have them


def test_a_damaged_chunk_is_named_its_sender_rejected_and_the_right_one_taken_after_it(hub, taken, node):
    small = Taken.packed(taken.manifest, taken.records, chunk_bytes=2_000)
    assert node.sync.offer_snapshot(small.offer, hub.app_hash_at(HEIGHT)).verdict is OfferVerdict.ACCEPT
    for index, chunk in enumerate(small.chunks):
        for bad in (chunk[:-1], chunk + b"\x00", b"", bytes(len(chunk)), bytes(MAX_CHUNK_BYTES + 1)):
            answer = node.sync.apply_snapshot_chunk(index, bad, "liar")
            assert answer.verdict is ChunkVerdict.RETRY
            assert (answer.refetch_chunks, answer.reject_senders) == ((index,), ("liar",))
            assert f"chunk {index} has" in answer.reason
        assert node.sync.apply_snapshot_chunk(index, chunk, "honest").verdict is ChunkVerdict.ACCEPT
    assert node.height == HEIGHT


def test_chunks_out_of_order_end_the_sync(hub, taken, node):
    small = Taken.packed(taken.manifest, taken.records, chunk_bytes=2_000)
    assert node.sync.offer_snapshot(small.offer, hub.app_hash_at(HEIGHT)).verdict is OfferVerdict.ACCEPT
    answer = node.sync.apply_snapshot_chunk(1, small.chunks[1], "peer")
    assert answer.verdict is ChunkVerdict.ABORT
    assert "where 0 is next" in answer.reason


def test_a_chunk_beyond_the_manifest_is_refused(taken):
    with pytest.raises(PredicateFailed, match="chunk_in_manifest"):
        check_chunk(taken.manifest, 1, taken.chunks[0])


# --- snapshots whose manifest lies


def split(records, kind):
    return (
        [record for record in records if record[0] < kind],
        [record for record in records if record[0] is kind],
        [record for record in records if record[0] > kind],
    )


def changed(records, kind, change):
    before, mine, after = split(records, kind)
    return [*before, *change(mine), *after]


def leaf_changed(leaves):
    at = len(leaves) // 2
    key, value = decode_leaf(leaves[at][1])
    return [*leaves[:at], (RecordKind.LEAF, encode_leaf(key, value + b"!")), *leaves[at + 1 :]]


def leaf_extra(leaves):
    extra = (RecordKind.LEAF, encode_leaf(b"one more", b"\x01"))
    return sorted([*leaves, extra], key=lambda one: sha256(decode_leaf(one[1])[0]).digest())


def without(key):
    return lambda leaves: [one for one in leaves if decode_leaf(one[1])[0] != key]


def renamed(records):
    """The EVM state root under another key: no such state is the trusted one."""
    return [one for one in records if decode_leaf(one[1])[0] != EVM_STATE_ROOT_KEY]


def header_with(at, **fields):
    def change(headers):
        lie = replace(decode_header(headers[at][1]), **fields)
        forged = [*headers]
        forged[at] = (RecordKind.HEADER, encode_header(lie))
        return forged

    return change


def evm_changed(records):
    kind, body = records[-1]
    return [*records[:-1], (kind, body[:-1] + bytes([body[-1] ^ 1]))]


LEAF, EVM, HEADER = RecordKind.LEAF, RecordKind.EVM, RecordKind.HEADER
TAMPERINGS = {
    "leaf changed": (LEAF, leaf_changed, "tree_has_trusted_app_hash"),
    "leaf missing": (LEAF, lambda leaves: leaves[1:], "tree_has_trusted_app_hash"),
    "last leaf missing": (LEAF, lambda leaves: leaves[:-1], "tree_has_trusted_app_hash"),
    "leaf extra": (LEAF, leaf_extra, "tree_has_trusted_app_hash"),
    "leaves unsorted": (LEAF, lambda leaves: [leaves[1], leaves[0], *leaves[2:]], "leaves_ascend"),
    "leaf duplicate": (LEAF, lambda leaves: [leaves[0], *leaves], "leaves_ascend"),
    "state root missing": (LEAF, without(EVM_STATE_ROOT_KEY), "tree_has_trusted_app_hash"),
    "no leaves": (LEAF, lambda _: [], "state_has_evm_root"),
    "node missing": (EVM, lambda records: records[:3] + records[4:], "evm_record_is_expected"),
    "last record missing": (EVM, lambda records: records[:-1], "snapshot_is_whole"),
    "node extra": (EVM, lambda records: [*records, records[-1]], "evm_nothing_extra"),
    "node doubled": (EVM, lambda records: [records[0], *records], "evm_record_is_expected"),
    "node changed": (EVM, lambda records: [(EVM, records[0][1] + b"\x00"), *records[1:]], "evm_record_is_expected"),
    "code or last node changed": (EVM, evm_changed, "evm_record_is_expected"),
    "no EVM state": (EVM, lambda _: [], "snapshot_is_whole"),
    "node too long": (EVM, lambda r: [(EVM, bytes(MAX_TRIE_NODE_BYTES + 1)), *r[1:]], "account trie node"),
    "record too long": (EVM, lambda r: [(EVM, bytes(MAX_CODE_BYTES + 1)), *r[1:]], "chunk.record.size"),
    "forged app hash": (HEADER, header_with(-1, app_hash=b"\x09" * 32), "header_has_trusted_app_hash"),
    "forged ancestor": (HEADER, header_with(3, time_ns=10**18), "headers_are_linked"),
    "unlinked header": (
        HEADER,
        header_with(4, last_block_id=BlockId(b"\x05" * 32, PartSetHeader(1, b"\x05" * 32))),
        "headers_are_linked",
    ),
    "block 1 follows another": (
        HEADER,
        header_with(0, last_block_id=BlockId(b"\x05" * 32, PartSetHeader(1, b"\x05" * 32))),
        "headers_are_linked",
    ),
    "time before 1970": (HEADER, header_with(0, time_ns=-1), "header_time_in_range"),
    "other chain": (HEADER, header_with(2, chain_id="hutong-2"), "header_of_this_chain"),
    "other rules": (HEADER, header_with(-1, version_app=2), "header_has_rules_version"),
    "header without hash": (HEADER, header_with(2, validators_hash=b""), "header_hash_defined"),
    "headers swapped": (HEADER, lambda headers: [headers[1], headers[0], *headers[2:]], "header_heights_follow"),
    "header not canonical": (HEADER, lambda h: [(HEADER, h[0][1] + b"\x00"), *h[1:]], "malformed header"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_lie_of_a_snapshot_is_named_and_leaves_the_node_at_genesis(hub, taken, node, name):
    kind, change, reason = TAMPERINGS[name]
    before = everything(node)
    lie = Taken.packed(taken.manifest, changed(taken.records, kind, change), chunk_bytes=30_000)
    answer = node.restore(lie, hub.app_hash_at(HEIGHT))
    assert answer.verdict is ChunkVerdict.REJECT_SNAPSHOT
    assert reason in answer.reason
    assert everything(node) == before
    assert node.restore(taken, hub.app_hash_at(HEIGHT)).verdict is ChunkVerdict.ACCEPT


def test_headers_missing_or_of_another_height_are_refused(hub, taken, node):
    other = Taken.of(hub, HEIGHT + 1)
    claimed = Taken(replace(other.manifest, height=HEIGHT, headers=header_count(HEIGHT)), other.chunks)
    answer = node.restore(claimed, hub.app_hash_at(HEIGHT))
    assert answer.verdict is ChunkVerdict.REJECT_SNAPSHOT
    fewer = changed(taken.records, HEADER, lambda headers: headers[:-1])
    lie = Taken.packed(taken.manifest, fewer)
    assert node.restore(lie, hub.app_hash_at(HEIGHT)).verdict is OfferVerdict.REJECT
    honest_count = Taken(replace(lie.manifest, headers=taken.manifest.headers), lie.chunks)
    answer = node.restore(honest_count, hub.app_hash_at(HEIGHT))
    assert answer.verdict is ChunkVerdict.REJECT_SNAPSHOT
    assert "records_in_order" in answer.reason


def test_a_snapshot_of_another_app_hash_is_refused(hub, taken, node):
    answer = node.restore(taken, hub.app_hash_at(2))
    assert answer.verdict is ChunkVerdict.REJECT_SNAPSHOT
    assert "header_has_trusted_app_hash" in answer.reason


def test_records_are_bounded_and_whole():
    good = encode_record(LEAF, b"abc")
    assert list(records_of(good + good)) == [(LEAF, b"abc")] * 2
    for bad, field in [
        (good[:-1], "chunk.record"),
        (good[:3], "chunk.record"),
        (b"\x00" + good[1:], "chunk.record.kind"),
        (b"\x04" + good[1:], "chunk.record.kind"),
        (b"\x03" + (2**32 - 1).to_bytes(4, "big"), "chunk.record.size"),
    ]:
        with pytest.raises(MalformedInput) as refused:
            list(records_of(bad))
        assert refused.value.field == field
    largest = encode_leaf(b"k" * MAX_KEY_BYTES, b"v" * MAX_VALUE_BYTES)
    assert decode_leaf(largest) == (b"k" * MAX_KEY_BYTES, b"v" * MAX_VALUE_BYTES)
    for body in (b"", b"\x00", b"\x00\x00v", b"\x00\x03ab", encode_leaf(b"k", b""), encode_leaf(b"k" * 201, b"v")):
        with pytest.raises(MalformedInput):
            decode_leaf(body)


def test_a_chain_of_forged_headers_is_found_before_the_first_block_is_executed(hub, taken, node):
    """A liar may forge all headers, linked, below the true app hash: the next block's hash betrays it."""

    def forge(headers):
        forged, last = [], None
        for _, body in headers:
            header = decode_header(body)
            header = replace(header, time_ns=header.time_ns + 1)
            if last is not None:
                header = replace(header, last_block_id=replace(header.last_block_id, hash=last))
            last = header_hash(header)
            forged.append((HEADER, encode_header(header)))
        return forged

    lie = Taken.packed(taken.manifest, changed(taken.records, HEADER, forge))
    assert node.restore(lie, hub.app_hash_at(HEIGHT)).verdict is ChunkVerdict.ACCEPT
    for _ in range(2):
        with pytest.raises(SnapshotLied) as halted:
            node.execute(hub.request(HEIGHT + 1))
        assert hub.request(HEIGHT + 1).hash.hex() in str(halted.value)
    assert node.height == HEIGHT


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


# --- crashes


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


def test_a_crash_at_any_write_leaves_genesis_or_the_whole_and_the_next_try_succeeds(hub, taken, tmp_path, monkeypatch):
    monkeypatch.setattr("relay.hub.node.state_sync._ROWS_IN_BATCH", 16)
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


# --- a restored node's answers


def test_queries_below_the_restored_height_say_where_the_node_begins(hub, taken, node):
    node.restore(taken, hub.app_hash_at(HEIGHT))
    answer = node.application.query("/key", GENESIS_KEY, HEIGHT - 1, prove=False)
    assert answer.code != 0
    assert f"restored at {HEIGHT}" in answer.log
    found = node.application.query("/key", GENESIS_KEY, HEIGHT, prove=True)
    assert (found.code, found.value, found.height) == (0, hub.genesis.digest, HEIGHT + 1)


def test_the_embedded_engine_does_not_run_on_a_restored_store(hub, taken, node):
    """It lacks the commit and the validators of the restored height: block sync comes with the network of validators."""
    from relay.hub.node.ledger import ChainDamaged

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
