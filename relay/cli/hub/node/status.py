"""`hutong hub status`: what a node of the hub's network says of itself."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.configured import hub_of
from hutong.relay.cli.common.options import HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of

DEFAULT_RPC = "http://127.0.0.1:8545"


def status(
    rpc: Annotated[
        str | None, typer.Option(metavar="URL", help=f"The node's eth_* port; {DEFAULT_RPC} without --config.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The relay's TOML file, for the hub's rpc in it: the first that answers."),
    ] = None,
    hub: HubName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the node's answer as it is.")] = False,
) -> None:
    """Print height, validators, peers with height and score, and why there are no blocks where there are none.

    Exit codes: 0 blocks come, 1 they do not, 2 the node does not answer or has no peers.
    """
    from hutong.relay.administration.hub.node_status import ask_first, report_in_words, urls_of

    if rpc is not None and config is not None:
        raise Refused("give --rpc or --config, not both", UNUSABLE)
    if hub is not None and config is None:
        raise Refused("--hub names a hub of the configuration: give --config", UNUSABLE)
    urls = (rpc or DEFAULT_RPC,) if config is None else urls_of(hub_of(config_of(config), hub))
    report = ask_first(urls)
    for line in [json.dumps(report)] if as_json else report_in_words(report):
        typer.echo(line)
    if report["whyNoBlock"] is not None:
        raise typer.Exit(REFUSED)
