"""`hutong hub abci`: a validator's application under CometBFT."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.hub.node.node_options import EthereumPort, ExecutionOptions, KeepSnapshots, StorageOptions


@grouped
def abci(
    home: Annotated[Path, typer.Option(help="A directory that `hutong hub init --engine cometbft` filled.")],
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where CometBFT connects: unix:///path or tcp://127.0.0.1:port (default: HOME/abci.sock).",
        ),
    ] = None,
    cometbft_rpc: Annotated[
        str, typer.Option(metavar="URL", help="CometBFT's RPC, which takes the transactions.")
    ] = "http://127.0.0.1:26657",
    host: Annotated[str, typer.Option(help="Address of the eth_* port.")] = "127.0.0.1",
    port: EthereumPort = 8545,
    snapshot_interval: Annotated[
        int, typer.Option(min=0, help="Make a snapshot every so many blocks, for state sync; 0 makes none.")
    ] = 1_000,
    keep_snapshots: KeepSnapshots = 2,
    *,
    storage: StorageOptions,
    execution: ExecutionOptions,
) -> None:
    """Run the hub's application for CometBFT until SIGTERM or SIGINT. Prints one line when ready; CometBFT may start
    before or after.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.abci.address import UnusableAddress, check_rpc_url, parse_address, socket_address
    from hutong.relay.hub.abci.initialise import SOCKET_FILE
    from hutong.relay.hub.abci.start import Doors, run_abci_node
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule
    from hutong.relay.hub.process.start import Kept

    try:
        address = socket_address(home / SOCKET_FILE) if listen is None else parse_address(listen)
        schedule = SnapshotSchedule(snapshot_interval, keep_snapshots)
        kept = Kept(storage.keep_states_h, bodies_gib=storage.keep_bodies_gib)
        doors = Doors(address, check_rpc_url(cometbft_rpc), host, port)
        run_abci_node(home, doors, schedule, kept, storage.database_bytes, execution.limits())
    except (NodeRefused, UnusableAddress) as error:
        raise Refused(str(error), UNUSABLE) from None
    except NodeHalted as error:
        raise Refused(str(error), REFUSED) from None
