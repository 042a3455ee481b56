"""`hutong hub abci`: a validator's application under CometBFT."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.disk_options import GIB, DatabaseGib, KeepBodiesGib
from hutong.relay.cli.common.execution_limits import (
    DEFAULT_LIMIT_MIB,
    DEFAULT_LIMIT_S,
    ExecutionLimitMib,
    ExecutionLimitS,
)
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused


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
    port: Annotated[int, typer.Option(min=0, max=65_535, help="eth_* JSON-RPC; 0 takes a free one.")] = 8545,
    snapshot_interval: Annotated[
        int, typer.Option(min=0, help="Make a snapshot every so many blocks, for state sync; 0 makes none.")
    ] = 1_000,
    keep_snapshots: Annotated[int, typer.Option(min=1, max=100, help="Older snapshots are removed.")] = 2,
    keep_states_h: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100_000,
            help="Hours of states to keep for proofs and calls; 0 all (default: the trusting period).",
        ),
    ] = None,
    keep_bodies_gib: KeepBodiesGib = None,
    database_gib: DatabaseGib = 256,
    execution_limit_s: ExecutionLimitS = DEFAULT_LIMIT_S,
    execution_limit_mib: ExecutionLimitMib = DEFAULT_LIMIT_MIB,
) -> None:
    """Run the hub's application for CometBFT until SIGTERM or SIGINT. Prints one line when ready; CometBFT may start
    before or after.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.abci.address import UnusableAddress, check_rpc_url, parse_address, socket_address
    from hutong.relay.hub.abci.initialise import SOCKET_FILE
    from hutong.relay.hub.abci.start import Doors, run_abci_node
    from hutong.relay.hub.chain.execution_guard import ExecutionLimits
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule
    from hutong.relay.hub.process.start import Kept

    try:
        address = socket_address(home / SOCKET_FILE) if listen is None else parse_address(listen)
        schedule = SnapshotSchedule(snapshot_interval, keep_snapshots)
        kept = Kept(keep_states_h, bodies_gib=keep_bodies_gib)
        doors = Doors(address, check_rpc_url(cometbft_rpc), host, port)
        limits = ExecutionLimits(execution_limit_s, execution_limit_mib)
        run_abci_node(home, doors, schedule, kept, int(database_gib * GIB), limits)
    except (NodeRefused, UnusableAddress) as error:
        raise Refused(str(error), UNUSABLE) from None
    except NodeHalted as error:
        raise Refused(str(error), REFUSED) from None
