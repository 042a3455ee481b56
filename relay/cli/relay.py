"""`hutong relay`: run the relay."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The relay.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `run` a subcommand, also while it is the only one."""


@app.command()
def run(config: Annotated[Path, typer.Option("--config", help="The relay's TOML file.")]) -> None:
    """Relay packets over the configured paths until SIGTERM or Ctrl-C. Exit code 0 stopped, 2 cannot start."""
    import trio

    from relay.config import ConfigError, file_problems, load_config
    from relay.core.daemon import run_daemon
    from relay.core.errors import CoreError
    from relay.dispatch import QueueError
    from relay.keys import KeyUnavailable
    from relay.ledger import LedgerUnavailable
    from relay.telemetry import configure_logs

    try:
        loaded = load_config(config)
        problems = file_problems(loaded)
        if problems:
            raise ConfigError(str(config), problems)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    configure_logs(loaded.relay.log_level)
    expected = (CoreError, KeyUnavailable, LedgerUnavailable, QueueError)
    try:
        trio.run(run_daemon, loaded, typer.echo)
    except expected as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except BaseExceptionGroup as group:
        expected_part, rest = group.split(expected)
        if expected_part is None or rest is not None:
            raise
        for sentence in dict.fromkeys(map(str, _leaves(expected_part))):
            typer.echo(sentence, err=True)
        raise typer.Exit(2) from None


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
