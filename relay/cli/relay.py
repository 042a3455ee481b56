"""`hutong relay`: run the relay."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from relay.config import Config
    from relay.dispatch import Queue, Route

Result = TypeVar("Result")

ConfigFile = Annotated[Path, typer.Option("--config", help="The relay's TOML file.")]
ANSWER_LIMIT_S = 10
"""For the queue's server, which runs while the relay does."""

app = typer.Typer(help="The relay.", no_args_is_help=True)


@app.command()
def run(config: ConfigFile) -> None:
    """Relay packets over the configured paths until SIGTERM or Ctrl-C. Exit code 0 stopped, 2 cannot start."""
    import trio

    from relay.core.daemon import run_daemon
    from relay.core.errors import CoreError
    from relay.dispatch import QueueError
    from relay.keys import KeyUnavailable, forbid_core_dumps
    from relay.ledger import LedgerUnavailable
    from relay.telemetry import configure_logs

    forbid_core_dumps()
    loaded = _load(config)
    companions = []
    if loaded.api is not None and loaded.api.inside_relay:
        from relay.api.inside import serve_beside

        companions.append(serve_beside)
    configure_logs(loaded.relay.log_level)
    expected = (CoreError, KeyUnavailable, LedgerUnavailable, QueueError)
    try:
        trio.run(run_daemon, loaded, typer.echo, companions)
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


@app.command()
def dead(config: ConfigFile) -> None:
    """List the dead letters of the running relay: job, attempts, reason."""
    from relay.dispatch import DeadLetter, Queue, Route

    async def read(queue: Queue, routes: list[Route]) -> list[DeadLetter]:
        return [letter for route in routes for letter in await queue.dead_letters(route)]

    letters = _with_queue(config, read)
    for letter in letters:
        typer.echo(f"{letter.id}  {letter.attempts}  {letter.reason}")
    if not letters:
        typer.echo("there are no dead letters", err=True)


@app.command()
def retry(config: ConfigFile, job: Annotated[str, typer.Argument(help="A job as `dead` lists it.")]) -> None:
    """Try a dead letter of the running relay again, from its first attempt. Exit code 1 if there is none of that name."""
    from relay.dispatch import Queue, Route

    async def revive(queue: Queue, routes: list[Route]) -> bool:
        return any([await queue.revive(route, job) for route in routes])

    if not _with_queue(config, revive):
        typer.echo(f"no dead letter {job}", err=True)
        raise typer.Exit(1)


def _load(path: Path) -> "Config":
    from relay.config import ConfigError, file_problems, load_config

    try:
        config = load_config(path)
        problems = file_problems(config)
        if problems:
            raise ConfigError(str(path), problems)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    return config


def _with_queue(config: Path, work: "Callable[[Queue, list[Route]], Awaitable[Result]]") -> Result:
    import os
    import time

    import trio

    from relay.core.paths import Paths
    from relay.dispatch import Connection, EmbeddedValkey, Queue
    from relay.telemetry import configure_logs

    loaded = _load(config)
    configure_logs("error")

    async def ask() -> Result:
        url = loaded.relay.redis_url or EmbeddedValkey(loaded.relay.home / "queue").url
        password_env = loaded.relay.redis_password_env
        connection = Connection(url, None if password_env is None else os.environ.get(password_env))
        try:
            with trio.fail_after(ANSWER_LIMIT_S):
                queue = Queue(
                    connection,
                    "operator",
                    lambda: time.time_ns() // 1_000_000,
                    prefix=loaded.relay.redis_prefix,
                )
                return await work(queue, Paths.of(loaded.paths).routes())
        finally:
            connection.close()

    try:
        return trio.run(ask)
    except trio.TooSlowError:
        typer.echo("the queue's server does not answer: is the relay running?", err=True)
        raise typer.Exit(2) from None


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
