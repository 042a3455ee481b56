"""`hutong hub evidence`: which validators signed two votes."""

import json
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import typer

from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.session import config_of, hub_of, run_administration
from hutong.relay.config import HubChainConfig

if TYPE_CHECKING:
    from hutong.adapters.hub.evidence import DoubleVote


def evidence(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """Validators that signed two votes at one height, as the hub's state has it. Both votes stand in the block that is named."""
    found = run_administration(partial(_read, hub_of(config_of(config), hub)))
    if as_json:
        rows = [
            {
                "validator": item.validator.hex().upper(),
                "height": item.height,
                "power": item.power,
                "total_power": item.total_power,
                "recorded_at": item.recorded_at,
            }
            for item in found
        ]
        typer.echo(json.dumps(rows))
        return
    for item in found:
        typer.echo(
            f"{item.validator.hex().upper()} signed two votes at height {item.height} with {item.power} of"
            f" {item.total_power}; both are in block {item.recorded_at}"
        )
    if not found:
        typer.echo("no validator is on record for two votes at one height")


async def _read(hub: HubChainConfig, random: Random) -> "tuple[DoubleVote, ...]":
    from hutong.adapters.hub.evidence import double_votes

    async with open_hub(hub, random) as chain:
        return await double_votes(chain.execution)
