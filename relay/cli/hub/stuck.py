"""`hutong hub stuck`: packets that wait because a client of the hub is frozen or expired."""

import json
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from hutong.relay.administration.configured import hub_of
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.session import config_of, run_administration


def stuck(
    config: ConfigFile,
    client: Annotated[str | None, typer.Option(help="Only over this client of the hub.")] = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Packets that wait because a client of the hub is frozen or expired: `hutong client recover` lets them settle.

    Exit codes: 0 answered (also with rows), 1 the hub did not answer, 2 unusable input.
    """
    from hutong.relay.administration.hub.records import read_stuck_packets

    found = run_administration(partial(read_stuck_packets, hub_of(config_of(config), hub), client))
    if not found.is_complete:
        remedy = "name one with --client" if client is None else "recover the client"
        typer.echo(f"these are the first {len(found.packets)}, more may wait: {remedy}", err=True)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found.packets]))
        return
    for row in found.packets:
        origin = "sent by an account" if row.origin is None else f"from {row.origin[0]} {row.origin[1]}"
        tokens = "" if row.denom is None else f", {row.amount} of {row.denom}"
        typer.echo(f"{row.client_id} {row.sequence}: {row.kind} {origin}{tokens}; the client is {row.client_status}")
    if not found.packets:
        typer.echo(
            "nothing waits for a frozen or expired client of the hub; see hutong pending for other packets that wait"
        )
