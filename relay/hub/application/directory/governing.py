"""The parameters of the directory where genesis gives them as a table, and where a running hub takes the module up."""

from typing import Any

from hutong.light_clients.interface.document import Document
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.directory.rules.records import keys
from hutong.relay.services.directory.rules.records.publishers import (
    DEFAULTS,
    MAX_BLOCK_OPERATIONS,
    MAX_CALL_OPERATIONS,
    DirectoryParameters,
    encode_directory_parameters,
)

BOUNDS = {"call_operations": (1, MAX_CALL_OPERATIONS), "block_operations": (1, MAX_BLOCK_OPERATIONS)}


def take_up_directory(store: Store, rules_version: int, said: DirectoryParameters | None) -> None:
    """Write the parameters where the rules have them and the state does not: those of genesis, or the defaults."""
    if rules_version >= rules_versions.DIRECTORY and store.get(keys.PARAMETERS_KEY) is None:
        store.set(keys.PARAMETERS_KEY, encode_directory_parameters(said or DEFAULTS))


def read_table(document: Document) -> DirectoryParameters:
    """The genesis table `directory`.

    Raises:
        MalformedInput: a member is missing, unknown or out of its bounds.
    """
    with document.members() as fields:
        return DirectoryParameters(**{name: fields[name].integer(*bounds) for name, bounds in BOUNDS.items()})


def write_table(parameters: DirectoryParameters) -> dict[str, Any]:
    """Inverse of `read_table`, as JSON values."""
    return {name: getattr(parameters, name) for name in BOUNDS}
