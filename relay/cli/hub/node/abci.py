"""`hutong hub abci`: a validator's application under CometBFT."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.refusal import refusing
from hutong.relay.cli.hub.node.node_options import EthereumPort, ExecutionOptions, KeepSnapshots, StorageOptions

if TYPE_CHECKING:
    from hutong.relay.hub.abci.start import Doors
    from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """Where CometBFT and users reach the application."""

    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where CometBFT connects: unix:///path or tcp://127.0.0.1:port (default: HOME/abci.sock).",
        ),
    ] = None
    cometbft_rpc: Annotated[str, typer.Option(metavar="URL", help="CometBFT's RPC, which takes the transactions.")] = (
        "http://127.0.0.1:26657"
    )
    host: Annotated[str, typer.Option(help="Address of the eth_* port.")] = "127.0.0.1"
    port: EthereumPort = 8545

    def doors(self, home: Path) -> "Doors":
        """The same as a node takes them.

        Args:
            home: has the socket where no address is given.

        Raises:
            UnusableAddress: an address cannot be listened on, or the RPC's is none.
        """
        from hutong.relay.hub.abci.address import check_rpc_url, parse_address, socket_address
        from hutong.relay.hub.abci.initialise import SOCKET_FILE
        from hutong.relay.hub.abci.start import Doors

        address = socket_address(home / SOCKET_FILE) if self.listen is None else parse_address(self.listen)
        return Doors(address, check_rpc_url(self.cometbft_rpc), self.host, self.port)


@dataclass(frozen=True, slots=True)
class SnapshotOptions:
    """Snapshots for CometBFT's state sync."""

    snapshot_interval: Annotated[
        int, typer.Option(min=0, help="Make a snapshot every so many blocks, for state sync; 0 makes none.")
    ] = 1_000
    keep_snapshots: KeepSnapshots = 2

    def schedule(self) -> "SnapshotSchedule":
        """When they are made."""
        from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule

        return SnapshotSchedule(self.snapshot_interval, self.keep_snapshots)


def abci(
    home: Annotated[Path, typer.Option(help="A directory that `hutong hub init --engine cometbft` filled.")],
    *,
    reached: DoorOptions,
    snapshots: SnapshotOptions,
    storage: StorageOptions,
    execution: ExecutionOptions,
) -> None:
    """Run the hub's application for CometBFT until SIGTERM or SIGINT. Prints one line when ready; CometBFT may start
    before or after.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.abci.address import UnusableAddress
    from hutong.relay.hub.abci.start import run_abci_node
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.process.start import Kept

    with refusing(NodeRefused, UnusableAddress, refused=(NodeHalted,)):
        doors = reached.doors(home)
        kept = Kept(storage.keep_states_h, bodies_gib=storage.keep_bodies_gib)
        run_abci_node(home, doors, snapshots.schedule(), kept, storage.database_bytes, execution.limits())
