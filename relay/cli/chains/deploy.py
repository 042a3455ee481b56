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
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import (
    AsJson,
    Keystore,
    PasswordEnv,
    PasswordFile,
    address_of,
    run_administration,
    signer_of,
)
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.deploy import Deployment
    from hutong.adapters.evm.administration.role_plan import RolePlan
    from hutong.adapters.ics26.transactor import Transactor

app = command_group()

DEFAULT_DELAY_S = 3_600
"""Of what limiters and unpausers decide, off development chains."""


@dataclass(frozen=True, slots=True)
class _Order:
    rpc: str
    chain_id: int
    forward_margin_s: int
    plan: "RolePlan"
    out: Path | None


Accounts = Annotated[list[str], typer.Option()]


def _accounts(name: str, does: str) -> object:
    return typer.Option(f"--{name}", help=f"EIP-55 address that {does}; may be repeated.")


@app.command()
def deploy(
    rpc: Annotated[str, typer.Option(help="JSON-RPC endpoint of the chain.")],
    chain_id: Annotated[int, typer.Option(help="EIP-155 id that the endpoint must have.", min=1)],
    keystore: Keystore,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    admin: Annotated[
        str | None, typer.Option(help="EIP-55 address that decides over clients, peers and roles: a multisig.")
    ] = None,
    pauser: Annotated[list[str], _accounts("pauser", "pauses at once, and cancels what waits for its delay")] = [],  # noqa: B006
    unpauser: Annotated[list[str], _accounts("unpauser", "ends a pause")] = [],  # noqa: B006
    limiter: Annotated[list[str], _accounts("limiter", "sets what may move of a token")] = [],  # noqa: B006
    migrator: Annotated[list[str], _accounts("migrator", "puts a substitute behind a frozen or expired client")] = [],  # noqa: B006
    relayer: Annotated[list[str], _accounts("relayer", "may relay; without any, everyone may")] = [],  # noqa: B006
    admin_delay_s: Annotated[
        int | None, typer.Option(help="Between the admin's decision and its effect; not below --migration-delay-s.")
    ] = None,
    migration_delay_s: Annotated[
        int | None, typer.Option(help="Between a migrator's decision and its effect, in which pausers can cancel it.")
    ] = None,
    limiter_delay_s: Annotated[int | None, typer.Option(help="Of limiters; an hour unless given.", min=0)] = None,
    unpauser_delay_s: Annotated[int | None, typer.Option(help="Of unpausers; an hour unless given.", min=0)] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="New file for what then stands, for `hutong roles check`. A run that broke off goes on from it."
        ),
    ] = None,
    forward_margin_s: Annotated[
        int, typer.Option(help="How much earlier a forwarded message's first leg times out than its second.", min=1)
    ] = 600,
    development: Annotated[
        bool,
        typer.Option("--development", help="The deployer keeps every role, without delays: chains of no value alone."),
    ] = False,
    relayer_role: Annotated[
        bool, typer.Option("--relayer-role", help="With --development: only holders of the role may relay.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy AccessManager, Router, Mailbox and Transfer, and hand every role to the account that is named for it.

    The deployer keeps nothing. Ports, roles, delays and its renunciation are one transaction.
    """
    if urlsplit(rpc).scheme not in ("http", "https"):
        raise Refused("--rpc must be a URL that starts with http:// or https://", UNUSABLE)
    signer = signer_of(keystore, password_file, password_env)
    named = {
        "admin": [] if admin is None else [admin],
        "pauser": pauser,
        "unpauser": unpauser,
        "limiter": limiter,
        "migrator": migrator,
        "relayer": relayer,
    }
    delays = {
        "admin": admin_delay_s,
        "migration": migration_delay_s,
        "limiter": limiter_delay_s,
        "unpauser": unpauser_delay_s,
    }
    plan = _plan(signer, named, delays, development=development, relayer_role=relayer_role, out=out)
    order = _Order(rpc, chain_id, forward_margin_s, plan, out)
    deployment, text = run_administration(partial(_deploy, order, signer))
    if out is not None:
        _publish(out, text)
    if as_json:
        typer.echo(json.dumps(asdict(deployment)))
        return
    for name, value in asdict(deployment).items():
        typer.echo(f"{name} = {value if isinstance(value, int) else json.dumps(value)}")


def _plan(
    signer: Signer,
    named: dict[str, list[str]],
    delays: dict[str, int | None],
    *,
    development: bool,
    relayer_role: bool,
    out: Path | None,
) -> "RolePlan":
    """Refused where roles or delays are none that a chain should begin with."""
    from eth_utils.address import to_checksum_address

    from hutong.adapters.evm.administration.role_plan import Delays, RolePlan, UnsafePlan

    deployer = str(to_checksum_address(signer.address))
    if development:
        if any(named.values()) or any(delay is not None for delay in delays.values()) or out is not None:
            raise Refused("--development gives every role to the deployer: name none, and no delay or --out", UNUSABLE)
        return RolePlan.of_developer(deployer, open_relaying=not relayer_role)
    if relayer_role:
        raise Refused("--relayer-role goes with --development; name the accounts with --relayer", UNUSABLE)
    accounts = {name: tuple(_account(text, f"--{name}") for text in texts) for name, texts in named.items()}
    missing = [f"--{name}" for name, members in accounts.items() if not members and name != "relayer"]
    missing += [f"--{name}-delay-s" for name in ("admin", "migration") if delays[name] is None]
    missing += ["--out"] if out is None else []
    if missing:
        raise Refused(
            f"missing: {', '.join(missing)}. The deployer keeps nothing, so each role needs an account of its own; a chain that"
            " holds nothing of value takes --development instead",
            UNUSABLE,
        )
    if out is not None and out.exists():
        raise Refused(f"{out} exists; give the contracts of a new chain a new file", UNUSABLE)
    limiter_s, unpauser_s = delays["limiter"], delays["unpauser"]
    plan = RolePlan(
        accounts["admin"][0],
        accounts["pauser"],
        accounts["unpauser"],
        accounts["limiter"],
        accounts["migrator"],
        accounts["relayer"] or None,
        Delays(
            delays["admin"] or 0,
            delays["migration"] or 0,
            DEFAULT_DELAY_S if limiter_s is None else limiter_s,
            DEFAULT_DELAY_S if unpauser_s is None else unpauser_s,
        ),
    )
    try:
        plan.check(deployer)
    except UnsafePlan as error:
        raise Refused(f"{error.rule}: {error.remedy}", UNUSABLE) from None
    return plan


def _account(text: str, option: str) -> str:
    """With its checksum: a role that goes to a mistyped address is nobody's for ever."""
    from eth_utils.address import is_checksum_address, to_checksum_address

    address = address_of(text, option)
    if not is_checksum_address(text):
        raise Refused(
            f"{option}: write {to_checksum_address(address)}, if that is it: roles need the checksum", UNUSABLE
        )
    return text


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
    from hutong.relay.cli.chains.roles_file import encode_rights

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
