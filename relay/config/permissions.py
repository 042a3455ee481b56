"""Who may read or write the files that the relay trusts."""

import os
import stat
from pathlib import Path

MAX_SECRET_FILE_BYTES = 64 * 1024


class UnsafeFile(Exception):
    """A file that must be private is not, or is no readable file at all; `path` and `reason` say which and why."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(path, reason)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def _stat(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise UnsafeFile(path, f"cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFile(path, "is not a file")
    if status.st_size > MAX_SECRET_FILE_BYTES:
        raise UnsafeFile(path, f"is larger than {MAX_SECRET_FILE_BYTES} bytes")
    return status.st_mode


def check_private_file(path: Path) -> None:
    """Only the owner may read or write it (mode 0600 or stricter).

    A credential that systemd hands to a service may be mode 0440: the folder is the service's alone, and the group's bit
    shows the access list that lets the service read it.

    Raises:
        UnsafeFile: missing, not a file, too large, or open to others.
    """
    mode = _stat(path)
    if mode & (0o037 if _is_credential(path) else 0o077):
        raise UnsafeFile(path, f"is open to others (mode {mode & 0o777:04o}); run: chmod 600 {path}")


def _is_credential(path: Path) -> bool:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.resolve().parent == Path(folder).resolve()


def check_not_writable_by_others(path: Path) -> None:
    """Only the owner may write it: who can change the configuration can change where fees go. Others may read it.

    Raises:
        UnsafeFile: missing, not a file, too large, or writable by group or others.
    """
    mode = _stat(path)
    if mode & 0o022:
        raise UnsafeFile(path, f"is writable by others (mode {mode & 0o777:04o}); run: chmod go-w {path}")


def read_private_file(path: Path) -> bytes:
    """The content of a file that only its owner can read, at most MAX_SECRET_FILE_BYTES.

    Raises:
        UnsafeFile: as `check_private_file`, or it cannot be read.
    """
    check_private_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnsafeFile(path, f"cannot be read ({error.strerror})") from None
