"""Keys: documents that they sign, the sources that hold them, and keystores, the kind that this process opens itself."""

from hutong.relay.keys.errors import ForeignDocument, KeyUnavailable
from hutong.relay.keys.hardening import forbid_core_dumps
from hutong.relay.keys.importing import (
    DEFAULT_PATH,
    MAX_IMPORT_BYTES,
    KeyRefused,
    key_from_hex,
    key_from_mnemonic,
    new_key,
)
from hutong.relay.keys.keystore import (
    StoredKey,
    create_keystore,
    encrypt_key,
    export_key,
    list_keystores,
    load_key,
    open_keyfile,
    parse_keyfile,
    read_password,
    stored_key,
    stored_public_key,
)
from hutong.relay.keys.opening import account_of_key, load_signer, open_source
from hutong.relay.keys.signer import Signer
from hutong.relay.keys.source import KeyAlgorithm, KeySource, SourceHealth

__all__ = [
    "DEFAULT_PATH",
    "MAX_IMPORT_BYTES",
    "ForeignDocument",
    "KeyAlgorithm",
    "KeyRefused",
    "KeySource",
    "KeyUnavailable",
    "Signer",
    "SourceHealth",
    "StoredKey",
    "account_of_key",
    "create_keystore",
    "encrypt_key",
    "export_key",
    "forbid_core_dumps",
    "key_from_hex",
    "key_from_mnemonic",
    "list_keystores",
    "load_key",
    "load_signer",
    "new_key",
    "open_keyfile",
    "open_source",
    "parse_keyfile",
    "read_password",
    "stored_key",
    "stored_public_key",
]
