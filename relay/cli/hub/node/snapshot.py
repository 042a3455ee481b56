"""`hutong hub snapshot`: make, list and verify snapshots of a hub's state."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

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
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.upkeep.snapshots import NoSnapshot, make_snapshot

    with refusing(UnusableHome, refused=(NoSnapshot,)):
        manifest = make_snapshot(home, height, cometbft_rpc)
    typer.echo(
        f"snapshot of height {manifest.height}: {len(manifest.chunk_hashes)} chunks, {manifest.leaves} keys,"
        f" {manifest.evm_records} EVM records"
    )


@app.command("list")
def list_(home: Home) -> None:
    """The snapshots that this node serves, newest first: height, format, chunks, hash."""
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.upkeep.snapshots import snapshot_files

    with refusing(UnusableHome):
        snapshots = snapshot_files(home).list()
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
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.upkeep.snapshots import NoSnapshot, checked_snapshot

    try:
        trusted = bytes.fromhex(app_hash.removeprefix("0x"))
    except ValueError:
        trusted = b""
    if len(trusted) != 32:
        raise Refused("--app-hash: 32 bytes in hex", UNUSABLE)
    with refusing(UnusableHome, refused=(NoSnapshot,)):
        wanted, next_hash = checked_snapshot(home, height, trusted)
    typer.echo(f"snapshot of height {wanted} is the state under {trusted.hex()}")
    typer.echo(f"its headers hold if block {wanted + 1} is {next_hash.hex()}")
