"""Two catalogues, entry by entry: what was added, left out or changed. Bytes, the order of entries and of members make no difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.entries.document import DOCUMENT_DOMAIN
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json

MAX_CATALOGUE_BYTES: Final = 64 * 2**20
MAX_CATALOGUE_ENTRIES: Final = 100_000
_IDS: Final = ("@id", "identifier")


@dataclass(frozen=True, slots=True)
class CatalogueChanges:
    """Identifiers, ascending."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def are_none(self) -> bool:
        """Whether both catalogues say the same."""
        return not (self.added or self.removed or self.changed)


def read_catalogue_entries(data: bytes) -> dict[str, JsonObject]:
    """Each entry by its identifier: of a list of data sets, or of an object with `dataset` (DSP, DCAT-US, CKAN's export of it).
    Raises:
        MalformedInput: not strict JSON within the bounds, no list of data sets, an entry without `@id` or `identifier`, or two with one.
    """
    value = read_json(data, "catalogue", MAX_CATALOGUE_BYTES)
    entries = value.get("dataset") if isinstance(value, dict) else value
    if not isinstance(entries, list) or len(entries) > MAX_CATALOGUE_ENTRIES:
        raise MalformedInput("catalogue", f"is not a list of at most {MAX_CATALOGUE_ENTRIES} data sets")
    found: dict[str, JsonObject] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise MalformedInput(f"catalogue[{number}]", "is not an object", got=entry)
        name = entry_name(entry, number)
        if name in found:
            raise MalformedInput(f"catalogue[{number}]", "stands twice", got=name)
        found[name] = entry
    return found


def read_catalogue(data: bytes) -> dict[str, bytes]:
    """Hash of each entry by its identifier. Entries need not be documents of ours: what is hashed is their canonical JSON.

    Raises:
        MalformedInput: see `read_catalogue_entries`.
    """
    return hashes_of(read_catalogue_entries(data))


def hashes_of(entries: Mapping[str, JsonObject]) -> dict[str, bytes]:
    """Hash of each entry by its identifier."""
    return {name: sha256(DOCUMENT_DOMAIN + canonical_json(entry)) for name, entry in entries.items()}


def entry_name(entry: JsonObject, number: int) -> str:
    """The identifier of an entry: its `@id`, or else its `identifier`.

    Raises:
        MalformedInput: it has neither; `number` names it.
    """
    for member in _IDS:
        if isinstance(entry.get(member), str):
            return cast(str, entry[member])
    raise MalformedInput(f"catalogue[{number}]", "has neither @id nor identifier")


def catalogue_changes(published: dict[str, bytes], served: dict[str, bytes]) -> CatalogueChanges:
    """What is served and was not published, what was published and is not served, and what is served otherwise."""
    both = published.keys() & served.keys()
    return CatalogueChanges(
        tuple(sorted(served.keys() - published.keys())),
        tuple(sorted(published.keys() - served.keys())),
        tuple(sorted(name for name in both if published[name] != served[name])),
    )
