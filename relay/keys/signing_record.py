"""What keys signed, in files that only grow: each line is on disk before its signature is made, and holds the hash of the last.

A line is a JSON object: `number` (from 1), `time_s`, `key` (33 bytes in hex), `kind`, `digest`, `summary`, `place` and `amounts` of
what costs, and `previous`, the SHA-256 of the line before it (zeros of the first). Whoever takes a line out or changes one
breaks the chain; whoever cuts the end off is seen by anybody who kept a later line. A full file is put aside, and the next one
goes on with numbers and hashes (`record_lines.py`).
"""

import errno
import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from hutong.relay.base.durable_files import sync_folder
from hutong.relay.base.file_lock import FileLock, is_locked
from hutong.relay.base.os_errors import os_reason
from hutong.relay.keys.documents import SigningDocument
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.record_lines import (
    MAX_LINE_BYTES,
    JudgedFiles,
    RecordedSignature,
    RecordFile,
    Standing,
    full_files,
    judged_files,
    name_of_full,
    read_record_file,
)
from hutong.relay.keys.spending import cost_of

FULL_LINES = 100_000
FULL_BYTES = 64 * 1024 * 1024
"""A file with as many lines or bytes is full: 100 000 transactions are some 50 MB."""
_CHAIN_BYTES = 256
"""At most, of what a line says besides: its number and the hash of the last."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What is written down: that a key (33 bytes) signs a document, at this Unix second."""

    key: bytes
    document: SigningDocument
    time_s: int

    def said(self) -> dict[str, Any]:
        """The members of its line, but for its place in the record."""
        document, cost = self.document, cost_of(self.document)
        found: dict[str, Any] = {
            "time_s": self.time_s,
            "key": self.key.hex(),
            "kind": str(document.kind),
            "digest": document.digest.hex(),
            "summary": document.summary,
        }
        return found if cost is None else found | {"place": list(cost.place), "amounts": dict(cost.amounts)}

    def check_length(self) -> None:
        """Raises OSError where its line could be written, and not be read again: the record would never be opened any more."""
        if len(_line_of(self.said())) > MAX_LINE_BYTES - _CHAIN_BYTES:
            raise OSError(errno.EMSGSIZE, f"its line would have more than {MAX_LINE_BYTES} bytes")


@dataclass(slots=True, eq=False)
class _Waiting:
    """One of those that are written together."""

    signing: Signing
    is_done: bool = False
    error: OSError | None = None


class SigningRecord:
    """Open for one process at a time. `append` blocks, and may be called by several threads; `written` is for tasks."""

    def __init__(self, path: Path, full_lines: int = FULL_LINES) -> None:
        """Open or make the file, and read it whole, with those before it that have lines of its newest day.

        A last line without its end was cut by a crash before anything was signed for it, and is taken away.

        Raises:
            KeyUnavailable: another process has it open, it cannot be read or written, or it is damaged.
        """
        self.path = path
        self._full_lines = full_lines
        self._is_folder_on_disk = True
        self._lock = _locked(path)
        self._writing = threading.Lock()
        self._turn, self._waiting = trio.Lock(), list[_Waiting]()
        try:
            self._take_back_half_put_aside()
            file = read_record_file(path)
            os.truncate(path, file.size)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            sync_folder(path.parent)
            self._first = file.before.number + 1
            self._standing = file.after
            earlier, self.missing = _of_its_day(path, file)
        except OSError as error:
            self._lock.release()
            raise KeyUnavailable(path, f"cannot be used ({os_reason(error)})") from None
        except KeyUnavailable:
            self._lock.release()
            raise
        self.signed: tuple[RecordedSignature, ...] = (*earlier, *file.signed)
        """What was in it when it was opened: at least all of its newest day, but for what is `missing`."""

    @property
    def newest_day(self) -> int:
        """The newest UTC day that a line is of, in days of Unix time; -1 where there is none."""
        return self._standing.day

    async def written(self, key: bytes, document: SigningDocument, time_s: int) -> None:
        """Write down that `key` signs `document`, together with what other tasks write meanwhile: the disk is asked once for all.

        Raises:
            OSError: as `append`.
        """
        own = _Waiting(Signing(key, document, time_s))
        own.signing.check_length()
        self._waiting.append(own)
        async with self._turn:
            if not own.is_done:
                together, self._waiting = self._waiting, []
                error: OSError | None = None
                try:
                    await trio.to_thread.run_sync(self.append, *[one.signing for one in together])
                except OSError as failed:
                    error = failed
                for one in together:
                    one.is_done, one.error = True, error
        if own.error is not None:
            raise own.error

    def append(self, *signings: Signing) -> None:
        """Write them down in their order; all are on disk when this returns.

        Raises:
            OSError: they could not be written, so none may be signed. What was written of them is taken away again.
        """
        for signing in signings:
            signing.check_length()
        with self._writing:
            end = os.fstat(self._descriptor).st_size
            if self._standing.number - self._first + 1 >= self._full_lines or end >= FULL_BYTES:
                self._put_aside()
                end = os.fstat(self._descriptor).st_size
            if not self._is_folder_on_disk:
                # A line is on disk only where a crash leaves its file under the record's name.
                sync_folder(self.path.parent)
                self._is_folder_on_disk = True
            standing, data = self._standing, b""
            for signing in signings:
                line = _line_of({"number": standing.number + 1} | signing.said() | {"previous": standing.last.hex()})
                standing, data = standing.after(line, signing.time_s), data + line + b"\n"
            try:
                _write_whole(self._descriptor, data)
            except OSError:
                os.ftruncate(self._descriptor, end)
                raise
            self._standing = standing

    def close(self) -> None:
        """Let another process have it. Closing twice is harmless."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        self._lock.release()

    def _put_aside(self) -> None:
        """The full file gets its other name, then a new one its old name. A crash between the two is mended when it is opened."""
        stands = self._standing
        new = self.path.with_name(f".{self.path.name}.new")
        new.unlink(missing_ok=True)
        self._take_back_half_put_aside()
        lock = FileLock(new, wait=False)
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                said = {"continues": stands.number, "previous": stands.last.hex()}
                _write_whole(descriptor, _line_of(said | {"day": stands.day, "day_from": stands.day_from}) + b"\n")
                name_of_full(self.path, self._first, stands.number).hardlink_to(self.path)
                new.replace(self.path)
            except OSError:
                os.close(descriptor)
                raise
            # From here on the new file is the record.
            os.close(self._descriptor)
            self._is_folder_on_disk = False
            self._descriptor, self._first = descriptor, stands.number + 1
        except OSError:
            lock.release()
            raise
        before, self._lock = self._lock, lock
        before.release()

    def _take_back_half_put_aside(self) -> None:
        for full in full_files(self.path):
            if full.samefile(self.path):
                full.unlink()


def _locked(path: Path) -> FileLock:
    """The lock of the file that bears the name, also where another file just took its place."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(path, wait=False)
        except BlockingIOError:
            raise KeyUnavailable(
                path, "something else signs by this record: it serves one process, and there one key or one signer"
            ) from None
        except OSError as error:
            raise KeyUnavailable(path, f"cannot be opened ({os_reason(error)})") from None
        with suppress(OSError):
            if lock.is_of(path):
                return lock
        lock.release()


def _of_its_day(path: Path, file: RecordFile) -> tuple[list[RecordedSignature], Standing | None]:
    """The lines before a file that are of the record's newest day; and how the record stood where some of them are not here."""
    if file.before.number == 0 or file.after.day != file.before.day:
        return [], None
    found: list[RecordedSignature] = []
    expected = file.before
    for full in reversed(full_files(path)):
        earlier = read_record_file(full)
        if earlier.after != expected:
            break
        found = [line for line in earlier.signed if line.number >= file.before.day_from] + found
        expected = earlier.before
        if expected.number < file.before.day_from:
            return found, None
    return found, expected


def _line_of(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


def _write_whole(descriptor: int, data: bytes) -> None:
    if os.write(descriptor, data) != len(data):
        raise OSError("the disk took a part of a line")
    os.fsync(descriptor)


def judged_file(path: Path) -> RecordFile:
    """Read a file of a record that no process has open, and change nothing. A last line without its end is passed over.

    Raises:
        KeyUnavailable: it cannot be read, is in use, or is damaged.
    """
    try:
        if is_locked(path):
            raise KeyUnavailable(path, "a process signs by this record; judge a copy")
        return read_record_file(path)
    except OSError as error:
        raise KeyUnavailable(path, f"cannot be read ({os_reason(error)})") from None


def judged_record(paths: list[Path]) -> JudgedFiles:
    """Judge files of one record together, as `judged_file`; they may come in any order, and earlier ones may be elsewhere.

    Raises:
        KeyUnavailable: one is in use or damaged, or they do not follow each other without a gap.
    """
    return judged_files(paths, judged_file)
