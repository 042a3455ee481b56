"""What a command found out, as named values: for people one a line, for programs one JSON object."""

import json
from collections.abc import Mapping

import typer


def print_values(values: Mapping[str, object], *, as_json: bool) -> None:
    """Print `name = value` a line, each value as JSON has it; or all of them as one JSON object in one line."""
    if as_json:
        typer.echo(json.dumps(values))
        return
    for name, value in values.items():
        typer.echo(f"{name} = {json.dumps(value)}")
