"""Keystores of readers' keys (HPKE): V3 keystores with the public key in the clear, whose secret opens messages and signs nothing."""

import json
import secrets
from pathlib import Path
from typing import Any

from hutong.light_clients.crypto.hpke import HpkeError, Kem, KeyRefused, PrivateKey, PublicKey
from hutong.light_clients.crypto.hpke.suites import PRIVATE_KEY_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.keystore import READER, create_keyfile, decrypt_keyfile, encrypt_secret, read_keyfile

MAX_PUBLIC_KEY_FILE_BYTES = 16 * 1024
KEMS = {kem.label: kem for kem in Kem}
"""By the word in files and options."""


def new_reader_key(kem: Kem) -> PrivateKey:
    """A fresh key of the operating system's randomness.

    Raises:
        HpkeNotInstalled: the extra `hpke` is not there.
        SuiteUnsupported: see `PrivateKey.parse`.
    """
    while True:
        try:
            return PrivateKey.parse(kem, secrets.token_bytes(PRIVATE_KEY_BYTES))
        except KeyRefused:  # P-256, once in 2^32: not a scalar
            continue


def create_reader_keystore(path: Path, key: PrivateKey, password: bytes) -> None:
    """Write a new keystore with mode 0600.

    Raises:
        KeyUnavailable: the file exists or cannot be written, or the password is empty or too long.
    """
    keyfile = encrypt_secret(path, key.secret, password)
    # The library names the account of a signing key with these bytes: nobody shall send anything there.
    del keyfile["address"]
    keyfile[READER] = public_key_document(key.public_key)
    create_keyfile(path, json.dumps(keyfile))


def stored_reader_key(path: Path) -> PublicKey:
    """The public key that a keystore says it has. Nothing is decrypted, so it may say what is not so.

    Raises:
        KeyUnavailable: no keystore of a reader's key.
        HpkeNotInstalled: the extra `hpke` is not there.
    """
    return _public_key(path, read_keyfile(path))


def open_reader_keystore(path: Path, password: bytes) -> PrivateKey:
    """The key, whose public half is the one that the file says.

    Raises:
        KeyUnavailable: a wrong password, a damaged keystore, or one that says another public key than it holds.
        HpkeNotInstalled: the extra `hpke` is not there.
    """
    keyfile = read_keyfile(path)
    said = _public_key(path, keyfile)
    try:
        key = PrivateKey.parse(said.kem, decrypt_keyfile(path, keyfile, password))
    except HpkeError as error:
        raise KeyUnavailable(path, str(error)) from None
    if key.public_key != said:
        raise KeyUnavailable(path, "says another public key than that of the secret in it")
    return key


def public_key_document(key: PublicKey) -> dict[str, Any]:
    """What is given to those who shall seal to the key."""
    return {"kem": key.kem.label, "public_key": key.encoded.hex()}


def read_public_key(data: bytes, name: str) -> PublicKey:
    """A key of `public_key_document`, as JSON; `name` says in errors where it stands.

    Raises:
        MalformedInput: it is not that, or a key to which nothing may be sealed.
        HpkeNotInstalled: the extra `hpke` is not there.
    """
    return _key_of(Document.parse(data, name, MAX_PUBLIC_KEY_FILE_BYTES))


def _key_of(document: Document) -> PublicKey:
    with document.members() as fields:
        label = fields["kem"].text(32)
        if label not in KEMS:
            raise MalformedInput(f"{document.path}.kem", "is not one that is served", label, ", ".join(KEMS))
        encoded = fields["public_key"].hex(KEMS[label].public_key_bytes)
    try:
        return PublicKey.parse(KEMS[label], encoded)
    except HpkeError as error:
        raise MalformedInput(f"{document.path}.public_key", str(error)) from None


def _public_key(path: Path, keyfile: dict[str, Any]) -> PublicKey:
    if READER not in keyfile:
        raise KeyUnavailable(
            path, "is not a keystore of a key that opens messages: hutong keys hpke generate makes one"
        )
    try:
        return _key_of(Document(keyfile[READER], READER))
    except MalformedInput as error:
        raise KeyUnavailable(path, str(error)) from None
