"""Snapshots as an operator makes and checks them, while the node runs or not."""

from contextlib import ExitStack
from pathlib import Path

import lmdb

from hutong.light_clients.interface import VerificationError
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.snapshot.format import Manifest
from hutong.relay.hub.application.snapshot.making import HeaderSource, SnapshotMaker, SnapshotTooLarge
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.home.home import DATABASE_DIRECTORY, UnusableHome, load_genesis
from hutong.relay.hub.home.process import MAP_BYTES
from hutong.relay.hub.joining.engine_headers import EngineHeaders
from hutong.relay.hub.joining.snapshot_check import check_snapshot
from hutong.relay.hub.joining.snapshot_files import SNAPSHOTS_DIRECTORY, SnapshotFiles
from hutong.relay.hub.joining.snapshot_taker import HeaderUnavailable, headers_of_node, headers_of_records
from hutong.relay.hub.state import StateDamaged


class NoSnapshot(Exception):
    """It cannot be made, or is not the state that it should be; one sentence."""


def snapshot_files(home: Path) -> SnapshotFiles:
    """The snapshots of a home, which need not have any.

    Raises:
        UnusableHome: there is no such directory.
    """
    if not home.is_dir():
        raise UnusableHome(f"{home}: no such directory")
    return SnapshotFiles(home / SNAPSHOTS_DIRECTORY)


def make_snapshot(home: Path, height: int | None, cometbft_rpc: str | None) -> Manifest:
    """Write a snapshot into a home, whose node may run meanwhile.

    Args:
        height: None: the newest that has a block after it.
        cometbft_rpc: under CometBFT, the URL of its RPC, which has the headers.

    Raises:
        UnusableHome: genesis or database cannot be opened.
        NoSnapshot: the chain is too short, state or headers are not there, it is too large, another process makes one,
            or the disk refuses it.
    """
    genesis = load_genesis(home)
    try:
        store = LmdbStore(home / DATABASE_DIRECTORY, map_bytes=MAP_BYTES, read_only=True)
    except (lmdb.Error, OSError) as error:
        raise UnusableHome(f"{home / DATABASE_DIRECTORY}: cannot be opened ({error})") from None
    with ExitStack() as stack:
        stack.callback(store.close)
        engine: HeaderSource = headers_of_records(BlockRecords(store))
        if cometbft_rpc is not None:
            engine = rpc = EngineHeaders(cometbft_rpc)
            stack.callback(rpc.close)
        try:
            wanted = HubApplication(store, genesis).info().last_block_height - 1 if height is None else height
            if wanted < 1:
                raise NoSnapshot("the chain is too short for a snapshot")
            maker = SnapshotMaker(store, genesis, wanted, headers_of_node(store, engine))
            return snapshot_files(home).write(wanted, maker)
        except (VerificationError, StateDamaged, HeaderUnavailable, SnapshotTooLarge) as error:
            raise NoSnapshot(f"no snapshot of height {height or 'the newest block'}: {error}") from None
        except BlockingIOError:
            raise NoSnapshot("another process is making a snapshot in this home") from None
        except OSError as error:
            raise NoSnapshot(f"{home}: {error.strerror or error}") from None


def checked_snapshot(home: Path, height: int | None, app_hash: bytes) -> tuple[int, bytes]:
    """Check a snapshot as a joining node does, with nothing written.

    Args:
        height: None: the newest.
        app_hash: the one in the header after it, 32 bytes, which the caller trusts.

    Returns:
        The snapshot's height, and the hash that the block after it must have for the snapshot's headers to hold.

    Raises:
        UnusableHome: there is no snapshot, or genesis or a file cannot be read.
        NoSnapshot: it is not the state under that app hash.
    """
    files = snapshot_files(home)
    heights = files.heights()
    if height is None and not heights:
        raise UnusableHome(f"{home}: no snapshots")
    wanted = heights[0] if height is None else height
    try:
        return wanted, check_snapshot(load_genesis(home), files, wanted, app_hash)
    except OSError as error:
        raise UnusableHome(f"snapshot of height {wanted}: {error.strerror or error}") from None
    except VerificationError as error:
        raise NoSnapshot(f"snapshot of height {wanted}: {error}") from None
