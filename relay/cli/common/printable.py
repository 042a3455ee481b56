"""Text that others wrote, made fit for a terminal."""

from rich.markup import escape

from hutong.relay.base.dated_text import with_dates


def printable(text: str) -> str:
    """Text from a file or a node for a terminal: no control sequences, no lone surrogates, no rich markup."""
    return escape("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


def printable_reason(text: str) -> str:
    """A refusal as `printable` has it, with its times as dates."""
    return printable(with_dates(text))
