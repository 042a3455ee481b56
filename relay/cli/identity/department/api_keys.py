"""`hutong identity api-key`: keys of the daemon's `/v1`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.cli.identity.serve import IdentityFile

app = command_group("Keys of the daemon's /v1.")

KeyName = Annotated[str, typer.Argument(help="The key's name.")]


@app.command()
def create(
    config: IdentityFile,
    name: KeyName,
    scope: Annotated[list[str], typer.Option(help="What it is for, such as issue or admin; repeatable.")],
) -> None:
    """Make a key and print it, once. Only its SHA-256 is kept."""
    from hutong.relay.web.api_keys import KeyRefused, KeysUnusable, Scope, add_key

    unknown = sorted(set(scope) - {one.value for one in Scope})
    if unknown:
        raise Refused(f"--scope {unknown[0][:40]}: use one of {', '.join(one.value for one in Scope)}", UNUSABLE)
    with refusing(KeysUnusable, refused=(KeyRefused,)):
        typer.echo(add_key(_keys_file(config), name, map(Scope, scope)))


@app.command(name="list")
def list_(config: IdentityFile, as_json: AsJson = False) -> None:
    """Names, scopes and ages of the keys; the keys themselves are nowhere."""
    from hutong.relay.web.api_keys import KeysUnusable, read_keys

    with refusing(KeysUnusable):
        known = read_keys(_keys_file(config))
    rows = [{"name": key.name, "scopes": sorted(key.scopes), "created_at": key.created_at} for key in known]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for key in known:
        typer.echo(f"{key.name}  {','.join(sorted(key.scopes))}  {key.created_at}")


@app.command()
def revoke(config: IdentityFile, name: KeyName) -> None:
    """Take a key away; it counts from the next request on. Exit code 1 if there is none of that name."""
    from hutong.relay.web.api_keys import KeyRefused, KeysUnusable, remove_key

    with refusing(KeysUnusable, refused=(KeyRefused,)):
        remove_key(_keys_file(config), name)


def _keys_file(file: Path) -> Path:
    from hutong.relay.config import ConfigError
    from hutong.relay.services.identity.serving.configuration import load_identity_config

    with refusing(ConfigError):
        found = load_identity_config(file).server.keys_file
    if found is None:
        raise Refused(f'{file} names no keys_file in [server]; add keys_file = "api-keys.json"', UNUSABLE)
    return found
