"""`hutong api`: the HTTP API as a process of its own, and its keys."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import config_of

if TYPE_CHECKING:
    from hutong.relay.config import ApiConfig, Config
    from hutong.relay.web.api_keys import ApiKey

app = command_group("The HTTP API.")
keys = command_group("Keys of the API.")
app.add_typer(keys, name="keys")

KeyName = Annotated[str, typer.Argument(help="The key's name.")]


@app.command()
def run(config: ConfigFile) -> None:
    """Serve the API and the explorer until SIGTERM or Ctrl-C, beside a relay or without one. Exit code 2: cannot start."""
    from hutong.adapters.rpc import AccessUnusable
    from hutong.relay.api.serving.standalone import CannotListen, run_standalone
    from hutong.relay.config import ConfigError, file_problems
    from hutong.relay.ledger import LedgerUnavailable
    from hutong.relay.telemetry import configure_logs

    loaded, settings = _loaded(config)
    configure_logs(loaded.relay.log_level)
    problems = tuple(one for one in file_problems(loaded) if one.field.startswith("api."))
    if problems:
        raise Refused(str(ConfigError(str(config), problems)), UNUSABLE)
    with refusing(AccessUnusable, CannotListen, LedgerUnavailable, OSError):
        run_standalone(loaded, settings, typer.echo)


@keys.command()
def create(
    config: ConfigFile,
    name: KeyName,
    scope: Annotated[
        list[str], typer.Option(help="write: submit transactions; admin: try dead letters again. As often as needed.")
    ],
) -> None:
    """Make a key and print it, once. Only its SHA-256 is kept."""
    from hutong.relay.web.api_keys import KeyRefused, KeysUnusable, Scope, add_key

    path = _keys_file(config)
    unknown = sorted(set(scope) - {one.value for one in Scope})
    if unknown:
        raise Refused(f"--scope {unknown[0][:40]}: there is no such scope; use write or admin", UNUSABLE)
    with refusing(KeysUnusable, refused=(KeyRefused,)):
        key = add_key(path, name, map(Scope, scope))
    typer.echo(key)


@keys.command(name="list")
def list_(config: ConfigFile, as_json: AsJson = False) -> None:
    """Names, scopes and ages of the keys; the keys themselves are nowhere."""
    known = _known(_keys_file(config))
    if as_json:
        rows = [{"name": key.name, "scopes": sorted(key.scopes), "created_at": key.created_at} for key in known]
        typer.echo(json.dumps(rows))
        return
    for key in known:
        typer.echo(f"{key.name}  {','.join(sorted(key.scopes))}  {key.created_at}")


@keys.command()
def revoke(config: ConfigFile, name: KeyName) -> None:
    """Take a key away; it counts from the next request on. Exit code 1 if there is none of that name."""
    from hutong.relay.web.api_keys import KeyRefused, KeysUnusable, remove_key

    path = _keys_file(config)
    with refusing(KeysUnusable, refused=(KeyRefused,)):
        remove_key(path, name)


def _known(path: Path) -> "tuple[ApiKey, ...]":
    from hutong.relay.web.api_keys import KeysUnusable, read_keys

    with refusing(KeysUnusable):
        return read_keys(path)


def _loaded(file: Path) -> "tuple[Config, ApiConfig]":
    config = config_of(file)
    if config.api is None:
        raise Refused(f'{file} has no [api] table; add one with listen = "127.0.0.1:9480"', UNUSABLE)
    return config, config.api


def _keys_file(file: Path) -> Path:
    settings = _loaded(file)[1]
    if settings.keys_file is None:
        raise Refused(f'{file} names no keys_file in [api]; add keys_file = "api-keys.json"', UNUSABLE)
    return settings.keys_file
