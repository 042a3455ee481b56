"""Snapshots on disk: one directory a height in HOME/snapshots, whole from the moment its name is there."""

import shutil
from hashlib import sha256
from pathlib import Path

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.base.durable_files import READABLE, place_file, sync_folder
from hutong.relay.base.file_lock import FileLock
from hutong.relay.hub.application.abci import Snapshot
from hutong.relay.hub.application.snapshot.format import (
    FORMAT,
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    Manifest,
    check_chunk,
    decode_manifest,
    encode_manifest,
)
from hutong.relay.hub.application.snapshot.making import SnapshotMaker

SNAPSHOTS_DIRECTORY = "snapshots"
MANIFEST_FILE = "manifest"
_UNFINISHED = ".unfinished-"
_MAX_MANIFEST_BYTES = 128 + 32 * MAX_CHUNKS


class SnapshotFiles:
    """`directory` is made where absent. Any thread and process may read; one process writes at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def heights(self) -> list[int]:
        """Of whole snapshots, newest first."""
        names = (entry.name for entry in self.directory.iterdir())
        return sorted((int(name) for name in names if name.isascii() and name.isdecimal()), reverse=True)

    def list(self) -> tuple[Snapshot, ...]:
        """Whole snapshots, newest first, for peers; one with a damaged manifest is not offered. Chunks are not read."""
        found = []
        for height in self.heights():
            try:
                manifest = self.manifest(height)
            except (MalformedInput, OSError):
                continue
            encoded = encode_manifest(manifest)
            found.append(Snapshot(height, FORMAT, len(manifest.chunk_hashes), sha256(encoded).digest(), encoded))
        return tuple(found)

    def manifest(self, height: int) -> Manifest:
        """The manifest of the snapshot of `height`; its chunks are not read.

        Raises:
            MalformedInput: it is not a manifest, or one of another height.
            OSError: there is none.
        """
        manifest = decode_manifest(_read(self.directory / str(height) / MANIFEST_FILE, _MAX_MANIFEST_BYTES))
        if manifest.height != height:
            raise MalformedInput("manifest.height", "is not that of its directory", manifest.height, height)
        return manifest

    def chunk(self, height: int, format_: int, index: int) -> bytes:
        """A checked chunk, `index` from 0; empty where there is none, or a damaged one.

        Who sends a damaged chunk is rejected as a peer.
        """
        if format_ != FORMAT:
            return b""
        try:
            manifest = self.manifest(height)
            chunk = self.stored_chunk(height, index)
            check_chunk(manifest, index, chunk)
        except (MalformedInput, PredicateFailed, OSError):
            return b""
        return chunk

    def stored_chunk(self, height: int, index: int) -> bytes:
        """A chunk as it is on disk, unchecked, at most one byte more than the longest that a check passes.

        Raises:
            OSError: there is none.
        """
        return _read(self.directory / str(height) / _chunk_name(index), MAX_CHUNK_BYTES)

    def write(self, height: int, maker: SnapshotMaker) -> Manifest:
        """Make the snapshot of `height`, replacing one that is there. Nothing is left where the maker raises.

        Raises:
            BlockingIOError: another process is writing.
            OSError: the disk takes it not.
        """
        with self._exclusively():
            return self._write(height, maker)

    def prune(self, keep: int) -> None:
        """Keep the newest `keep` snapshots, and nothing that was left unfinished.

        Raises:
            BlockingIOError: another process is writing.
            OSError: one cannot be removed.
        """
        with self._exclusively():
            for height in self.heights()[keep:]:
                self._remove(height)
            for leftover in list(self.directory.glob(f"{_UNFINISHED}*")):
                shutil.rmtree(leftover, ignore_errors=True)

    def _exclusively(self) -> FileLock:
        return FileLock(self.directory / "lock", wait=False)

    def _write(self, height: int, maker: SnapshotMaker) -> Manifest:
        unfinished = self.directory / f"{_UNFINISHED}{height}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            for index, chunk in enumerate(maker.chunks()):
                place_file(unfinished / _chunk_name(index), chunk, READABLE)
            manifest = maker.manifest()
            place_file(unfinished / MANIFEST_FILE, encode_manifest(manifest), READABLE)
            sync_folder(unfinished)
            self._remove(height)
            unfinished.rename(self.directory / str(height))
            sync_folder(self.directory)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return manifest

    def _remove(self, height: int) -> None:
        """Under another name first, so that no half-removed snapshot is offered after a crash."""
        doomed = self.directory / f"{_UNFINISHED}{height}.old"
        if (self.directory / str(height)).exists():
            shutil.rmtree(doomed, ignore_errors=True)
            (self.directory / str(height)).rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _chunk_name(index: int) -> str:
    return f"{index:05d}"


def _read(path: Path, most: int) -> bytes:
    """At most `most` + 1 bytes: what is longer fails its check."""
    with path.open("rb") as file:
        return file.read(most + 1)
