"""`hutong identity list` and `log`: status lists and the issuance log, written by the account of a log key."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.interface import VerificationError
from hutong.relay.administration.identity.identifiers import schema_of_text
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.cli.identity.accredit import Schema
from hutong.relay.cli.identity.organisation import Account, Did
from hutong.relay.verify.inputs import read_file

MAX_UPDATE_BYTES = 120 * 1024
"""Of one transaction; a larger update is several."""
Number = Annotated[int, typer.Argument(metavar="NUMBER", min=0, help="Of the list; lists are counted from 0.")]

lists = command_group("Status lists of an organisation's DID.")
log = command_group("The issuance log of an organisation's DID.")


@lists.command("open")
def open_list(
    did: Did,
    account: Account,
    key: Annotated[Path, typer.Option(help="Public JWK of the issuing key that the list is bound to.")],
    seal_key: Annotated[
        Path | None, typer.Option(help="Public JWK of the key of the seals beside the credentials, if it is another.")
    ] = None,
    schema: Schema = None,
    bits: Annotated[int, typer.Option(min=1, max=8, help="Of an entry: 1, 2, 4 or 8.")] = 1,
    size: Annotated[int, typer.Option(min=32, max=2**20, help="Entries, a power of two.")] = 2**20,
) -> None:
    """Open a list in which no status is set, bound to a key that issues: it is sealed when the key ends."""
    from hutong.relay.administration.identity.key_files import thumbprint_of_file
    from hutong.relay.hub.application.identity import interface

    with refusing(VerificationError):
        print_of = thumbprint_of_file(key)
        seal_print = bytes(32) if seal_key is None else thumbprint_of_file(seal_key)
    account.write(interface.OPEN_LIST, did, print_of, seal_print, schema_of_text(schema), bits, size)
    typer.echo(f"{did} has opened a list of {size} entries")


@lists.command("update")
def update_list(
    did: Did,
    number: Number,
    account: Account,
    update: Annotated[Path | None, typer.Option(help="The update's bytes (docs/spec/identity-status.md).")] = None,
    token: Annotated[Path | None, typer.Option(help="The Status List Token that is served from now on.")] = None,
) -> None:
    """Raise bits of a list, and name the token that is served: its SHA-256 stands in the record."""
    from hutong.light_clients.crypto import sha256
    from hutong.relay.hub.application.identity import interface

    if update is None and token is None:
        raise Refused("give --update, --token or both: nothing would change", UNUSABLE)
    data = b"" if update is None else read_file(update, MAX_UPDATE_BYTES)
    hashed = bytes(32) if token is None else sha256(read_file(token, 8 * 1024 * 1024))
    account.write(interface.UPDATE_LIST, did, number, data, hashed)
    typer.echo(f"list {number} of {did} is updated")


@lists.command("seal")
def seal_list(did: Did, number: Number, account: Account) -> None:
    """Issue nothing over a list any more; its bits still rise."""
    from hutong.relay.hub.application.identity import interface

    account.write(interface.SEAL_LIST, did, number)
    typer.echo(f"list {number} of {did} is sealed")


@log.command("append")
def append_log(
    did: Did,
    account: Account,
    size: Annotated[int, typer.Option(min=1, max=2**40, help="Entries of the log with what is new.")],
    root: Annotated[str, typer.Option(help="Its RFC 6962 root, 64 hexadecimal digits.")],
    node: Annotated[
        list[str] | None,
        typer.Option("--node", help="Consistency proof from the log that stands, each node 64 digits; in order."),
    ] = None,
) -> None:
    """Put a longer issuance log on the hub: it begins with the one that stands there, which the proof shows."""
    from hutong.relay.hub.application.identity import interface

    nodes = [schema_of_text(one) for one in node or ()]
    account.write(interface.APPEND_LOG, did, size, schema_of_text(root), nodes)
    typer.echo(f"the log of {did} has {size} entries")
