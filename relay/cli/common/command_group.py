"""What all groups of commands have in common: plain help texts, no completion of their own, and how they refuse."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandFunctionType

from hutong.relay.cli.common.refusal import refusals_as_exits


class CommandGroup(TyperGroup):
    """A group of commands. The outermost one says their refusals, whichever group that is."""

    def main(self, *args: Any, **options: Any) -> Any:
        """As typer's, to the end of the process.

        Raises:
            SystemExit: with the command's exit code.
        """
        with refusals_as_exits():
            return super().main(*args, **options)


class Command(TyperCommand):
    """A command. It says its own refusal where it is the only one of its group, and so stands for it."""

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
        return super().command(name, cls=cls, **options)


def command_group(
    help_text: str | None = None, *, cls: type[CommandGroup] = CommandGroup, completion: bool = False
) -> typer.Typer:
    """An empty group with plain help, which it prints without arguments.

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
