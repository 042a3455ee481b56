"""`hutong client create`: a client on the hub from states that were made elsewhere, for chains that no adapter
follows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from hutong.light_clients.interface import LightClient, VerificationError
from hutong.relay.administration.hub_trust import approve
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.options import ConfigFile, HubAdminPasswordFiles, HubAdmins, HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import admins_of, config_of, hub_of, run_administration
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer
from hutong.relay.verify.inputs import UnusableInput, parse_hex, read_file


@dataclass(frozen=True, slots=True)
class NewClient:
    """What the admins decide: a client of that type, and who is at its other end."""

    client_type: str
    client_state: bytes
    consensus_state: bytes
    counterparty: str | None
    merkle_prefix: tuple[bytes, ...]


def create(
    config: ConfigFile,
    client_type: Annotated[str, typer.Option("--type", help="Type of the client, such as bitcoin.")],
    client_state: Annotated[Path, typer.Option(help="File with its client state, raw or hex.")],
    consensus_state: Annotated[Path, typer.Option(help="File with the consensus state that it starts from.")],
    counterparty: Annotated[
        str | None, typer.Option(help="Client at the other end, registered for ever; without it no packets yet.")
    ] = None,
    merkle_prefix: Annotated[
        list[str], typer.Option(help="Element of the other end's key prefix, hex; without it one empty element.")
    ] = [],  # noqa: B006  typer reads it
    hub_admin: HubAdmins = [],  # noqa: B006
    hub_admin_password_file: HubAdminPasswordFiles = [],  # noqa: B006
    hub: HubName = None,
) -> None:
    """Create a client on the hub from two states, judged here first by the client's own rules: exit code 1 if they are refused."""
    loaded = config_of(config)
    if not hub_admin:
        raise Refused("clients on the hub are made by its admins: give --hub-admin", UNUSABLE)
    prefix = tuple(parse_hex(element, "--merkle-prefix") for element in merkle_prefix) or (b"",)
    states = read_state(client_state), read_state(consensus_state)
    _judge(client_type, *states)
    new = NewClient(client_type, *states, counterparty, prefix)
    admins = admins_of(hub_admin, hub_admin_password_file)
    client_id = run_administration(partial(_create, hub_of(loaded, hub), new, admins))
    typer.echo(client_id)


def read_state(path: Path) -> bytes:
    """The bytes of a state: the file's, or those that its hex stands for (white space around it is dropped).

    Raises:
        UnusableInput: the file cannot be read, or is empty or too long.
    """
    data = read_file(path)
    try:
        return parse_hex(data.decode("ascii").strip(), str(path))
    except (UnicodeDecodeError, UnusableInput):
        return data


def _judge(client_type: str, client_state: bytes, consensus_state: bytes) -> None:
    from hutong.light_clients.table import light_client

    try:
        client: LightClient = light_client(client_type)
        client.create(client_state, consensus_state, time.time_ns())
    except VerificationError as error:
        raise Refused(f"no client of type {client_type} begins with these states: {error}", REFUSED) from None


async def _create(hub: HubChainConfig, new: NewClient, admins: Sequence[Signer], random: Random) -> str:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.admin import create_client, created_client, register_counterparty
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(hub, random) as chain:
        if not isinstance(chain, HubChain):
            raise TypeError("a hub")
        await chain.check_identity()
        chain_id = await chain.eth_chain_id()
        transactors = [Transactor(chain.execution, chain_id, admin) for admin in admins]
        creation = create_client(new_salt(), new.client_type, new.client_state, new.consensus_state)
        client_id = created_client(await approve(hub, chain, transactors, creation))
        if new.counterparty is not None:
            action = register_counterparty(new_salt(), client_id, new.counterparty, new.merkle_prefix)
            await approve(hub, chain, transactors, action)
        return client_id
