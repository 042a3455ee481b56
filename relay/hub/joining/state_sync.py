"""CometBFT's state sync: the four snapshot calls of ABCI over the files in HOME/snapshots and the node's store.

What a restoration writes cannot be reached before its last batch, which also takes its mark away. A store with the mark
holds a restoration that did not end: it is brought back to genesis, in a later revision to nothing, so that a node is either
there or whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.relay.evm.chain.block_store import TABLE_PREFIX as BLOCK_TABLE
from hutong.relay.evm.store.database import KeyValueReader, KeyValueStore, KeyValueWriter, Table, WritableTable
from hutong.relay.hub.application.abci import (
    ApplySnapshotChunkResponse,
    ChunkVerdict,
    OfferSnapshotResponse,
    OfferVerdict,
    Snapshot,
)
from hutong.relay.hub.application.application import STATE_TABLE, HubApplication
from hutong.relay.hub.application.machine.evm_pruning import EVM_PRUNING_TABLE, EVM_TABLE
from hutong.relay.hub.application.snapshot.format import FORMAT, Manifest, check_chunk, decode_manifest
from hutong.relay.hub.application.snapshot.restoring import HEADER_TABLE, Restoration, Row, check_manifest
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles

RESTORING_TABLE = b"hub-restoring/"
_MARK = b"manifest"
_ROWS_IN_BATCH = 8_192
_RESTORED_TABLES = (STATE_TABLE, EVM_TABLE, EVM_PRUNING_TABLE, BLOCK_TABLE, HEADER_TABLE)


@dataclass(slots=True)
class _Running:
    manifest: Manifest
    restoration: Restoration
    next_index: int = 0


class StateSync:
    """Blocking. `load_snapshot_chunk` and `list_snapshots` are safe from any thread; the others belong to the thread that
    finalizes blocks. After the last chunk `application.info()` answers the restored height and app hash."""

    def __init__(
        self,
        application: HubApplication,
        store: KeyValueStore,
        files: SnapshotFiles,
        beside: Callable[[KeyValueWriter], None] = lambda _: None,
    ) -> None:
        """`beside` writes into the last batch what the node needs beside the state; a VerificationError rejects the snapshot."""
        self._application = application
        self._store = store
        self._files = files
        self._beside = beside
        self._running: _Running | None = None

    def list_snapshots(self) -> tuple[Snapshot, ...]:
        """Whole snapshots in this home, newest first; safe from any thread."""
        return self._files.list()

    def load_snapshot_chunk(self, height: int, format_: int, index: int) -> bytes:
        """A checked chunk for a peer; empty where there is no such chunk, or it is damaged. Safe from any thread."""
        return self._files.chunk(height, format_, index)

    def offer_snapshot(self, snapshot: Snapshot, app_hash: bytes) -> OfferSnapshotResponse:
        """Accept a snapshot for restoration, or say why not.

        `app_hash` (32 bytes) is the one that the consensus engine's light client trusts.

        A restoration that runs is given up, and so is one that ended without a block after it: CometBFT lost its own
        part, or the snapshot had lied. A node that has a chain aborts.

        Raises:
            StoreFull: the disk takes nothing more.
        """
        height = self._application.info().last_block_height
        if height > 0 and not self._only_restored(height):
            return OfferSnapshotResponse(OfferVerdict.ABORT, f"this node has a chain, up to height {height}")
        if snapshot.format != FORMAT:
            return OfferSnapshotResponse(OfferVerdict.REJECT_FORMAT, f"format {snapshot.format}; known is {FORMAT}")
        try:
            manifest = _manifest_of(snapshot)
            check_manifest(manifest, self._application)
        except VerificationError as error:
            return OfferSnapshotResponse(OfferVerdict.REJECT, str(error))
        if height > 0:
            self._mark(snapshot)
        self.discard_unfinished()
        self._mark(snapshot)
        self._running = _Running(manifest, Restoration(self._application, manifest, app_hash))
        return OfferSnapshotResponse(OfferVerdict.ACCEPT)

    def apply_snapshot_chunk(self, index: int, chunk: bytes, sender: str) -> ApplySnapshotChunkResponse:
        """The next chunk, `index` ascending from 0.

        One that is not the manifest's is asked for again from another sender.

        After the last one the store is at the snapshot's height; a manifest that lied leaves it at genesis.

        Raises:
            StoreFull: the disk takes nothing more; `discard_unfinished` cleans up.
        """
        running = self._running
        if running is None:
            return ApplySnapshotChunkResponse(ChunkVerdict.ABORT, reason="no snapshot was accepted")
        if index != running.next_index:
            reason = f"chunk {index} came where {running.next_index} is next"
            return ApplySnapshotChunkResponse(ChunkVerdict.ABORT, reason=reason)
        try:
            check_chunk(running.manifest, index, chunk)
        except PredicateFailed as error:
            senders = (sender,) if sender else ()
            return ApplySnapshotChunkResponse(ChunkVerdict.RETRY, (index,), senders, str(error))
        try:
            self._write(running.restoration.accept(chunk))
            running.next_index += 1
            if running.next_index == len(running.manifest.chunk_hashes):
                self._finish(running)
        except VerificationError as error:
            # The manifest itself lies: no other sender of this snapshot can help.
            self._discard()
            return ApplySnapshotChunkResponse(ChunkVerdict.REJECT_SNAPSHOT, reason=f"chunk {index}: {error}")
        return ApplySnapshotChunkResponse(ChunkVerdict.ACCEPT)

    def discard_unfinished(self) -> bool:
        """Back to genesis from a restoration that did not end. Call it at start, and before InitChain.

        Returns:
            Whether there was one.
        """
        if not restoration_is_unfinished(self._store):
            return False
        self._discard()
        return True

    def _only_restored(self, height: int) -> bool:
        restored = self._application.blocks.restored()
        return restored is not None and restored.number == height

    def _mark(self, snapshot: Snapshot) -> None:
        with self._store.batch() as batch:
            WritableTable(batch, RESTORING_TABLE).put(_MARK, snapshot.hash)

    def _write(self, rows: Iterable[Row]) -> None:
        pending = iter(rows)
        while some := list(islice(pending, _ROWS_IN_BATCH)):
            with self._store.batch() as batch:
                for key, value in some:
                    batch.put(key, value)

    def _finish(self, running: _Running) -> None:
        with self._store.batch() as batch:
            running.restoration.finish(batch)
            self._beside(batch)
            WritableTable(batch, RESTORING_TABLE).delete(_MARK)
        self._running = None

    def _discard(self) -> None:
        """The mark goes last, so that a crash in here is healed by the next call."""
        self._running = None
        for prefix in _RESTORED_TABLES:
            while doomed := [key for key, _ in islice(Table(self._store, prefix).items(), _ROWS_IN_BATCH)]:
                with self._store.batch() as batch:
                    table = WritableTable(batch, prefix)
                    for key in doomed:
                        table.delete(key)
        begins = self._application.genesis.continues is None
        if begins:
            self._application.init_chain()
        with self._store.batch() as batch:
            if begins:
                self._application.commit(batch)
            WritableTable(batch, RESTORING_TABLE).delete(_MARK)


def restoration_is_unfinished(store: KeyValueReader) -> bool:
    """Whether a restoration began here and did not end; `StateSync.discard_unfinished` takes it away."""
    return Table(store, RESTORING_TABLE).get(_MARK) is not None


def _manifest_of(snapshot: Snapshot) -> Manifest:
    """Raises MalformedInput where the parts of the offer contradict each other."""
    got = sha256(snapshot.metadata).digest()
    if got != snapshot.hash:
        raise MalformedInput("snapshot.hash", "is not that of the manifest", snapshot.hash, got)
    manifest = decode_manifest(snapshot.metadata)
    if manifest.height != snapshot.height:
        raise MalformedInput("snapshot.height", "is not the manifest's", snapshot.height, manifest.height)
    if len(manifest.chunk_hashes) != snapshot.chunks:
        raise MalformedInput("snapshot.chunks", "not the manifest's", snapshot.chunks, len(manifest.chunk_hashes))
    return manifest
