"""Restoring a snapshot: chunks in, database rows out, nothing believed that the trusted app hash does not cover.

Leaves are believed once the tree built from them has the trusted app hash, EVM nodes and codes one by one from the state root
in it, headers as `ancestry` says. Until `finish` has been written nothing in the rows can be reached.
"""

from collections.abc import Iterator

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.tendermint.codec import encode_header
from hutong.light_clients.tendermint.types import Header
from hutong.relay.evm.chain.block_store import store_restored_block
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable
from hutong.relay.evm.vm.state_traversal import StateTraversal
from hutong.relay.hub.application.application import STATE_TABLE, HubApplication
from hutong.relay.hub.application.machine.evm_pruning import EVM_TABLE, PlaceFilter, mark_counted
from hutong.relay.hub.application.snapshot.ancestry import Ancestry, check_height
from hutong.relay.hub.application.snapshot.format import Manifest, RecordKind, decode_leaf, records_of
from hutong.relay.hub.state import GENESIS_KEY
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.streamed_tree import LeavesOutOfOrder, StreamedTree
from hutong.relay.hub.state.tree import Leaf
from hutong.relay.hub.state.versions import deletion_row, node_row, value_row, version_rows

HEADER_TABLE = b"hub-headers/"
"""BE8(height) -> header, as a snapshot brought it: a node that was restored makes snapshots from them in its turn."""
Row = tuple[bytes, bytes]


def check_manifest(manifest: Manifest, application: HubApplication) -> None:
    """Whether this application can restore it. What the manifest counts is not checked here.

    Raises:
        PredicateFailed: `snapshot_of_this_genesis`, `snapshot_of_this_revision`, `snapshot_rules_known`.
    """
    if manifest.genesis_digest != application.genesis.digest:
        raise PredicateFailed(
            "snapshot_of_this_genesis", "another genesis", manifest.genesis_digest, application.genesis.digest
        )
    check_height(application.genesis, manifest.height)
    if manifest.rules_version not in application.rules_versions:
        raise PredicateFailed(
            "snapshot_rules_known", "rules that this hutong lacks", manifest.rules_version, application.rules_versions
        )


class Restoration:
    """Takes the chunks of one snapshot in order, each already found equal to the manifest's hash."""

    def __init__(self, application: HubApplication, manifest: Manifest, app_hash: bytes) -> None:
        self._application = application
        self._manifest = manifest
        self._app_hash = app_hash
        self._ancestry = Ancestry(application.genesis, manifest.height, manifest.rules_version, app_hash)
        self._headers: list[Header] = []
        self._tree = StreamedTree()
        self._due = {
            RecordKind.HEADER: manifest.headers,
            RecordKind.LEAF: manifest.leaves,
            RecordKind.EVM: manifest.evm_records,
        }
        self._genesis_digest: bytes | None = None
        self._state_root: bytes | None = None
        self._traversal: StateTraversal | None = None
        self._places = PlaceFilter()
        # Values of genesis lie below the restored version, and what the chain has deleted since must not be read from there.
        self._only_of_genesis = {key for key, _ in application.state.view_at(0).with_prefix(b"")}

    def accept(self, chunk: bytes) -> Iterator[Row]:
        """Rows of the records of the next chunk, yielded as they are checked; an error ends the restoration.

        Raises:
            MalformedInput: bytes out of form or bounds.
            PredicateFailed: `records_in_order`, `leaves_ascend`, `tree_has_trusted_app_hash`, `state_of_this_genesis`,
                `state_has_evm_root`, and those of `Ancestry` and `StateTraversal`.
        """
        for kind, body in records_of(chunk):
            due = next((one for one, left in self._due.items() if left), None)
            if kind is not due:
                raise PredicateFailed(
                    "records_in_order",
                    "the manifest names another record here",
                    kind.name,
                    "the end" if due is None else due.name,
                )
            self._due[kind] -= 1
            if kind is RecordKind.HEADER:
                self._headers.append(self._ancestry.feed(body))
            elif kind is RecordKind.LEAF:
                yield from self._leaf(body)
            else:
                yield from self._evm_record(body)

    def finish(self, batch: KeyValueWriter) -> None:
        """Write what makes the restored version the newest one, in the batch after the last rows.

        Raises:
            PredicateFailed: `snapshot_is_whole`, `state_has_evm_root`.
            MalformedInput: the headers have not come.
        """
        for kind, left in self._due.items():
            if left:
                raise PredicateFailed("snapshot_is_whole", f"{kind.name} records are missing", 0, left)
        expected = self._evm().expected
        if expected is not None:
            raise PredicateFailed("snapshot_is_whole", f"an {expected.item.value} is missing", expected=expected.hash)
        application, height = self._application, self._manifest.height
        header, hashes = self._ancestry.restored_header(), self._ancestry.hashes
        ancestors = {number: value for number, value in hashes.items() if number <= height}
        if 1 in ancestors:
            ancestors[0] = application.genesis.origin
        assert self._state_root is not None
        block = application.ethereum.block(
            height, header.time_ns, hashes[height], ancestors[height - 1], self._state_root
        )
        store_restored_block(batch, block, ancestors, hashes[height + 1])
        headers = WritableTable(batch, HEADER_TABLE)
        for one in self._headers:
            headers.put(one.height.to_bytes(8, "big"), encode_header(one))
        state = WritableTable(batch, STATE_TABLE)
        gone = [deletion_row(key, height) for key in sorted(self._only_of_genesis)]
        for row, value in (*gone, *version_rows(height, self._app_hash)):
            state.put(row, value)
        mark_counted(batch)

    def _evm_record(self, body: bytes) -> Iterator[Row]:
        traversal = self._evm()
        expected = traversal.expected
        record_hash = traversal.feed(body)
        yield EVM_TABLE + record_hash, body
        counted = None if expected is None else self._places.row(expected.item, record_hash)
        if counted is not None:
            yield counted

    def _leaf(self, body: bytes) -> Iterator[Row]:
        key, value = decode_leaf(body)
        leaf = Leaf.of(key, value)
        self._only_of_genesis.discard(key)
        if key == GENESIS_KEY:
            self._genesis_digest = value
        if key == EVM_STATE_ROOT_KEY:
            self._state_root = value
        try:
            for node_hash, node in self._tree.add(leaf):
                yield STATE_TABLE + node_row(node_hash), node
        except LeavesOutOfOrder as error:
            raise PredicateFailed("leaves_ascend", str(error), got=key) from error
        row, stored = value_row(key, value, self._manifest.height)
        yield STATE_TABLE + row, stored
        if not self._due[RecordKind.LEAF]:
            for node_hash, node in self._tree.finish():
                yield STATE_TABLE + node_row(node_hash), node
            self._check_tree()

    def _check_tree(self) -> None:
        if self._tree.root != self._app_hash:
            raise PredicateFailed(
                "tree_has_trusted_app_hash", "the leaves make another root", self._tree.root, self._app_hash
            )
        origin = self._application.genesis.origin
        if self._genesis_digest != origin:
            raise PredicateFailed("state_of_this_genesis", "another genesis", self._genesis_digest, origin)

    def _evm(self) -> StateTraversal:
        if self._traversal is None:
            if self._state_root is None:
                raise PredicateFailed("state_has_evm_root", "no leaf evm/stateRoot came")
            self._traversal = StateTraversal(self._state_root)
        return self._traversal


def restored_header(store: KeyValueReader, height: int) -> bytes | None:
    """The encoded header of `height` that a snapshot brought; None where none did."""
    return Table(store, HEADER_TABLE).get(height.to_bytes(8, "big"))


def prune_restored_header(batch: KeyValueWriter, height: int) -> None:
    """Delete the header of `height` that a snapshot brought; nothing happens where none did."""
    WritableTable(batch, HEADER_TABLE).delete(height.to_bytes(8, "big"))
