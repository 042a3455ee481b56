"""`hutong peer`: whom a Mailbox listens to."""

import json
from functools import partial
from random import Random
from typing import Annotated

import typer

from relay.cli.session import (
    AsJson,
    ConfigFile,
    DecideAs,
    Keystore,
    PasswordEnv,
    PasswordFile,
    address_of,
    config_of,
    evm_chain_of,
    run_administration,
    signer_of,
)
from relay.config import EvmChainConfig
from relay.keys import Signer

app = typer.Typer(add_completion=False, help="Peers of a Mailbox.", no_args_is_help=True, rich_markup_mode=None)

PeerName = Annotated[str, typer.Option(help="Name that receivers see as the message's chain.")]


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
    as_json: AsJson = False,
) -> None:
    """Accept messages that the hub forwards from the chain behind one of its clients."""
    evm = evm_chain_of(config_of(config), chain)
    signer = signer_of(keystore, password_file, password_env)
    run_administration(
        partial(_set_peer, evm, address_of(mailbox, "--mailbox"), hub_client, name, signer, _account(decide_as))
    )
    if as_json:
        typer.echo(json.dumps({"chain": chain, "mailbox": mailbox, "hub_client": hub_client, "name": name}))
        return
    typer.echo(f"{chain} listens to {name} ({hub_client})")


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
    run_administration(
        partial(_set_peer, evm, address_of(mailbox, "--mailbox"), hub_client, "", signer, _account(decide_as))
    )
    typer.echo(f"{chain} no longer listens to {hub_client}")


def _account(decide_as: str | None) -> bytes | None:
    return None if decide_as is None else address_of(decide_as, "--decide-as")


async def _set_peer(
    evm: EvmChainConfig,
    mailbox: bytes,
    hub_client: str,
    name: str,
    signer: Signer,
    decides_as: bytes | None,
    random: Random,
) -> None:
    from adapters.evm.deciding import Deciding
    from adapters.evm.deploy import set_forwarded_peer
    from relay.core.chains import open_chain

    async with open_chain(evm, random) as chain:
        await chain.check_identity()
        transactor = Deciding(chain.execution, evm.chain_id, signer, decides_as)
        await set_forwarded_peer(transactor, mailbox, hub_client, name)
