"""`hutong identity person rotate | approve | recover | cancel | complete`: by a person, its guardians, or its registrar."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.identity.identifiers import did_of_text
from hutong.relay.cli.common.options import ConfigFile, HubName
from hutong.relay.cli.common.refusal import refusing
from hutong.relay.cli.identity.organisation import Account, Did
from hutong.relay.services.identity.rules.persons.person import (
    Place,
)
from hutong.relay.services.identity.rules.records.keys import hub_name

if TYPE_CHECKING:
    pass

from hutong.relay.cli.identity.persons.options import (
    Folder,
    Index,
    PersonKeystore,
    Shard,
    ToKey,
    hex_of,
    place_at,
    writer_of,
)


def rotate(
    registrar: Did,
    shard_number: Shard,
    index: Index,
    folder: Folder,
    account: Account,
    key: PersonKeystore,
    to: ToKey,
    as_registrar: Annotated[
        bool,
        typer.Option("--as-registrar", help="Send it as the registrar's log key, without the limit of once a day."),
    ] = False,
) -> None:
    """Let a person change: its committed key decides, or the present one where there is none. Any account may send it."""
    from hutong.relay.administration.identity import persons
    from hutong.relay.cli.common.session import run_administration

    at = place_at(account, folder, registrar)
    opened = key.open(hub_name(at.hub.chain_id))
    with refusing(MalformedInput):
        wanted = to.wanted(shard_number, index)
    writer = writer_of(account, registrar) if as_registrar else None
    run_administration(partial(persons.change, at, account.key.open(), opened, wanted, writer))
    typer.echo(f"0x{wanted.account.hex()} controls shard {shard_number} index {index}")


def approve(
    registrar: Did,
    shard_number: Shard,
    index: Index,
    folder: Folder,
    config: ConfigFile,
    key: PersonKeystore,
    to: ToKey,
    expires: Annotated[int, typer.Option(min=1, help="Until when it may begin, Unix seconds; at most a week ahead.")],
    hub: HubName = None,
) -> None:
    """Sign, as a guardian, that a recovery may begin; prints the signature. Nothing is sent."""
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.administration.identity import persons
    from hutong.relay.cli.common.session import config_of, run_administration

    chosen = hub_of(config_of(config), hub)
    name = hub_name(chosen.chain_id)
    at = persons.At(chosen, folder, did_of_text(registrar, name))
    with refusing(MalformedInput):
        wanted = to.wanted(shard_number, index)
    typer.echo("0x" + run_administration(partial(persons.approve, at, key.open(name), wanted, expires)).hex())


def recover(
    registrar: Did,
    shard_number: Shard,
    index: Index,
    folder: Folder,
    account: Account,
    to: ToKey,
    policy: Annotated[str, typer.Option(help="The policy that the person committed to, as its request says it.")],
    expires: Annotated[int, typer.Option(min=0, help="As the guardians signed it; not asked of a registrar.")] = 0,
    signature: Annotated[
        list[str] | None, typer.Option("--signature", help="Of a guardian, in the order of their accounts.")
    ] = None,
    as_registrar: Annotated[bool, typer.Option("--as-registrar", help="Begin it as the registrar's log key.")] = False,
) -> None:
    """Begin a recovery by guardians or by the registrar; prints from when on `complete` lets it take effect."""
    from hutong.relay.administration.identity import persons
    from hutong.relay.cli.common.session import run_administration

    at = place_at(account, folder, registrar)
    with refusing(MalformedInput):
        wanted = to.wanted(shard_number, index)
    signatures = tuple(hex_of("--signature", one) for one in signature or ())
    writer = writer_of(account, registrar) if as_registrar else None
    grounds = persons.Grounds(hex_of("--policy", policy), expires, signatures, writer)
    effective_s = run_administration(partial(persons.recover, at, account.key.open(), wanted, grounds))
    typer.echo(f"takes effect from {effective_s} on, unless the present key cancels it")


def cancel(
    registrar: Did, shard_number: Shard, index: Index, folder: Folder, account: Account, key: PersonKeystore
) -> None:
    """End a recovery that waits, with the present key of the person."""
    from hutong.relay.administration.identity import persons
    from hutong.relay.cli.common.session import run_administration

    at = place_at(account, folder, registrar)
    place = Place(at.registrar, shard_number, index)
    opened = key.open(hub_name(at.hub.chain_id))
    run_administration(partial(persons.cancel, at, account.key.open(), opened, place))
    typer.echo(f"the recovery of shard {shard_number} index {index} is cancelled")


def complete(registrar: Did, shard_number: Shard, index: Index, folder: Folder, account: Account) -> None:
    """Let a recovery take effect whose delay is over; anybody may."""
    from hutong.relay.administration.identity import persons
    from hutong.relay.cli.common.session import run_administration

    at = place_at(account, folder, registrar)
    place = Place(at.registrar, shard_number, index)
    run_administration(partial(persons.complete, at, account.key.open(), place))
    typer.echo(f"shard {shard_number} index {index} is recovered")
