"""`hutong identity key`: keys of an organisation's DID, added, rotated, retired, and declared stolen."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.interface import VerificationError
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import refusing
from hutong.relay.cli.identity.organisation import MAX_TIME_S, Controller, Did, KeyOptions

OldKey = Annotated[Path, typer.Argument(metavar="KEY", help="Public JWK of the key that ends.")]

app = command_group("Keys of an organisation's DID.")


@app.command()
def add(did: Did, controller: Controller, key: KeyOptions) -> None:
    """Add a key to a DID: it counts from now on, or from a later time."""
    from hutong.relay.hub.application.identity import interface

    controller.decide(interface.ADD_KEY, did, key.struct())
    typer.echo(f"{did} has the key {_print_of(key.key)}")


@app.command()
def rotate(did: Did, old: OldKey, controller: Controller, key: KeyOptions) -> None:
    """End a key and add the one that follows it. What is not in the issuance log by now is worth nothing afterwards."""
    from hutong.relay.hub.application.identity import interface

    controller.decide(interface.ROTATE_KEY, did, bytes.fromhex(_print_of(old)), key.struct())
    typer.echo(f"{did} has the key {_print_of(key.key)} in place of {_print_of(old)}")


@app.command()
def retire(did: Did, old: OldKey, controller: Controller) -> None:
    """End a key. What is not in the issuance log by now is worth nothing afterwards."""
    from hutong.relay.hub.application.identity import interface

    controller.decide(interface.RETIRE_KEY, did, bytes.fromhex(_print_of(old)))
    typer.echo(f"{did} has retired {_print_of(old)}")


@app.command()
def compromise(
    did: Did,
    old: OldKey,
    controller: Controller,
    since: Annotated[int, typer.Option("--since", min=1, max=MAX_TIME_S, help="Unix seconds, not later than now.")],
) -> None:
    """Declare that a key is a thief's since a moment: only what was in the issuance log before stays good."""
    from hutong.relay.hub.application.identity import interface

    controller.decide(interface.COMPROMISE_KEY, did, bytes.fromhex(_print_of(old)), since)
    typer.echo(f"{did} says that {_print_of(old)} is compromised since {since}")


def _print_of(file: Path) -> str:
    from hutong.relay.administration.identity.key_files import thumbprint_of_file

    with refusing(VerificationError):
        return thumbprint_of_file(file).hex()
