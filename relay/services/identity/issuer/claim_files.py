"""Claims in files: one JSON object, JSON lines, or a table of comma-separated values. Read entry by entry, whatever the size."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.issuer.settings import MAX_CLAIMS_BYTES
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, read_json_object

MAX_ENTRY_BYTES = 2 * MAX_CLAIMS_BYTES
MAX_COLUMNS = 128


def read_claims(file: Path) -> Iterator[JsonObject]:
    """The entries of a file, by its ending: .json one, .jsonl and .csv many.

    In a table the first line names the claims. A value is text, unless its column ends in `:boolean` or `:integer`; an empty one
    is left out. A column or member `reference` names the case.

    Raises:
        MalformedInput: another ending, or an entry that is not one, by its number.
        OSError: the file cannot be read.
    """
    kind = file.suffix.lower()
    if kind == ".json":
        with file.open("rb") as stream:
            yield read_json_object(stream.read(MAX_ENTRY_BYTES + 1), "claims", MAX_ENTRY_BYTES)
    elif kind == ".jsonl":
        with file.open("rb") as stream:
            yield from _lines(stream)
    elif kind == ".csv":
        with file.open(encoding="utf-8", errors="surrogateescape", newline="") as text:
            yield from _table(text)
    else:
        raise MalformedInput("file", "ends in .json, .jsonl or .csv", got=kind[:16])


def _lines(stream: IO[bytes]) -> Iterator[JsonObject]:
    number = 0
    while line := stream.readline(MAX_ENTRY_BYTES + 1):
        number += 1
        if line.strip():
            yield read_json_object(line, f"line {number}", MAX_ENTRY_BYTES)


def _boolean(text: str) -> JsonValue:
    if text not in ("true", "false"):
        raise MalformedInput("value", "is neither true nor false", got=text[:40])
    return text == "true"


def _integer(text: str) -> JsonValue:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15) or str(int(text)) != text:
        raise MalformedInput("value", "is not an integer as short as it can be, of at most 15 digits", got=text[:40])
    return int(text)


_KINDS: Mapping[str, Callable[[str], JsonValue]] = MappingProxyType(
    {"": lambda text: text, "boolean": _boolean, "integer": _integer}
)


def _table(text: IO[str]) -> Iterator[JsonObject]:
    rows = csv.reader(_bounded(text), strict=True)
    try:
        columns = [_column(name) for name in next(rows, [])]
        if not 0 < len(columns) <= MAX_COLUMNS or len({name for name, _ in columns}) != len(columns):
            raise MalformedInput("line 1", f"does not name 1 to {MAX_COLUMNS} claims, each once")
        for row in rows:
            if len(row) != len(columns):
                raise MalformedInput(f"line {rows.line_num}", "has another number of values", len(row), len(columns))
            yield {name: read(value) for (name, read), value in zip(columns, row, strict=True) if value}
    except csv.Error as error:
        raise MalformedInput(f"line {rows.line_num}", f"is not comma-separated values: {error}") from None


def _column(title: str) -> tuple[str, Callable[[str], JsonValue]]:
    name, _, kind = title.strip().lstrip("\ufeff").partition(":")
    if kind not in _KINDS or not name:
        raise MalformedInput(
            "line 1", "has a column that is neither NAME, NAME:boolean nor NAME:integer", got=title[:40]
        )
    return name, _KINDS[kind]


def _bounded(text: IO[str]) -> Iterator[str]:
    """Lines of UTF-8, none longer than an entry may be."""
    number = 0
    while line := text.readline(MAX_ENTRY_BYTES + 1):
        number += 1
        if len(line) > MAX_ENTRY_BYTES:
            raise MalformedInput(f"line {number}", f"has more than {MAX_ENTRY_BYTES} characters")
        if not line.isprintable() and any("\udc80" <= sign <= "\udcff" for sign in line):
            raise MalformedInput(f"line {number}", "is not UTF-8")
        yield line
