"""`hutong client upgrade`: the hub's client of a chain follows it into the next revision that the chain has
committed."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.configured import chain_of, hub_of
from hutong.relay.cli.common.options import ConfigFile, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import CosmosChainConfig
from hutong.relay.verify.inputs import read_state


def upgrade(
    config: ConfigFile,
    client: Annotated[str, typer.Option(help="The hub's client; it must be at the last height of the old revision.")],
    follows: Annotated[
        str | None,
        typer.Option(help="Cosmos chain that it follows, still configured with its old chain id: its node is asked."),
    ] = None,
    message: Annotated[
        Path | None, typer.Option(help="File with an upgrade message made elsewhere, raw or hex, in place of a node's.")
    ] = None,
    hub: HubName = None,
    *,
    payer: SignerOptions,
) -> None:
    """Let a client of the hub go on with the next revision of its chain. Anybody may: the chain itself has committed it.

    Judged here first by the client's own rules: exit code 1 if they refuse it. Not with the key of a running relay.
    """
    from hutong.relay.administration.clients.upgrade import upgrade as bring_on

    loaded = config_of(config)
    if (follows is None) == (message is None):
        raise Refused("give either --follows, a configured Cosmos chain, or --message, a file", UNUSABLE)
    given: bytes | CosmosChainConfig
    if follows is not None:
        followed = chain_of(loaded, follows)
        if not isinstance(followed, CosmosChainConfig):
            raise Refused(f"{follows} is of kind {followed.kind}: only Cosmos chains commit their upgrades", UNUSABLE)
        given = followed
    elif message is not None:
        given = read_state(message)
    signer = payer.open()
    height = run_administration(partial(bring_on, hub_of(loaded, hub), client, given, signer))
    typer.echo(f"{client} is at height {height}")
