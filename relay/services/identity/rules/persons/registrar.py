"""Who registers persons: a DID that is accredited under one schema, by governance itself or by whom it accredits."""

from typing import Final

from hutong.light_clients.crypto import sha256

PERSONS_SCHEMA: Final = sha256(b"hutong/identity/persons/1")
"""In place of the hash of a credential's schema: whoever is accredited under it registers persons."""
