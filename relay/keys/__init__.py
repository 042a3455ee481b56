"""Keys that sign the relay's transactions: encrypted at rest, unreadable in memory dumps of our own making."""

from relay.keys.errors import KeyUnavailable
from relay.keys.keystore import StoredKey, create_keystore, list_keystores, load_signer, read_password
from relay.keys.signer import Signer

__all__ = [
    "KeyUnavailable",
    "Signer",
    "StoredKey",
    "create_keystore",
    "list_keystores",
    "load_signer",
    "read_password",
]
