"""`hutong hub code`, `set-code`, `name-deployer`, `name-contract`: who may run code on the hub, read and changed by its
admins."""

import json
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.hub_trust import approve
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubAdminPasswordFiles, HubAdmins, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import address_of, admins_of, config_of, hub_of, run_administration
from hutong.relay.config import HubChainConfig

if TYPE_CHECKING:
    from hutong.adapters.hub.code import NamedCode


Account = Annotated[str, typer.Argument(metavar="ADDRESS")]
Remove = Annotated[bool, typer.Option("--remove", help="Take the name back.")]
Open = Annotated[
    bool, typer.Option("--open/--closed", help="Everybody runs code, or named accounts and contracts alone.")
]


def code(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """Who may create and call contracts on the hub: everybody, or the named accounts and contracts that it lists.

    Exit codes: 0 answered, 1 the hub did not answer, 2 unusable input.
    """
    found = run_administration(partial(_read, hub_of(config_of(config), hub)))
    contracts = {f"0x{one.hex()}": None if by is None else f"0x{by.hex()}" for one, by in found.contracts.items()}
    deployers = [f"0x{one.hex()}" for one in found.deployers]
    if not found.is_complete:
        listed = len(found.deployers) + len(found.contracts)
        typer.echo(f"the hub has more names than the {listed} that are listed here", err=True)
    if as_json:
        typer.echo(json.dumps({"open": found.is_open, "deployers": deployers, "contracts": contracts}))
        return
    typer.echo("everybody runs code" if found.is_open else "named accounts and contracts alone run code")
    for account in deployers:
        typer.echo(f"deployer {account}")
    for contract, deployer in contracts.items():
        typer.echo(f"contract {contract} {f'of {deployer}' if deployer else 'named by decision'}")


def set_code(
    config: ConfigFile,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    is_open: Open,
    hub: HubName = None,
) -> None:
    """Open the hub's machine to everybody's code or close it, from the next block on, by as many admins as the hub asks for."""
    from hutong.adapters.hub.admin import set_code_open

    act(config, hub_admin, hub_admin_password_file, hub, set_code_open(new_salt(), is_open))
    typer.echo("everybody runs code" if is_open else "named accounts and contracts alone run code")


def name_deployer(
    config: ConfigFile,
    account: Account,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    remove: Remove = False,
    hub: HubName = None,
) -> None:
    """Let an account create contracts on the hub: what it creates is named, so that everybody may call it."""
    from hutong.adapters.hub.admin import name_deployer as named

    address = address_of(account, "ADDRESS")
    act(config, hub_admin, hub_admin_password_file, hub, named(new_salt(), address, not remove))
    typer.echo(f"0x{address.hex()} {'no longer creates' if remove else 'creates'} contracts")


def name_contract(
    config: ConfigFile,
    contract: Account,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    remove: Remove = False,
    hub: HubName = None,
) -> None:
    """Let a contract of the hub be called, or no more."""
    from hutong.adapters.hub.admin import name_contract as named

    address = address_of(contract, "ADDRESS")
    act(config, hub_admin, hub_admin_password_file, hub, named(new_salt(), address, not remove))
    typer.echo(f"0x{address.hex()} {'is no longer called' if remove else 'may be called'}")


def schedule_rules(
    config: ConfigFile,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    version: Annotated[int | None, typer.Option(min=1, max=2**31, help="The rules version from then on.")] = None,
    height: Annotated[int | None, typer.Option(min=1, max=2**63 - 1, help="The block's height.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what was scheduled.")] = False,
    hub: HubName = None,
) -> None:
    """Schedule a new rules version from a block on, by the hub's admins (from rules version 2 on). Nodes whose software lacks it
    halt before that block."""
    from hutong.adapters.hub.admin import schedule_rules as scheduled

    if withdraw == (version is not None and height is not None):
        raise Refused("give --version and --height, or --withdraw", UNUSABLE)
    action = scheduled(new_salt(), 0 if withdraw else version or 0, 0 if withdraw else height or 0)
    act(config, hub_admin, hub_admin_password_file, hub, action)
    typer.echo("no rules version is coming" if withdraw else f"rules version {version} from block {height} on")


def act(
    config: ConfigFile, keystores: HubAdmins, password_files: HubAdminPasswordFiles, hub: HubName, action: bytes
) -> None:
    """Let the admins approve and execute an action, with proofs where a genesis is trusted.

    Args:
        action: encoded, with a salt of its own.

    Raises:
        Refused: code 2, an option is unusable; code 1, the hub refused it.
    """
    hub_chain = hub_of(config_of(config), hub)
    admins = admins_of(keystores, password_files)

    async def decide(random: Random) -> None:
        from hutong.adapters.ics26.transactor import Transactor

        async with open_hub(hub_chain, random) as chain:
            chain_id = await chain.eth_chain_id()
            transactors = [Transactor(chain.execution, chain_id, admin) for admin in admins]
            await approve(hub_chain, chain, transactors, action)

    run_administration(decide)


async def _read(hub: HubChainConfig, random: Random) -> "NamedCode":
    from hutong.adapters.hub.code import named_code

    async with open_hub(hub, random) as chain:
        return await named_code(chain.execution)
