"""A folder of this machine as an engine: written beside its place, synced, named, and the name synced."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hutong.relay.base.durable_files import create_durably, make_folder_durably, sync_folder, write_durably
from hutong.relay.services.storage.engines.engine import (
    MAX_OBJECT_BYTES,
    AlreadyThere,
    EngineFull,
    EngineUnavailable,
    NotThere,
    check_name,
)

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class DirectoryEngine:
    """See `Engine`. Objects are files; tags are SHA-256 of their content."""

    kind = "directory"
    is_durable = True

    def __init__(self, path: Path) -> None:
        """The folder is made at the first write."""
        self._path = path

    @property
    def location(self) -> str:
        """The folder's path, as it was given."""
        return str(self._path)

    def create(self, name: str, octets: bytes) -> str:
        """See `Engine`.

        Raises:
            AlreadyThere, EngineFull, EngineUnavailable: see there.
        """
        path = self._place(name)
        with self._unavailable("written"):
            make_folder_durably(path.parent)
            try:
                create_durably(path, octets)
            except FileExistsError:
                # Whoever made it may have been killed before the name was on disk.
                sync_folder(path.parent)
                raise AlreadyThere(name) from None
        return _tag(octets)

    def replace(self, name: str, octets: bytes) -> str:
        """See `Engine`.

        Raises:
            EngineFull, EngineUnavailable: see there.
        """
        path = self._place(name)
        with self._unavailable("written"):
            make_folder_durably(path.parent)
            write_durably(path, octets)
        return _tag(octets)

    def read(self, name: str, start: int, size: int) -> bytes:
        """See `Engine`.

        Raises:
            NotThere, EngineUnavailable: see there.
        """
        with self._opened(name) as descriptor:
            found = _read(descriptor, start, size)
        if not found:
            raise NotThere(name)
        return found

    def read_back(self, name: str) -> bytes:
        """See `Engine`. The kernel drops its clean pages of the file first, so that the device is read.

        Raises:
            NotThere, EngineUnavailable: see there.
        """
        with self._opened(name) as descriptor:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            return _read(descriptor, 0, MAX_OBJECT_BYTES + 1)

    def delete(self, name: str) -> None:
        """See `Engine`.

        Raises:
            EngineUnavailable: see there.
        """
        path = self._place(name)
        with self._unavailable("deleted"), suppress(FileNotFoundError):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def names(self, prefix: str) -> Iterator[str]:
        """See `Engine`. What a killed writer left unfinished is passed over.

        Raises:
            EngineUnavailable: see there.
        """
        with self._unavailable("listed"):
            for folder, folders, files in os.walk(self._path / prefix):
                folders.sort()
                within = Path(folder).relative_to(self._path)
                yield from ((within / file).as_posix() for file in sorted(files) if not file.startswith("."))

    def free_bytes(self) -> int | None:
        """See `Engine`: of the file system that the folder is on, or will be."""
        path = self._path
        while not path.exists() and path != path.parent:
            path = path.parent
        try:
            return shutil.disk_usage(path).free
        except OSError:
            return None

    def _place(self, name: str) -> Path:
        return self._path / check_name(name)

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        path = self._place(name)
        with self._unavailable("read"):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except (FileNotFoundError, NotADirectoryError):
                raise NotThere(name) from None
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    @contextmanager
    def _unavailable(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = EngineFull if error.errno in _FULL else EngineUnavailable
            raise kind(f"{self._path} cannot be {done}: {error.strerror or type(error).__name__}") from None


def _read(descriptor: int, start: int, size: int) -> bytes:
    """A read may give less than was asked for before the end."""
    found = os.pread(descriptor, size, start)
    if len(found) == size or not found:
        return found
    pieces = [found]
    left = size - len(found)
    while left and (piece := os.pread(descriptor, left, start + size - left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _tag(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
