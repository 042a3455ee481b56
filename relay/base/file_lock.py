"""A lock on a file, which ends with its holder however that ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class FileLock:
    """Held from construction to `release`. Of one opening of the file: threads of a process exclude each other too."""

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path, *, wait: bool, of_process_too: bool = False) -> None:
        """The file is made where absent, the owner's alone; it is never removed, or two could each lock one of it.

        `of_process_too` takes POSIX's lock besides, for those who look at that one alone.

        Raises:
            BlockingIOError: another holds it, and `wait` is False. OSError: it cannot be opened or locked.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            how = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
            fcntl.flock(descriptor, how)
            if of_process_too:
                fcntl.lockf(descriptor, how)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let the next one have it. Releasing twice is harmless."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def is_of(self, path: Path) -> bool:
        """Whether the locked file is the one that bears this name now: another may have taken its place since.

        Raises:
            OSError: there is no such file.
        """
        return self._descriptor is not None and os.path.samestat(os.fstat(self._descriptor), path.stat())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_locked(path: Path) -> bool:
    """Whether somebody holds the file's lock, or that cannot be told. An absent file is held by nobody, and is not made.

    The lock is shared for an instant: flock has no question that takes none.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
