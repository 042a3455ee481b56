"""How `hutong verify` reads its inputs and prints what every predicate said.

Exit codes: 0 every predicate held, 1 one did not, 2 the input cannot be judged at all.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from light_clients.interface import CheckVerdict, MalformedInput, json_text

EXIT_INVALID = 1
EXIT_UNUSABLE = 2
MAX_FILE_BYTES = 16 * 1024 * 1024
"""A header of 10 000 validators in RPC JSON has 5 MB."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file to judge.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")]

_HEX = re.compile(r"(0[xX])?([0-9a-fA-F]{2})*")


class UnusableInput(Exception):
    """The input is not what the command reads; the text is one sentence for the user."""


def printable(text: str) -> str:
    """Text from a file or a node for a terminal: no control sequences, no lone surrogates, no rich markup."""
    return escape("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


@contextmanager
def unusable_as_exit() -> Iterator[None]:
    """Turn UnusableInput into its sentence on standard error and exit code 2."""
    try:
        yield
    except UnusableInput as error:
        Console(stderr=True, soft_wrap=True).print(f"[red]unusable input[/]: {printable(str(error))}", highlight=False)
        raise typer.Exit(EXIT_UNUSABLE) from None


def read_file(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The whole file, by default at most 16 MiB."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise UnusableInput(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > max_bytes:
        raise UnusableInput(f"{path} has more than {max_bytes} bytes")
    if not data.strip():
        raise UnusableInput(f"{path} is empty")
    return data


def parse_json(data: bytes, what: str) -> Any:
    """JSON with the bounds that answers of nodes have: depth, no repeated keys, no NaN; UnusableInput where it is not."""
    try:
        return json_text.parse_json(data.removeprefix(codecs.BOM_UTF8), "body", MAX_FILE_BYTES)
    except MalformedInput as error:
        library = error.__cause__  # names line and column
        raise UnusableInput(f"{what} is not JSON: {library or error.reason}") from None


def read_json(path: Path) -> Any:
    """The file as JSON."""
    return parse_json(read_file(path), str(path))


def parse_hex(text: str, name: str, size: int | None = None) -> bytes:
    """Hex with or without 0x; `name` is the option or field, `size` the bytes that it must have."""
    if _HEX.fullmatch(text) is None:
        raise UnusableInput(f"{name} is not hex: {text[:80]}")
    data = bytes.fromhex(text[2:] if text[:2] in ("0x", "0X") else text)
    if size is not None and len(data) != size:
        raise UnusableInput(f"{name} must have {size} bytes, has {len(data)}")
    return data


def required(text: str | None, option: str, what: str) -> str:
    """The option's text, or UnusableInput: a file proves nothing without something trusted from elsewhere."""
    if text is None:
        raise UnusableInput(f"no trust root: give {option}, {what}")
    return text


def _as_json(verdicts: Sequence[CheckVerdict], subject: Mapping[str, str], *, valid: bool) -> str:
    checks = [verdict_fields(verdict) for verdict in verdicts]
    return json.dumps({"valid": valid, "subject": dict(subject), "checks": checks}, indent=2)


def verdict_fields(verdict: CheckVerdict) -> dict[str, str | bool | None]:
    """A verdict as JSON has it."""
    return {
        "name": verdict.name,
        "source": verdict.source,
        "held": verdict.held,
        "reason": None if verdict.error is None else str(verdict.error),
    }


def print_verdict(console: Console, verdict: CheckVerdict) -> None:
    """One line, and the reason under it where the predicate failed."""
    mark = "[green]held  [/]" if verdict.held else "[red]FAILED[/]"
    console.print(f"{mark}  {printable(verdict.name)}  [dim]{printable(verdict.source)}[/]")
    if verdict.error is not None:
        console.print(f"        {printable(str(verdict.error))}")


def report(verdicts: Sequence[CheckVerdict], subject: Mapping[str, str], *, as_json: bool) -> NoReturn:
    """Print what every rule said, and exit with 0 or 1. `subject` says what was judged (names to texts)."""
    valid = bool(verdicts) and all(verdict.held for verdict in verdicts)
    console = Console(soft_wrap=True, highlight=False)
    if as_json:
        typer.echo(_as_json(verdicts, subject, valid=valid))
    else:
        for name, text in subject.items():
            console.print(f"{printable(name)}: {printable(text)}")
        for verdict in verdicts:
            print_verdict(console, verdict)
        held = sum(verdict.held for verdict in verdicts)
        console.print(f"[green]valid[/]: {held} predicates held" if valid else "[red]invalid[/]")
    raise typer.Exit(0 if valid else EXIT_INVALID)
