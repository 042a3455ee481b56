"""Encrypted V3 keystores (Web3 Secret Storage): loading, creating, listing."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address

from hutong.light_clients.crypto.addresses import eth_address
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.base.durable_files import create_durably
from hutong.relay.config import KeystoreConfig, UnsafeFile, read_private_file
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.signer import Signer

MAX_PASSWORD_BYTES = 4096
MAX_KEYSTORE_BYTES = 64 * 1024
MAX_SCRYPT_MEMORY = 2**20 * 8
"""N times r: a gibibyte, four times what common wallets write. More would let a keystore file exhaust the host."""
MAX_PBKDF2_ITERATIONS = 10_000_000

PUBLIC_KEY = "public_key"
"""Beside the fields of the standard, which other readers pass over."""
READER = "hpke"
"""Of keystores whose secret opens messages (`reader_key`), in place of an address."""

Kept = TypeVar("Kept")
_PUBLIC_KEY = re.compile(r"0[23][0-9a-f]{64}", re.ASCII)
_ADDRESS = re.compile(r"(0x)?[0-9a-fA-F]{40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as `hutong keys list` shows it, without opening it. `path` is a keystore's file, or says where the key is.

    `public_key` (33 bytes) only of keystores that say it, as ours do: addresses of Cosmos chains are made of it.
    """

    path: Path | str
    address: str | None
    problem: str | None
    public_key: bytes | None = None


def read_password(key: KeystoreConfig, environment: Mapping[str, str] | None = None) -> bytes:
    """The password of a configured key: from its file (one trailing line break is dropped) or its environment variable.

    Raises:
        KeyUnavailable: no such variable or file, an unsafe file, or an empty password.
    """
    if key.password_file is not None:
        try:
            password = read_private_file(key.password_file).removesuffix(b"\n").removesuffix(b"\r")
        except UnsafeFile as error:
            raise KeyUnavailable(key.keystore, f"password file {error}") from None
        origin = "password file"
    else:
        name = key.password_env or ""
        value = (os.environ if environment is None else environment).get(name)
        if value is None:
            raise KeyUnavailable(key.keystore, f"environment variable {name} is not set")
        password, origin = value.encode(), f"environment variable {name}"
    if not password or len(password) > MAX_PASSWORD_BYTES:
        raise KeyUnavailable(key.keystore, f"{origin} must hold 1 to {MAX_PASSWORD_BYTES} bytes")
    return password


def load_key(key: KeystoreConfig, make: Callable[[bytes], Kept], environment: Mapping[str, str] | None = None) -> Kept:
    """What `make` makes of the key of a configured keystore, such as one that signs for a person and nothing else.

    Raises:
        KeyUnavailable: with the reason, never with the password or key.
    """
    return make(_decrypt(key, environment)[0])


def _decrypt(key: KeystoreConfig, environment: Mapping[str, str] | None) -> tuple[bytes, str]:
    password = read_password(key, environment)
    return open_keyfile(key.keystore, read_keyfile(key.keystore), password)


def open_keyfile(path: Path, keyfile: Mapping[str, Any], password: bytes) -> tuple[bytes, str]:
    """The private key of what `parse_keyfile` gave, and its address; `path` is named in errors.

    Raises:
        KeyUnavailable: a wrong password, a damaged keystore, or one that says another key than it holds.
    """
    if READER in keyfile:
        raise KeyUnavailable(path, "holds a key that opens messages (hutong keys hpke), which signs nothing")
    private_key = decrypt_keyfile(path, keyfile, password)
    try:
        signer = Signer.in_memory(private_key)
    except ValueError:
        raise KeyUnavailable(path, "does not hold a 32-byte secp256k1 key") from None
    claimed = keyfile.get("address")
    if isinstance(claimed, str) and claimed.lower().removeprefix("0x") != signer.address.lower().removeprefix("0x"):
        raise KeyUnavailable(path, f"says address {claimed[:42]} but holds the key of {signer.address}")
    if PUBLIC_KEY in keyfile and keyfile[PUBLIC_KEY] != signer.public_key.hex():
        raise KeyUnavailable(path, f"says another public key than that of {signer.address}, which it holds")
    return private_key, signer.address


def decrypt_keyfile(path: Path, keyfile: Mapping[str, Any], password: bytes) -> bytes:
    """The secret of what `parse_keyfile` gave, whatever it is for; `path` is named in errors.

    Raises:
        KeyUnavailable: a wrong password, or a damaged keystore.
    """
    from eth_keyfile.keyfile import decode_keyfile_json

    try:
        return bytes(decode_keyfile_json(dict(keyfile), password))
    except ValueError:
        raise KeyUnavailable(path, "the password is wrong or the keystore is damaged") from None
    except Exception as error:  # eth-keyfile raises KeyError, TypeError … on a damaged file
        raise KeyUnavailable(path, f"is not a V3 keystore ({type(error).__name__})") from None


def create_keystore(path: Path, private_key: bytes, password: bytes, iterations: int | None = None) -> str:
    """Write a new keystore with mode 0600 and return its address. `iterations` is scrypt's N (default: the library's).

    Raises:
        KeyUnavailable: the file exists, or its directory cannot be written.
    """
    keyfile = encrypt_key(path, private_key, password, iterations)
    create_keyfile(path, json.dumps(keyfile))
    return to_checksum_address("0x" + keyfile["address"])


def encrypt_key(path: Path, private_key: bytes, password: bytes, iterations: int | None = None) -> dict[str, Any]:
    """The fields of a V3 keystore, with the public key besides. Costs a deliberate fraction of a second (scrypt).

    Args:
        path: named in errors; nothing is written.
        private_key: 32 bytes.
        iterations: scrypt's N, as in `create_keystore`.

    Raises:
        KeyUnavailable: the password is empty or too long.
    """
    keyfile = encrypt_secret(path, private_key, password, iterations)
    public_key = PrivateKey(private_key).public_key
    keyfile["address"] = public_key.to_checksum_address().removeprefix("0x").lower()
    keyfile[PUBLIC_KEY] = public_key.to_compressed_bytes().hex()
    return keyfile


def encrypt_secret(path: Path, secret: bytes, password: bytes, iterations: int | None = None) -> dict[str, Any]:
    """As `encrypt_key`, of a secret that may be for something else: without its public key, and with an `address` to leave out.

    Raises:
        KeyUnavailable: the password is empty or too long.
    """
    if not 1 <= len(password) <= MAX_PASSWORD_BYTES:
        raise KeyUnavailable(path, f"a password has 1 to {MAX_PASSWORD_BYTES} bytes")
    from eth_keyfile.keyfile import create_keyfile_json

    keyfile: dict[str, Any] = create_keyfile_json(secret, password, kdf="scrypt", iterations=iterations)
    return keyfile


def export_key(key: KeystoreConfig, to: Path, environment: Mapping[str, str] | None = None) -> str:
    """Write the private key unencrypted, as hex, to a new file with mode 0600; returns its address.

    Raises:
        KeyUnavailable: the keystore cannot be opened, or the file exists.
    """
    private_key, address = _decrypt(key, environment)
    create_keyfile(to, "0x" + private_key.hex() + "\n")
    return address


def list_keystores(directory: Path) -> list[StoredKey]:
    """The keystores of a directory, by name. Nothing is decrypted."""
    return [stored_key(path) for path in sorted(directory.glob("*.json"))]


def stored_key(path: Path) -> StoredKey:
    """What a keystore file says of itself, or why it cannot be used. Nothing is decrypted, so it may say what is not
    so.
    """
    try:
        keyfile = read_keyfile(path)
    except KeyUnavailable as error:
        return StoredKey(path, None, error.reason)
    if READER in keyfile:
        return StoredKey(path, None, "opens messages and signs nothing: hutong keys hpke show")
    address = keyfile.get("address")
    if not isinstance(address, str) or _ADDRESS.fullmatch(address) is None:
        return StoredKey(path, None, None)
    checksummed = to_checksum_address("0x" + address.lower().removeprefix("0x"))
    return StoredKey(path, checksummed, None, stored_public_key(keyfile, checksummed))


def stored_public_key(keyfile: Mapping[str, Any], address: str) -> bytes | None:
    """The public key that a keystore says it holds, compressed.

    Returns:
        None if it says none, or one of another address.
    """
    text = keyfile.get(PUBLIC_KEY)
    if not isinstance(text, str) or _PUBLIC_KEY.fullmatch(text) is None:
        return None
    public_key = bytes.fromhex(text)
    named = eth_address(public_key)
    return public_key if named is not None and to_checksum_address(named) == address else None


def create_keyfile(path: Path, text: str) -> None:
    """Write a new file with mode 0600, in a folder that is made where it is missing.

    Raises:
        KeyUnavailable: the file exists, or cannot be written.
    """
    if path.parent.exists() and not path.parent.is_dir():
        raise KeyUnavailable(path, f"{path.parent} is not a folder; choose another file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        create_durably(path, text.encode("ascii"))
    except FileExistsError:
        raise KeyUnavailable(path, "exists already; choose another file") from None
    except OSError as error:
        raise KeyUnavailable(path, f"cannot be written ({error.strerror})") from None


def read_keyfile(path: Path) -> dict[str, Any]:
    """The fields of a keystore's file. Nothing is decrypted.

    Raises:
        KeyUnavailable: see `parse_keyfile`; others can read the file, or nobody can.
    """
    try:
        data = read_private_file(path)
    except UnsafeFile as error:
        raise KeyUnavailable(path, error.reason) from None
    return parse_keyfile(path, data)


def parse_keyfile(path: Path, data: bytes) -> dict[str, Any]:
    """The fields of a V3 keystore. Nothing is decrypted.

    Args:
        path: named in errors.

    Raises:
        KeyUnavailable: not a V3 keystore, or one that asks for more work than any wallet writes.
    """
    try:
        keyfile = parse_json(data, "keystore", MAX_KEYSTORE_BYTES)
    except MalformedInput:
        raise KeyUnavailable(path, "is not a V3 keystore (no readable JSON)") from None
    if not isinstance(keyfile, dict) or keyfile.get("version") != 3:
        raise KeyUnavailable(path, "is not a V3 keystore (version 3 expected)")
    _check_derivation_cost(path, keyfile)
    return keyfile


def _check_derivation_cost(path: Path, keyfile: dict[str, Any]) -> None:
    section = keyfile.get("crypto") or keyfile.get("Crypto")
    parameters = section.get("kdfparams") if isinstance(section, dict) else None
    if not isinstance(parameters, dict):
        raise KeyUnavailable(path, "is not a V3 keystore (no crypto.kdfparams)")
    costs = {name: parameters.get(name, 1) for name in ("n", "r", "p", "c")}
    if not all(isinstance(cost, int) and cost > 0 for cost in costs.values()):
        raise KeyUnavailable(path, "has key derivation parameters that are not positive integers")
    if costs["n"] * costs["r"] > MAX_SCRYPT_MEMORY or costs["p"] > 16 or costs["c"] > MAX_PBKDF2_ITERATIONS:
        raise KeyUnavailable(path, "asks for more key derivation work than any wallet writes")
