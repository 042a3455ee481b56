"""A hub's genesis state with as many keys as years of traffic leave behind, laid down in bulk.

The tree is made of sorted leaves as a snapshot's restoration makes it, the rows go to the disk in sorted runs, and the genesis
commit builds upon that: roots and rows are those of a commit of all keys at once, in a fraction of its time and memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from unittest.mock import patch

from hutong.light_clients.crypto import keccak256
from hutong.relay.evm.store.database import Entry, KeyValueStore, KeyValueWriter
from hutong.relay.hub.application.application import STATE_TABLE
from hutong.relay.hub.state import VersionedState
from hutong.relay.hub.state.stale import take_stale
from hutong.relay.hub.state.streamed_tree import StreamedTree
from hutong.relay.hub.state.tree import Leaf
from hutong.relay.hub.state.versions import STALE_TABLE, node_row, value_row

FILLED_CLIENT = b"client-9\x02"
RUN = 400_000
"""Rows of one transaction of the store."""


def filler(number: int) -> tuple[bytes, bytes]:
    """Key and value of a receipt over a client that nobody has."""
    key = FILLED_CLIENT + number.to_bytes(8, "big")
    return key, keccak256(key)


def fill_state(store: KeyValueStore, make_genesis: Callable[[], object], keys: int) -> None:
    """Let `make_genesis` commit as many receipts more than it knows of into `store`, which is empty."""
    fill_state_with(store, make_genesis, map(filler, range(keys)))


def fill_state_with(
    store: KeyValueStore, make_genesis: Callable[[], object], entries: Iterable[tuple[bytes, bytes]]
) -> None:
    """The same with keys and values of any kind, each key once and none that genesis writes."""
    filled_root = _lay_down(store, entries)
    commit: Callable[..., bytes] = VersionedState.commit

    def commit_upon(
        state: VersionedState, batch: KeyValueWriter, version: int, changes: Mapping[bytes, bytes | None]
    ) -> bytes:
        replace = state.tree.replace
        with patch.object(state.tree, "replace", lambda _, more: replace(filled_root, more)):
            root = commit(state, batch, version, changes)
        for row in take_stale(batch, STALE_TABLE, version):
            batch.delete(row)
        return root

    with patch.object(VersionedState, "commit", commit_upon):
        make_genesis()


def _lay_down(store: KeyValueStore, entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Nodes and values of the entries alone, without a version; the root over them."""
    tree = StreamedTree()
    run: list[Entry] = []
    for row in _rows(tree, entries):
        run.append(row)
        if len(run) == RUN:
            _write(store, run)
    _write(store, run)
    return tree.root


def _rows(tree: StreamedTree, entries: Iterable[tuple[bytes, bytes]]) -> Iterator[Entry]:
    leaves = []
    for key, value in entries:
        leaves.append(Leaf.of(key, value))
        row, stored = value_row(key, value, 0)
        yield STATE_TABLE + row, stored
    leaves.sort(key=lambda leaf: leaf.key_hash)
    for leaf in leaves:
        for node_hash, node in tree.add(leaf):
            yield STATE_TABLE + node_row(node_hash), node
    for node_hash, node in tree.finish():
        yield STATE_TABLE + node_row(node_hash), node


def _write(store: KeyValueStore, run: list[Entry]) -> None:
    run.sort()
    with store.batch() as batch:
        for key, value in run:
            batch.put(key, value)
    run.clear()
