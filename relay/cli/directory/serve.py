"""`hutong directory serve`: a connector of the Dataspace Protocol."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.base.os_errors import os_reason
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

if TYPE_CHECKING:
    from hutong.relay.services.directory.dspace.settings import ConnectorConfig


def serve(
    config: Annotated[Path, typer.Option("--config", help="The connector's TOML file (docs/directory/connector.md).")],
) -> None:
    """Serve the Dataspace Protocol, as provider and consumer, until SIGTERM or Ctrl-C. Prints one line when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.relay.config import ConfigError
    from hutong.relay.keys import forbid_core_dumps
    from hutong.relay.services.directory.dspace.daemon import ConnectorUnusable
    from hutong.relay.services.directory.dspace.settings import load_connector_config
    from hutong.relay.telemetry import configure_logs

    forbid_core_dumps()
    with refusing(ConfigError):
        loaded = load_connector_config(config)
    configure_logs(loaded.connector.log_level)
    expected = (ConnectorUnusable, OSError)
    try:
        trio.run(_until_stopped, loaded)
    except (*expected, BaseExceptionGroup) as error:
        leaf = expected_leaves(error, expected)[0]
        said = f"{loaded.connector.listen}: {os_reason(leaf)}" if isinstance(leaf, OSError) else str(leaf)
        raise Refused(said, UNUSABLE) from None


def operator_key(
    config: Annotated[Path, typer.Option("--config", help="The connector's TOML file.")],
    name: Annotated[str, typer.Argument(help="The key's name.")],
) -> None:
    """Make a key of the operator's door (/v1) and print it, once. Only its SHA-256 is kept.

    Exit codes: 0 done, 1 there is one of that name, 2 the file of keys cannot be used.
    """
    from hutong.relay.config import ConfigError
    from hutong.relay.services.directory.dspace.settings import load_connector_config
    from hutong.relay.web.api_keys import KeyRefused, KeysUnusable, Scope, add_key

    with refusing(ConfigError):
        path = load_connector_config(config).connector.keys_file
    if path is None:
        raise Refused(f'{config} names no keys_file in [connector]; add keys_file = "api-keys.json"', UNUSABLE)
    with refusing(KeysUnusable, refused=(KeyRefused,)):
        typer.echo(add_key(path, name, [Scope.ADMIN]))


def token(
    out: Annotated[Path, typer.Option(help="File to write, mode 0600; one that is there is never replaced.")],
) -> None:
    """Draw a token that one participant shows another, and print the digest for the other's configuration.

    Exit codes: 0 done, 2 the file is there or cannot be written.
    """
    import secrets
    from hashlib import sha256

    from hutong.relay.base.durable_files import create_durably

    drawn = secrets.token_urlsafe(32)
    try:
        create_durably(out, drawn.encode() + b"\n")
    except OSError as error:
        raise Refused(f"{out} cannot be written: {os_reason(error)}", UNUSABLE) from None
    typer.echo(f"sha256:{sha256(drawn.encode()).hexdigest()}")


async def _until_stopped(config: "ConnectorConfig") -> None:
    import trio

    from hutong.relay.services.directory.dspace.daemon import serve as run_connector

    def ready(address: str) -> None:
        typer.echo(f"connector ready at {address}")

    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_connector, config, ready)
            await anext(signals)
            nursery.cancel_scope.cancel()
