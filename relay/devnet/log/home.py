"""Where a development log is kept: keys, entries, the newest head that it signed, its witnesses' memories.

Order of writing, so that a crash leaves nothing that cannot go on: entries, then the head that the log signs (`head`), then
each witness's memory, then the checkpoint with their lines. What stands in `entries` after the newest head was never signed
and is dropped at the next start; whoever appended it was not answered.
"""

import json
import os
import secrets
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.crypto import ed25519
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tlog import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    Key,
    LogTrust,
    Note,
    NoteSignature,
    checkpoint_text,
    decode_checkpoint,
    encode_note,
    encode_vkey,
    message_entry,
)
from hutong.light_clients.tlog.signing import log_line
from hutong.light_clients.tlog.tiles import encode_bundle
from hutong.light_clients.tlog.types import MAX_ENTRY_BYTES, MAX_WITNESSES
from hutong.relay.base.durable_files import READABLE, create_durably, write_durably
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.devnet.log.tree import LogTree
from hutong.relay.devnet.log.witness import Witness
from hutong.relay.devnet.settings import DevnetError

HOME = HomeKind("development log", "lock")
DEFAULT_ORIGIN = "log.devnet/registry"
DEFAULT_WITNESSES = 3
MAX_LOG_BYTES = 256 * 1024 * 1024
"""Of entries, which are kept in memory too."""
FIRST_ENTRY = b"hutong devnet log"
"""A tree has at least one entry, so that a client can begin with it."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What never changes once the home is made."""

    origin: str = DEFAULT_ORIGIN
    witnesses: int = DEFAULT_WITNESSES

    def __post_init__(self) -> None:
        if not 1 <= self.witnesses <= MAX_WITNESSES:
            raise DevnetError(f"a log has 1 to {MAX_WITNESSES} witnesses, not {self.witnesses}")

    @property
    def quorum(self) -> int:
        """How many witnesses a reader asks for: more than half."""
        return self.witnesses // 2 + 1


class LogFull(DevnetError):
    """No further entry is taken."""


class SignedLog:
    """A log and its witnesses over a home. Blocking; one caller at a time."""

    def __init__(self, home: Path, settings: LogSettings, wall_clock_s: Callable[[], float] = time.time) -> None:
        self._home = home
        self._wall_clock_s = wall_clock_s
        self._settings = settings
        self._secret = _secret_of(home / "log.key")
        self._publisher_secret = _secret_of(home / "publisher.key")
        self._witnesses = [
            Witness(_key(f"{settings.origin}/witness-{number:02}", secret), secret, home / f"witness-{number:02}.seen")
            for number, secret in enumerate(
                [_secret_of(home / f"witness-{number:02}.key") for number in range(settings.witnesses)]
            )
        ]
        self.trust = LogTrust(
            settings.origin,
            _key(settings.origin, self._secret),
            tuple(witness.key for witness in self._witnesses),
            settings.quorum,
            ed25519.public_key_of(self._publisher_secret),
        )
        try:
            self.trust.client_state(1, 1, 1)
        except MalformedInput as error:
            raise DevnetError(f"no reader takes a log of this origin: {error}") from None
        self.tree = LogTree(self._kept_entries())
        self._bytes = sum(map(len, self.tree.entries))
        self.checkpoint = b""
        if not self.tree.size:
            self.append([FIRST_ENTRY])
        else:
            self.sign()

    def document(self) -> bytes:
        """Whom a reader believes, as `hutong verify tlog --trusted` reads it: no secret in it."""
        return json.dumps(
            {
                "origin": self.trust.origin,
                "log_key": encode_vkey(self.trust.log_key, ED25519),
                "witnesses": [encode_vkey(key, COSIGNATURE_V1) for key in self.trust.witnesses],
                "quorum": self.trust.quorum,
                "publisher_key": b64encode(self.trust.publisher_key).decode(),
            },
            indent=1,
        ).encode()

    def message(self, key: bytes, value: bytes) -> bytes:
        """The entry of a message that the log's publisher signs: not appended yet.

        Raises:
            ValueError: the value is not 32 bytes.
        """
        return message_entry(self.trust.origin, key, value, lambda signed: ed25519.sign(self._publisher_secret, signed))

    def append(self, entries: Sequence[bytes]) -> int:
        """Entries at the end, durable and under a checkpoint with all cosignatures. Returns the index of the first one.

        Raises:
            LogFull: they do not fit; none is taken.
            ValueError: an entry is empty or too long.
            OSError: the disk refuses; the log is to be opened anew.
        """
        if not all(0 < len(entry) <= MAX_ENTRY_BYTES for entry in entries):
            raise ValueError(f"an entry has 1 to {MAX_ENTRY_BYTES} bytes")
        size = sum(map(len, entries))
        if self._bytes + size > MAX_LOG_BYTES:
            raise LogFull(f"the log is full: it holds {MAX_LOG_BYTES} bytes")
        first = self.tree.size
        with (self._home / "entries").open("ab") as file:
            file.write(encode_bundle(entries))
            file.flush()
            os.fsync(file.fileno())
        for entry in entries:
            self.tree.append(entry)
        self._bytes += size
        self.sign()
        return first

    def sign(self) -> None:
        """Sign the tree as it is, and let every witness cosign it with the time of now.

        Raises:
            DevnetError: a witness saw another tree: the home was put together from two.
            OSError: the disk refuses.
        """
        text = checkpoint_text(self.trust.origin, self.tree.size, self.tree.root())
        own = log_line(self.trust.log_key, self._secret, text)
        head = encode_note(Note(text, (own,)))
        write_durably(self._home / "head", head, READABLE)
        shown, now_s = decode_checkpoint(head), int(self._wall_clock_s())
        lines = tuple(self._cosigned(witness, shown, now_s) for witness in self._witnesses)
        self.checkpoint = encode_note(Note(text, (own, *lines)))
        write_durably(self._home / "checkpoint", self.checkpoint, READABLE)

    def _cosigned(self, witness: Witness, shown: Checkpoint, now_s: int) -> NoteSignature:
        seen = witness.seen.size
        if seen > self.tree.size:
            raise DevnetError(
                f"{self._home / 'entries'} has fewer entries than {witness.key.name} cosigned ({seen}): restore it; a log "
                "that goes on from less shows two trees"
            )
        nodes = self.tree.consistency(seen) if seen else ()
        try:
            return witness.cosign(self.trust.origin, self.trust.log_key, shown, nodes, now_s)
        except PredicateFailed as error:
            raise DevnetError(
                f"{witness.key.name} does not cosign: {error}; {self._home} holds parts of two logs: restore it"
            ) from None

    def _kept_entries(self) -> list[bytes]:
        """Those under the newest head; the file is cut after them."""
        head = self._newest_head()
        path = self._home / "entries"
        if head is None:
            path.unlink(missing_ok=True)
            return []
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DevnetError(f"{path} cannot be read: {error.strerror or error}") from None
        entries: list[bytes] = []
        at = 0
        while len(entries) < head.size:
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            if end > len(data):
                raise DevnetError(f"{path} ends after {len(entries)} of {head.size} entries: restore it")
            entries.append(data[at + 2 : end])
            at = end
        if LogTree(entries).root() != head.root:
            raise DevnetError(f"{path} does not hold the entries that the log has signed: restore it")
        if at < len(data):
            os.truncate(path, at)
        return entries

    def _newest_head(self) -> Checkpoint | None:
        path = self._home / "head"
        try:
            return decode_checkpoint(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, MalformedInput) as error:
            raise DevnetError(f"{path} cannot be used: {error}") from None


def _key(name: str, secret: bytes) -> Key:
    return Key(name, ed25519.public_key_of(secret))


def _secret_of(path: Path) -> bytes:
    """32 bytes, made at the first start. Raises DevnetError where the file is no such key."""
    if not path.exists():
        create_durably(path, secrets.token_bytes(32).hex().encode() + b"\n")
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise DevnetError(f"{path} cannot be read: {error}") from None
    if len(secret) != 32:
        raise DevnetError(f"{path} is not a key of 32 bytes in hex")
    return secret


def _check_settings(home: Path, settings: LogSettings) -> None:
    """Raises DevnetError: the home was made with others."""
    path = home / "settings.json"
    document = json.dumps({"origin": settings.origin, "witnesses": settings.witnesses}).encode()
    if not path.exists():
        create_durably(path, document)
    elif path.read_bytes() != document:
        raise DevnetError(f"{home} holds another log ({path.read_text(errors='replace')[:300]}); start it as it is")


@contextmanager
def open_log(
    home: Path | None, settings: LogSettings, wall_clock_s: Callable[[], float] = time.time
) -> Iterator[SignedLog]:
    """The log in `home`, or one in a folder that is removed at the end. One process holds a home: two would sign two trees.

    Raises:
        DevnetError: another process holds it, it cannot be used, or it holds another log.
    """
    if home is None:
        with tempfile.TemporaryDirectory(prefix="hutong-log-") as folder, open_log(Path(folder), settings) as log:
            yield log
        return
    try:
        lock = lock_home(home, HOME)
    except HomeNotLocked as error:
        raise DevnetError(str(error)) from error
    with lock:
        try:
            _check_settings(home, settings)
            log = SignedLog(home, settings, wall_clock_s)
            write_durably(home / "trusted.json", log.document(), READABLE)
        except OSError as error:
            raise DevnetError(f"{home} cannot be used as home: {error.strerror or error}") from error
        yield log
