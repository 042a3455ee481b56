"""`hutong client upgrade`: the hub's client of a chain follows it into the next revision that the chain has
committed."""

import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from hutong.light_clients.interface import UpgradableClient
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.relay.cli.chains.client_creation import read_state
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import ConfigFile, HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import chain_of, config_of, hub_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import CosmosChainConfig, HubChainConfig
from hutong.relay.keys import Signer


@grouped
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
    loaded = config_of(config)
    if (follows is None) == (message is None):
        raise Refused("give either --follows, a configured Cosmos chain, or --message, a file", UNUSABLE)
    followed = None if follows is None else chain_of(loaded, follows)
    if followed is not None and not isinstance(followed, CosmosChainConfig):
        raise Refused(f"{follows} is of kind {followed.kind}: only Cosmos chains commit their upgrades", UNUSABLE)
    made = None if message is None else read_state(message)
    signer = payer.open()
    height = run_administration(partial(_upgrade, hub_of(loaded, hub), client, followed, made, signer))
    typer.echo(f"{client} is at height {height}")


async def _upgrade(
    hub: HubChainConfig,
    client: str,
    followed: CosmosChainConfig | None,
    made: bytes | None,
    signer: Signer,
    random: Random,
) -> str:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.upgrade import upgrade_client
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.light_clients.table import light_client
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(hub, random) as host:
        if not isinstance(host, HubChain):
            raise TypeError("a hub")
        await host.check_identity()
        info = await host.client(client)
        rules = light_client(info.client_type)
        if not isinstance(rules, UpgradableClient):
            raise Refused(f"{client}: clients of type {info.client_type} are not upgraded", REFUSED)
        stored = await host.consensus_state(client, info.latest_height)
        states = MemoryConsensusStates({} if stored is None else {info.latest_height: stored})
        data = made if made is not None else await _committed(followed, info.client_state, random)
        rules.verify_upgrade(info.client_state, states, data, time.time_ns())
        await upgrade_client(Transactor(host.execution, await host.eth_chain_id(), signer), client, data)
        return str((await host.client(client)).latest_height)


async def _committed(followed: CosmosChainConfig | None, client_state: bytes, random: Random) -> bytes:
    from hutong.adapters.cosmos import CosmosChain
    from hutong.relay.core.topology.chains import open_chain

    if followed is None:
        raise TypeError("neither a chain nor a message")
    async with open_chain(followed, random) as source:
        if not isinstance(source, CosmosChain):
            raise TypeError("a Cosmos chain")
        return await source.committed_upgrade(client_state)
