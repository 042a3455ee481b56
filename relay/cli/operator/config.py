"""`hutong config`: judge a configuration file without running anything."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.config import ConfigError, chains_beyond, file_problems, load_config

app = command_group("Configuration files.")


@app.callback()
def _group() -> None:
    """Keep `check` a subcommand, also while it is the only one."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The TOML file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Check a configuration, the permissions of the files it names, and what its chains are under today. Exit code 0 good, 2 refused."""
    try:
        config = load_config(file)
        problems = (*file_problems(config), *chains_beyond(config, time.time()))
        if problems:
            raise ConfigError(str(file), problems)
    except ConfigError as error:
        if not as_json:
            raise Refused(str(error), UNUSABLE) from None
        rows = [{"field": one.field, "reason": one.reason, "remedy": one.remedy} for one in error.problems]
        typer.echo(json.dumps({"valid": False, "problems": rows}))
        raise typer.Exit(UNUSABLE) from None
    if as_json:
        typer.echo(json.dumps({"valid": True, "chains": len(config.chains), "paths": len(config.paths)}))
    else:
        typer.echo(f"{file}: good: {len(config.chains)} chains, {len(config.paths)} paths")
