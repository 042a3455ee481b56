"""`hutong hub observations`, `set-observations`, `name-writer`: what the hub observes of other chains, and who opens keys."""

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.admin_options import AdminDecision
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.hub.code import Account

if TYPE_CHECKING:
    from hutong.adapters.hub.observations import Observed

MAX_KEYS = 2**64 - 1
Keys = Annotated[
    int, typer.Option("--keys", min=0, max=MAX_KEYS, help="How many keys it may have open; 0 takes its name away.")
]
OpenKeys = Annotated[bool, typer.Option("--open/--closed", help="Everybody opens keys, or named writers alone.")]


def observations(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """What the hub observes of other chains' state, and who opens keys for it. By the node's word: nothing is proven here.

    Exit codes: 0 answered, 1 the hub did not answer, 2 unusable input.
    """
    from hutong.relay.administration.hub.records import observed_fields, read_observations

    writers, places = run_administration(partial(read_observations, hub_of(config_of(config), hub)))
    for found, count, what in (
        (writers, len(writers.writers), "writers"),
        (places, len(places.observed), "observations"),
    ):
        if not found.is_complete:
            typer.echo(f"the hub has more {what} than the {count} that are listed here", err=True)
    if as_json:
        typer.echo(json.dumps(observed_fields(writers, places)))
        return
    typer.echo(_opening(writers.is_open))
    for one in writers.writers:
        typer.echo(f"writer 0x{one.address.hex()} has {one.keys} of {one.limit} keys open")
    for place in places.observed:
        typer.echo(_line(place))


def set_observations(is_open: OpenKeys, *, admins: AdminDecision) -> None:
    """Let everybody open keys of observations on the hub, or named writers alone, by as many admins as the hub asks for."""
    from hutong.adapters.hub.admin import set_observations_open

    admins.decide(set_observations_open(new_salt(), is_open))
    typer.echo(_opening(is_open))


def name_writer(account: Account, keys: Keys, *, admins: AdminDecision) -> None:
    """Let an account open keys of observations on the hub, such as a relay's: anybody may renew what it opens."""
    from hutong.adapters.hub.admin import name_writer as named

    address = address_of(account, "ADDRESS")
    admins.decide(named(new_salt(), address, keys))
    typer.echo(f"0x{address.hex()} {f'may have {keys} keys open' if keys else 'opens no more keys'}")


def _opening(is_open: bool) -> str:
    return "everybody opens keys" if is_open else "named writers alone open keys"


def _line(one: "Observed") -> str:
    from hutong.relay.administration.hub.records import observed_row

    row = observed_row(one)
    trust = row["trust"] if not row["threshold"] else f"attested by {row['threshold']} of {row['attestors']}"
    ended = "" if one.is_current else ", no longer good: its client was frozen, expired or recovered"
    value = "nothing" if row["value"] is None else row["value"]
    return f"{row['client']} {row['kind']} {row['place']} = {value} at {row['height']}, {trust}{ended}"
