"""`hutong hub snapshot`: make, list and verify snapshots of a hub's state."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.relay.hub.application.snapshot.making import HeaderSource
    from hutong.relay.hub.joining.snapshot_files import SnapshotFiles


app = command_group("Snapshots of the hub's state, for state sync.")

Home = Annotated[Path, typer.Option(help="The home of a hub node.")]


@app.command()
def make(
    home: Home,
    height: Annotated[
        int | None, typer.Option(min=1, help="Of this height (default: the newest that has a block after it).")
    ] = None,
    cometbft_rpc: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Under CometBFT: its RPC, which has the headers. Not with the embedded engine."
        ),
    ] = None,
) -> None:
    """Make a snapshot in HOME/snapshots; the node may run meanwhile.

    Exit codes: 0 made, 1 it cannot be made, 2 unusable input.
    """
    import lmdb

    from hutong.light_clients.interface import VerificationError
    from hutong.relay.evm.store.lmdb_store import LmdbStore
    from hutong.relay.hub.application.application import HubApplication
    from hutong.relay.hub.application.snapshot.making import SnapshotMaker, SnapshotTooLarge
    from hutong.relay.hub.chain.block_records import BlockRecords
    from hutong.relay.hub.home.home import DATABASE_DIRECTORY, UnusableHome, load_genesis
    from hutong.relay.hub.home.process import MAP_BYTES
    from hutong.relay.hub.joining.engine_headers import EngineHeaders
    from hutong.relay.hub.joining.snapshot_taker import HeaderUnavailable, headers_of_node, headers_of_records
    from hutong.relay.hub.state import StateDamaged

    try:
        genesis = load_genesis(home)
        store = LmdbStore(home / DATABASE_DIRECTORY, map_bytes=MAP_BYTES, read_only=True)
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    except (lmdb.Error, OSError) as error:
        raise Refused(f"{home / DATABASE_DIRECTORY}: cannot be opened ({error})", UNUSABLE) from None
    rpc = None if cometbft_rpc is None else EngineHeaders(cometbft_rpc)
    engine: HeaderSource = headers_of_records(BlockRecords(store)) if rpc is None else rpc
    try:
        wanted = HubApplication(store, genesis).info().last_block_height - 1 if height is None else height
        if wanted < 1:
            raise Refused("the chain is too short for a snapshot", REFUSED)
        maker = SnapshotMaker(store, genesis, wanted, headers_of_node(store, engine))
        manifest = _files(home).write(wanted, maker)
    except (VerificationError, StateDamaged, HeaderUnavailable, SnapshotTooLarge) as error:
        raise Refused(f"no snapshot of height {height or 'the newest block'}: {error}", REFUSED) from None
    except BlockingIOError:
        raise Refused("another process is making a snapshot in this home", REFUSED) from None
    except OSError as error:
        raise Refused(f"{home}: {error.strerror or error}", REFUSED) from None
    finally:
        store.close()
        if rpc is not None:
            rpc.close()
    typer.echo(
        f"snapshot of height {manifest.height}: {len(manifest.chunk_hashes)} chunks, {manifest.leaves} keys,"
        f" {manifest.evm_records} EVM records"
    )


@app.command("list")
def list_(home: Home) -> None:
    """The snapshots that this node serves, newest first: height, format, chunks, hash."""
    snapshots = _files(home).list()
    for one in snapshots:
        typer.echo(f"{one.height} format {one.format}, {one.chunks} chunks, {one.hash.hex()}")
    if not snapshots:
        typer.echo("no snapshots")


@app.command()
def verify(
    home: Home,
    app_hash: Annotated[
        str, typer.Option(metavar="HEX", help="What you trust: the app hash in the header of HEIGHT + 1.")
    ],
    height: Annotated[int | None, typer.Option(min=1, help="Of this height (default: the newest).")] = None,
) -> None:
    """Check a snapshot as a joining node does, without writing anything.

    Exit codes: 0 it is the state under that app hash, 1 it is not, 2 unusable input.
    """
    from hutong.light_clients.interface import VerificationError
    from hutong.relay.hub.home.home import UnusableHome, load_genesis
    from hutong.relay.hub.joining.snapshot_check import check_snapshot

    try:
        trusted = bytes.fromhex(app_hash.removeprefix("0x"))
    except ValueError:
        trusted = b""
    if len(trusted) != 32:
        raise Refused("--app-hash: 32 bytes in hex", UNUSABLE)
    files = _files(home)
    heights = files.heights()
    if height is None and not heights:
        raise Refused(f"{home}: no snapshots", UNUSABLE)
    wanted = heights[0] if height is None else height
    try:
        next_hash = check_snapshot(load_genesis(home), files, wanted, trusted)
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    except OSError as error:
        raise Refused(f"snapshot of height {wanted}: {error.strerror or error}", UNUSABLE) from None
    except VerificationError as error:
        raise Refused(f"snapshot of height {wanted}: {error}", REFUSED) from None
    typer.echo(f"snapshot of height {wanted} is the state under {trusted.hex()}")
    typer.echo(f"its headers hold if block {wanted + 1} is {next_hash.hex()}")


def _files(home: Path) -> "SnapshotFiles":
    from hutong.relay.hub.joining.snapshot_files import SNAPSHOTS_DIRECTORY, SnapshotFiles

    if not home.is_dir():
        raise Refused(f"{home}: no such directory", UNUSABLE)
    return SnapshotFiles(home / SNAPSHOTS_DIRECTORY)
