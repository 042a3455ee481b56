"""Keys of the API: their SHA-256 and scopes in a file that only its owner reads. The keys themselves are shown once.

A key has 256 bits of chance, so a plain hash keeps it: there is nothing to guess.
"""

import hmac
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from hutong.relay.base.durable_files import write_durably
from hutong.relay.base.file_lock import FileLock
from hutong.relay.config import UnsafeFile, read_private_file

PREFIX = "hk_"
KEY_BYTES = 32
MAX_KEYS = 1_000
FORMAT = "hutong-api-keys"

_KEY = re.compile(r"hk_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Scope(StrEnum):
    """What a key may do besides reading."""

    WRITE = "write"
    """Submit signed transactions."""
    ADMIN = "admin"
    """Try dead letters again; read metrics of an identity daemon from elsewhere."""
    ISSUE = "issue"
    """Offer, issue and revoke credentials."""
    VERIFY = "verify"
    """Ask wallets for credentials, and read what they showed."""
    REGISTER = "register"
    """Let persons in at a registrar, recover them as it, and read whose proof one likes."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`name` is its owner's word for it; `digest` the SHA-256 of the key in hex."""

    name: str
    scopes: frozenset[Scope]
    digest: str
    created_at: str


class KeysUnusable(Exception):
    """The file of keys cannot be used; one sentence."""


class KeyRefused(Exception):
    """The names that are there stand against it; one sentence."""


def new_key() -> str:
    """A new key of 256 random bits, `hk_` and 43 characters of base64url. It is kept nowhere: only its digest is."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def digest_of(key: str) -> str:
    """SHA-256 of a key in lower-case hex, as the file keeps it."""
    return sha256(key.encode()).hexdigest()


def check_name(name: str) -> str:
    """The name, if it is one that a key can have.

    Raises:
        KeysUnusable: it has other characters, or more than 64.
    """
    if _NAME.fullmatch(name) is None:
        raise KeysUnusable("a key's name has 1 to 64 characters of A-Z, a-z, 0-9 and inner . _ -")
    return name


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys of a file, MAX_KEYS at most; none where there is no file yet.

    Raises:
        KeysUnusable: open to others, or not what `write_keys` writes.
    """
    if not path.exists():
        return ()
    try:
        document = json.loads(read_private_file(path))
        if document["format"] != FORMAT or len(document["keys"]) > MAX_KEYS:
            raise ValueError("format")
        return tuple(_key(entry) for entry in document["keys"])
    except UnsafeFile as error:
        raise KeysUnusable(str(error)) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeysUnusable(f"{path} is not a file of API keys; move it away and create them anew") from None


def write_keys(path: Path, keys: Iterable[ApiKey]) -> None:
    """The whole file at once, mode 0600.

    Raises:
        KeysUnusable: too many, or the disk refuses.
    """
    kept = list(keys)
    if len(kept) > MAX_KEYS:
        raise KeysUnusable(f"more than {MAX_KEYS} keys; revoke some")
    entries = [
        {"name": key.name, "scopes": sorted(key.scopes), "sha256": key.digest, "created_at": key.created_at}
        for key in kept
    ]
    text = json.dumps({"format": FORMAT, "keys": entries}, indent=1) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, text.encode())
    except OSError as error:
        raise KeysUnusable(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def editing_keys(path: Path) -> Iterator[None]:
    """Nobody else edits them while the block lasts: two that read, change and write at once would undo one another.

    Raises:
        KeysUnusable: the lock file in the same folder cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(path.with_name(f".{path.name}.lock"), wait=True)
    except OSError as error:
        raise KeysUnusable(f"{path} cannot be locked: {error.strerror}") from None
    with lock:
        yield


def add_key(path: Path, name: str, scopes: Iterable[Scope]) -> str:
    """Make a key and keep its digest; the key itself is kept nowhere.

    Raises:
        KeyRefused: there is a key of that name.
        KeysUnusable: it cannot be a name, or the file of keys cannot be used.
    """
    check_name(name)
    with editing_keys(path):
        known = read_keys(path)
        if any(key.name == name for key in known):
            raise KeyRefused(f"there is a key {name} already; revoke it or choose another name")
        key = new_key()
        created_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        write_keys(path, [*known, ApiKey(name, frozenset(scopes), digest_of(key), created_at)])
    return key


def remove_key(path: Path, name: str) -> None:
    """Take a key away; it counts from the next request on.

    Raises:
        KeyRefused: there is none of that name.
        KeysUnusable: the file of keys cannot be used.
    """
    with editing_keys(path):
        known = read_keys(path)
        left = [key for key in known if key.name != name]
        if len(left) == len(known):
            raise KeyRefused(f"no key is called {name[:64]}")
        write_keys(path, left)


def _key(entry: Any) -> ApiKey:
    if _DIGEST.fullmatch(entry["sha256"]) is None or _NAME.fullmatch(entry["name"]) is None:
        raise ValueError("entry")
    return ApiKey(entry["name"], frozenset(map(Scope, entry["scopes"])), entry["sha256"], str(entry["created_at"]))


class KeyRing:
    """The keys as the file has them now: what is created or revoked counts at the next request."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[ApiKey, ...] = ()

    def find(self, offered: str) -> ApiKey | None:
        """The key that was offered. It takes as long whether and where it is in the file.

        Raises:
            KeysUnusable: then nobody is let in.
        """
        self._refresh()
        digest = digest_of(offered) if _KEY.fullmatch(offered) else ""
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
        except OSError:
            self._stamp, self._keys = None, ()
            return
        stamp = (status.st_mtime_ns, status.st_ino, status.st_mode)
        if stamp != self._stamp:
            self._keys = ()
            self._keys = read_keys(self._path)
            self._stamp = stamp
