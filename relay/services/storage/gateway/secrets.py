"""A gateway's secrets in files that only their owner reads: the tenant's secret, and S3 access keys with their secret keys.

Signature Version 4 is a MAC, so a gateway has to know the secret key itself: a hash of it would not do.
"""

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hutong.relay.base.durable_files import write_durably
from hutong.relay.config import UnsafeFile, read_private_file

FORMAT: Final = "hutong-s3-keys"
MAX_KEYS: Final = 1_000
_ACCESS: Final = re.compile(r"[A-Z0-9]{16,32}")
_SECRET: Final = re.compile(r"[A-Za-z0-9/+_-]{32,64}")
_HEX: Final = re.compile(r"[0-9a-f]{64}\n?")


class SecretsUnusable(Exception):
    """A file of secrets cannot be used; one sentence, without a secret."""


@dataclass(frozen=True, slots=True)
class S3Key:
    """An access key and its secret key."""

    access_key: str
    secret_key: str


def new_tenant_secret(path: Path) -> None:
    """Draw a tenant's secret and write it to a file that is not there yet, mode 0600.

    Raises:
        SecretsUnusable: the file is there, or cannot be written.
    """
    if path.exists():
        raise SecretsUnusable(f"{path} is there already: a new secret would make what it has stored unreadable")
    try:
        write_durably(path, os.urandom(32).hex().encode() + b"\n")
    except OSError as error:
        raise SecretsUnusable(f"{path} cannot be written: {error.strerror}") from None


def read_tenant_secret(path: Path) -> bytes:
    """32 bytes.

    Raises:
        SecretsUnusable: open to others, or not 64 digits.
    """
    try:
        octets = read_private_file(path)
    except (UnsafeFile, OSError) as error:
        raise SecretsUnusable(str(error)) from None
    text = octets.decode("ascii", "replace")
    if not _HEX.fullmatch(text):
        raise SecretsUnusable(f"{path} is not 64 lower-case hexadecimal digits")
    return bytes.fromhex(text.strip())


def add_s3_key(path: Path) -> S3Key:
    """A new access key in a file.

    Raises:
        SecretsUnusable: the file cannot be used, or has too many.
    """
    known = list(read_s3_keys(path).values())
    if len(known) >= MAX_KEYS:
        raise SecretsUnusable(f"{path} has {MAX_KEYS} keys; take some away")
    key = S3Key("HT" + secrets.token_hex(9).upper(), secrets.token_urlsafe(30))
    document = {
        "format": FORMAT,
        "keys": [{"access_key": one.access_key, "secret_key": one.secret_key} for one in (*known, key)],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, json.dumps(document, indent=1).encode() + b"\n")
    except OSError as error:
        raise SecretsUnusable(f"{path} cannot be written: {error.strerror}") from None
    return key


def read_s3_keys(path: Path | None) -> dict[str, S3Key]:
    """By access key; none where there is no file.

    Raises:
        SecretsUnusable: open to others, or another file.
    """
    if path is None or not path.exists():
        return {}
    try:
        document = json.loads(read_private_file(path))
        if document["format"] != FORMAT or len(document["keys"]) > MAX_KEYS:
            raise ValueError("format")
        keys = [S3Key(entry["access_key"], entry["secret_key"]) for entry in document["keys"]]
        if not all(_ACCESS.fullmatch(key.access_key) and _SECRET.fullmatch(key.secret_key) for key in keys):
            raise ValueError("keys")
    except UnsafeFile as error:
        raise SecretsUnusable(str(error)) from None
    except (ValueError, KeyError, TypeError, RecursionError, OSError):
        raise SecretsUnusable(f"{path} is not a file of S3 keys; move it away and create them anew") from None
    return {key.access_key: key for key in keys}
