"""Files that are there whole or not at all, after a crash and after a full disk.

A file is written beside its place, made durable, and renamed; then the folder is made durable, without which the name
itself can be lost. What fails removes what it wrote: a half-written file, or an empty one, is never left in place.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
READABLE = 0o644
"""For what others are meant to read; the process's umask takes from it."""
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def durable_file(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` when the block has ended without an error.

    Raises:
        OSError: what was at `path` is unchanged.
    """
    with _beside(path, mode) as (descriptor, beside):
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            yield file
        os.fsync(descriptor)
        beside.replace(path)
    sync_folder(path.parent)


def write_durably(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Replace a file so that after a crash either the old or the new content is there, on disk.

    Raises:
        OSError: what was at `path` is unchanged.
    """
    place_file(path, data, mode)
    sync_folder(path.parent)


def place_file(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Like `write_durably`, for many files of one folder: the caller makes that durable, once.

    Raises:
        OSError: what was at `path` is unchanged.
    """
    with _beside(path, mode) as (descriptor, beside):
        _write_all(descriptor, data)
        beside.replace(path)


def create_durably(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Make a file that must not exist yet.

    Raises:
        FileExistsError: something has that name. OSError: nothing of that name was made.
    """
    with _beside(path, mode) as (descriptor, beside):
        _write_all(descriptor, data)
        try:
            path.hardlink_to(beside)  # unlike a rename it refuses to replace what came there meanwhile
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            beside.rename(path)
    sync_folder(path.parent)


def make_folder_durably(folder: Path, mode: int = 0o700) -> None:
    """The folder and those above it: a file is only as durable as the names that lead to it. Raises OSError."""
    if not folder.is_dir():
        make_folder_durably(folder.parent, mode)
        folder.mkdir(exist_ok=True, mode=mode)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _beside(path: Path, mode: int) -> Iterator[tuple[int, Path]]:
    """A file in the same folder, gone when the block has ended. Its name is this process's: two may write one file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        yield descriptor, beside
    finally:
        os.close(descriptor)
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _write_all(descriptor: int, data: bytes) -> None:
    """To the disk. A nearly full one takes a part without an error: only the next write reports it."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)
