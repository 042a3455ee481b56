"""GmSSL prints lines to standard error for each thing that it refuses: a flood for whoever sends bad signatures.

Its calls run with the descriptor turned to a file in memory; what others of the process wrote there meanwhile is passed on.
A write that is under way while the descriptor is turned back is passed on at the next call. Where the process has no descriptor
left to turn it with, the lines are seen: no verdict depends on any of this.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, fcntl
from threading import Lock

STDERR = 2
_OWN_LINE = re.compile(rb"/[^\s:]*\.[ch]:\d+:\w+\(\):[^\n]*\n?")
"""`/project/GmSSL/src/sm2_sign.c:265:sm2_fast_verify():`, also where another has begun a line."""
_EMPTIED_AT = 1 << 20


class Sink:
    """The file in memory, made at the first call of a process."""

    def __init__(self) -> None:
        self.turned = Lock()
        self._file: int | None = None
        self._read_to = 0

    @property
    def file(self) -> int:
        """Its descriptor, at the end of which everybody writes."""
        if self._file is None:
            self._file = _file_in_memory()
            self._read_to = 0
        return self._file

    def unread(self) -> bytes:
        """What was written since it was asked last, without the engine's lines."""
        size = os.fstat(self.file).st_size
        written = os.pread(self.file, size - self._read_to, self._read_to)
        self._read_to += len(written)
        if self._read_to >= _EMPTIED_AT:
            os.ftruncate(self.file, 0)
            self._read_to = 0
        return _OWN_LINE.sub(b"", written)

    def forget(self) -> None:
        """In a child process: the file is its parent's."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self.turned.release()


SINK = Sink()
# A child made while the descriptor is turned would have the file as its standard error.
os.register_at_fork(before=SINK.turned.acquire, after_in_parent=SINK.turned.release, after_in_child=SINK.forget)


@contextmanager
def quiet() -> Iterator[None]:
    """Within it the engine's lines go nowhere. One thread at a time; not to be nested."""
    with SINK.turned:
        is_turned, kept = _turned_away()
        try:
            yield
        finally:
            if is_turned:
                _give_back(kept)


def _turned_away() -> tuple[bool, int | None]:
    """Whether standard error is turned away, and where it is kept meanwhile; None where the process has closed it."""
    kept: int | None = None
    try:
        file = SINK.file
        kept = _copy_of_standard_error()
        os.dup2(file, STDERR)
    except OSError:
        # Too many are open. What is not kept could not be given back: it would be closed, and the next file opened as it.
        if kept is not None:
            os.close(kept)
        return False, None
    return True, kept


def _copy_of_standard_error() -> int | None:
    """Raises OSError where no descriptor is left; None where it is closed."""
    try:
        return os.dup(STDERR)
    except OSError as error:
        if error.errno == errno.EBADF:
            return None
        raise


def _give_back(kept: int | None) -> None:
    if kept is None:
        os.close(STDERR)
    else:
        os.dup2(kept, STDERR)
        os.close(kept)
    others = SINK.unread()
    if others and kept is not None:
        with suppress(OSError):  # nobody reads it, or its disk is full: theirs would have been lost as well
            os.write(STDERR, others)


def _file_in_memory() -> int:
    """At whose end everybody writes, and which is not itself the standard error of a process that has none."""
    if hasattr(os, "memfd_create"):
        made = os.memfd_create("gm-stderr")
    else:
        from tempfile import TemporaryFile

        with TemporaryFile(buffering=0) as file:
            made = os.dup(file.fileno())
    found = fcntl(made, F_DUPFD_CLOEXEC, STDERR + 1)
    os.close(made)
    fcntl(found, F_SETFL, fcntl(found, F_GETFL) | os.O_APPEND)
    return found
