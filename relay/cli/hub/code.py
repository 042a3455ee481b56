"""`hutong hub code`, `set-code`, `name-deployer`, `name-contract`: who may run code on the hub, read and changed by its
admins."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.admin_options import AdminDecision
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration

Account = Annotated[str, typer.Argument(metavar="ADDRESS")]
Remove = Annotated[bool, typer.Option("--remove", help="Take the name back.")]
Height = Annotated[int | None, typer.Option(min=1, max=2**63 - 1, help="The block's height.")]
Withdraw = Annotated[bool, typer.Option("--withdraw", help="Take back what was scheduled.")]
Open = Annotated[
    bool, typer.Option("--open/--closed", help="Everybody runs code, or named accounts and contracts alone.")
]


def code(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """Who may create and call contracts on the hub: everybody, or the named accounts and contracts that it lists.

    Exit codes: 0 answered, 1 the hub did not answer, 2 unusable input.
    """
    from hutong.relay.administration.hub.records import named_code_fields, read_named_code

    found = run_administration(partial(read_named_code, hub_of(config_of(config), hub)))
    fields = named_code_fields(found)
    if not found.is_complete:
        listed = len(found.deployers) + len(found.contracts)
        typer.echo(f"the hub has more names than the {listed} that are listed here", err=True)
    if as_json:
        typer.echo(json.dumps(fields))
        return
    typer.echo("everybody runs code" if found.is_open else "named accounts and contracts alone run code")
    for account in fields["deployers"]:
        typer.echo(f"deployer {account}")
    for contract, deployer in fields["contracts"].items():
        typer.echo(f"contract {contract} {f'of {deployer}' if deployer else 'named by decision'}")


def set_code(is_open: Open, *, admins: AdminDecision) -> None:
    """Open the hub's machine to everybody's code or close it, from the next block on, by as many admins as the hub asks for."""
    from hutong.adapters.hub.admin import set_code_open

    admins.decide(set_code_open(new_salt(), is_open))
    typer.echo("everybody runs code" if is_open else "named accounts and contracts alone run code")


def name_deployer(account: Account, remove: Remove = False, *, admins: AdminDecision) -> None:
    """Let an account create contracts on the hub: what it creates is named, so that everybody may call it."""
    from hutong.adapters.hub.admin import name_deployer as named

    address = address_of(account, "ADDRESS")
    admins.decide(named(new_salt(), address, not remove))
    typer.echo(f"0x{address.hex()} {'no longer creates' if remove else 'creates'} contracts")


def name_contract(contract: Account, remove: Remove = False, *, admins: AdminDecision) -> None:
    """Let a contract of the hub be called, or no more."""
    from hutong.adapters.hub.admin import name_contract as named

    address = address_of(contract, "ADDRESS")
    admins.decide(named(new_salt(), address, not remove))
    typer.echo(f"0x{address.hex()} {'is no longer called' if remove else 'may be called'}")


@dataclass(frozen=True, slots=True)
class RulesOptions:
    """A rules version and the block from which on it holds, or that none is coming."""

    version: Annotated[int | None, typer.Option(min=1, max=2**31, help="The rules version from then on.")] = None
    height: Height = None
    withdraw: Withdraw = False

    def action(self) -> bytes:
        """The same as the hub takes it, with a salt of its own.

        Raises:
            Refused: code 2, there is neither version and height nor --withdraw, or there are both.
        """
        from hutong.adapters.hub.admin import schedule_rules

        if self.withdraw == (self.version is not None and self.height is not None):
            raise Refused("give --version and --height, or --withdraw", UNUSABLE)
        version, height = (0, 0) if self.withdraw else (self.version or 0, self.height or 0)
        return schedule_rules(new_salt(), version, height)


def schedule_rules(*, coming: RulesOptions, admins: AdminDecision) -> None:
    """Schedule a new rules version from a block on, by the hub's admins (from rules version 2 on). Nodes whose software lacks it
    halt before that block."""
    admins.decide(coming.action())
    said = f"rules version {coming.version} from block {coming.height} on"
    typer.echo("no rules version is coming" if coming.withdraw else said)
