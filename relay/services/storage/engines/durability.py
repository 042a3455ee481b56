"""Engines that answer before they sync, made such that a receipt may rest on them: by a journal of our own, or by their disk.

Neither SeaweedFS nor versitygw syncs a file before it answers a put; what they had answered is gone after a loss of power.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.engines.engine import AlreadyThere, Engine, EngineUnavailable, NotThere

SETTLE_S: Final = 600
"""After a write for so long the journal keeps its copy: Linux writes a page back within half a minute of its change."""


class DeclaredDurable:
    """An engine of which its operator says that it syncs before it answers, as hosted stores promise. See `Engine`."""

    is_durable = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.kind, self.location = engine.kind, engine.location
        self.create, self.replace, self.delete = engine.create, engine.replace, engine.delete
        self.read, self.read_back, self.names = engine.read, engine.read_back, engine.names
        self.free_bytes = engine.free_bytes


class SyncedByDisk:
    """An engine whose files lie on a file system of this machine, which is synced after each write. See `Engine`.

    Writers that wait at the same time share one sync: whoever comes while one runs waits for the next, which began after
    its write.
    """

    is_durable = True

    def __init__(self, engine: Engine, path: Path, sync: Callable[[Path], None] | None = None) -> None:
        """`path` is any folder on the file system that the engine writes to."""
        self._engine = engine
        self._path = path
        self._sync = sync_file_system if sync is None else sync
        self._turn = threading.Lock()
        self._begun = 0
        self._done = 0
        self._counting = threading.Lock()
        self.kind, self.location = engine.kind, engine.location
        self.read, self.read_back, self.names = engine.read, engine.read_back, engine.names
        self.free_bytes = engine.free_bytes

    def create(self, name: str, octets: bytes) -> str:
        """See `Engine`.

        Raises:
            AlreadyThere, EngineFull, EngineUnavailable: see there.
        """
        tag = self._engine.create(name, octets)
        self._settle()
        return tag

    def replace(self, name: str, octets: bytes) -> str:
        """See `Engine`.

        Raises:
            EngineFull, EngineUnavailable: see there.
        """
        tag = self._engine.replace(name, octets)
        self._settle()
        return tag

    def delete(self, name: str) -> None:
        """See `Engine`.

        Raises:
            EngineUnavailable: see there.
        """
        self._engine.delete(name)
        self._settle()

    def _settle(self) -> None:
        with self._counting:
            # A sync that has begun may have passed over what was written since.
            needed = self._begun + 1
        with self._turn:
            if self._done >= needed:
                return
            with self._counting:
                self._begun += 1
                number = self._begun
            try:
                self._sync(self._path)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise EngineUnavailable(f"the disk of {self.location} cannot be synced: {reason}") from None
            self._done = number


class Journaled:
    """An engine with a folder of our own before it: each object is there, synced, until the engine was asked for it later.

    `settle` is to be called after a start and now and then; whatever the engine lost meanwhile is written again. See `Engine`.
    """

    is_durable = True

    def __init__(self, engine: Engine, journal: Path) -> None:
        self._engine = engine
        self._journal = DirectoryEngine(journal)
        self._folder = journal
        self._turn = threading.Lock()
        self.kind, self.location = engine.kind, engine.location
        self.read, self.read_back, self.names = engine.read, engine.read_back, engine.names
        self.free_bytes = engine.free_bytes

    def create(self, name: str, octets: bytes) -> str:
        """See `Engine`. The engine is asked first: a journal of what it refused would be written back over another's.

        Raises:
            AlreadyThere, EngineFull, EngineUnavailable: see there.
        """
        tag = self._engine.create(name, octets)
        self._journal.replace(name, octets)
        return tag

    def replace(self, name: str, octets: bytes) -> str:
        """See `Engine`.

        Raises:
            EngineFull, EngineUnavailable: see there.
        """
        tag = self._engine.replace(name, octets)
        self._journal.replace(name, octets)
        return tag

    def delete(self, name: str) -> None:
        """See `Engine`. The journal first: it must not bring back what was deleted.

        Raises:
            EngineUnavailable: see there.
        """
        with self._turn:
            self._journal.delete(name)
            self._engine.delete(name)

    def settle(self, now_s: float, settle_s: float = SETTLE_S) -> int:
        """Ask the engine for what the journal holds, write again what it lost, and let go of what is older than `settle_s`.

        Returns:
            How many objects were written again.

        Raises:
            EngineUnavailable: the engine or the folder; what was not settled is in the journal still.
        """
        mended = 0
        for name in list(self._journal.names("")):
            # One at a time with deletions, or it would write back what was deleted between its reading and its writing.
            with self._turn:
                mended += self._settle_one(name, now_s, settle_s)
        return mended

    def _settle_one(self, name: str, now_s: float, settle_s: float) -> bool:
        try:
            kept = self._journal.read_back(name)
        except NotThere:
            return False
        if not self._has(name, kept):
            self._engine.replace(name, kept)
            # What was written now is as young as any other write of now.
            os.utime(self._folder / name, (now_s, now_s))
            return True
        if self._age_s(name, now_s) >= settle_s:
            self._journal.delete(name)
        return False

    def _has(self, name: str, kept: bytes) -> bool:
        try:
            return self._engine.read_back(name) == kept
        except NotThere:
            return False

    def _age_s(self, name: str, now_s: float) -> float:
        try:
            return now_s - (self._folder / name).stat().st_mtime
        except OSError:
            return 0.0


def created_or_replaced(engine: Engine, name: str, octets: bytes) -> str:
    """Write an object that nothing in the index names: one that is there was left by a put that was killed.

    Raises:
        EngineFull, EngineUnavailable: see `Engine`.
    """
    try:
        return engine.create(name, octets)
    except AlreadyThere:
        return engine.replace(name, octets)


def settled(engine: Engine, now_s: float) -> int:
    """See `Journaled.settle`; 0 for engines without a journal.

    Raises:
        EngineUnavailable: see there.
    """
    return engine.settle(now_s) if isinstance(engine, Journaled) else 0


def sync_file_system(path: Path) -> None:
    """Bring everything that was written to the file system of `path` onto its disk (Linux `syncfs`).

    Raises:
        OSError: the folder cannot be opened, or the disk failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _LIBC.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
