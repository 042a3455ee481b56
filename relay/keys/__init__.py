"""Keys that sign the relay's transactions: encrypted at rest, unreadable in memory dumps of our own making."""

from relay.keys.documents import ForeignDocument
from relay.keys.errors import KeyUnavailable
from relay.keys.hardening import forbid_core_dumps
from relay.keys.importing import DEFAULT_PATH, MAX_IMPORT_BYTES, KeyRefused, key_from_hex, key_from_mnemonic
from relay.keys.keystore import (
    StoredKey,
    create_keystore,
    encrypt_key,
    export_key,
    list_keystores,
    load_signer,
    open_keyfile,
    parse_keyfile,
    read_password,
    stored_key,
    stored_public_key,
)
from relay.keys.signer import Signer

__all__ = [
    "DEFAULT_PATH",
    "MAX_IMPORT_BYTES",
    "ForeignDocument",
    "KeyRefused",
    "KeyUnavailable",
    "Signer",
    "StoredKey",
    "create_keystore",
    "encrypt_key",
    "export_key",
    "forbid_core_dumps",
    "key_from_hex",
    "key_from_mnemonic",
    "list_keystores",
    "load_signer",
    "open_keyfile",
    "parse_keyfile",
    "read_password",
    "stored_key",
    "stored_public_key",
]
