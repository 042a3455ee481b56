"""Making a snapshot of a stored version: the same bytes on every node that has it."""

from collections.abc import Callable, Iterator
from hashlib import sha256

from hutong.light_clients.tendermint.codec import encode_header
from hutong.light_clients.tendermint.types import Header
from hutong.relay.evm.store.database import KeyValueReader, Table
from hutong.relay.evm.vm.state_traversal import StateTraversal
from hutong.relay.hub.application.application import STATE_TABLE
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.machine.evm_pruning import EVM_TABLE
from hutong.relay.hub.application.snapshot.ancestry import Ancestry
from hutong.relay.hub.application.snapshot.format import (
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    Manifest,
    RecordKind,
    encode_leaf,
    encode_record,
    first_header,
)
from hutong.relay.hub.state import SparseMerkleTree, StateDamaged, VersionedState
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.versions import node_row

HeaderSource = Callable[[int], Header]
"""The committed header of a height."""


class SnapshotTooLarge(Exception):
    """Format 1 ends at 32 GiB."""


class SnapshotMaker:
    """Iterate `chunks`, then ask for the `manifest`. Holds one chunk at a time.

    Reads through `store` only, with a tree of its own: it may run in a thread beside the one that applies blocks.
    `header_of` is asked for heights up to `height` + 1, so the block after `height` must exist. `before_record` may rest, or
    raise to end the work.
    """

    def __init__(
        self,
        store: KeyValueReader,
        genesis: Genesis,
        height: int,
        header_of: HeaderSource,
        before_record: Callable[[], None] = lambda: None,
    ) -> None:
        self._before_record = before_record
        self._genesis = genesis
        self._height = height
        self._header_of = header_of
        state = VersionedState(Table(store, STATE_TABLE))
        self._root = state.require_root(height)
        self._state_root = state.view_at(height).get(EVM_STATE_ROOT_KEY)
        self._tree = SparseMerkleTree(Table(store, STATE_TABLE + node_row(b"")), cached_nodes=0)
        self._evm = Table(store, EVM_TABLE)
        self._counts = dict.fromkeys(RecordKind, 0)
        self._hashes: list[bytes] = []
        self._rules_version = genesis.rules_version

    def chunks(self) -> Iterator[bytes]:
        """The chunks in order, each at most MAX_CHUNK_BYTES; the last may be short.

        Raises:
            PredicateFailed: the headers do not belong to this state.
            StateDamaged: a node or record of the state is missing.
            SnapshotTooLarge: the state needs more than MAX_CHUNKS.
            Exception: what `header_of` and `before_record` raise.
        """
        chunk = bytearray()
        for kind, body in self._records():
            self._before_record()
            self._counts[kind] += 1
            record = encode_record(kind, body)
            if len(chunk) + len(record) > MAX_CHUNK_BYTES:
                yield self._finished(bytes(chunk))
                chunk.clear()
            chunk += record
        yield self._finished(bytes(chunk))

    def manifest(self) -> Manifest:
        """What names the chunks that `chunks` has yielded; whole once that has ended."""
        return Manifest(
            self._height,
            self._genesis.digest,
            self._rules_version,
            self._counts[RecordKind.HEADER],
            self._counts[RecordKind.LEAF],
            self._counts[RecordKind.EVM],
            tuple(self._hashes),
        )

    def _finished(self, chunk: bytes) -> bytes:
        if len(self._hashes) == MAX_CHUNKS:
            raise SnapshotTooLarge(f"the state after block {self._height} needs more than {MAX_CHUNKS} chunks")
        self._hashes.append(sha256(chunk).digest())
        return chunk

    def _records(self) -> Iterator[tuple[RecordKind, bytes]]:
        last = self._header_of(self._height + 1)
        self._rules_version = last.version_app
        ancestry = Ancestry(self._genesis, self._height, last.version_app, self._root)
        for height in range(first_header(self._height), self._height + 2):
            encoded = encode_header(last if height == self._height + 1 else self._header_of(height))
            ancestry.feed(encoded)
            yield RecordKind.HEADER, encoded
        for leaf in self._tree.leaves(self._root):
            yield RecordKind.LEAF, encode_leaf(leaf.key, leaf.value)
        yield from self._evm_records()

    def _evm_records(self) -> Iterator[tuple[RecordKind, bytes]]:
        if self._state_root is None:
            raise StateDamaged(f"the state after block {self._height} has no EVM state root")
        traversal = StateTraversal(self._state_root)
        while (expected := traversal.expected) is not None:
            record = self._evm.get(expected.hash)
            if record is None:
                raise StateDamaged(f"{expected.item.value} {expected.hash.hex()} is missing")
            traversal.feed(record)
            yield RecordKind.EVM, record
