"""`hutong attest`: sign what a chain without provable consensus holds."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Attestors.", no_args_is_help=True, rich_markup_mode=None)

ConfigFile = Annotated[Path, typer.Option("--config", help="The attestor's TOML file.")]


@app.callback()
def _group() -> None:
    """Keep `run` a subcommand, also while it is the only one."""


@app.command()
def run(config: ConfigFile) -> None:
    """Sign final states of one chain for the configured clients until SIGTERM or Ctrl-C. Exit code 0 stopped, 2 cannot start."""
    import trio

    from relay.attestor.daemon import run_attestor
    from relay.attestor.errors import AttestorUnusable
    from relay.config import ConfigError, load_attestor_config
    from relay.keys import KeyUnavailable
    from relay.telemetry import configure_logs

    try:
        loaded = load_attestor_config(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    configure_logs(loaded.attestor.log_level)
    expected = (AttestorUnusable, KeyUnavailable)
    try:
        trio.run(run_attestor, loaded, typer.echo)
    except expected as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except BaseExceptionGroup as group:
        expected_part, rest = group.split(expected)
        if expected_part is None or rest is not None:
            raise
        leaf: BaseException = expected_part
        while isinstance(leaf, BaseExceptionGroup):
            leaf = leaf.exceptions[0]
        typer.echo(str(leaf), err=True)
        raise typer.Exit(2) from None
