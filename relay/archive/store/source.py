"""The bundles of an archive, one after the other, for who judges a period."""

from collections.abc import Sequence
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.source import MAX_ENTRIES, BundleSource, DirectorySource
from hutong.relay.archive.store.layout import HEAD_NAME
from hutong.relay.archive.store.log import Damage
from hutong.relay.archive.store.place import S3_SCHEME, open_backend
from hutong.relay.archive.store.store import BundleArchive


class ArchiveSource:
    """See `BundleSource`. The newest bundle of each packet under the packet's id, and every damaged entry as `entry n`, and
    whatever else of the log is damaged under the name of its file.

    Objects that bundles share are read and hashed once. Pickled, it is a location: each process opens it for itself.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._archive: BundleArchive | None = None
        self._indices: dict[str, int] = {}
        self._damages: dict[str, str] = {}

    def __reduce__(self) -> tuple[type["ArchiveSource"], tuple[str]]:
        return ArchiveSource, (self._location,)

    def names(self) -> Sequence[str]:
        """See `BundleSource`: damaged files first, then packets and damaged entries in the order of the log.

        Raises:
            ArchiveUnavailable: there is no archive, its head is damaged, or it has more than MAX_ENTRIES packets.
        """
        self._open()
        return [*self._damages, *sorted(self._indices, key=self._indices.__getitem__)]

    def read(self, name: str) -> bytes:
        """See `BundleSource`. A name of damage raises what is damaged.

        Raises:
            MalformedInput: it is damaged, or no packet of the archive has that name.
            ArchiveUnavailable: the place does not answer.
        """
        archive = self._open()
        if name in self._damages:
            raise MalformedInput(name, self._damages[name])
        if name not in self._indices:
            raise MalformedInput("entry", f"is not a packet of the archive {archive.location}", got=name)
        try:
            return archive.bundle(self._indices[name])
        except MalformedInput as error:
            raise MalformedInput(name, str(error)) from None

    @property
    def pruned(self) -> frozenset[str]:
        """Ids of packets whose bundles were pruned: gaps that the archive itself tells of.

        Raises:
            ArchiveUnavailable: as `names`.
        """
        return frozenset(self._open().pruned)

    def _open(self) -> BundleArchive:
        if self._archive is None:
            try:
                archive = BundleArchive(open_backend(self._location))
            except MalformedInput as error:
                raise ArchiveUnavailable(f"{self._location}: {error}") from None
            self._indices = {name: kept.index for name, kept in archive.newest.items()}
            self._indices |= {
                f"entry {index}": index for index, entry in archive.entries() if isinstance(entry, Damage)
            }
            for damage in archive.log.damages:
                before = self._damages.get(damage.subject)
                self._damages[damage.subject] = damage.reason if before is None else f"{before}; {damage.reason}"
            if len(self._indices) > MAX_ENTRIES:
                raise ArchiveUnavailable(f"{self._location} has more than {MAX_ENTRIES} packets: split the period")
            self._archive = archive
        return self._archive


def open_source(location: str) -> BundleSource:
    """Bundles in an archive, or the bundle files of a folder that is not an archive. A bucket is not asked yet.

    Raises:
        ArchiveUnavailable: neither is there.
    """
    if location.startswith(S3_SCHEME) or (Path(location) / HEAD_NAME).exists():
        return ArchiveSource(location)
    if not Path(location).is_dir():
        raise ArchiveUnavailable(f"{location} is neither a folder of bundles nor an archive")
    return DirectorySource(Path(location))
