"""The write-ahead log: every event that changed the round state, on disk before a signature that follows from it leaves.

After a crash the height goes on from it with its locks. Without it a validator would vote against its own lock.
"""

import os
from pathlib import Path
from typing import Protocol

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.consensus.event_codec import LogDamaged, decode_log, encode_frame
from hutong.relay.hub.consensus.types import Event, HeightStarted
from hutong.relay.hub.home.home import UnusableHome

WAL_FILE = "consensus.wal"
PRUNE_AT_BYTES = 16 * 1024 * 1024
"""What decided heights may take before the log is begun anew."""


class EventLog(Protocol):
    """What the driver needs of the log; `sync` blocks."""

    def append(self, event: Event) -> None:
        """Write one event; a crash before the next `sync` may lose it.

        Raises:
            OSError: the disk takes nothing more.
        """

    def sync(self) -> None:
        """Return once everything appended is on disk.

        Raises:
            OSError: the disk refuses.
        """

    def replay(self, height: int) -> tuple[Event, ...]:
        """What the log had of `height` when it was opened; empty where its newest height is another."""


class WriteAheadLog:
    """One writer. A torn end is cut off when it is opened; damage before the end is refused."""

    def __init__(self, home: Path) -> None:
        self._path = home / WAL_FILE
        try:
            data = self._path.read_bytes() if self._path.exists() else b""
            content = decode_log(data)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            if content.whole_bytes < len(data):
                os.ftruncate(self._descriptor, content.whole_bytes)
            os.fsync(self._descriptor)
        except OSError as error:
            raise UnusableHome(f"{self._path}: {error.strerror or error}") from None
        except LogDamaged as error:
            raise UnusableHome(
                f"{self._path}: {error}; move it away and start again: this validator then signs nothing at the height"
                " that it was in"
            ) from None
        self._bytes = content.whole_bytes
        self._newest = content.events
        self._synced = True

    def replay(self, height: int) -> tuple[Event, ...]:
        """What was logged of `height` since it last began, as found at opening; empty for all but the newest height."""
        for index in reversed(range(len(self._newest))):
            event = self._newest[index]
            if isinstance(event, HeightStarted):
                return self._newest[index:] if event.height == height else ()
        return ()

    def append(self, event: Event) -> None:
        """Written, not yet synced. At the start of a height a log of more than PRUNE_AT_BYTES is begun anew.

        Raises:
            OSError: the disk takes nothing more.
        """
        if isinstance(event, HeightStarted) and self._bytes > PRUNE_AT_BYTES:
            self.prune()
        left = memoryview(encode_frame(event))
        self._bytes += len(left)
        self._synced = False
        while left:
            left = left[os.write(self._descriptor, left) :]

    def sync(self) -> None:
        """Return once everything appended is on disk.

        Raises:
            OSError: the disk refuses; what was appended may be lost.
        """
        if not self._synced:
            os.fsync(self._descriptor)
            self._synced = True

    def prune(self) -> None:
        """Forget all: for a height whose predecessor is in the database.

        Raises:
            OSError: the disk refuses; the log must not be used after it.
        """
        os.close(self._descriptor)
        write_durably(self._path, b"")
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._bytes, self._newest, self._synced = 0, (), True

    def close(self) -> None:
        """Close the file, without a sync; the log cannot be used after it."""
        os.close(self._descriptor)
