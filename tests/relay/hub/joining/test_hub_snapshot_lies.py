"""Every lie of a snapshot is named, and leaves the node at genesis."""

from dataclasses import replace
from hashlib import sha256

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint.codec import decode_header, encode_header
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader
from hutong.relay.evm.vm.state_traversal import MAX_CODE_BYTES, MAX_TRIE_NODE_BYTES
from hutong.relay.hub.application.abci import ChunkVerdict, OfferVerdict
from hutong.relay.hub.application.application import SnapshotLied
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.snapshot.format import (
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_LEAVES,
    RecordKind,
    check_chunk,
    decode_leaf,
    decode_manifest,
    encode_leaf,
    encode_manifest,
    encode_record,
    header_count,
    records_of,
)
from hutong.relay.hub.joining.state_sync import RESTORING_TABLE
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY, MAX_KEY_BYTES, MAX_VALUE_BYTES
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
        ({"rules_version": rules_versions.NEWEST + 1}, "snapshot_rules_known"),
        ({"headers": 1}, "manifest.headers"),
        ({"leaves": MAX_LEAVES + 1}, "manifest.leaves"),
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


def test_a_restoration_that_no_block_followed_can_be_done_again(hub, taken, node, tmp_path):
    """CometBFT ended before it wrote its own part, and offers again; or the snapshot had lied, and it was emptied."""
    trusted, genesis = hub.app_hash_at(HEIGHT), everything(node)
    assert node.restore(taken, trusted).verdict is ChunkVerdict.ACCEPT
    whole = everything(node)
    again = JoiningNode(hub.genesis, tmp_path, node.store)
    assert again.height == HEIGHT
    assert again.sync.offer_snapshot(taken.offer, trusted).verdict is OfferVerdict.ACCEPT
    assert again.height == 0
    assert {key: value for key, value in everything(again).items() if not key.startswith(RESTORING_TABLE)} == genesis
    assert again.restore(taken, trusted).verdict is ChunkVerdict.ACCEPT
    assert everything(again) == whole
    assert again.execute(hub.request(HEIGHT + 1)) == hub.app_hash_at(HEIGHT + 1)
    assert again.sync.offer_snapshot(taken.offer, trusted).verdict is OfferVerdict.ABORT
    assert again.height == HEIGHT + 1


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
