"""An archive of proof bundles that shows it when it was tampered with."""

from relay.archive.store.backend import Backend, Stored, WriteConflict
from relay.archive.store.directory import Directory
from relay.archive.store.entries import BundleEntry, PruneEntry, Tombstone
from relay.archive.store.layout import Head
from relay.archive.store.log import Damage, LogRewritten, NoArchive
from relay.archive.store.place import open_backend
from relay.archive.store.source import ArchiveSource, open_source
from relay.archive.store.store import Appended, BundleArchive, Pruned
from relay.archive.store.verification import Findings, verify

__all__ = [
    "Appended",
    "ArchiveSource",
    "Backend",
    "BundleArchive",
    "BundleEntry",
    "Damage",
    "Directory",
    "Findings",
    "Head",
    "LogRewritten",
    "NoArchive",
    "PruneEntry",
    "Pruned",
    "Stored",
    "Tombstone",
    "WriteConflict",
    "open_backend",
    "open_source",
    "verify",
]
