"""What every process on a node's home needs: its lock, its database, and why it must not go on."""

from pathlib import Path

import lmdb

from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, hold_home
from hutong.relay.evm.listener import MAX_OPEN_CONNECTIONS
from hutong.relay.evm.store.lmdb_store import LmdbStore, StoreFull
from hutong.relay.hub.halting import NodeMustHalt
from hutong.relay.hub.home.home import DATABASE_DIRECTORY
from hutong.relay.hub.state import StateDamaged

# Earlier versions look at POSIX's lock alone, and a node of one must not sign beside a node of this one.
HOME = HomeKind("hub process", "lock", of_process_too=True)


DEFAULT_DATABASE_GIB = 256


MAP_BYTES = DEFAULT_DATABASE_GIB * 1024**3
"""Address space of the database; the file itself only grows as it fills. `hub start --database-gib` sets another."""


LEAST_OPEN_FILES = 2 * MAX_OPEN_CONNECTIONS + 256
"""Both ports full, and still descriptors for the database and for the files that are written before a signature."""


FULL_REMEDY = (
    "start again with more room (--database-gib, a larger disk) or keep less (--keep-bodies-gib, --keep-states-h)"
)


DAMAGED_REMEDY = (
    "the database lacks what it had: restore a backup (`hutong hub restore`) or join again, each into an empty home"
)


class NodeRefused(Exception):
    """The node cannot start: one sentence."""


class NodeHalted(Exception):
    """The node ran and must not go on: one sentence."""


def lock_home(home: Path) -> None:
    """Lock the home until this process ends; again in the same process is harmless.

    Raises:
        NodeRefused: another process runs in the home, or the folder cannot be used.
    """
    try:
        hold_home(home, HOME)
    except HomeNotLocked as error:
        raise NodeRefused(str(error)) from error


def open_store(home: Path, map_bytes: int = MAP_BYTES) -> LmdbStore:
    """Lock the home and open its database, which is made where absent; `map_bytes` is the most that it may take.

    Raises:
        NodeRefused: another process runs in the home, or the database cannot be opened.
    """
    directory = home / DATABASE_DIRECTORY
    lock_home(home)
    try:
        return LmdbStore(directory, map_bytes=map_bytes)
    except (lmdb.Error, OSError) as error:
        raise NodeRefused(f"{directory}: cannot be opened ({error})") from error


def refusal_at_open(home: Path, error: Exception) -> NodeRefused:
    """The refusal to start for what was raised while the home's database was looked at; it names file and remedy."""
    if isinstance(error, StoreFull):
        return NodeRefused(halt_reason(error))
    if isinstance(error, StateDamaged):
        return NodeRefused(f"{home / DATABASE_DIRECTORY}: {error}; {DAMAGED_REMEDY}")
    if isinstance(error, OSError):
        return NodeRefused(f"{error.filename or home}: {error.strerror or error}")
    return NodeRefused(str(error))


def innermost_cause(error: BaseException) -> BaseException:
    """The error itself, or of an exception group the first one inside, at whatever depth."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def halt_reason(error: BaseException) -> str:
    """The innermost cause of a halt, as one sentence; of a group the first one."""
    error = innermost_cause(error)
    if isinstance(error, StoreFull):
        return f"{error}; nothing is lost, {FULL_REMEDY}"
    if isinstance(error, OSError):
        return f"cannot listen or write: {error.strerror or error}"
    if isinstance(error, NodeMustHalt):
        return str(error)
    return f"{type(error).__name__}: {error}"
