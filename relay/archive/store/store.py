"""An archive of proof bundles: append, prune, read (docs/spec/archive.md).

A writer puts its mark into the head; then come objects, leaf hashes and entries, then the new head. Whatever ends in
between leaves the archive that the head names, and a tail that the next append writes over. A writer that finds another mark where
its own should be has a second writer beside it, and stops before the head.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import (
    ConsistencyProof,
    MerkleProof,
    leaf_hash,
    prove_consistency,
    prove_leaf,
)
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.store.backend import Backend
from hutong.relay.archive.store.entries import (
    MAX_FILE_BYTES,
    BundleEntry,
    Entry,
    FileEntry,
    PruneEntry,
    Tombstone,
    encode_entry,
    encode_tombstone,
    is_file_name,
    progress_of,
)
from hutong.relay.archive.store.layout import (
    EMPTY_HEAD,
    FILES_VERSION,
    HEAD_NAME,
    MAX_ENTRIES,
    SEGMENT_ENTRIES,
    Head,
    digest_of_name,
    encode_head,
    entries_in,
    leaves_name,
    log_name,
    object_name,
    segments_of,
    text_of,
)
from hutong.relay.archive.store.log import (
    Damage,
    Log,
    NoArchive,
    check_continues,
    entries_of,
    read_head,
    read_log,
    read_segment,
)
from hutong.relay.archive.store.manifest import (
    MAX_MANIFEST_BYTES,
    MAX_OBJECT_BYTES,
    Manifest,
    decode_manifest,
    digest_of,
    encode_manifest,
    put_together,
    take_apart,
)

APPENDED_AT_ONCE = 256
"""Bundles whose objects are held in memory before they are written."""
FILES_AT_ONCE = 16
"""Likewise whole files, of up to `MAX_FILE_BYTES`."""
CACHED_SEGMENTS = 16
CACHED_OBJECT_BYTES = 64 * 1024 * 1024
REMEMBERED_OBJECTS = 200_000


@dataclass(slots=True)
class Appended:
    """`indices` of new entries; `known` were there already, or say no more than what is there; `refused` by name."""

    indices: list[int] = field(default_factory=list)
    known: int = 0
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pruned:
    """Entries whose bundles went, objects that went with them, and why objects had to stay, if they had."""

    entries: int
    objects: int
    kept_because: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest entry of a packet. `is_settled`: there is nothing more to show of any of its legs."""

    index: int
    progress: int
    bundle: bytes
    is_settled: bool


class BundleArchive:
    """One archive at a `Backend`. Calls block; use one object in one thread at a time."""

    def __init__(self, backend: Backend, known: Head | None = None) -> None:
        """`known`: a head that it had before.

        Raises:
            NoArchive, MalformedInput (its head), ArchiveUnavailable, LogRewritten (where a head is known).
        """
        self._backend = backend
        self._log: Log
        self.newest: dict[str, Kept] = {}
        """By the packet id of the first leg; entries that are pruned or damaged are not in it."""
        self.pruned: set[str] = set()
        """Packets of which nothing but a tombstone is left."""
        self.files: dict[str, tuple[int, bytes]] = {}
        """Index and hash by the name of each file; those that are pruned or damaged are not in it."""
        self.second_legs: set[str] = set()
        """Packet ids that a bundle of another packet covers."""
        self._written: OrderedDict[bytes, None] = OrderedDict()
        self._segments: OrderedDict[int, list[Entry | Tombstone | Damage]] = OrderedDict()
        self._objects: OrderedDict[bytes, bytes] = OrderedDict()
        self._object_bytes = 0
        self._load(known)

    @classmethod
    def create(cls, backend: Backend) -> "BundleArchive":
        """The archive there, or a new one without entries.

        Raises:
            ArchiveUnavailable: also where a log lost its head, which an empty one would write over.
        """
        try:
            return cls(backend)
        except NoArchive:
            if any(next(backend.names(prefix), None) is not None for prefix in ("leaves/", "log/")):
                raise ArchiveUnavailable(
                    f"{backend.location} has a log and no head: restore {HEAD_NAME}, or go on at another place"
                ) from None
            backend.write(HEAD_NAME, encode_head(EMPTY_HEAD), None)
            return cls(backend)

    @property
    def head(self) -> Head:
        """Size and root of the log as it was read or written last; another process may have appended since."""
        return self._log.head

    @property
    def log(self) -> Log:
        """As it was read last."""
        return self._log

    @property
    def location(self) -> str:
        """Where it is, for people."""
        return self._backend.location

    @property
    def backend(self) -> Backend:
        """The place that keeps its files."""
        return self._backend

    def append(self, bundles: Iterable[tuple[str, bytes]], now_s: int, *, again: bool = False) -> Appended:
        """Keep bundles. One that cannot be read is named in `refused` and does not stop the others.

        Args:
            bundles: canonical bytes, each with a name for the report.
            now_s: Unix time by the writer's clock; retention is counted from it.
            again: also one that says no more than what is there.

        Raises:
            ArchiveUnavailable: the place does not answer, or the log is damaged.
            LogRewritten: it is not the log that was read before with more appended.
            WriteConflict: somebody else wrote.
        """
        done = Appended()
        with self._writing():
            self._append(bundles, now_s, done, again=again)
        return done

    def append_files(self, files: Iterable[tuple[str, bytes]], now_s: int) -> Appended:
        """Keep files whole, each by a name that no other file of the archive has. What they hold is not looked at.

        The archive is one of version 2 from the first on. `refused`: another file has the name, or it may not name a
        file, or the file is longer than `MAX_FILE_BYTES`.

        Raises:
            ArchiveUnavailable, LogRewritten, WriteConflict: as `append`.
        """
        done = Appended()
        with self._writing():
            waiting: list[FileEntry] = []
            objects: dict[bytes, bytes] = {}
            for name, data in files:
                present, digest = self.files.get(name), digest_of(data)
                if present is not None and present[1] == digest:
                    done.known += 1
                elif present is not None or not is_file_name(name) or len(data) > MAX_FILE_BYTES:
                    done.refused[name] = (
                        f"another file of the archive has the name, at entry {present[0]}"
                        if present is not None
                        else f"a file has a plain name and at most {MAX_FILE_BYTES} bytes"
                    )
                else:
                    self.files[name] = self._log.head.size + len(waiting), digest
                    waiting.append(FileEntry(now_s, name, digest, len(data)))
                    objects[digest] = data
                if len(waiting) == FILES_AT_ONCE:
                    done.indices += self._commit(waiting, objects)
                    waiting, objects = [], {}
            done.indices += self._commit(waiting, objects)
        return done

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._backend.alone():
            self._reload()
            try:
                yield
            except BaseException:
                self._log.head_version = ""  # memory is ahead of what is kept: the next call reads it again
                raise

    def _append(self, bundles: Iterable[tuple[str, bytes]], now_s: int, done: Appended, *, again: bool) -> None:
        waiting: list[BundleEntry] = []
        objects: dict[bytes, bytes] = {}
        for name, data in bundles:
            try:
                entry = self._entry(data, now_s, objects, again=again)
            except MalformedInput as error:
                done.refused[name] = str(error)
                continue
            if entry is None:
                done.known += 1
                continue
            self._index(self._log.head.size + len(waiting), entry)
            waiting.append(entry)
            if len(waiting) == APPENDED_AT_ONCE:
                done.indices += self._commit(waiting, objects)
                waiting, objects = [], {}
        done.indices += self._commit(waiting, objects)

    def _entry(self, data: bytes, now_s: int, objects: dict[bytes, bytes], *, again: bool) -> BundleEntry | None:
        bundle, manifest, parts = take_apart(data)
        present, progress, name = self.newest.get(bundle.packet_id), progress_of(bundle), digest_of(data)
        if present is not None and (present.bundle == name or (present.progress >= progress and not again)):
            return None
        encoded = encode_manifest(manifest)
        objects.update((key, value) for key, value in parts.items() if key not in self._written)
        objects[digest_of(encoded)] = encoded
        return BundleEntry(
            now_s,
            tuple(leg.packet_id for leg in bundle.legs),
            name,
            len(data),
            digest_of(encoded),
            progress,
            None if present is None else present.index,
        )

    def _commit(self, entries: Sequence[BundleEntry | FileEntry], objects: Mapping[bytes, bytes]) -> list[int]:
        if not entries:
            return []
        first = self._log.head.size
        has_files = any(isinstance(entry, FileEntry) for entry in entries)
        self._claim()
        self._backend.keep_all({object_name(name): data for name, data in objects.items()})
        self._extend([encode_entry(entry) for entry in entries], FILES_VERSION if has_files else 1)
        for name in objects:
            self._written[name] = None
        while len(self._written) > REMEMBERED_OBJECTS:
            self._written.popitem(last=False)
        return list(range(first, first + len(entries)))

    def _claim(self) -> None:
        """Put our mark into the head. Every other writer's next look at it is a conflict."""
        log = self._log
        marked = replace(log.head, writer=os.urandom(8).hex())
        log.head_version = self._backend.write(HEAD_NAME, encode_head(marked), log.head_version)

    def _extend(self, lines: list[bytes], version: int = 1) -> None:
        """Leaf hashes and lines of each touched segment, then the head, of at least this version."""
        log = self._log
        if log.head.size + len(lines) > MAX_ENTRIES:
            raise ArchiveUnavailable(f"{self.location} has {MAX_ENTRIES} entries: go on at another place")
        frontier, leaves = log.frontier.copy(), [leaf_hash(line) for line in lines]
        for leaf in leaves:
            frontier.append(leaf)
        size = log.head.size
        head = Head(size + len(lines), frontier.root(), version=max(version, log.head.version))
        position = 0
        while position < len(lines):
            segment, count = divmod(size + position, SEGMENT_ENTRIES)
            more = min(SEGMENT_ENTRIES - count, len(lines) - position)
            files = read_segment(self._backend, segment)
            kept = [*files.lines[:count], *([b""] * (count - len(files.lines)))]
            start = segment * SEGMENT_ENTRIES
            hashes = b"".join((*log.leaves[start : start + count], *leaves[position : position + more]))
            text = text_of([*kept, *lines[position : position + more]])
            self._backend.write(leaves_name(segment), hashes, files.leaves_version)
            self._backend.write(log_name(segment), text, files.lines_version)
            self._segments.pop(segment, None)
            position += more
        log.head_version = self._backend.write(HEAD_NAME, encode_head(head), log.head_version)
        log.head, log.frontier = head, frontier
        log.leaves += leaves

    def prune(self, before_s: int, now_s: int) -> Pruned:
        """Let go of the bundles of all entries up to the first that was appended at or after `before_s`.

        Their leaf hashes stay, and an entry of the log says that they were pruned. Ends what an interrupted pruning left.

        Raises:
            ArchiveUnavailable, WriteConflict: as `append`.
        """
        with self._backend.alone():
            self._reload()
            before = self._older_than(before_s)
            if before > self._log.pruned_before:
                self._claim()
                self._extend([encode_entry(PruneEntry(now_s, before))])
                self._log.pruned_before = before
            entries = sum(self._bury(segment) for segment in segments_of(self._log.pruned_before))
            objects, reason = self._sweep()
            self._load()
        return Pruned(entries, objects, reason)

    def _older_than(self, before_s: int) -> int:
        before = 0
        for index, entry in self.entries():
            if isinstance(entry, BundleEntry | FileEntry | PruneEntry):
                if entry.appended_at_s >= before_s:
                    break
                before = index + 1
        return before

    def _bury(self, segment: int) -> int:
        """Put tombstones into the place of pruned entries; returns how many."""
        files = read_segment(self._backend, segment)
        buried = 0
        for index, entry in entries_of(self._backend, self._log, segment):
            if index < self._log.pruned_before and not isinstance(entry, Tombstone):
                place = index % SEGMENT_ENTRIES
                files.lines += [b""] * (place + 1 - len(files.lines))
                ids = entry.packet_ids if isinstance(entry, BundleEntry) else ()
                files.lines[place] = encode_tombstone(Tombstone(ids))
                buried += 1
        if buried:
            count = entries_in(segment, self._log.head.size)
            self._backend.write(log_name(segment), text_of(files.lines[:count]), files.lines_version)
            self._segments.pop(segment, None)
        return buried

    def _sweep(self) -> tuple[int, str | None]:
        """Delete objects that no entry needs; none of them while it is not known what an entry needs."""
        needed: set[bytes] = set()
        for index, entry in self.entries():
            if isinstance(entry, Damage):
                return 0, str(entry)
            if isinstance(entry, BundleEntry):
                try:
                    needed |= {entry.manifest, *self.manifest(entry).references()}
                except MalformedInput as error:
                    return 0, f"entry {index}: {error}"
            elif isinstance(entry, FileEntry):
                needed.add(entry.file)
        present = ((name, digest_of_name(name)) for name in self._backend.names("objects/"))
        names = [name for name, digest in present if digest is not None and digest not in needed]
        self._backend.delete_all(names)
        self._written.clear()
        return len(names), None

    def entries(self) -> Iterator[tuple[int, Entry | Tombstone | Damage]]:
        """Every entry by its index, damaged ones as what is wrong with them.

        Raises:
            ArchiveUnavailable: the place does not answer.
        """
        for segment in segments_of(self._log.head.size):
            yield from entries_of(self._backend, self._log, segment)

    def entry(self, index: int) -> Entry | Tombstone | Damage:
        """One entry, out of the CACHED_SEGMENTS segments read lately or from the place.

        Raises:
            IndexError: the log has no entry of that index.
            ArchiveUnavailable: the place does not answer.
        """
        if not 0 <= index < self._log.head.size:
            raise IndexError(index)
        segment, place = divmod(index, SEGMENT_ENTRIES)
        found = self._segments.get(segment)
        if found is None:
            found = [entry for _, entry in entries_of(self._backend, self._log, segment)]
            self._segments[segment] = found
            while len(self._segments) > CACHED_SEGMENTS:
                self._segments.popitem(last=False)
        self._segments.move_to_end(segment)
        return found[place]

    def bundle(self, index: int) -> bytes:
        """The canonical bytes of the bundle of an entry.

        Raises:
            MalformedInput: the entry is pruned, damaged or of no bundle, or one of its objects is missing or damaged.
            ArchiveUnavailable: the place does not answer.
        """
        entry = self.entry(index)
        if not isinstance(entry, BundleEntry):
            reason = entry.reason if isinstance(entry, Damage) else "is pruned or is no bundle"
            raise MalformedInput(f"entry {index}", reason)
        data = put_together(self.manifest(entry), self.object)
        if digest_of(data) != entry.bundle:
            raise MalformedInput(f"entry {index}", "makes another bundle", digest_of(data), entry.bundle)
        return data

    def file(self, index: int) -> bytes:
        """The bytes of the file of an entry.

        Raises:
            MalformedInput: the entry is pruned, damaged or of no file, or the file is missing or damaged.
            ArchiveUnavailable: the place does not answer.
        """
        entry = self.entry(index)
        if not isinstance(entry, FileEntry):
            reason = entry.reason if isinstance(entry, Damage) else "is pruned or is no file"
            raise MalformedInput(f"entry {index}", reason)
        data = self._verified(entry.file, MAX_FILE_BYTES)
        if len(data) != entry.file_bytes:
            raise MalformedInput(f"entry {index}", "has another length", len(data), entry.file_bytes)
        return data

    def manifest(self, entry: BundleEntry) -> Manifest:
        """Which objects make the entry's bundle.

        Raises:
            MalformedInput: the manifest is missing, damaged, or not one.
            ArchiveUnavailable: the place does not answer.
        """
        return decode_manifest(self._verified(entry.manifest, MAX_MANIFEST_BYTES))

    def object(self, name: bytes) -> bytes:
        """An object that has the hash which it is named by; those that were read lately are kept.

        Raises:
            MalformedInput: naming one that is missing or damaged.
            ArchiveUnavailable: the place does not answer.
        """
        found = self._objects.get(name)
        if found is not None:
            self._objects.move_to_end(name)
            return found
        data = self._verified(name, MAX_OBJECT_BYTES)
        self._objects[name] = data
        self._object_bytes += len(data)
        while self._object_bytes > CACHED_OBJECT_BYTES:
            _, dropped = self._objects.popitem(last=False)
            self._object_bytes -= len(dropped)
        return data

    def _verified(self, name: bytes, most_bytes: int) -> bytes:
        stored = self._backend.read(object_name(name), most_bytes)
        if stored is None:
            raise MalformedInput(object_name(name), "is missing")
        if digest_of(stored.data) != name:
            raise MalformedInput(object_name(name), "is damaged: its hash differs", got=digest_of(stored.data))
        return stored.data

    def prove(self, index: int) -> MerkleProof:
        """That an entry is in the log of the present head (RFC 6962 audit path). The entry may be pruned: its leaf hash
        is kept.

        Raises:
            IndexError: the log has no entry of that index.
        """
        return prove_leaf(self._log.leaves, index)

    def prove_consistency(self, size: int) -> ConsistencyProof:
        """That the log once had its first `size` entries and no others (RFC 6962 consistency proof).

        Raises:
            IndexError: the log has not so many entries.
        """
        return prove_consistency(self._log.leaves, size)

    def _reload(self) -> None:
        """What another process wrote since; refuses to write to a log whose leaves are not known, or that is not what it
        was with more appended.

        Raises:
            ArchiveUnavailable, LogRewritten.
        """
        _, version = read_head(self._backend)
        if version != self._log.head_version:
            self._load(self._log.head if self._log.is_whole else None)
        check_continues(self._log, self._log.head, self.location)

    def _load(self, known: Head | None = None) -> None:
        log = read_log(self._backend)
        if known is not None:
            check_continues(log, known, self.location)  # before it takes the place of what is known
        self._log = log
        self._written.clear()
        self._segments.clear()
        self.newest.clear()
        self.pruned.clear()
        self.files.clear()
        self.second_legs.clear()
        for index, entry in self.entries():
            if isinstance(entry, BundleEntry):
                self._index(index, entry)
            elif isinstance(entry, FileEntry):
                self.files[entry.name] = index, entry.file
            elif isinstance(entry, Tombstone):
                self.pruned.update(entry.packet_ids)

    def _index(self, index: int, entry: BundleEntry) -> None:
        self.newest[entry.packet_id] = Kept(
            index, entry.progress, entry.bundle, entry.progress == 3 * len(entry.packet_ids)
        )
        self.second_legs.update(entry.packet_ids[1:])
