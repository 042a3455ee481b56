"""`hutong hub signer`: a validator's key in a process of its own, on this machine or another."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

app = command_group("A validator's key in a process of its own, which refuses to sign twice.")


@app.command()
def init(
    home: Annotated[Path, typer.Option(help="The signer's home: the directory to fill.")],
    node: Annotated[Path, typer.Option(help="The home of the stopped node whose key and record move.")],
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the node reaches the signer.")],
) -> None:
    """Move a node's consensus key and last-signed record into a signer's home, and name the signer to the node.

    Exit codes: 0 done, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.network.network_file import parse_endpoint
    from hutong.relay.hub.remote_signer.moving import move_key

    try:
        signer = move_key(node, home, parse_endpoint(listen, "--listen"))
    except (UnusableHome, NodeRefused, ValueError) as error:
        raise Refused(str(error), UNUSABLE) from None
    typer.echo(f"signer {signer} has the key of {node}")
    typer.echo(f"hutong hub signer start --home {home}")
    typer.echo(f"hutong hub start --home {node}")


@app.command()
@grouped
def start(
    home: Annotated[Path, typer.Option(help="A directory that `hutong hub signer init` filled.")],
    *,
    password: KeyPassword,
) -> None:
    """Sign for the nodes of signer.toml, one at a time, until SIGTERM or SIGINT. Prints one line when ready.

    Exit codes: 0 stopped as told, 1 halted while running, 2 it cannot start.
    """
    from hutong.relay.hub.home.process import NodeHalted, NodeRefused
    from hutong.relay.hub.remote_signer.start import run_signer
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    try:
        run_signer(home, password.source())
    except NodeRefused as error:
        raise Refused(str(error), UNUSABLE) from None
    except NodeHalted as error:
        raise Refused(str(error), REFUSED) from None
