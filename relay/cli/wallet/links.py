"""A link as commands take it."""

import typer


def given_link(given: str) -> str:
    """From the command line, or with - from standard input, where other programs do not see it."""
    return typer.get_text_stream("stdin").readline().strip() if given == "-" else given
