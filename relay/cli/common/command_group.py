"""What all groups of commands have in common: plain help texts, no completion of their own, and how they refuse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandFunctionType

from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.refusal import refusals_as_exits


@contextmanager
def _plain_words() -> Iterator[None]:
    """In place of those of the library by which typer reads options, which speak of input and of parsing."""
    try:
        yield
    except typer.BadParameter as error:
        if isinstance(error.__cause__, ValueError) and (errors := getattr(error.__cause__, "errors", None)):
            from hutong.relay.config.reasons import reason_of

            said = reason_of(errors(include_url=False, include_input=False)[0])
            error.message = error.message if said is None else f"it {said}"
        raise


class CommandGroup(TyperGroup):
    """A group of commands. The outermost one says their refusals, whichever group that is."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """As typer's; what is wrong with an option is said in plain words."""
        with _plain_words():
            return super().make_context(*args, **options)

    def main(self, *args: Any, **options: Any) -> Any:
        """As typer's, to the end of the process.

        Raises:
            SystemExit: with the command's exit code.
        """
        with refusals_as_exits():
            return super().main(*args, **options)


class Command(TyperCommand):
    """A command. It says its own refusal where it is the only one of its group, and so stands for it."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """As typer's; what is wrong with an option is said in plain words."""
        with _plain_words():
            return super().make_context(*args, **options)

    def main(self, *args: Any, **options: Any) -> Any:
        """As `CommandGroup.main`.

        Raises:
            SystemExit: with the command's exit code.
        """
        with refusals_as_exits():
            return super().main(*args, **options)


class _Commands(typer.Typer):
    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = Command, **options: Any
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        register = super().command(name, cls=cls, **options)

        def command(function: CommandFunctionType) -> CommandFunctionType:
            register(grouped(function))
            return function

        return command


def command_group(
    help_text: str | None = None, *, cls: type[CommandGroup] = CommandGroup, completion: bool = False
) -> typer.Typer:
    """An empty group with plain help, which it prints without arguments. Its commands take options as `grouped` has them.

    Args:
        completion: offers to install the shell's completion: by `hutong` alone, for whose name it is written.
    """
    return _Commands(
        cls=cls,
        help=help_text,
        add_completion=completion,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,  # they print local variables, keys among them
    )
