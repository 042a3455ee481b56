"""Keys that sign the relay's transactions: encrypted at rest, unreadable in memory dumps of our own making."""

from hutong.relay.keys.documents import ForeignDocument
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.hardening import forbid_core_dumps
from hutong.relay.keys.importing import DEFAULT_PATH, MAX_IMPORT_BYTES, KeyRefused, key_from_hex, key_from_mnemonic
from hutong.relay.keys.keystore import (
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
from hutong.relay.keys.signer import Signer

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
