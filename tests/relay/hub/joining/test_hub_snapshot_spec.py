"""The vector of docs/spec/hub-snapshot.md is what the code makes, and is restored."""

import re
from hashlib import sha256
from types import SimpleNamespace

from hutong.light_clients.tendermint.codec import decode_header
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import BLOCK_PROTOCOL, BlockId, Header, PartSetHeader
from hutong.relay.evm.store.database import MemoryStore, WritableTable
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.state_traversal import StateTraversal
from hutong.relay.hub.application.application import STATE_TABLE
from hutong.relay.hub.application.machine.evm_pruning import EVM_TABLE
from hutong.relay.hub.application.snapshot import format as snapshot_format
from hutong.relay.hub.application.snapshot.format import RecordKind, decode_leaf, encode_manifest, records_of
from hutong.relay.hub.application.snapshot.making import SnapshotMaker
from hutong.relay.hub.state import GENESIS_KEY, VersionedState
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.streamed_tree import StreamedTree
from hutong.relay.hub.state.tree import Leaf
from tests.relay.hub.application.test_hub_spec_pages import page, vectors

DIGEST = b"\x11" * 32
GENESIS = SimpleNamespace(digest=DIGEST, chain_id="hutong-1", rules_version=1, continues=None, base_height=0)
ACCOUNTS = {
    b"\xaa" * 20: GenesisAccount(balance_wei=10**18),
    b"\xbb" * 20: GenesisAccount(nonce=1, code=bytes.fromhex("600160005500"), storage={0: 1, 1: 2**255}),
    b"\xcc" * 20: GenesisAccount(nonce=1, code=bytes.fromhex("600160005500")),
}


def small_state():
    """A store with version 1 of a state, and the headers of blocks 1 and 2."""
    store = MemoryStore()
    with store.batch() as batch:
        context = BlockContext(0, 0, bytes(20), 10**7, bytes(32), lambda _: b"")
        evm = EvmState(WritableTable(batch, EVM_TABLE), EMPTY_STATE_ROOT, EvmRules("prague", 1), context)
        for address, account in ACCOUNTS.items():
            evm.set_account(address, account)
        root = evm.persist()
        state = VersionedState(WritableTable(batch, STATE_TABLE))
        state.commit(WritableTable(batch, STATE_TABLE), 0, {GENESIS_KEY: DIGEST})
        changes = {EVM_STATE_ROOT_KEY: root, b"client-0\x01" + bytes(7) + b"\x01": bytes(32)}
        app_hash = state.commit(WritableTable(batch, STATE_TABLE), 1, changes)
    empty = sha256(b"").digest()

    def header(height, last, app_hash):
        return Header(
            version_block=BLOCK_PROTOCOL,
            version_app=1,
            chain_id="hutong-1",
            height=height,
            time_ns=1_767_225_600_123_456_789 + height,
            last_block_id=last,
            last_commit_hash=empty,
            data_hash=empty,
            validators_hash=b"\x22" * 32,
            next_validators_hash=b"\x22" * 32,
            consensus_hash=b"\x33" * 32,
            app_hash=app_hash,
            last_results_hash=empty,
            evidence_hash=empty,
            proposer_address=b"\x44" * 20,
        )

    first = header(1, BlockId(b"", PartSetHeader(0, b"")), bytes(32))
    second = header(2, BlockId(header_hash(first), PartSetHeader(1, b"\x55" * 32)), app_hash)
    return store, {1: first, 2: second}, app_hash


def made():
    store, headers, app_hash = small_state()
    maker = SnapshotMaker(store, GENESIS, 1, headers.__getitem__)
    (chunk,) = maker.chunks()
    manifest = encode_manifest(maker.manifest())
    return {
        "app_hash": app_hash.hex(),
        "records": [[kind.name, body.hex()] for kind, body in records_of(chunk)],
        "chunk_hash": sha256(chunk).hexdigest(),
        "manifest": manifest.hex(),
        "hash": sha256(manifest).hexdigest(),
        "next_block_hash": header_hash(headers[2]).hex(),
    }


def test_the_vector_is_made_from_the_state_that_the_page_describes():
    assert vectors("hub-snapshot") == made()


def test_the_vector_verifies_bottom_up():
    stated = vectors("hub-snapshot")
    records = [(RecordKind[kind], bytes.fromhex(body)) for kind, body in stated["records"]]
    headers = [decode_header(body) for kind, body in records if kind is RecordKind.HEADER]
    assert headers[1].last_block_id.hash == header_hash(headers[0])
    assert headers[1].app_hash.hex() == stated["app_hash"]
    tree, content = StreamedTree(), {}
    for body in (body for kind, body in records if kind is RecordKind.LEAF):
        key, value = decode_leaf(body)
        content[key] = value
        list(tree.add(Leaf.of(key, value)))
    list(tree.finish())
    assert tree.root.hex() == stated["app_hash"]
    traversal = StateTraversal(content[EVM_STATE_ROOT_KEY])
    for body in (body for kind, body in records if kind is RecordKind.EVM):
        traversal.feed(body)
    assert traversal.expected is None


def test_the_bounds_of_the_page_are_those_of_the_code():
    text = page("hub-snapshot")
    for bound in ("MAX_CHUNK_BYTES", "MAX_CHUNKS", "MAX_LEAVES", "MAX_HEADER_BYTES"):
        shown = f"{getattr(snapshot_format, bound):,}".replace(",", " ")
        assert shown in text, bound
    assert re.search(r"`hutong-snapshot` and a byte 1", text)
