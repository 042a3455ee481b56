"""`hutong hub network`: who a node is among peers, and whom it talks to."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.base.regular_files import open_regular
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

app = command_group("A node's place among its peers (network.toml).")
Home = Annotated[Path, typer.Option(help="The node's home.")]


@app.command()
def init(
    home: Home, listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where peers reach this node.")]
) -> None:
    """Make a node key and network.toml in a home that `hutong hub join`, `restore` or `init` made; print what peers must add."""
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.network.membership import enter_network
    from hutong.relay.hub.network.network_file import parse_endpoint, peer_lines

    with refusing(UnusableHome, ValueError):
        own = enter_network(home, parse_endpoint(listen, "--listen"))
    typer.echo(peer_lines(own))


@app.command()
def show(home: Home) -> None:
    """Print what peers must add to know this node."""
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.network.membership import own_lines
    from hutong.relay.hub.network.network_file import peer_lines

    with refusing(UnusableHome):
        typer.echo(peer_lines(own_lines(home)))


@app.command()
def add(
    home: Home,
    file: Annotated[Path, typer.Argument(help="What `show` printed at other nodes, one or several; - reads them.")],
) -> None:
    """Add peers, or replace their older lines. A running node takes them up at SIGHUP, others at their start."""
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.network.membership import add_peers
    from hutong.relay.hub.network.network_file import MAX_FILE_BYTES

    try:
        if str(file) == "-":
            lines = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with open_regular(file) as opened:
                lines = opened.read(MAX_FILE_BYTES + 1)
        for peer in add_peers(home, lines):
            typer.echo(f"peer {peer}")
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}", UNUSABLE) from None
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None


@app.command()
def remove(
    home: Home,
    node_id: Annotated[str, typer.Argument(metavar="ID", help="Of the peer: what its line has before the @.")],
) -> None:
    """Take a peer out. A running node leaves it at SIGHUP."""
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.network.membership import remove_peer

    with refusing(UnusableHome):
        typer.echo(f"no peer any more: {remove_peer(home, node_id)}")
