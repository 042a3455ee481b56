"""One process at a time in a home: two would seal two blocks at one height, or sign two states with one key."""

import threading
from dataclasses import dataclass
from pathlib import Path

from hutong.relay.base.file_lock import FileLock, is_locked
from hutong.relay.base.os_errors import os_reason


class HomeNotLocked(Exception):
    """A sentence for whoever starts the process."""


@dataclass(frozen=True, slots=True)
class HomeKind:
    """Whose home it is: `holder` as in "another relay", and what can be done about another one."""

    holder: str
    lock_file: str
    remedy: str = "stop it first"
    unusable_remedy: str = "name a folder that this user can write"
    of_process_too: bool = False
    """See `FileLock`."""


def lock_home(home: Path, kind: HomeKind) -> FileLock:
    """Make the folder where it is absent and lock it; the lock is the caller's to release.

    Raises:
        HomeNotLocked: another process holds it, or the folder cannot be used.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(home, kind, error) from error
    return _lock(home, kind)


def is_home_held(home: Path, kind: HomeKind) -> bool:
    """Whether a process holds the home, or that cannot be told. Nothing is made there.

    See `is_locked`.
    """
    return is_locked(home / kind.lock_file)


_held: dict[tuple[int, int], FileLock] = {}
"""By device and inode of the lock file, which cannot be another's while it is open."""
_holding = threading.Lock()


def hold_home(home: Path, kind: HomeKind) -> None:
    """Lock a home until this process ends; again in the same process is harmless. The folder must be there.

    Raises:
        HomeNotLocked: another process holds it, or the folder cannot be used.
    """
    with _holding:
        if _identity(home / kind.lock_file) in _held:
            return
        lock = _lock(home, kind)
        identity = _identity(home / kind.lock_file)
        if identity is None:
            raise HomeNotLocked(f"{home / kind.lock_file} was removed while it was locked; leave it where it is")
        _held[identity] = lock


def _lock(home: Path, kind: HomeKind) -> FileLock:
    try:
        return FileLock(home / kind.lock_file, wait=False, of_process_too=kind.of_process_too)
    except BlockingIOError as error:
        raise HomeNotLocked(f"another {kind.holder} runs in this home, {home}; {kind.remedy}") from error
    except OSError as error:
        raise _unusable(home, kind, error) from error


def _unusable(home: Path, kind: HomeKind, error: OSError) -> HomeNotLocked:
    return HomeNotLocked(f"{home} cannot be used as home: {os_reason(error)}; {kind.unusable_remedy}")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
