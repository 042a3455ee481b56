"""`hutong hub signer`: a validator's key in a process of its own, on this machine or another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

app = command_group("A validator's key in a process of its own, which refuses to sign twice.")


@dataclass(frozen=True, slots=True)
class StockNode:
    """A CometBFT node that has its signer dial a unix socket."""

    privval: Annotated[
        str | None, typer.Option(metavar="unix:///PATH", help="The priv_validator_laddr of a stock CometBFT node.")
    ] = None
    cometbft: Annotated[
        Path | None, typer.Option(help="That node's home, stopped: its key moves, its record is taken over.")
    ] = None
    key: Annotated[
        Path | None, typer.Option(help="A file with a [key] table, where the node's key is elsewhere already.")
    ] = None

    @property
    def is_named(self) -> bool:
        """Whether any of its options is given."""
        return (self.privval, self.cometbft, self.key) != (None, None, None)

    def init(self, home: Path) -> None:
        """Fill the signer's home, and say what is next.

        Raises:
            Refused: code 2, options are missing, or a home cannot be used.
        """
        from hutong.relay.hub.home.home import UnusableHome
        from hutong.relay.hub.remote_signer.privval_home import take_over

        if self.privval is None or self.cometbft is None:
            raise Refused("--privval and --cometbft go together", UNUSABLE)
        with refusing(UnusableHome):
            node, public_key = take_over(self.cometbft, home, self.privval, self.key)
        typer.echo(f"the signer in {home} has the key {public_key.address.hex().upper()} of {node.chain_id}")
        typer.echo(f'priv_validator_laddr = "{node.address}" belongs into {self.cometbft / "config" / "config.toml"}')
        typer.echo(f"hutong hub signer start --home {home}")


@app.command()
def init(
    home: Annotated[Path, typer.Option(help="The signer's home: the directory to fill.")],
    node: Annotated[
        Path | None, typer.Option(help="The home of the stopped node of ours whose key and record move.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where that node reaches the signer; goes with --node.")
    ] = None,
    *,
    stock: StockNode,
) -> None:
    """Move a node's consensus key and last-signed record into a signer's home, for a node of ours or of stock CometBFT.

    Exit codes: 0 done, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.network.network_file import parse_endpoint
    from hutong.relay.hub.remote_signer.moving import move_key

    if stock.is_named:
        if node is not None or listen is not None:
            raise Refused(
                "--node and --listen are for a node of ours, --privval and --cometbft for a stock one", UNUSABLE
            )
        stock.init(home)
        return
    if node is None or listen is None:
        raise Refused("give --node and --listen, or --privval and --cometbft", UNUSABLE)
    with refusing(UnusableHome, NodeRefused, ValueError):
        signer = move_key(node, home, parse_endpoint(listen, "--listen"))
    typer.echo(f"signer {signer} has the key of {node}")
    typer.echo(f"hutong hub signer start --home {home}")
    typer.echo(f"hutong hub start --home {node}")


@app.command()
def start(
    home: Annotated[Path, typer.Option(help="A directory that `hutong hub signer init` filled.")],
    *,
    password: KeyPassword,
) -> None:
    """Sign for the nodes of signer.toml, one at a time, or dial the CometBFT node of privval.toml, until SIGTERM or SIGINT.
    Prints one line when ready.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.remote_signer.start import run_signer
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    with refusing(NodeRefused, refused=(NodeHalted,)):
        run_signer(home, password.source())
