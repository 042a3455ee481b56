"""The city's home: which files are in it, who holds it, and what of it goes when the city ends."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hutong.relay.base.file_lock import FileLock
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, is_home_held, lock_home
from hutong.relay.city.errors import CityUnusable

HELD = HomeKind("city", "city.lock", "`hutong city status` says how it is, `hutong city down` ends it")
KEPT = ("evidence", "reports")
"""Folders that the cases write: no end of the city removes them."""


@dataclass(frozen=True, slots=True)
class CityHome:
    """One folder for everything of a city."""

    path: Path

    @property
    def city_file(self) -> Path:
        """What programs are told of the city (docs/city.md). It is there when the city is up."""
        return self.path / "city.json"

    @property
    def trust_file(self) -> Path:
        """What an auditor of the city's cases takes for given."""
        return self.path / "city.trust.json"

    @property
    def checkpoints(self) -> Path:
        """What an auditor trusts of each chain."""
        return self.path / "checkpoints"

    def checkpoint_of(self, chain: str) -> Path:
        """The file of one chain."""
        return self.checkpoints / f"{chain}.checkpoint.json"

    @property
    def processes_file(self) -> Path:
        """What runs, by process id."""
        return self.path / "processes.json"

    @property
    def storage_processes_file(self) -> Path:
        """What of the city's storage runs, while a case asks for it."""
        return self.path / "storage-processes.json"

    @property
    def log(self) -> Path:
        """What the city's own process says."""
        return self.path / "city.log"

    @property
    def kept_marker(self) -> Path:
        """It is there where the files outlive the city."""
        return self.path / "keep"

    @property
    def keys(self) -> Path:
        """Keystores, passwords, the people's keys."""
        return self.path / "keys"

    def lock(self) -> FileLock:
        """Hold the home for as long as the city runs; the lock is the caller's to release.

        Raises:
            CityUnusable: a city runs here, or the folder cannot be used.
        """
        try:
            return lock_home(self.path, HELD)
        except HomeNotLocked as error:
            raise CityUnusable(str(error)) from None

    def is_held(self) -> bool:
        """Whether a city runs here, or that cannot be told."""
        return is_home_held(self.path, HELD)

    def require_vacant(self) -> None:
        """Demand that a new city can begin here; evidence and reports of an earlier one may be there.

        Raises:
            CityUnusable: something else is in it, or the folder cannot be read.
        """
        if self.is_held():
            raise CityUnusable(f"a city runs in {self.path}; {HELD.remedy}")
        may_be_there = (*KEPT, HELD.lock_file, self.log.name)
        others = sorted(entry.name for entry in self._entries() if entry.name not in may_be_there)
        if not others:
            return
        if self.processes_file.exists():
            raise CityUnusable(
                f"{self.path} has the files of a city that has ended: `hutong city down --remove --home {self.path}`"
                " removes them (evidence and reports stay), or name another folder with --home"
            )
        raise CityUnusable(f"{self.path} is not empty ({others[0]} is in it); name a new folder with --home")

    def remove_made(self) -> None:
        """Remove what a city made here; evidence and reports stay. The caller knows that none runs.

        Raises:
            CityUnusable: something cannot be removed.
        """
        try:
            for entry in self._entries():
                if entry.name in KEPT:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink(missing_ok=True)
        except OSError as error:
            raise CityUnusable(f"{error.filename} cannot be removed: {error.strerror}") from None

    def _entries(self) -> Iterator[Path]:
        try:
            yield from self.path.iterdir()
        except FileNotFoundError:
            return
        except OSError as error:
            raise CityUnusable(f"{self.path} cannot be read: {error.strerror}") from None
