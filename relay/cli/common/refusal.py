"""The one way in which a command refuses: a sentence on standard error, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.verify.inputs import UnusableInput

REFUSED = 1
"""The answer is no: a rule or a chain refused, a node halted, or nothing has that name."""
UNUSABLE = 2
"""What was given cannot be used, or the command cannot do its work here."""
ACTION_REFUSED = 3
"""The validators of a hub decided, and the hub refused their action."""
STOPPED = 130
"""A signal asked for the end, as shells say it of SIGINT."""


class Refused(Exception):
    """Ends the command. Raised anywhere in `cli`, said once, by `refusals_as_exits`.

    Args:
        sentence: for the person at the terminal: what is wrong and what to do.
        code: one of the exit codes of this module.
    """

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


@contextmanager
def refusing(*unusable: type[Exception], refused: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn errors that are one sentence for the person at the terminal into refusals.

    Args:
        unusable: errors that end the command with code 2.
        refused: those that end it with code 1.

    Raises:
        Refused: the block raised one of them.
    """
    try:
        yield
    except unusable as error:
        raise Refused(str(error), UNUSABLE) from None
    except refused as error:
        raise Refused(str(error), REFUSED) from None


@contextmanager
def refusals_as_exits() -> Iterator[None]:
    """Say a refusal on standard error, also one of `administration` and of the offline verifiers, which know no codes.

    Raises:
        SystemExit: with the refusal's code; for Declined 1, for Unusable and UnusableInput 2.
    """
    try:
        yield
    except Refused as refusal:
        typer.echo(str(refusal), err=True)
        raise SystemExit(refusal.code) from None
    except (Declined, Unusable) as error:
        typer.echo(str(error), err=True)
        raise SystemExit(REFUSED if isinstance(error, Declined) else UNUSABLE) from None
    except UnusableInput as error:
        from rich.console import Console

        from hutong.relay.cli.common.printable import printable

        Console(stderr=True, soft_wrap=True).print(f"[red]unusable input[/]: {printable(str(error))}", highlight=False)
        raise SystemExit(UNUSABLE) from None
