"""`hutong hub start`: a validator of the embedded engine."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.hub.node.addresses import account_of
from hutong.relay.cli.hub.node.node_options import EthereumPort, ExecutionOptions, KeepSnapshots, StorageOptions


@grouped
def start(
    home: Annotated[Path, typer.Option(help="A directory that `hutong hub init` filled.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: EthereumPort = 8545,
    cometbft_port: Annotated[int, typer.Option(min=0, max=65_535, help="CometBFT RPC; 0 takes a free one.")] = 26_657,
    snapshot_interval: Annotated[
        int, typer.Option(min=0, help="Make a snapshot every so many blocks in HOME/snapshots; 0 makes none.")
    ] = 0,
    keep_snapshots: KeepSnapshots = 2,
    keep_blocks: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**40,
            help="Blocks to keep beside those of three weeks, 1814400 at least, while evidence counts; 0 all (default: 1814400).",
        ),
    ] = None,
    relays: Annotated[
        list[str] | None,
        typer.Option(
            "--relay",
            metavar="ADDRESS",
            help="A relay's account that always finds room in this node's pool; may be repeated. Others are known once they were of use.",
        ),
    ] = None,
    *,
    storage: StorageOptions,
    execution: ExecutionOptions,
    password: KeyPassword,
) -> None:
    """Run the validator until SIGTERM or SIGINT. Prints one line when ready.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule
    from hutong.relay.hub.process.start import Kept, NodeOptions, Ports, run_node
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    try:
        schedule = SnapshotSchedule(snapshot_interval, keep_snapshots)
        kept = Kept(storage.keep_states_h, keep_blocks, storage.keep_bodies_gib)
        named = tuple(account_of(relay, "--relay") for relay in relays or ())
        options = NodeOptions(storage.database_bytes, named, execution.limits())
        run_node(home, Ports(host, port, cometbft_port), schedule, kept, password.source(), options)
    except NodeRefused as error:
        raise Refused(str(error), UNUSABLE) from None
    except NodeHalted as error:
        raise Refused(str(error), REFUSED) from None
