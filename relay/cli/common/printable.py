"""Text that others wrote, made fit for a terminal."""

from rich.markup import escape


def printable(text: str) -> str:
    """Text from a file or a node for a terminal: no control sequences, no lone surrogates, no rich markup."""
    return escape("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))
