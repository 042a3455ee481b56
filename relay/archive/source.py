"""Where bundles of a period come from: a folder of files, or anything else that names its entries and reads them."""

import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.acceptance import ACCEPTANCE_SUFFIX
from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
from hutong.relay.archive.errors import ArchiveUnavailable

BUNDLE_SUFFIX = ".bundle.json"
ENTRY_SUFFIXES = (BUNDLE_SUFFIX, ACCEPTANCE_SUFFIX)
MAX_ENTRIES = 1_000_000
"""Of one source: some years of a busy relay."""


class BundleSource(Protocol):
    """Entries with names that do not change. A source can be pickled: each process of a replay reads by itself."""

    def names(self) -> Sequence[str]:
        """Every entry, in an order that is the same each time.

        Raises:
            ArchiveUnavailable: the source cannot be listed.
        """
        ...

    def read(self, name: str) -> bytes:
        """The canonical bytes of a bundle (docs/spec/bundle.md), as kept: nothing is judged here.

        Raises:
            ArchiveUnavailable: the entry cannot be read.
            MalformedInput: it is no entry, or is longer than a bundle may be. Both name it.
        """
        ...


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """The files `*.bundle.json` and `*.acceptance` of one folder, by name and the numbers in it, so that deliveries that share headers stand
    together; folders inside it are not looked into."""

    path: Path

    def names(self) -> Sequence[str]:
        """See `BundleSource`: files whose numbers are ordered as numbers, MAX_ENTRIES at most.

        Raises:
            ArchiveUnavailable: the folder cannot be listed, or has more.
        """
        try:
            found = [path.name for path in self.path.iterdir() if path.name.endswith(ENTRY_SUFFIXES)]
        except OSError as error:
            raise ArchiveUnavailable(f"{self.path} cannot be listed: {error.strerror or error}") from None
        if len(found) > MAX_ENTRIES:
            raise ArchiveUnavailable(f"{self.path} has more than {MAX_ENTRIES} bundles: split the period")
        return sorted(found, key=_by_number)

    def read(self, name: str) -> bytes:
        """See `BundleSource`: a regular file of at most MAX_BUNDLE_BYTES.

        Raises:
            ArchiveUnavailable: the file cannot be read.
            MalformedInput: `name` leads out of the folder or is of another kind of file, or the file is too long.
        """
        if not name.endswith(ENTRY_SUFFIXES) or "/" in name or "\0" in name:
            raise MalformedInput("entry", f"is not a name of a *{BUNDLE_SUFFIX} or *{ACCEPTANCE_SUFFIX} file", got=name)
        path = self.path / name
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end
                raise MalformedInput(name, "is not a file")
            with path.open("rb") as file:
                data = file.read(MAX_BUNDLE_BYTES + 1)
        except OSError as error:
            raise ArchiveUnavailable(f"{name} cannot be read: {error.strerror or error}") from None
        if len(data) > MAX_BUNDLE_BYTES:
            raise MalformedInput(name, f"has more than {MAX_BUNDLE_BYTES} bytes")
        return data


_NUMBER = re.compile(r"([0-9]+)")


def _by_number(name: str) -> tuple[list[str | int], str]:
    """2 before 10; the name itself where only leading zeros differ."""
    return [int(part) if index % 2 else part for index, part in enumerate(_NUMBER.split(name))], name
