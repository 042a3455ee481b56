"""Files that a person names: a pipe or a device under such a name would be waited for without end."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotAFile(OSError):
    """What stands there is a pipe, a socket or a device; `strerror` is a predicate for the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "is not a file", str(path))


def open_regular(path: Path) -> BinaryIO:
    """The file, open for reading from its beginning; links are followed.

    Raises:
        NotAFile: it is neither a file nor a folder.
        OSError: it cannot be opened, or is a folder.
    """
    return path.open("rb") if path.is_dir() else open(path, "rb", opener=_without_waiting)


def _without_waiting(name: str, flags: int) -> int:
    """Opened before it is looked at, so that nobody can exchange it between; a pipe without a writer opens at once."""
    descriptor = os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile(Path(name))
    return descriptor
