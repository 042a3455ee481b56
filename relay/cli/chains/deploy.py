"""`hutong deploy`: the contracts onto an EVM chain, and every role to the account that shall hold it."""

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.cli.chains.deployment_journal import Undertaking, begun, journal_of
from hutong.relay.cli.chains.role_options import RoleOptions
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.deploy import Deployment
    from hutong.adapters.evm.administration.role_plan import RolePlan
    from hutong.adapters.ics26.transactor import Transactor

app = command_group()


@dataclass(frozen=True, slots=True)
class _Order:
    rpc: str
    chain_id: int
    forward_margin_s: int
    plan: "RolePlan"
    out: Path | None


@app.command()
@grouped
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
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
    roles: RoleOptions,
) -> None:
    """Deploy AccessManager, Router, Mailbox and Transfer, and hand every role to the account that is named for it.

    The deployer keeps nothing. Ports, roles, delays and its renunciation are one transaction.
    """
    if urlsplit(rpc).scheme not in ("http", "https"):
        raise Refused("--rpc must be a URL that starts with http:// or https://", UNUSABLE)
    signer = payer.open()
    plan = roles.plan(signer, out)
    order = _Order(rpc, chain_id, forward_margin_s, plan, out)
    deployment, text = run_administration(partial(_deploy, order, signer))
    if out is not None:
        _publish(out, text)
    if as_json:
        typer.echo(json.dumps(asdict(deployment)))
        return
    for name, value in asdict(deployment).items():
        typer.echo(f"{name} = {value if isinstance(value, int) else json.dumps(value)}")


def _publish(out: Path, text: str) -> None:
    """The finished file first, then the journal's end: a crash between leaves both, and the next run says so."""
    try:
        create_durably(out, text.encode(), READABLE)
        journal_of(out).unlink(missing_ok=True)
    except OSError as error:
        typer.echo(text)
        raise Refused(
            f"{out}: {error.strerror or error}; the contracts are deployed, and the file's text is above", REFUSED
        ) from None


async def _deploy(order: _Order, signer: Signer, random: Random) -> "tuple[Deployment, str]":
    from hutong.adapters.evm.submit import evm_reverts
    from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.adapters.rpc import RpcOptions, open_rpc_client

    identify = partial(identify_execution, chain_id=order.chain_id)
    async with open_rpc_client("chain", (order.rpc,), random, RpcOptions(), identify) as client:
        transactor = Transactor(ExecutionRpc(client, evm_reverts()), order.chain_id, signer)
        return await _undertake(transactor, order)


async def _undertake(transactor: "Transactor", order: _Order) -> "tuple[Deployment, str]":
    """The deployment, and the text of its roles file: what the chain says stands, which is what was asked for."""
    from eth_utils.address import to_canonical_address

    from hutong.adapters.evm.administration.deploy import Beginning, addresses_from, deploy_with_roles
    from hutong.adapters.evm.administration.rights import differences
    from hutong.adapters.evm.administration.rights_reading import read_rights
    from hutong.adapters.interface import RefusedByChain
    from hutong.relay.administration.roles_file import encode_rights

    beginning = await Beginning.now(transactor)
    if order.out is not None:
        address = transactor.signer.address
        undertaking = Undertaking(order.chain_id, address, order.forward_margin_s, order.plan, beginning)
        beginning = begun(journal_of(order.out), undertaking)

    def tell(sentence: str) -> None:
        if order.out is not None:
            typer.echo(sentence, err=True)

    deployment = await deploy_with_roles(transactor, order.forward_margin_s, order.plan, beginning, tell)
    if order.out is None:
        return deployment, ""
    named = {name: address for name, address in asdict(deployment).items() if name != "height"}
    wanted = order.plan.rights(order.chain_id, deployment.height, named)
    deployer = bytes(to_canonical_address(transactor.signer.address))
    contracts = addresses_from(deployer, beginning.nonce)
    found = await read_rights(transactor.execution, order.chain_id, contracts, deployment.height)
    wrong = differences(wanted, found)
    if wrong:
        raise RefusedByChain("roles differ", "; ".join(map(str, wrong)))
    return deployment, encode_rights(found)
