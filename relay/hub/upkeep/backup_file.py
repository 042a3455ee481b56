"""Bytes of a backup (docs/member/backing-up.md): a head, the database row by row, a tail, and the hash of all of it.

A file that was cut or changed anywhere is refused before any of it is used; every size is bounded before it is believed.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.evm.store.database import MAX_KEY_BYTES
from hutong.relay.hub.application.genesis import MAX_GENESIS_BYTES

MAGIC = b"hutong-backup\x01"
MAX_SECTION_BYTES = MAX_GENESIS_BYTES + 512 * 1024
"""Of head and tail, which hold no more than genesis and two small files."""
MAX_ROW_BYTES = 64 * 1024 * 1024
MAX_ROWS = 2**36
_ROW, _TAIL = b"r", b"t"


@dataclass(frozen=True, slots=True)
class BackupHead:
    """`validator_key` is empty unless its owner asked for it."""

    genesis: bytes
    validator_key: bytes


@dataclass(frozen=True, slots=True)
class BackupTail:
    """Written last: the last-signed record as it was after the rows had been read."""

    rows: int
    last_signed: bytes


class _Hashing:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = sha256()

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self._file.write(data)

    def read(self, size: int, what: str) -> bytes:
        """Raises MalformedInput at the end of the file."""
        data = self._file.read(size)
        if len(data) != size:
            raise MalformedInput(f"backup.{what}", "is cut off", len(data), size)
        self._hash.update(data)
        return data

    def digest(self) -> bytes:
        return self._hash.digest()


def _section(document: dict[str, Any]) -> bytes:
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return len(data).to_bytes(4, "big") + data


def write_backup(file: BinaryIO, head: BackupHead, rows: Iterable[tuple[bytes, bytes]], tail_of: Any) -> BackupTail:
    """Write the whole file: magic, head, `rows` in the order given, tail, and the SHA-256 of all of it.

    Sizes are not checked here; `BackupReader` refuses what is out of bounds or out of key order.

    Args:
        rows: (key, value), keys ascending.
        tail_of: is called with the number of rows once all are written, and returns the `BackupTail`.

    Returns:
        The tail that was written.
    """
    out = _Hashing(file)
    out.write(MAGIC)
    out.write(_section({"genesis": head.genesis.decode(), "validator_key": head.validator_key.decode()}))
    count = 0
    for key, value in rows:
        out.write(_ROW + len(key).to_bytes(2, "big") + len(value).to_bytes(4, "big") + key + value)
        count += 1
    tail: BackupTail = tail_of(count)
    out.write(_TAIL + _section({"rows": tail.rows, "last_signed": tail.last_signed.decode()}))
    file.write(out.digest())
    return tail


class BackupReader:
    """Read `head`, then drain `rows`, then `tail` is there. Raises MalformedInput; I/O errors come through."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._in = _Hashing(file)
        got = self._in.read(len(MAGIC), "magic")
        if got != MAGIC:
            raise MalformedInput("backup.magic", "this is not a backup of a hub", got, MAGIC)
        with self._section("head").members() as fields:
            self.head = BackupHead(_text(fields["genesis"]), _text(fields["validator_key"].concealed()))
        self.tail: BackupTail | None = None

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """The rows in key order; none may be used before the end, where the hash is compared. Then `tail` is there.

        Raises:
            MalformedInput: a size or the number of rows is out of bounds, keys do not ascend, the file is cut, changed, or goes on after its
                hash.
        """
        count, last = 0, b""
        while (mark := self._in.read(1, "mark")) == _ROW:
            sizes = self._in.read(6, "row")
            key_size, value_size = int.from_bytes(sizes[:2], "big"), int.from_bytes(sizes[2:], "big")
            if not 0 < key_size <= MAX_KEY_BYTES:
                raise MalformedInput("backup.row.key", f"1 to {MAX_KEY_BYTES} bytes", got=key_size)
            if value_size > MAX_ROW_BYTES:
                raise MalformedInput("backup.row.value", f"above {MAX_ROW_BYTES} bytes", got=value_size)
            key = self._in.read(key_size, "row.key")
            if key <= last:
                raise MalformedInput("backup.row.key", "is not above the one before it", got=key)
            last = key
            if count == MAX_ROWS:
                raise MalformedInput("backup.rows", f"more than {MAX_ROWS}", got=count + 1)
            count += 1
            yield key, self._in.read(value_size, "row.value")
        if mark != _TAIL:
            raise MalformedInput("backup.mark", "neither a row nor the tail", got=mark)
        with self._section("tail").members() as fields:
            fields["rows"].exactly(count, "another number of rows")
            tail = BackupTail(count, _text(fields["last_signed"]))
        expected = self._in.digest()
        got = self._file.read(HASH_BYTES + 1)
        if got != expected:
            raise MalformedInput("backup.hash", "is not that of the file", got, expected)
        self.tail = tail

    def _section(self, name: str) -> Document:
        size = int.from_bytes(self._in.read(4, f"{name}.size"), "big")
        if size > MAX_SECTION_BYTES:
            raise MalformedInput(f"backup.{name}.size", f"above {MAX_SECTION_BYTES} bytes", got=size)
        return Document.parse(self._in.read(size, name), f"backup.{name}", MAX_SECTION_BYTES)


def _text(document: Document) -> bytes:
    return document.ascii(MAX_SECTION_BYTES).encode()
