"""`hutong path`: two chains that hold light clients of each other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Annotated

import typer

from relay.cli.session import (
    AsJson,
    ConfigFile,
    HubAdminPasswordFiles,
    HubAdmins,
    Keystore,
    PasswordEnv,
    PasswordFile,
    admins_of,
    config_of,
    evm_chain_of,
    hub_of,
    new_salt,
    run_administration,
    signer_of,
)
from relay.config import EvmChainConfig, HubChainConfig
from relay.keys import Signer

app = typer.Typer(help="Paths between chains.", no_args_is_help=True, rich_markup_mode=None)

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Trust:
    """Parameters of both new clients."""

    trusting_period_s: int
    unbonding_period_s: int
    max_clock_drift_s: int


@app.callback()
def _group() -> None:
    """Keep `create` a subcommand, also while it is the only one."""


@app.command()
def create(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the EVM chain in the configuration.")],
    keystore: Keystore,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    hub: Annotated[str | None, typer.Option(help="Name of the hub; unneeded if there is one.")] = None,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    mailbox: Annotated[
        str | None, typer.Option(help="Mailbox that shall accept forwarded messages over the path.")
    ] = None,
    trusting_period_s: Annotated[int, typer.Option(min=1)] = 7 * DAY_S,
    unbonding_period_s: Annotated[
        int, typer.Option(min=2, help="How long a removed hub validator stays accountable.")
    ] = 21 * DAY_S,
    max_clock_drift_s: Annotated[int, typer.Option(min=1)] = 15,
    as_json: AsJson = False,
) -> None:
    """Create the hub's client of the chain and the chain's client of the hub, each as the other's counterparty.

    Prints the `[[paths]]` entry for the relay's configuration.
    """
    loaded = config_of(config)
    evm, hub_chain = evm_chain_of(loaded, chain), hub_of(loaded, hub)
    owner = signer_of(keystore, password_file, password_env)
    admins = admins_of(hub_admin, hub_admin_password_file)
    trust = Trust(trusting_period_s, unbonding_period_s, max_clock_drift_s)
    on_chain, on_hub = run_administration(partial(_create, evm, hub_chain, owner, admins, trust, mailbox))
    if as_json:
        ends = {"chain": evm.name, "client": on_chain}, {"chain": hub_chain.name, "client": on_hub}
        typer.echo(json.dumps({"a": ends[0], "b": ends[1]}))
        return
    typer.echo(
        "[[paths]]\n"
        f'a = {{ chain = "{evm.name}", client = "{on_chain}" }}\n'
        f'b = {{ chain = "{hub_chain.name}", client = "{on_hub}" }}'
    )


async def _create(
    evm: EvmChainConfig,
    hub: HubChainConfig,
    owner: Signer,
    admins: Sequence[Signer],
    trust: Trust,
    mailbox: str | None,
    random: Random,
) -> tuple[str, str]:
    """(client on the chain, client on the hub)."""
    from eth_utils.address import to_canonical_address

    from adapters.evm.chain import EvmChain
    from adapters.evm.deploy import add_client, deploy_hub_client, set_hub_client
    from adapters.hub import HubChain
    from adapters.hub.admin import approve_and_execute, create_client, created_client, register_counterparty
    from adapters.ics26.transactor import Transactor
    from adapters.interface import ClientParameters
    from adapters.rpc import all_of
    from relay.core.chains import open_chain

    parameters = ClientParameters(trust.trusting_period_s, trust.max_clock_drift_s, trust.unbonding_period_s)
    async with open_chain(evm, random) as chain, open_chain(hub, random) as hub_chain:
        if not isinstance(chain, EvmChain) or not isinstance(hub_chain, HubChain):
            raise TypeError("an EVM chain and a hub")
        await chain.check_identity()
        await hub_chain.check_identity()
        hub_evm_id = await hub_chain.eth_chain_id()
        transactors = [Transactor(hub_chain.execution, hub_evm_id, admin) for admin in admins]
        owning = Transactor(chain.execution, evm.chain_id, owner)
        router = to_canonical_address(evm.router)

        ids: dict[str, str] = {}
        contracts: dict[str, bytes] = {}

        async def open_on_hub(client_type: str) -> None:
            states = await chain.initial_states(client_type, parameters)
            action = create_client(new_salt(), states.client_type, states.client_state, states.consensus_state)
            ids["hub"] = created_client(await approve_and_execute(transactors, hub.chain_id, action))

        async def deploy_on_chain(client_type: str) -> None:
            states = await hub_chain.initial_states(client_type, parameters)
            contracts["client"] = await deploy_hub_client(owning, states)

        await all_of([(open_on_hub, "bft-evm"), (deploy_on_chain, "07-tendermint")])
        on_hub = ids["hub"]
        on_chain = await add_client(owning, router, contracts["client"], on_hub, hub_chain.merkle_prefix)

        async def register_on_hub(client_id: str) -> None:
            action = register_counterparty(new_salt(), on_hub, client_id, chain.merkle_prefix)
            await approve_and_execute(transactors, hub.chain_id, action)

        async def listen_on_chain(client_id: str) -> None:
            if mailbox is not None:
                await set_hub_client(owning, to_canonical_address(mailbox), client_id)

        await all_of([(register_on_hub, on_chain), (listen_on_chain, on_chain)])
    return on_chain, on_hub
