"""The tables that modules have in a genesis document, by their member of it: one line each.

A module may be made from its table, and is then not on a hub whose genesis lacks it; that of observations is on every hub of
its rules version, and its table says who writes. The module's own line is in `hutong.relay.hub.application.modules` (docs/contributing.md, "A new module of the hub").
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, Members
from hutong.relay.hub.application.directory import governing as directory
from hutong.relay.hub.application.identity import governing as identity
from hutong.relay.hub.application.observations import writers as observations
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.storage import governing as storage


@dataclass(frozen=True, slots=True)
class GenesisTable:
    """How a table becomes the value that its module is made from, and back."""

    read: Callable[[Document], Any]
    """Judges every member, and raises MalformedInput. What it returns is immutable, and equal where the table is."""
    write: Callable[[Any], Any]
    """Inverse of `read`: the table as JSON values, in the one form that `read` takes."""
    since: int
    """The rules version from which on a genesis may have it."""


OBSERVATIONS = "observations"
IDENTITY = "identity"
STORAGE = "storage"
DIRECTORY = "directory"

GENESIS_TABLES: dict[str, GenesisTable] = {
    OBSERVATIONS: GenesisTable(observations.read_rules, observations.write_rules, rules_versions.RECORDS),
    IDENTITY: GenesisTable(identity.read_table, identity.write_table, rules_versions.IDENTITY),
    STORAGE: GenesisTable(storage.read_table, storage.write_table, rules_versions.STORAGE),
    DIRECTORY: GenesisTable(directory.read_table, directory.write_table, rules_versions.DIRECTORY),
}


def read_tables(fields: Members, rules_version: int) -> tuple[tuple[str, Any], ...]:
    """(name, value) of each module's table that the document has, in order of names.

    Raises:
        MalformedInput: a table's own reader refuses it, or the genesis is of an earlier rules version.
    """
    found = []
    for name, table in sorted(GENESIS_TABLES.items()):
        document = fields.optional(name)
        if document is None:
            continue
        if rules_version < table.since:
            raise MalformedInput(name, f"is known from rules version {table.since} on", got=rules_version)
        found.append((name, table.read(document)))
    return tuple(found)


def written_tables(tables: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """The members of the document that hold `tables`, as JSON values."""
    return {name: GENESIS_TABLES[name].write(value) for name, value in tables}
