"""What an archive asks of the place that keeps its files: whole files by name, and replacement of what was read."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


class WriteConflict(Exception):
    """The file is not what the writer read: somebody else writes here too. One sentence."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file and its version, which another content never has."""

    data: bytes
    version: str


class Backend(Protocol):
    """Files by name, each whole or absent, durable when a call returns. Calls block; any thread may make them.

    Names are ours: lower-case letters, digits, `-`, `.`, and `/` between folders. Every call may raise
    `ArchiveUnavailable`, in one sentence without a secret.
    """

    @property
    def location(self) -> str:
        """Where it is, for people: a path or `s3://…`, without a secret."""
        ...

    def read(self, name: str, most_bytes: int) -> Stored | None:
        """A file and its version; None where there is no such file. Of a longer one, `most_bytes + 1` bytes."""
        ...

    def write(self, name: str, data: bytes, expected: str | None) -> str:
        """Replace version `expected` (None: there is no such file); returns the new version.

        Raises:
            WriteConflict: there is another one.
        """
        ...

    def keep_all(self, files: Mapping[str, bytes]) -> None:
        """Write files that are named by their content: whoever writes one of them writes the same bytes.

        No version is compared, so two writers may keep one file. After a failure some of the files may be there.
        """
        ...

    def delete_all(self, names: list[str]) -> None:
        """Delete files by name. One that is not there is as good as deleted; after a failure some may be left."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Of all files whose name starts with `prefix`, in any order. They may be listed while they are read: a failure
        may come late.
        """
        ...

    def alone(self) -> AbstractContextManager[None]:
        """One writer at a time, where the place can hold the others back. Elsewhere a second one meets `WriteConflict`."""
        ...
