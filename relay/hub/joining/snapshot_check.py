"""Checking a snapshot on disk as a joining node does, with nothing written."""

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.store.database import MemoryStore, WriteBatch
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.snapshot.format import check_chunk
from hutong.relay.hub.application.snapshot.restoring import Restoration, check_manifest
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles


def check_snapshot(genesis: Genesis, files: SnapshotFiles, height: int, app_hash: bytes) -> bytes:
    """Check the snapshot of `height` on disk as a joining node does, in memory, with nothing written.

    `app_hash` (32 bytes) is the one in the header of `height` + 1, which the caller trusts.

    Returns:
        The hash that block `height` + 1 must have for the snapshot's headers to hold.

    Raises:
        VerificationError: the snapshot does not hold.
        OSError: a file is missing.
    """
    manifest = files.manifest(height)
    application = HubApplication(MemoryStore(), genesis)
    check_manifest(manifest, application)
    restoration = Restoration(application, manifest, app_hash)
    for index in range(len(manifest.chunk_hashes)):
        chunk = files.stored_chunk(height, index)
        check_chunk(manifest, index, chunk)
        for _ in restoration.accept(chunk):
            pass
    scratch = WriteBatch(MemoryStore())
    restoration.finish(scratch)
    restored = BlockStore(scratch, genesis.evm_chain_id).restored()
    assert restored is not None
    return restored.next_hash
