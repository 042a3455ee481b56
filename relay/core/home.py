"""The relay's own directory, held by one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.core.errors import StartRefused

HOME = HomeKind(
    "relay",
    "relay.lock",
    "stop it first, or give this one another relay.home",
    "name a folder that this user can write as relay.home",
)


@contextmanager
def held_home(directory: Path) -> Iterator[Path]:
    """Make the directory and lock it until the block ends. The lock dies with the process, however it ends.

    Raises:
        StartRefused: another relay runs there, or it cannot be written.
    """
    try:
        lock = lock_home(directory, HOME)
    except HomeNotLocked as error:
        raise StartRefused(str(error)) from None
    with lock:
        yield directory
