"""Keys of directory records in the hub's state (docs/spec/directory-records.md). Entries and publishers are named by 32 bytes."""

from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.relay.services.directory.rules.records.facets import Facet
from hutong.relay.services.identity.rules.records.encoding import check_bytes

SPEC: Final = "docs/spec/directory-records.md"
DIRECTORY_PREFIX: Final = b"directory/"
ENTRY_PREFIX: Final = b"directory/entry/"
FACET_PREFIX: Final = b"directory/facet/"
PUBLISHER_PREFIX: Final = b"directory/publisher/"
USE_PREFIX: Final = b"directory/use/"
PARAMETERS_KEY: Final = b"directory/parameters"
PUBLISHERS_KEY: Final = b"directory/publishers"
"""BE8 of how many publishers are named."""
ENTRY_DOMAIN: Final = b"hutong/directory/entry/1"
LOCAL_DOMAIN: Final = b"hutong/directory/local/1"


def entry_id(publisher: bytes, local: bytes) -> bytes:
    """An entry's 32 bytes, by its publisher and the 32 that this one chose: nobody else can take them first."""
    check_bytes("entry.publisher", publisher)
    check_bytes("entry.local", local)
    return sha256(ENTRY_DOMAIN + publisher + local)


def local_of(name: str) -> bytes:
    """What a publisher chooses for the document with this `@id`. For a restricted entry 32 random bytes are better: this hash
    can be guessed."""
    return sha256(LOCAL_DOMAIN + name.encode())


def entry_key(entry: bytes) -> bytes:
    """Holds the newest `LoggedOperation` of the entry."""
    check_bytes("directory.entry", entry)
    return ENTRY_PREFIX + entry


def head_key(facet: Facet) -> bytes:
    """Holds the `FacetHead`."""
    return FACET_PREFIX + bytes([facet.kind]) + facet.code


def publisher_key(publisher: bytes) -> bytes:
    """Holds the `PublisherRecord`; absent for whoever is not named."""
    check_bytes("directory.publisher", publisher)
    return PUBLISHER_PREFIX + publisher


def use_key(publisher: bytes) -> bytes:
    """Holds the `PublisherUse`."""
    check_bytes("directory.publisher", publisher)
    return USE_PREFIX + publisher
