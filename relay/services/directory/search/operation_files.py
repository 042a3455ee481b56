"""Operations from files: a folder of documents, a catalogue, or a log with an operation on each line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.services.directory.rules.entries.catalogues import (
    MAX_CATALOGUE_BYTES,
    entry_name,
    read_catalogue_entries,
)
from hutong.relay.services.directory.rules.entries.document import MAX_DOCUMENT_BYTES
from hutong.relay.services.directory.rules.terms.entry_texts import MAX_FACET_BYTES, MAX_FACET_VALUES, entry_text
from hutong.relay.services.directory.search.engine import EntryOperation
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object

MAX_LINE_BYTES: Final = MAX_DOCUMENT_BYTES + 8_192
MAX_OPERATIONS: Final = 2**40
RECORD_FACETS: Final = ("publisher", "origin")
"""Said by the record of an entry, and not by its document."""


@dataclass(frozen=True, slots=True)
class OperationFiles:
    """A `.json` catalogue, a `.jsonl` log, or a folder of `.json` documents, which are numbered in the order of their names, from 0."""

    path: Path

    def operations(self, first: int) -> Iterator[EntryOperation]:
        """See `OperationSource`.

        Raises:
            MalformedInput: a file or line is not what it should be. OSError: one cannot be read.
        """
        found = self._all()
        return (operation for operation in found if operation.sequence >= first)

    def _all(self) -> Iterator[EntryOperation]:
        if self.path.is_dir():
            for number, file in enumerate(sorted(self.path.glob("*.json"))):
                document = read_json_object(_bounded(file, MAX_DOCUMENT_BYTES), file.name, MAX_DOCUMENT_BYTES)
                yield _put(number, document)
        elif self.path.suffix == ".jsonl":
            with self.path.open("rb") as log:
                number = 0
                while line := log.readline(MAX_LINE_BYTES + 1):
                    number += 1
                    yield _operation(line, number)
        else:
            entries = read_catalogue_entries(_bounded(self.path, MAX_CATALOGUE_BYTES))
            for number, entry in enumerate(entries.values()):
                yield _put(number, entry)


def _bounded(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most + 1)


def _put(number: int, document: JsonObject) -> EntryOperation:
    return EntryOperation(number, entry_name(document, number), entry_text(document))


def _operation(line: bytes, number: int) -> EntryOperation:
    """A line: `sequence`, `entry`, `document` or null where it was withdrawn or is withheld, and what the record says as `facets`."""
    with Document(read_json_object(line, f"line {number}", MAX_LINE_BYTES), f"line {number}").members() as fields:
        sequence = fields["sequence"].integer(0, MAX_OPERATIONS)
        entry = fields["entry"].text(MAX_FACET_BYTES, 1)
        facets = _facets(fields["facets"])
        document = fields["document"].nullable()
    if document is None:
        return EntryOperation(sequence, entry, None)
    if not isinstance(document.value, dict):
        raise MalformedInput(f"line {number}.document", "is not an object", got=document.value)
    return EntryOperation(sequence, entry, entry_text(document.value, facets))


def _facets(document: Document) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, values in document.entries(len(RECORD_FACETS)):
        if name.value not in RECORD_FACETS:
            raise name.refused("is not a facet of a record", got=name.value, expected=list(RECORD_FACETS))
        listed = {value.text(MAX_FACET_BYTES, 1) for value in values.items(MAX_FACET_VALUES)}
        found[str(name.value)] = tuple(sorted(listed))
    return found
