"""`hutong city`: a whole city on one machine."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, STOPPED, refusing

if TYPE_CHECKING:
    from hutong.relay.city.home import CityHome
    from hutong.relay.city.plan import CityPlan, OutsidePrograms

MOST_PORT = 65_535 - 100

app = command_group("A hub, chains of several kinds, a signed log and a relay on one machine.")

Home = Annotated[Path, typer.Option(help="Folder for everything of the city.")]
DEFAULT_HOME = Path("city")


@app.command()
def up(
    home: Home = DEFAULT_HOME,
    small: Annotated[bool, typer.Option("--small", help="One validator and one attestor, for slow machines.")] = False,
    base_port: Annotated[
        int | None, typer.Option(help="First of the ports; unless given, free ones.", min=1_024, max=MOST_PORT)
    ] = None,
    simd: Annotated[Path | None, typer.Option(help="The program simd of ibc-go v10, for the Cosmos chain t.")] = None,
    foundry: Annotated[
        Path | None, typer.Option(help="The program anvil, or the folder that it is in: chain e2 is an anvil then.")
    ] = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay until Ctrl-C, which ends the city.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Let `city down` leave the files where they are.")] = False,
) -> None:
    """Start the city and return when all of it is ready; city.json in its folder says what is where.

    Exit codes: 0 it is up, 1 a part did not start, 2 unusable input, such as a folder in which a city runs already.
    """
    from hutong.relay.city.errors import CityFailed, CityUnusable

    with refusing(CityUnusable, refused=(CityFailed,)):
        place = _home(home)
        place.require_vacant()
        outside = _outside(simd, foundry)
        if foreground:
            _stay(place, _plan(small, base_port, outside), keep=keep)
            return
        arguments = ["--home", str(place.path), *(["--small"] if small else []), *(["--keep"] if keep else [])]
        given = (("--base-port", base_port), ("--simd", outside.simd), ("--foundry", outside.anvil))
        arguments += [part for option, value in given if value is not None for part in (option, str(value))]
        _leave_running(place, arguments)


def _outside(simd: Path | None, foundry: Path | None) -> "OutsidePrograms":
    """Programs that were named; none is looked for on the PATH."""
    from hutong.relay.city.errors import CityUnusable
    from hutong.relay.city.plan import OutsidePrograms
    from hutong.relay.local.programs import ProgramMissing, find_program

    anvil = foundry / "anvil" if foundry is not None and foundry.is_dir() else foundry
    try:
        return OutsidePrograms(
            None if simd is None else find_program("simd", simd),
            None if anvil is None else find_program("foundry", anvil),
        )
    except ProgramMissing as error:
        raise CityUnusable(str(error)) from None


def _home(path: Path) -> "CityHome":
    from hutong.relay.city.home import CityHome

    return CityHome(path.absolute())


def _stay(home: "CityHome", plan: "CityPlan", *, keep: bool) -> None:
    from hutong.relay.city.running import Ending, run_city

    lock = home.lock()
    try:
        if keep:
            home.kept_marker.touch(mode=0o600)
        if run_city(home, plan, _say) is Ending.STOPPED_WHILE_STARTING:
            raise typer.Exit(STOPPED)
    finally:
        lock.release()


def _plan(small: bool, base_port: int | None, outside: "OutsidePrograms") -> "CityPlan":
    from hutong.relay.city.errors import CityUnusable
    from hutong.relay.city.plan import FULL, SMALL, CityPlan
    from hutong.relay.local.ports import claim_base_port, free_base_port
    from hutong.relay.local.processes import DemoFailed

    size = SMALL if small else FULL
    offsets = CityPlan.port_offsets(size)
    try:
        base = free_base_port(offsets) if base_port is None else claim_base_port(base_port, offsets)
        return CityPlan(size, base, outside)
    except DemoFailed as error:
        raise CityUnusable(str(error)) from None


def _leave_running(home: "CityHome", arguments: list[str]) -> None:
    import trio

    from hutong.relay.city.detaching import start_detached

    try:
        trio.run(partial(start_detached, home, arguments, _say))
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    _say(f"{home.city_file} says what is where; `hutong city down --home {home.path}` ends it")


@app.command()
def status(home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Say of each process whether it runs, and how far each chain is.

    Exit codes: 0 all is up, 1 something is not, 2 there is no city in the folder.
    """
    import trio

    from hutong.relay.city.errors import CityUnusable
    from hutong.relay.city.status import as_lines, look_at_city

    with refusing(CityUnusable):
        state = trio.run(look_at_city, _home(home))
    if as_json:
        typer.echo(json.dumps(asdict(state), indent=1))
    else:
        typer.echo("\n".join(as_lines(state)))
    if not state.good:
        raise typer.Exit(REFUSED)


@app.command("test")
def test_command(
    context: typer.Context,
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Names or numbers; without them all cases.")
    ] = None,
    home: Home = DEFAULT_HOME,
    full: Annotated[bool, typer.Option("--full", help="In the sizes of the cases, not in those of CI.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run application cases in the city, and judge their evidence offline; reports/ and evidence/ in its folder have both.

    Exit codes: 0 every check held, 1 one did not, 2 there is no city in the folder, or no such case.
    """
    from hutong.relay.cli.operator.city_cases import run_cases
    from hutong.relay.cli.operator.inner_command import InnerCommands

    run_cases(home.absolute(), cases or [], InnerCommands(context.find_root().command), full=full, as_json=as_json)


@app.command()
def down(
    home: Home = DEFAULT_HOME,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the files also of a city that was started with --keep.")
    ] = False,
) -> None:
    """End every process of the city and remove what it made; `evidence` and `reports` stay.

    Exit codes: 0 nothing of it runs any more, 1 a process does not end, 2 there is no city in the folder.
    """
    import trio

    from hutong.relay.city.errors import CityFailed, CityUnusable
    from hutong.relay.city.stopping import stop_city

    place = _home(home)
    with refusing(CityUnusable, refused=(CityFailed,)):
        trio.run(stop_city, place, _say)
        if place.kept_marker.exists() and not remove:
            _say(f"the city has ended; its files are in {place.path}")
            return
        place.remove_made()
    _say("the city has ended")


def _say(text: str) -> None:
    typer.echo(text)
