"""The relay's own directory, held by one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relay.base.os_errors import os_reason
from relay.core.errors import StartRefused


@contextmanager
def held_home(directory: Path) -> Iterator[Path]:
    """Make the directory and lock it until the block ends. The lock dies with the process, however it ends.

    Raises:
        StartRefused: another relay runs there, or it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(directory / "relay.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartRefused(
            f"relay.home {directory} cannot be used: {os_reason(error)}; name a folder that this user can write as relay.home"
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartRefused(
                f"another relay runs in {directory}; stop it first, or give this one another relay.home"
            ) from None
        yield directory
    finally:
        os.close(descriptor)
