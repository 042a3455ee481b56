"""`hutong relay`: run the relay."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import ConfigFile
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing

if TYPE_CHECKING:
    from hutong.relay.config import Config
    from hutong.relay.core.history.letters import Letters

Result = TypeVar("Result")


ByCause = Annotated[str | None, typer.Option("--cause", help="Of this cause alone, such as would_fail.")]
ByRoute = Annotated[str | None, typer.Option("--route", help="Of this route alone, as chain:client.")]

app = command_group("The relay.")


@app.command()
def run(config: ConfigFile) -> None:
    """Relay packets over the configured paths until SIGTERM or Ctrl-C. Exit code 0 stopped, 2 cannot start."""
    from hutong.relay.keys import KeyUnavailable, forbid_core_dumps

    forbid_core_dumps()
    # A mistake in the file is said before the relay's libraries are imported, which takes a second.
    loaded = _load(config)

    import trio

    from hutong.relay.core.daemon import run_daemon
    from hutong.relay.core.errors import CoreError
    from hutong.relay.dispatch import QueueError
    from hutong.relay.ledger import LedgerUnavailable
    from hutong.relay.telemetry import configure_logs

    companions = []
    if loaded.api is not None and loaded.api.inside_relay:
        from hutong.relay.api.serving.inside import serve_beside

        companions.append(serve_beside)
    configure_logs(loaded.relay.log_level)
    expected = (CoreError, KeyUnavailable, LedgerUnavailable, QueueError)
    try:
        trio.run(run_daemon, loaded, typer.echo, companions)
    except (*expected, BaseExceptionGroup) as error:
        raise Refused("\n".join(dict.fromkeys(map(str, expected_leaves(error, expected)))), UNUSABLE) from None


@app.command()
def dead(
    config: ConfigFile,
    cause: ByCause = None,
    route: ByRoute = None,
    ignored: Annotated[bool, typer.Option("--ignored", help="What `ignore` left alone instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List all dead letters of the running relay: job, failures, reason. They are tried again all the same."""
    import json

    from hutong.relay.core.history.letters import Chosen, Letters
    from hutong.relay.dispatch import DeadLetter
    from hutong.relay.ledger import explained

    async def read(letters: Letters) -> list[DeadLetter]:
        return await (letters.ignored() if ignored else letters.dead(Chosen(cause, route)))

    found = _with_letters(config, read)
    for letter in found:
        if as_json:
            typer.echo(json.dumps(letter.as_dict()))
        else:
            typer.echo(f"{letter.id}  {letter.attempts}  {explained(letter.reason)}")
    if not found and not as_json:
        typer.echo("nothing is ignored" if ignored else "there are no dead letters", err=True)


@app.command()
def retry(
    config: ConfigFile,
    job: Annotated[str | None, typer.Argument(help="A job as `dead` lists it.")] = None,
    cause: ByCause = None,
    route: ByRoute = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters, or all that the other options name.")] = False,
) -> None:
    """Try a dead letter, or many, of the running relay at once, from the first attempt. Exit code 1 if there is none."""
    from hutong.relay.core.history.letters import Chosen, Letters

    if (job is None) == (cause is None and route is None and not every):
        raise Refused("name one job, or some by --cause, --route or --all", UNUSABLE)

    async def revive(letters: Letters) -> int:
        return int(await letters.retry(job)) if job is not None else await letters.retry_all(Chosen(cause, route))

    woken = _with_letters(config, revive)
    if not woken:
        raise Refused("no dead letter is one of these" if job is None else f"no dead letter {job}", REFUSED)
    if job is None:
        typer.echo(f"{woken} are tried again")


@app.command()
def ignore(
    config: ConfigFile,
    job: Annotated[str, typer.Argument(help="A job as `dead` lists it: kind:chain/client/sequence.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why; `hutong why` will say it.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Try the job again, from its first attempt.")] = False,
) -> None:
    """Leave a job alone from now on, with a reason that the ledger keeps. Its packet may still time out.

    Exit code 1: with --undo, the job was not ignored.
    """
    from hutong.relay.core.history.letters import Letters

    if undo == (reason is not None):
        raise Refused("say why with --reason, or take it back with --undo", UNUSABLE)

    async def work(letters: Letters) -> bool:
        if reason is None:
            return await letters.heed(job)
        await letters.ignore(job, reason)
        return True

    if not _with_letters(config, work):
        raise Refused(f"{job} was not ignored", REFUSED)


def _load(path: Path) -> "Config":
    from hutong.relay.config import ConfigError, file_problems, load_config

    with refusing(ConfigError):
        config = load_config(path)
        problems = file_problems(config)
        if problems:
            raise ConfigError(str(path), problems)
    return config


def _with_letters(config: Path, work: "Callable[[Letters], Awaitable[Result]]") -> Result:
    from hutong.relay.administration.packets.letters import with_letters

    return with_letters(_load(config), work)
