"""`hutong client quota`: what may be in flight over a client of the hub."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.hub_trust import approve
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.session import config_of, hub_of, run_administration
from hutong.relay.cli.common.signers import HubAdminOptions
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.admin import Quota

app = command_group("Packets and bytes that may be in flight over a client.")

Client = Annotated[str, typer.Option(help="The hub's client.")]

MAX_UINT64 = 2**64 - 1


@app.command()
def show(config: ConfigFile, client: Client, hub: HubName = None, as_json: AsJson = False) -> None:
    """Both limits of a client, and what is in flight over it."""
    quota = run_administration(partial(_show, hub_of(config_of(config), hub), client))
    values = {name: getattr(quota, name) for name in quota.__slots__}
    typer.echo(json.dumps(values) if as_json else "\n".join(f"{name}: {value}" for name, value in values.items()))


@app.command(name="set")
@grouped
def set_(
    config: ConfigFile,
    client: Client,
    packets: Annotated[
        int, typer.Option(min=0, max=MAX_UINT64, help="Packets sent and not settled; 0 stops new ones.")
    ],
    payload_bytes: Annotated[int, typer.Option("--bytes", min=0, max=MAX_UINT64, help="Bytes of their payloads.")],
    hub: HubName = None,
    *,
    admins: HubAdminOptions,
) -> None:
    """Set both limits, by as many admins as the hub asks for. Settlements and refunds are never held up by a quota."""
    hub_chain = hub_of(config_of(config), hub)
    deciding = admins.open()
    run_administration(partial(_set, hub_chain, client, packets, payload_bytes, deciding))
    typer.echo(f"over {client} at most {packets} packets and {payload_bytes} bytes may be in flight")


@asynccontextmanager
async def open_hub(hub: HubChainConfig, random: Random) -> AsyncIterator["HubChain"]:
    """The hub's adapter while the block lasts, its identity checked.

    Raises:
        AdapterError: the hub does not answer, or its endpoints serve another chain.
    """
    from hutong.adapters.hub import HubChain
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(hub, random) as chain:
        if not isinstance(chain, HubChain):
            raise TypeError("a hub")
        await chain.check_identity()
        yield chain


async def _show(hub: HubChainConfig, client: str, random: Random) -> "Quota":
    from hutong.adapters.hub.admin import quota

    async with open_hub(hub, random) as chain:
        return await quota(chain.execution, client)


async def _set(
    hub: HubChainConfig, client: str, packets: int, payload_bytes: int, admins: Sequence[Signer], random: Random
) -> None:
    from hutong.adapters.hub.admin import set_quota
    from hutong.adapters.ics26.transactor import Transactor

    async with open_hub(hub, random) as chain:
        chain_id = await chain.eth_chain_id()
        transactors = [Transactor(chain.execution, chain_id, admin) for admin in admins]
        action = set_quota(new_salt(), client, packets, payload_bytes)
        await approve(hub, chain, transactors, action)
