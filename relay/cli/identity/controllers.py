"""`hutong identity controllers` and `recovery`: who controls a DID, by the next policy or by its guardians."""

import os
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.identity.organisation import Account, Controller, Did
from hutong.relay.cli.identity.register import PolicyOptions, hash_of

NO_SALT = "00" * 32
Salt = Annotated[str, typer.Option(help="Of the commitment to these controllers, 64 hexadecimal digits.")]

controllers = command_group("Who controls an organisation's DID.")
recovery = command_group("Recovery of a DID by its guardians.")


@controllers.command("commit")
def commit(
    controller: Annotated[list[str], typer.Option("--controller", help="Address of a hub account; repeatable.")],
    threshold: Annotated[int, typer.Option(min=1, max=16, help="How many of them decide.")] = 1,
) -> None:
    """Print a commitment to controllers who alone may follow, for --next-policy, and its salt: keep the salt with their keys."""
    from hutong.relay.administration.addresses import address_of
    from hutong.relay.services.identity.rules.records.policy_record import policy_commitment

    accounts = tuple(sorted(address_of(one, "--controller") for one in controller))
    salt = os.urandom(32)
    typer.echo(f"commitment {policy_commitment(threshold, accounts, salt).hex()}\nsalt {salt.hex()}")


@controllers.command("change")
def change(did: Did, sender: Controller, policy: PolicyOptions, salt: Salt = NO_SALT) -> None:
    """Put other controllers and guardians in charge. Where a next policy was committed to, only those, who send and sign this."""
    from hutong.relay.hub.application.identity import interface

    said = policy.struct(sender.account.address())
    sender.decide(interface.CHANGE_CONTROLLERS, did, said, hash_of("--salt", salt))
    typer.echo(f"{did} has other controllers")


@recovery.command("start")
def start(did: Did, guardian: Controller, policy: PolicyOptions) -> None:
    """Begin to put other controllers in charge, as a guardian: it takes effect after the delay unless it is cancelled."""
    from hutong.relay.hub.application.identity import interface

    guardian.decide(interface.START_RECOVERY, did, policy.struct(guardian.account.address()))
    typer.echo(f"a recovery of {did} waits")


@recovery.command("cancel")
def cancel(did: Did, controller: Controller) -> None:
    """Cancel a recovery that waits, as the present controllers."""
    from hutong.relay.hub.application.identity import interface

    controller.decide(interface.CANCEL_RECOVERY, did)
    typer.echo(f"no recovery of {did} waits")


@recovery.command("complete")
def complete(did: Did, account: Account) -> None:
    """Let a recovery whose delay is over take effect; anybody may."""
    from hutong.relay.hub.application.identity import interface

    account.send(interface.COMPLETE_RECOVERY.call(account.did(did)))
    typer.echo(f"{did} is recovered")
