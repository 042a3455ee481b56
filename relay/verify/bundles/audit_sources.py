"""Where storage audits of a period are read from: a folder of files, or an archive that keeps files whole (docs/spec/archive.md)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hutong.relay.archive.record_bundle import MAX_RECORD_BUNDLE_BYTES
from hutong.relay.archive.store import BundleArchive, Damage
from hutong.relay.archive.store.layout import HEAD_NAME
from hutong.relay.archive.store.place import S3_SCHEME
from hutong.relay.audit.storage.entries import AUDIT_SUFFIX, RECORD_SUFFIX
from hutong.relay.services.storage.rules.records.audit_file import MAX_AUDIT_FILE_BYTES
from hutong.relay.verify.bundles.archives import opened_archive, usable_archive
from hutong.relay.verify.inputs import UnusableInput, read_file

SUFFIXES = (AUDIT_SUFFIX, RECORD_SUFFIX)


class AuditSource(Protocol):
    """Files by name. Pickled for other processes, which open it for themselves."""

    def names(self) -> list[str]:
        """Of audit files and record bundles, ascending.

        Raises:
            UnusableInput: it cannot be listed.
        """

    def read(self, name: str) -> bytes:
        """A file.

        Raises:
            UnusableInput: it cannot be read, or is damaged or too long.
        """


def most_bytes(name: str) -> int:
    """How long a file of that name may be."""
    return MAX_AUDIT_FILE_BYTES if name.endswith(AUDIT_SUFFIX) else MAX_RECORD_BUNDLE_BYTES


@dataclass(frozen=True, slots=True)
class AuditFolder:
    """See `AuditSource`."""

    folder: Path

    def names(self) -> list[str]:
        """See `AuditSource`."""
        try:
            return sorted(one.name for one in self.folder.iterdir() if one.name.endswith(SUFFIXES))
        except OSError as error:
            raise UnusableInput(f"{self.folder} cannot be read: {error.strerror or error}") from None

    def read(self, name: str) -> bytes:
        """See `AuditSource`."""
        try:
            return read_file(self.folder / name, most_bytes(name))
        except UnusableInput as error:
            raise UnusableInput(str(error).removeprefix(f"{self.folder / name} ")) from None


@dataclass(slots=True)
class AuditArchive:
    """See `AuditSource`. A damaged entry has a name, `entry n`, and is not read: nobody knows what it was."""

    location: str
    _archive: BundleArchive | None = field(default=None, repr=False)
    _damages: dict[str, str] = field(default_factory=dict, repr=False)

    def __reduce__(self) -> tuple[type["AuditArchive"], tuple[str]]:
        return AuditArchive, (self.location,)

    def names(self) -> list[str]:
        """See `AuditSource`."""
        return sorted([*(one for one in self._opened().files if one.endswith(SUFFIXES)), *self._damages])

    def read(self, name: str) -> bytes:
        """See `AuditSource`."""
        archive = self._opened()
        if name in self._damages:
            raise UnusableInput(self._damages[name])
        with usable_archive():
            data = archive.file(archive.files[name][0])
        if len(data) > most_bytes(name):
            raise UnusableInput(f"is longer than {most_bytes(name)} bytes")
        return data

    def _opened(self) -> BundleArchive:
        if self._archive is None:
            with opened_archive(self.location) as archive:
                damaged = {f"entry {index}": one.reason for index, one in archive.entries() if isinstance(one, Damage)}
                self._damages = damaged | {one.subject: one.reason for one in archive.log.damages}
            self._archive = archive
        return self._archive


def audit_source(location: str) -> AuditSource | None:
    """A folder or an archive; None where the location is a file.

    Args:
        location: a path, or `s3://bucket/prefix`.
    """
    if location.startswith(S3_SCHEME) or (Path(location) / HEAD_NAME).exists():
        return AuditArchive(location)
    return AuditFolder(Path(location)) if Path(location).is_dir() else None
