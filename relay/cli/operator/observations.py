"""`hutong observations`: what the relay keeps fresh on hubs: value, age, epoch, and what holds it up."""

import json
from functools import partial
from typing import Annotated, Any

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.ledger import age_text

app = command_group("Values of other chains that the relay keeps as records on a hub.")


@app.command()
def observations(
    config: ConfigFile,
    as_json: AsJson = False,
    only: Annotated[str | None, typer.Option("--name", help="Only the observation of that name.")] = None,
) -> None:
    """What is observed: value, source height, age, epoch, and what holds it up. Works beside a running relay, by the chains' word.

    Exit codes: 0 all are good, 1 something is held up, 2 unusable input.
    """
    from hutong.relay.administration.observations import read_watched
    from hutong.relay.core.errors import StartRefused

    loaded = config_of(config)
    if not loaded.observations:
        raise Refused("the configuration observes nothing: it has no [[observations]]", UNUSABLE)
    if only is not None and all(one.name != only for one in loaded.observations):
        raise Refused(f"no observation is named {only[:80]!r}", UNUSABLE)
    with refusing(StartRefused):
        rows = run_administration(partial(read_watched, loaded))
    rows = [row for row in rows if only in (None, row["name"])]
    if as_json:
        typer.echo(json.dumps({"observations": rows}, indent=1))
    else:
        for row in rows:
            typer.echo(_line(row))
    if any(row["held_up_by"] is not None for row in rows):
        raise typer.Exit(REFUSED)


def _line(row: dict[str, Any]) -> str:
    what = f"{row['name']} of {row['chain']} over {row['over']}"
    if not row["written"]:
        return f"{what}: no record; {row['held_up_by']}"
    value = "nothing" if row["value"] is None else row["value"]
    epoch = f"epoch {row['epoch']}" + ("" if row["is_current"] else ", which has ended")
    ends = "" if row["held_up_by"] is None else f"; {row['held_up_by']}"
    return f"{what} = {value} at {row['height']}, {age_text(row['age_s'] * 10**9)} old, {epoch}{ends}"
