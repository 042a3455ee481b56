"""`hutong hub evidence`: which validators signed two votes."""

import json
from functools import partial

import typer

from hutong.relay.administration.configured import hub_of
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.session import config_of, run_administration


def evidence(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """Validators that signed two votes at one height, as the hub's state has it. Both votes stand in the block that is named."""
    from hutong.relay.administration.hub.records import double_vote_row, read_double_votes

    found = run_administration(partial(read_double_votes, hub_of(config_of(config), hub)))
    if as_json:
        typer.echo(json.dumps([double_vote_row(item) for item in found]))
        return
    for item in found:
        typer.echo(
            f"{item.validator.hex().upper()} signed two votes at height {item.height} with {item.power} of"
            f" {item.total_power}; both are in block {item.recorded_at}"
        )
    if not found:
        typer.echo("no validator is on record for two votes at one height")
