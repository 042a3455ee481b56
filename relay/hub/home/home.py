"""The directory of one hub node: genesis, validator key, last-signed record, database."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.base.regular_files import open_regular
from hutong.relay.config import UnsafeFile, read_private_file
from hutong.relay.hub.application.genesis import MAX_GENESIS_BYTES, Genesis, decode_genesis

MAX_KEY_FILE_BYTES = 16 * 1024
GENESIS_FILE = "genesis.json"
VALIDATOR_KEY_FILE = "validator_key.json"
REMOTE_KEY_FILE = "consensus_key.toml"
"""In place of the key: which signer has it."""
SIGNER_FILE = "signer.toml"
"""Of a signer's home: where it listens, and the nodes that it signs for."""
LAST_SIGNED_FILE = "last_signed.json"
PROPOSAL_FILE = "last_proposal.bin"
DATABASE_DIRECTORY = "data"
_KEY_TYPE = "tendermint/PrivKeySecp256k1"
_PUBLIC_KEY_TYPE = "tendermint/PubKeySecp256k1"


class UnusableHome(Exception):
    """A file of the home cannot be used; one sentence says which and why."""


@dataclass(frozen=True, slots=True)
class ValidatorKey:
    """A validator's secret; never shown."""

    private_key: bytes
    public_key: PublicKey

    def __repr__(self) -> str:
        return f"ValidatorKey({self.public_key.data.hex()})"

    def sign(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest: 64 bytes r ‖ s, big-endian, low s.

        Nothing is recorded here; `FileSigner` does that.
        """
        return secp256k1.sign(self.private_key, digest)


def validator_key(private_key: bytes) -> ValidatorKey:
    """Derive the public part of a 32-byte secret.

    Raises:
        ValueError: the secret is not between 1 and the order of secp256k1.
    """
    return ValidatorKey(private_key, PublicKey(KeyType.SECP256K1, secp256k1.public_key_of(private_key)))


def encode_validator_key(key: ValidatorKey) -> bytes:
    """The bytes of CometBFT's priv_validator_key.json. They hold the secret as plain text."""
    document = {
        "address": key.public_key.address.hex().upper(),
        "pub_key": {"type": _PUBLIC_KEY_TYPE, "value": base64.b64encode(key.public_key.data).decode()},
        "priv_key": {"type": _KEY_TYPE, "value": base64.b64encode(key.private_key).decode()},
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def decode_validator_key(data: bytes) -> ValidatorKey:
    """Inverse of `encode_validator_key`. Only the secret is read; address and public key are derived and not compared.

    Raises:
        ValueError: a sentence without its subject, which says what is wrong and never shows the secret.
    """
    try:
        document = parse_json(data, "key", MAX_KEY_FILE_BYTES)
        entry = document["priv_key"]
        kind, secret = entry["type"], base64.b64decode(entry["value"], validate=True)
    except (MalformedInput, ValueError, KeyError, TypeError):
        raise ValueError("is not a priv_validator_key.json") from None
    if kind != _KEY_TYPE:
        raise ValueError(f"holds a key of type {str(kind)[:40]}, the hub needs {_KEY_TYPE}")
    try:
        return validator_key(secret)
    except ValueError:
        raise ValueError("does not hold a secp256k1 secret") from None


def load_genesis(home: Path) -> Genesis:
    """The checked genesis document of a home.

    Raises:
        UnusableHome: the file is missing, too long, or not a genesis.
    """
    path = home / GENESIS_FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_GENESIS_BYTES + 1)
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}; run `hutong hub init` first") from None
    try:
        return decode_genesis(data)
    except MalformedInput as error:
        raise UnusableHome(f"{path}: {error}") from None


def read_genesis(path: Path) -> Genesis:
    """The checked genesis document of a file that somebody handed over.

    Raises:
        UnusableHome: it is a pipe or device, cannot be read, is too long, or not a genesis.
    """
    try:
        with open_regular(path) as file:
            return decode_genesis(file.read(MAX_GENESIS_BYTES + 1))
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}") from None
    except MalformedInput as error:
        raise UnusableHome(f"{path}: {error}") from None


def load_validator_key(home: Path) -> ValidatorKey:
    """The plain key of a home; an encrypted one is refused here, and opened by `key_file.load_key`.

    Raises:
        UnusableHome: the file is missing, others may read it, or it is not such a key.
    """
    path = home / VALIDATOR_KEY_FILE
    try:
        return decode_validator_key(read_private_file(path))
    except UnsafeFile as error:
        raise UnusableHome(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    except ValueError as error:
        raise UnusableHome(f"{path}: {error}") from None
