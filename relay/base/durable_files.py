"""Files that are there whole or not at all, after a crash and after a full disk.

A file is written beside its place, made durable, and renamed; then the folder is made durable, without which the name
itself can be lost. What fails removes what it wrote: a half-written file, or an empty one, is never left in place.

Files that grow or change in place are no part of this: the write-ahead log, the record of signed heights, the marker of
the block that is executed, and LMDB. A rename for each of their writes would cost two more waits for the disk; what a
torn write means is decided where they are read.
"""

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
READABLE = 0o644
"""For what others are meant to read; the process's umask takes from it."""
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def durable_file(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` when the block has ended without an error.

    For a file too large to hold in memory, by one writer at a time. Until it is whole it is called `NAME.unfinished`:
    a person sees what fills the disk, and the next writer removes what a killed one left.

    Raises:
        OSError: what was at `path` is unchanged, unless it was the last step that failed, the sync of the folder: then
            the new file is there whole, and a crash may bring back the old one.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    with _removed(unfinished):
        with os.fdopen(_create(unfinished, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    sync_folder(path.parent)


def write_durably(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Replace a file so that after a crash either the old or the new content is there, on disk.

    Raises:
        OSError: as `durable_file`: the old content is there, or after a failed sync of the folder the new one.
    """
    place_file(path, data, mode)
    sync_folder(path.parent)


def place_file(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Like `write_durably`, for many files of one folder: the caller makes that durable, once.

    Raises:
        OSError: what was at `path` is unchanged.
    """
    place_files([(path, data)], mode)


def place_files(files: Iterable[tuple[Path, bytes]], mode: int = PRIVATE) -> None:
    """Like `place_file`, and no file gets its name before all are on disk: one that does not fit changes nothing.

    The contents are asked for one after the other. A crash during the renames leaves some of the files.

    Raises:
        OSError: nothing was replaced, unless it was a rename that failed.
    """
    with ExitStack() as cleaning:
        written = []
        for path, data in files:
            beside = _beside(path)
            cleaning.enter_context(_removed(beside))
            _write_new(beside, data, mode)
            written.append((beside, path))
        for beside, path in reversed(written):
            beside.replace(path)


def create_durably(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Make a file that must not exist yet.

    Raises:
        FileExistsError: something has that name.
        OSError: nothing of that name was made, or after a failed sync of the folder a whole file, which a crash may
            take away.
    """
    beside = _beside(path)
    with _removed(beside):
        _write_new(beside, data, mode)
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
    """The folder and those above it, where they are absent: a file is only as durable as the names that lead to it.

    Raises:
        OSError: one cannot be made, or its name not be made durable.
    """
    if not folder.is_dir():
        make_folder_durably(folder.parent, mode)
        folder.mkdir(exist_ok=True, mode=mode)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. The contents of its files are not touched: they are synced by who writes
    them.

    Raises:
        OSError: the folder cannot be opened or synced.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> Path:
    """In the same folder, since no rename leads to another disk. Of this thread alone: two may write one file."""
    return path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    """What still has this name when the block has ended is removed."""
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def _create(path: Path, mode: int) -> int:
    """A descriptor of a new file. One that somebody else made there is not used: the content may be a key."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        return os.open(path, flags, mode)
    except FileExistsError:
        path.unlink()
        return os.open(path, flags, mode)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """To the disk. A nearly full one takes a part without an error: only the next write reports it."""
    descriptor = _create(path, mode)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
