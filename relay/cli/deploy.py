"""`hutong deploy`: the contracts onto an EVM chain."""

import json
from dataclasses import asdict
from functools import partial
from random import Random
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from relay.cli.session import (
    UNUSABLE,
    AsJson,
    Keystore,
    PasswordEnv,
    PasswordFile,
    refuse,
    run_administration,
    signer_of,
)
from relay.keys import Signer

app = typer.Typer(rich_markup_mode=None)

MAX_MIGRATION_DELAY_S = 30 * 86_400
"""A client that cannot be replaced for longer is a bridge that stands still."""


@app.command()
def deploy(
    rpc: Annotated[str, typer.Option(help="JSON-RPC endpoint of the chain.")],
    chain_id: Annotated[int, typer.Option(help="EIP-155 id that the endpoint must have.", min=1)],
    keystore: Keystore,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    forward_margin_s: Annotated[
        int, typer.Option(help="How much earlier a forwarded message's first leg times out than its second.", min=1)
    ] = 600,
    open_relaying: Annotated[
        bool, typer.Option("--open-relaying/--relayer-role", help="Whether everyone may relay, or holders of the role.")
    ] = True,
    migration_delay_s: Annotated[
        int,
        typer.Option(
            help="Seconds between the decision to put another contract behind a broken client, and its effect; 0 is for "
            "development chains.",
            min=0,
            max=MAX_MIGRATION_DELAY_S,
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Deploy AccessManager, Router, Mailbox and Transfer. The account becomes administrator of the AccessManager."""
    if urlsplit(rpc).scheme not in ("http", "https"):
        raise refuse("--rpc must be a URL that starts with http:// or https://", UNUSABLE)
    signer = signer_of(keystore, password_file, password_env)
    options = {
        "forward_margin_s": forward_margin_s,
        "open_relaying": open_relaying,
        "migration_delay_s": migration_delay_s,
    }
    deployment = run_administration(partial(_deploy, rpc, chain_id, signer, options))
    if as_json:
        typer.echo(json.dumps(deployment))
        return
    for name, value in deployment.items():
        typer.echo(f"{name} = {value if isinstance(value, int) else json.dumps(value)}")


async def _deploy(
    rpc: str, chain_id: int, signer: Signer, options: dict[str, Any], random: Random
) -> dict[str, str | int]:
    from adapters.evm.deploy import deploy as deploy_contracts
    from adapters.evm.submit import evm_reverts
    from adapters.ics26.execution import ExecutionRpc, identify_execution
    from adapters.ics26.transactor import Transactor
    from adapters.rpc import RpcOptions, open_rpc_client

    identify = partial(identify_execution, chain_id=chain_id)
    async with open_rpc_client("chain", (rpc,), random, RpcOptions(), identify) as client:
        transactor = Transactor(ExecutionRpc(client, evm_reverts()), chain_id, signer)
        deployment = await deploy_contracts(transactor, **options)
    return asdict(deployment)
