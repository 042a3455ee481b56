"""Judging a whole archive: every object's hash, every entry's leaf, the root. Damage is named and does not stop the rest."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.store.entries import BundleEntry, FileEntry, PruneEntry, Tombstone
from hutong.relay.archive.store.layout import Head, digest_of_name
from hutong.relay.archive.store.log import Damage
from hutong.relay.archive.store.store import BundleArchive


@dataclass(slots=True)
class Findings:
    """What `verify` found. `bundles`: whole, superseded ones among them. `objects`: files that entries need.

    `unneeded`: objects of no entry, as an append or a pruning leaves them that did not end: no damage.
    """

    head: Head
    bundles: int = 0
    files: int = 0
    superseded: int = 0
    pruned: int = 0
    prunings: int = 0
    objects: int = 0
    unneeded: int = 0
    damages: list[Damage] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged; unneeded objects are not damage."""
        return not self.damages


def verify(archive: BundleArchive, on_entry: Callable[[], None] = lambda: None) -> Findings:
    """Read and hash everything; every entry is in the log because the root over all leaves is the head's.

    Raises:
        ArchiveUnavailable: the place does not answer.
    """
    findings = Findings(archive.head, damages=list(archive.log.damages))
    needed: set[bytes] = set()
    superseded: set[int] = set()
    for index, entry in archive.entries():
        on_entry()
        match entry:
            case Damage():
                findings.damages.append(entry)
            case Tombstone():
                findings.pruned += 1
            case PruneEntry():
                findings.prunings += 1
            case FileEntry():
                needed.add(entry.file)
                try:
                    archive.file(index)
                    findings.files += 1
                except MalformedInput as error:
                    findings.damages.append(Damage(f"entry {index}, file {entry.name}", str(error)))
            case BundleEntry():
                if entry.supersedes is not None:
                    superseded.add(entry.supersedes)
                try:
                    needed |= {entry.manifest, *archive.manifest(entry).references()}
                    archive.bundle(index)
                    findings.bundles += 1
                except MalformedInput as error:
                    findings.damages.append(Damage(f"entry {index}, packet {entry.packet_id}", str(error)))
    present = set(map(digest_of_name, archive.backend.names("objects/"))) - {None}
    findings.superseded = len(superseded)
    findings.objects = len(needed)
    findings.unneeded = len(present - needed)
    return findings
