"""A folder of this machine as the place of an archive."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.store.backend import Stored, WriteConflict
from hutong.relay.base.durable_files import make_folder_durably, place_file, sync_folder
from hutong.relay.base.file_lock import FileLock

WRITERS = 8
"""Each waits for the disk by itself; side by side the disk takes them together."""


class Directory:
    """See `Backend`. Files are written beside their place, made durable, then renamed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def location(self) -> str:
        """The folder's path, as it was given."""
        return str(self._path)

    def read(self, name: str, most_bytes: int) -> Stored | None:
        """See `Backend`."""
        with self._unavailable("read"):
            data = self._read(name, most_bytes)
        return None if data is None else Stored(data, _version(data))

    def write(self, name: str, data: bytes, expected: str | None) -> str:
        """See `Backend`. A version is SHA-256 of the content, and other processes of this machine are locked out
        meanwhile.

        Raises:
            WriteConflict: the file has another content than `expected`.
            ArchiveUnavailable: the folder cannot be written.
        """
        # From the reading of a version to its replacement.
        with self._unavailable("written"), self._lock(".lock"):
            present = self._read(name, None)
            if (None if present is None else _version(present)) != expected:
                raise WriteConflict(f"{name} in {self._path} was changed by somebody else")
            self._put(name, data)
            sync_folder((self._path / name).parent)
        return _version(data)

    def keep_all(self, files: Mapping[str, bytes]) -> None:
        """See `Backend`. One that is there already is read, and mended where it is damaged."""
        with self._unavailable("written"):
            folders = {(self._path / name).parent for name in files}
            for folder in folders:
                make_folder_durably(folder)
            with ThreadPoolExecutor(WRITERS) as pool:
                list(pool.map(self._keep, files.items()))
                list(pool.map(sync_folder, folders))

    def delete_all(self, names: list[str]) -> None:
        """See `Backend`."""
        with self._unavailable("deleted"):
            for name in names:
                with suppress(FileNotFoundError):
                    (self._path / name).unlink()

    def names(self, prefix: str) -> Iterator[str]:
        """See `Backend`."""
        folder = self._path / prefix.rpartition("/")[0]
        with self._unavailable("listed"):
            for path in folder.rglob("*") if folder.is_dir() else ():
                name = path.relative_to(self._path).as_posix()
                if name.startswith(prefix) and not path.name.startswith(".") and path.is_file():
                    yield name

    def _read(self, name: str, most_bytes: int | None) -> bytes | None:
        try:
            descriptor = os.open(self._path / name, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read(-1 if most_bytes is None else most_bytes + 1)

    def _keep(self, file: tuple[str, bytes]) -> None:
        name, data = file
        if self._read(name, len(data)) != data:
            self._put(name, data)

    def _put(self, name: str, data: bytes) -> None:
        path = self._path / name
        make_folder_durably(path.parent)
        place_file(path, data)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """See `Backend`: among the processes of this machine, and the lock dies with its holder."""
        with self._unavailable("written"):
            lock = self._lock(".writer.lock")
        with lock:
            yield

    def _lock(self, name: str) -> FileLock:
        make_folder_durably(self._path)
        return FileLock(self._path / name, wait=True)

    @contextmanager
    def _unavailable(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArchiveUnavailable(f"{self._path} cannot be {done}: {error.strerror or error}") from None


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
