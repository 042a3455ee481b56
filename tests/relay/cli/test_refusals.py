"""How commands refuse: one sentence and an exit code, from any group, and from the one place that says it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.cli.common.command_group import Command, CommandGroup, command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.main import app as hutong
from hutong.relay.verify.inputs import UnusableInput

ERRORS = [
    (Refused("the chain refused it", REFUSED), 1, "the chain refused it\n"),
    (Refused("--height: none\n--hash: none", UNUSABLE), 2, "--height: none\n--hash: none\n"),
    (Declined("blocks would stop"), 1, "blocks would stop\n"),
    (Unusable("--public-key takes 33 bytes"), 2, "--public-key takes 33 bytes\n"),
    (UnusableInput("a.json is \x1b[2J not [JSON]"), 2, "unusable input: a.json is \\x1b[2J not [JSON]\n"),
]


def raising(error):
    def command() -> None:
        typer.echo("begun")
        raise error

    return command


@pytest.mark.parametrize(("error", "code", "said"), ERRORS)
@pytest.mark.parametrize("members", [1, 2])
def test_a_group_says_the_refusal_of_a_member(error, code, said, members):
    outer, inner = command_group("Outer."), command_group("Inner.")
    for number in range(members):  # a group of one command is that command
        inner.command(f"name-{number}")(raising(error))
    outer.add_typer(inner, name="inner")
    for app, words in ((inner, []), (outer, ["inner"])):
        words = [*words, "name-0"] if members > 1 or app is outer else words
        done = CliRunner().invoke(app, words)
        assert (done.exit_code, done.stdout, done.stderr) == (code, "begun\n", said)


def test_a_refusal_amid_the_chains_keeps_its_sentence_and_code():
    async def refuse(_random):
        raise Refused("client-3 would not take it", REFUSED)

    with pytest.raises(Refused, match="client-3 would not take it") as ended:
        run_administration(refuse)
    assert ended.value.code == REFUSED


@pytest.mark.parametrize(("error", "code"), [(Declined("blocks would stop"), 1), (Unusable("not an address"), 2)])
def test_what_administration_declines_amid_the_chains_has_its_code(error, code):
    async def decline(_random):
        raise error

    with pytest.raises(Refused, match=str(error)) as ended:
        run_administration(decline)
    assert ended.value.code == code


@pytest.mark.parametrize(("error", "code"), [(KeyError("a"), 2), (ValueError("b"), 2), (OSError("c"), 1)])
def test_errors_that_are_one_sentence_become_refusals(error, code):
    with pytest.raises(Refused) as ended, refusing(KeyError, ValueError, refused=(OSError,)):
        raise error
    assert (str(ended.value), ended.value.code) == (str(error), code)


def test_other_errors_are_not_hidden():
    with pytest.raises(TypeError), refusing(KeyError, refused=(OSError,)):
        raise TypeError("a bug")


def walk(command, words=()):
    yield words, command
    if isinstance(command, CommandGroup):
        for name in command.list_commands(None):
            yield from walk(command.get_command(None, name), (*words, name))


def test_every_help_text_is_plain_and_every_command_refuses_alike():
    for words, command in walk(get_command(hutong)):
        assert isinstance(command, Command | CommandGroup), words
        assert command.rich_markup_mode is None, words
        completes = any(option.name == "install_completion" for option in command.params)
        assert completes is (words == ()), words


@dataclass(frozen=True, slots=True)
class Bounds:
    period_s: Annotated[int, typer.Option(help="Seconds.")]
    drift_s: Annotated[int, typer.Option(min=1, help="More seconds.")] = 15


def test_options_of_one_concern_arrive_as_one_value():
    def judge(file: str, *, bounds: Bounds, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
        """Judge it."""
        typer.echo(f"{file} {bounds} {as_json}")

    app = command_group()
    app.command()(judge)
    done = CliRunner().invoke(app, ["a.json", "--period-s", "7", "--json"])
    assert done.output == "a.json Bounds(period_s=7, drift_s=15) True\n"
    assert CliRunner().invoke(app, ["a.json", "--period-s", "7", "--drift-s", "0"]).exit_code == 2
    help_text = CliRunner().invoke(app, ["--help"]).output
    assert "Judge it." in help_text
    assert help_text.index("--json") < help_text.index("--period-s") < help_text.index("--drift-s")


@dataclass(frozen=True, slots=True)
class Wish:
    bounds: Bounds
    name: Annotated[str, typer.Option(help="Its name.")] = "x"


def test_a_group_within_a_group_arrives_as_a_value_of_it():
    def judge(*, wish: Wish) -> None:
        typer.echo(str(wish))

    app = command_group()
    app.command()(judge)
    done = CliRunner().invoke(app, ["--period-s", "7", "--name", "a"])
    assert done.output == "Wish(bounds=Bounds(period_s=7, drift_s=15), name='a')\n"


@dataclass(frozen=True, slots=True)
class End:
    PREFIX: ClassVar[str]
    key: Annotated[str, typer.Option(help="Key of {PREFIX}.")]
    depth: Annotated[int, typer.Option(min=1, help="Depth of {PREFIX}.")] = 1


@dataclass(frozen=True, slots=True)
class EndA(End):
    PREFIX: ClassVar[str] = "a"


@dataclass(frozen=True, slots=True)
class EndB(End):
    PREFIX: ClassVar[str] = "b"
    key: Annotated[str, typer.Option(help="The same of {PREFIX}.")]


def test_one_shape_serves_twice_under_two_prefixes():
    app = command_group()

    @app.command()
    def join(*, a: EndA, b: EndB) -> None:
        typer.echo(f"{a} {b}")

    done = CliRunner().invoke(app, ["--a-key", "x", "--b-key", "y", "--b-depth", "2"])
    assert done.output == "EndA(key='x', depth=1) EndB(key='y', depth=2)\n"
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(said in shown for said in ("Key of A.", "Depth of A.", "The same of B.", "Depth of B."))
    refused = CliRunner().invoke(app, ["--a-key", "x", "--b-key", "y", "--a-depth", "0"])
    assert refused.exit_code == 2 and "--a-depth" in refused.output


def test_one_option_in_two_groups_is_an_error_of_the_program():
    def judge(*, trusted: Bounds, new: Bounds) -> None: ...

    with pytest.raises(ValueError, match="period_s"):
        grouped(judge)


def test_help_of_the_whole_says_what_it_is_and_its_exit_codes():
    shown = CliRunner().invoke(hutong, ["--help"]).output
    assert "A cross-chain relay and bridge" in shown
    assert "Exit codes: 0 done and good, 1 judged and refused, 2 unusable input." in shown


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1.5", "it is not a whole number"),
        ("1e18", "it is not a whole number"),
        ("0", "it is less than 1"),
        ("9" * 5_000, "it has too many digits"),
    ],
)
def test_trial_T17_an_option_that_cannot_be_is_told_in_plain_words(amount, words):
    given = ["--config", "relay.toml", "--chain", "alpha", "--token", "0x1", "--receiver", "0x1", "--amount", amount]
    refused = CliRunner().invoke(hutong, ["transfer", "send", *given, "--keystore", "key.json"])
    assert refused.exit_code == 2 and f"'--amount': {words}" in refused.output, refused.output
    assert "Input should" not in refused.output and "parse" not in refused.output


@pytest.mark.parametrize("chain", ["start", "beacon", "log"])
def test_trial_F6_a_port_that_is_none_is_one_sentence(chain):
    done = CliRunner().invoke(hutong, ["devnet", chain, "--port", "99999"])
    assert done.exit_code == 2 and "'--port': it is more than 65535" in done.output
