"""A consensus key as it is on disk: CometBFT's plain priv_validator_key.json, or a V3 keystore that a password opens."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.config import KeystoreConfig, UnsafeFile, read_private_file
from hutong.relay.hub.home.home import (
    MAX_KEY_FILE_BYTES,
    REMOTE_KEY_FILE,
    VALIDATOR_KEY_FILE,
    UnusableHome,
    ValidatorKey,
    decode_validator_key,
    encode_validator_key,
    validator_key,
)
from hutong.relay.keys import (
    KeyUnavailable,
    encrypt_key,
    open_keyfile,
    parse_keyfile,
    read_password,
    stored_public_key,
)

Password = Callable[[Path], bytes]
"""Asked only where a key file is encrypted. Raises UnusableHome."""
EncodeKey = Callable[[ValidatorKey], bytes]
"""How a new key is to stand in its file."""


def no_password(path: Path) -> bytes:
    """The `Password` of a caller that has none.

    Raises:
        UnusableHome: always.
    """
    raise UnusableHome(f"{path} is encrypted: its password is needed (--key-password-file or --key-password-env)")


def read_key_password(path: Path, file: Path | None, variable: str | None) -> bytes:
    """The password of a consensus key, from a file of mode 0600 or an environment variable.

    Args:
        path: of the key, named in errors.

    Raises:
        UnusableHome: not exactly one of the two is given, or it cannot be read.
    """
    try:
        config = KeystoreConfig.model_validate({"keystore": path, "password_file": file, "password_env": variable})
    except ValueError:  # pydantic's is not one sentence
        raise UnusableHome("give one of --key-password-file and --key-password-env, with a variable's name") from None
    try:
        return read_password(config)
    except KeyUnavailable as error:
        raise UnusableHome(f"{path}: {error.reason}") from None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Not opened. Of an encrypted key, `public_key` is what the file says, which `open_key` checks."""

    path: Path
    data: bytes
    public_key: PublicKey
    keyfile: Mapping[str, Any] | None

    @property
    def is_encrypted(self) -> bool:
        """Whether the file is a keystore; then `public_key` is only what the file says."""
        return self.keyfile is not None

    def __repr__(self) -> str:
        return f"KeyFile({self.path}, {self.public_key.data.hex()})"


def parse_key_file(path: Path, data: bytes) -> KeyFile:
    """Read what is known of a key without opening it; `path` is named in errors alone.

    Raises:
        UnusableHome: the bytes are neither form, or a keystore without its public key. It never shows a secret.
    """
    if not _is_keystore(data):
        try:
            return KeyFile(path, data, decode_validator_key(data).public_key, None)
        except ValueError as error:
            raise UnusableHome(f"{path}: {error}") from None
    try:
        keyfile = parse_keyfile(path, data)
    except KeyUnavailable as error:
        raise UnusableHome(f"{path}: {error.reason}") from None
    address = keyfile.get("address")
    public_key = None
    if isinstance(address, str) and len(address.removeprefix("0x")) == 40 and address.isascii():
        try:
            public_key = stored_public_key(keyfile, to_checksum_address("0x" + address.lower().removeprefix("0x")))
        except ValueError:
            public_key = None
    if public_key is None:
        raise UnusableHome(f"{path}: does not say its public key, as keystores made by `hutong hub key encrypt` do")
    return KeyFile(path, data, PublicKey(KeyType.SECP256K1, public_key), keyfile)


def _is_keystore(data: bytes) -> bool:
    try:
        document = parse_json(data, "key", 4 * MAX_KEY_FILE_BYTES)
    except MalformedInput:
        return False
    return (
        isinstance(document, dict)
        and "priv_key" not in document
        and {"version", "crypto", "Crypto"} & set(document) != set()
    )


def read_key_file(path: Path) -> KeyFile:
    """The key file of a home, not opened.

    Raises:
        UnusableHome: the file is missing, others may read it, it is no key, or this home's key is with a signer.
    """
    require_own_key(path.parent)
    try:
        return parse_key_file(path, read_private_file(path))
    except UnsafeFile as error:
        raise UnusableHome(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def key_is_remote(home: Path) -> bool:
    """Whether a signer has this home's key. The file that says so is not read."""
    return (home / REMOTE_KEY_FILE).exists()


def require_own_key(home: Path) -> None:
    """Refuse a home whose key is with a signer, where a command needs the key itself.

    Raises:
        UnusableHome: the key is with a signer.
    """
    if key_is_remote(home):
        raise UnusableHome(
            f"{home / REMOTE_KEY_FILE}: this home's key is with a signer, so this is not supported here; give the signer's home"
        )


def open_key(file: KeyFile, password: Password = no_password) -> ValidatorKey:
    """The secret of a key file.

    `password` is asked where it is encrypted, and the derivation then takes about a second.

    Raises:
        UnusableHome: no or a wrong password, or a file that says another key than it holds.
    """
    if file.keyfile is None:
        return decode_validator_key(file.data)
    try:
        secret, _ = open_keyfile(file.path, file.keyfile, password(file.path))
    except KeyUnavailable as error:
        raise UnusableHome(f"{file.path}: {error.reason}") from None
    return validator_key(secret)


def load_key(home: Path, password: Password = no_password) -> ValidatorKey:
    """The validator's key of a home, as `read_key_file` and `open_key`.

    Raises:
        UnusableHome: as both.
    """
    return open_key(read_key_file(home / VALIDATOR_KEY_FILE), password)


def encrypted(password: bytes, path: Path, iterations: int | None = None) -> EncodeKey:
    """Encodes keys as V3 keystores under this password; `path` is named in errors.

    Args:
        iterations: of the derivation; None takes the default of `relay.keys`.

    Returns:
        The encoder, which raises UnusableHome where the password is empty or too long.
    """

    def encode(key: ValidatorKey) -> bytes:
        try:
            return json.dumps(encrypt_key(path, key.private_key, password, iterations), indent=1).encode() + b"\n"
        except KeyUnavailable as error:
            raise UnusableHome(f"{path}: {error.reason}") from None

    return encode


PLAIN: EncodeKey = encode_validator_key


def new_secret() -> bytes:
    """32 random bytes of the system's source, which are a secp256k1 secret."""
    while True:
        secret = secrets.token_bytes(32)
        if 0 < int.from_bytes(secret, "big") < secp256k1.ORDER:
            return secret
