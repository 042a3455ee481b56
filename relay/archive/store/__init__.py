"""An archive of proof bundles that shows it when it was tampered with."""

from hutong.relay.archive.store.backend import Backend, Stored, WriteConflict
from hutong.relay.archive.store.directory import Directory
from hutong.relay.archive.store.entries import BundleEntry, FileEntry, PruneEntry, Tombstone
from hutong.relay.archive.store.layout import Head
from hutong.relay.archive.store.log import Damage, LogRewritten, NoArchive
from hutong.relay.archive.store.place import open_backend
from hutong.relay.archive.store.source import ArchiveSource, open_source
from hutong.relay.archive.store.store import Appended, BundleArchive, Pruned
from hutong.relay.archive.store.verification import Findings, verify

__all__ = [
    "Appended",
    "ArchiveSource",
    "Backend",
    "BundleArchive",
    "BundleEntry",
    "Damage",
    "Directory",
    "FileEntry",
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
