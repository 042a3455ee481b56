"""`hutong peer`: whom a Mailbox listens to."""

import json
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Annotated

import typer

from hutong.relay.cli.common.session import (
    AsJson,
    ConfigFile,
    DecideAs,
    Keystore,
    PasswordEnv,
    PasswordFile,
    address_of,
    config_of,
    evm_chain_of,
    hub_of,
    run_administration,
    signer_of,
)
from hutong.relay.config import EvmChainConfig, HubChainConfig
from hutong.relay.keys import Signer

app = typer.Typer(add_completion=False, help="Peers of a Mailbox.", no_args_is_help=True, rich_markup_mode=None)

ALREADY = " already; nothing was sent"
MAX_SHOWN = 32

PeerName = Annotated[str, typer.Option(help="Name that receivers see as the message's chain.")]


@dataclass(frozen=True, slots=True)
class _Change:
    """What `mailbox` of a chain shall call messages from behind the hub's client; an empty name is no peer."""

    evm: EvmChainConfig
    mailbox: bytes
    hub_client: str
    name: str


@app.command()
def add(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the EVM chain in the configuration.")],
    mailbox: Annotated[str, typer.Option(help="Address of its Mailbox.")],
    hub_client: Annotated[str, typer.Option(help="The hub's client of the remote chain, e.g. bft-evm-1.")],
    name: PeerName,
    keystore: Keystore,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    decide_as: DecideAs = None,
    hub: Annotated[str | None, typer.Option(help="Name of the hub; unneeded if there is one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Accept messages that the hub forwards from the chain behind one of its clients.

    The client must exist on the hub, where the configuration has one. Once the peer is set the command says so and sends
    nothing.
    """
    loaded = config_of(config)
    evm = evm_chain_of(loaded, chain)
    asked = None
    if hub is not None or any(isinstance(each, HubChainConfig) for each in loaded.chains):
        asked = hub_of(loaded, hub)
    else:
        typer.echo(f"the configuration has no hub: whether it has a client {hub_client} is not looked at", err=True)
    signer = signer_of(keystore, password_file, password_env)
    change = _Change(evm, address_of(mailbox, "--mailbox"), hub_client, name)
    sent = run_administration(partial(_set_peer, change, asked, signer, _account(decide_as)), as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"chain": chain, "mailbox": mailbox, "hub_client": hub_client, "name": name}))
        return
    typer.echo(f"{chain} listens to {name} ({hub_client}){'' if sent else ALREADY}")


@app.command()
def remove(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the EVM chain in the configuration.")],
    mailbox: Annotated[str, typer.Option(help="Address of its Mailbox.")],
    hub_client: Annotated[str, typer.Option(help="The hub's client of the remote chain.")],
    keystore: Keystore,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    decide_as: DecideAs = None,
) -> None:
    """Listen no longer."""
    evm = evm_chain_of(config_of(config), chain)
    signer = signer_of(keystore, password_file, password_env)
    change = _Change(evm, address_of(mailbox, "--mailbox"), hub_client, "")
    sent = run_administration(partial(_set_peer, change, None, signer, _account(decide_as)))
    typer.echo(f"{chain} no longer listens to {hub_client}{'' if sent else ALREADY}")


def _account(decide_as: str | None) -> bytes | None:
    return None if decide_as is None else address_of(decide_as, "--decide-as")


async def _set_peer(
    change: _Change, hub: HubChainConfig | None, signer: Signer, decides_as: bytes | None, random: Random
) -> bool:
    """False where the Mailbox has it so already, whoever made the call: a multisig sends its own."""
    from eth_utils.address import to_checksum_address

    from hutong.adapters.evm.administration.deciding import Deciding
    from hutong.adapters.evm.administration.deploy import forwarded_peer, require_contract, set_forwarded_peer
    from hutong.adapters.evm.administration.transfer import hub_client_of
    from hutong.adapters.interface import RefusedByChain
    from hutong.light_clients.ibc.identifiers import check_client_id
    from hutong.relay.core.topology.chains import open_chain

    check_client_id(change.hub_client)
    if hub is not None:
        await _require_client(hub, change.hub_client, random)
    async with open_chain(change.evm, random) as chain:
        await chain.check_identity()
        transactor = Deciding(chain.execution, change.evm.chain_id, signer, decides_as)
        await require_contract(transactor, change.mailbox)
        if not await hub_client_of(chain.execution, change.mailbox):
            mailbox = to_checksum_address(change.mailbox)
            raise RefusedByChain(
                "NotHubClient",
                f"the Mailbox {mailbox} has no client of a hub yet: run hutong path create --chain {change.evm.name}"
                f" --mailbox {mailbox} first, and this command once what that decided has taken effect",
            )
        if await forwarded_peer(chain.execution, change.mailbox, change.hub_client) == change.name:
            return False
        await set_forwarded_peer(transactor, change.mailbox, change.hub_client, change.name)
        return True


async def _require_client(config: HubChainConfig, client_id: str, random: Random) -> None:
    """A Mailbox would listen to any identifier: to nobody, or to whoever gets it later."""
    from hutong.adapters.hub import HubChain
    from hutong.adapters.interface import RefusedByChain, UnknownClient
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(config, random) as hub:
        assert isinstance(hub, HubChain)
        await hub.check_identity()
        try:
            await hub.client(client_id)
        except UnknownClient:
            known = await hub.client_ids()
            shown = ", ".join(known[:MAX_SHOWN]) + (
                f" and {len(known) - MAX_SHOWN} more" if len(known) > MAX_SHOWN else ""
            )
            raise RefusedByChain(
                "UnknownClient",
                f"{config.name} has no client {client_id}; it has {shown or 'none'}. Take the one that hutong path create of"
                " the remote chain printed",
            ) from None
