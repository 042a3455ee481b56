"""`hutong deploy`: the contracts onto an EVM chain, and every role to the account that shall hold it."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from hutong.contracts.apps import App, in_creation_order
from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.cli.chains.role_options import RoleOptions
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.common.signers import SignerOptions

app = command_group()


@app.command()
def deploy(
    rpc: Annotated[str, typer.Option(help="JSON-RPC endpoint of the chain.")],
    chain_id: Annotated[int, typer.Option(help="EIP-155 id that the endpoint must have.", min=1)],
    out: Annotated[
        Path | None,
        typer.Option(
            help="New file for what then stands, for `hutong roles check`. A run that broke off goes on from it."
        ),
    ] = None,
    forward_margin_s: Annotated[
        int, typer.Option(help="How much earlier a forwarded message's first leg times out than its second.", min=1)
    ] = 600,
    app: Annotated[
        list[App] | None, typer.Option(help="An application as well, on its port where it has one; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
    roles: RoleOptions,
) -> None:
    """Deploy AccessManager, Router, Mailbox and Transfer, applications that are asked for, and hand every role to the
    account that is named for it.

    The deployer keeps nothing. Ports, roles, delays and its renunciation are one transaction.
    """
    from hutong.adapters.evm.administration.deploy import ContractOrder
    from hutong.relay.administration.evm.deployment import DeploymentOrder
    from hutong.relay.administration.evm.deployment import deploy as act

    if urlsplit(rpc).scheme not in ("http", "https"):
        raise Refused("--rpc must be a URL that starts with http:// or https://", UNUSABLE)
    signer = payer.open()
    plan = roles.plan(signer, out)
    contracts = ContractOrder(forward_margin_s, plan, in_creation_order(app or ()))
    order = DeploymentOrder(rpc, chain_id, contracts, out)
    deployment, text = run_administration(partial(act, order, signer, partial(typer.echo, err=True)))
    if out is not None:
        _publish(out, text)
    if as_json:
        typer.echo(json.dumps(deployment.fields()))
        return
    for name, value in deployment.fields().items():
        typer.echo(f"{name} = {value if isinstance(value, int) else json.dumps(value)}")


def _publish(out: Path, text: str) -> None:
    """The finished file first, then the journal's end: a crash between leaves both, and the next run says so."""
    from hutong.relay.administration.evm.deployment_journal import journal_of

    try:
        create_durably(out, text.encode(), READABLE)
        journal_of(out).unlink(missing_ok=True)
    except OSError as error:
        typer.echo(text)
        raise Refused(
            f"{out}: {error.strerror or error}; the contracts are deployed, and the file's text is above", REFUSED
        ) from None
