"""`hutong hub start`: a validator of the embedded engine."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.hub.accounts import account_of
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.refusal import refusing
from hutong.relay.cli.hub.node.node_options import EthereumPort, ExecutionOptions, KeepSnapshots, StorageOptions

if TYPE_CHECKING:
    from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule
    from hutong.relay.hub.process.start import Kept, Ports


@dataclass(frozen=True, slots=True)
class PortOptions:
    """Where the node listens."""

    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1"
    port: EthereumPort = 8545
    cometbft_port: Annotated[int, typer.Option(min=0, max=65_535, help="CometBFT RPC; 0 takes a free one.")] = 26_657

    def ports(self) -> "Ports":
        """The same as a node takes them."""
        from hutong.relay.hub.process.start import Ports

        return Ports(self.host, self.port, self.cometbft_port)


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """Snapshots and blocks that the node keeps."""

    snapshot_interval: Annotated[
        int, typer.Option(min=0, help="Make a snapshot every so many blocks in HOME/snapshots; 0 makes none.")
    ] = 0
    keep_snapshots: KeepSnapshots = 2
    keep_blocks: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**40,
            help="Blocks to keep beside those of three weeks, 1814400 at least, while evidence counts; 0 all (default: 1814400).",
        ),
    ] = None

    def schedule(self) -> "SnapshotSchedule":
        """When snapshots are made."""
        from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule

        return SnapshotSchedule(self.snapshot_interval, self.keep_snapshots)

    def kept(self, storage: StorageOptions) -> "Kept":
        """What of the chain is kept, with what `storage` says of states and bodies."""
        from hutong.relay.hub.process.start import Kept

        return Kept(storage.keep_states_h, self.keep_blocks, storage.keep_bodies_gib)


def start(
    home: Annotated[Path, typer.Option(help="A directory that `hutong hub init` filled.")],
    relays: Annotated[
        list[str] | None,
        typer.Option(
            "--relay",
            metavar="ADDRESS",
            help="A relay's account that always finds room in this node's pool; may be repeated. Others are known once they were of use.",
        ),
    ] = None,
    *,
    listening: PortOptions,
    history: HistoryOptions,
    storage: StorageOptions,
    execution: ExecutionOptions,
    password: KeyPassword,
) -> None:
    """Run the validator until SIGTERM or SIGINT. Prints one line when ready.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.process.start import NodeOptions, run_node
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    with refusing(NodeRefused, refused=(NodeHalted,)):
        named = tuple(account_of(relay, "--relay") for relay in relays or ())
        options = NodeOptions(storage.database_bytes, named, execution.limits())
        run_node(home, listening.ports(), history.schedule(), history.kept(storage), password.source(), options)
