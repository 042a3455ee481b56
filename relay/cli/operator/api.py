"""`hutong api`: the HTTP API as a process of its own, and its keys."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of

if TYPE_CHECKING:
    from hutong.relay.api.access.api_keys import ApiKey
    from hutong.relay.config import ApiConfig, Config

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
    try:
        run_standalone(loaded, settings, typer.echo)
    except (AccessUnusable, CannotListen, LedgerUnavailable, OSError) as error:
        raise Refused(str(error), UNUSABLE) from None


@keys.command()
def create(
    config: ConfigFile,
    name: KeyName,
    scope: Annotated[
        list[str], typer.Option(help="write: submit transactions; admin: try dead letters again. As often as needed.")
    ],
) -> None:
    """Make a key and print it, once. Only its SHA-256 is kept."""
    from hutong.relay.api.access.api_keys import (
        ApiKey,
        KeysUnusable,
        Scope,
        check_name,
        digest_of,
        editing_keys,
        new_key,
        read_keys,
        write_keys,
    )

    path = _keys_file(config)
    unknown = sorted(set(scope) - {one.value for one in Scope})
    if unknown:
        raise Refused(f"--scope {unknown[0][:40]}: there is no such scope; use write or admin", UNUSABLE)
    try:
        check_name(name)
        with editing_keys(path):
            known = read_keys(path)
            if any(key.name == name for key in known):
                raise Refused(f"there is a key {name} already; revoke it or choose another name", REFUSED)
            key = new_key()
            created_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            write_keys(path, [*known, ApiKey(name, frozenset(map(Scope, scope)), digest_of(key), created_at)])
    except KeysUnusable as error:
        raise Refused(str(error), UNUSABLE) from None
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
    from hutong.relay.api.access.api_keys import KeysUnusable, editing_keys, read_keys, write_keys

    path = _keys_file(config)
    try:
        with editing_keys(path):
            known = read_keys(path)
            left = [key for key in known if key.name != name]
            if len(left) == len(known):
                raise Refused(f"no key is called {name[:64]}", REFUSED)
            write_keys(path, left)
    except KeysUnusable as error:
        raise Refused(str(error), UNUSABLE) from None


def _known(path: Path) -> "tuple[ApiKey, ...]":
    from hutong.relay.api.access.api_keys import KeysUnusable, read_keys

    try:
        return read_keys(path)
    except KeysUnusable as error:
        raise Refused(str(error), UNUSABLE) from None


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
