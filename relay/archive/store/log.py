"""Reading an archive's log: which leaf hashes its root is of, and which lines still are its entries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import Frontier, leaf_hash
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.store.backend import Backend
from hutong.relay.archive.store.entries import Entry, FileEntry, PruneEntry, Tombstone, decode_line, is_tombstone
from hutong.relay.archive.store.layout import (
    FILES_VERSION,
    HEAD_NAME,
    LEAF_BYTES,
    MAX_HEAD_BYTES,
    MAX_SEGMENT_BYTES,
    SEGMENT_ENTRIES,
    Head,
    decode_head,
    entries_in,
    leaves_name,
    lines_of,
    log_name,
    segments_of,
)

UNKNOWN_LEAF = bytes(LEAF_BYTES)


class NoArchive(ArchiveUnavailable):
    """There is no archive at that place."""


class LogRewritten(ArchiveUnavailable):
    """What the log once held is not its beginning any more."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What is not as it was written: a file or an entry by name, and why."""

    subject: str
    reason: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"


@dataclass(slots=True)
class SegmentFiles:
    """One segment as it is kept; a version is None where there is no file."""

    lines: list[bytes]
    lines_version: str | None
    leaves: list[bytes]
    leaves_version: str | None


@dataclass(slots=True)
class Log:
    """A log at one head. `leaves`: the hash of every entry, by the files, or by the lines where files are damaged.

    `is_whole`: the leaves have the head's root. If not, nothing says which of them are right.
    """

    head: Head
    head_version: str
    leaves: list[bytes]
    frontier: Frontier
    is_whole: bool
    damages: list[Damage] = field(default_factory=list)
    pruned_before: int = 0


def read_head(backend: Backend) -> tuple[Head, str]:
    """The head and its version.

    Raises:
        NoArchive: there is no head.
        MalformedInput: it is damaged.
        ArchiveUnavailable: the place does not answer.
    """
    stored = backend.read(HEAD_NAME, MAX_HEAD_BYTES)
    if stored is None:
        raise NoArchive(f"{backend.location} is not an archive: it has no {HEAD_NAME}")
    return decode_head(stored.data), stored.version


def read_segment(backend: Backend, segment: int) -> SegmentFiles:
    """Both files of a segment, with whatever follows the head.

    Raises:
        ArchiveUnavailable: the place does not answer.
    """
    log = backend.read(log_name(segment), MAX_SEGMENT_BYTES)
    leaves = backend.read(leaves_name(segment), SEGMENT_ENTRIES * LEAF_BYTES)
    hashes = b"" if leaves is None else leaves.data
    return SegmentFiles(
        [] if log is None else lines_of(log.data)[:SEGMENT_ENTRIES],
        None if log is None else log.version,
        [hashes[at : at + LEAF_BYTES] for at in range(0, len(hashes) // LEAF_BYTES * LEAF_BYTES, LEAF_BYTES)],
        None if leaves is None else leaves.version,
    )


def read_log(backend: Backend) -> Log:
    """The whole log. Damage is named in it, and does not stop the reading.

    Raises:
        NoArchive: there is no head.
        MalformedInput: the head is damaged.
        ArchiveUnavailable: the place does not answer.
    """
    head, version = read_head(backend)
    kept: list[bytes] = []
    told: list[list[bytes | None]] = []
    damages: list[Damage] = []
    pruned_before = 0
    for segment in segments_of(head.size):
        count = entries_in(segment, head.size)
        files = read_segment(backend, segment)
        # A tombstone says nothing of its leaf.
        by_lines = [UNKNOWN_LEAF if is_tombstone(line) else leaf_hash(line) for line in files.lines[:count]]
        by_lines += [UNKNOWN_LEAF] * (count - len(by_lines))
        if len(files.leaves) < count:
            damages.append(Damage(leaves_name(segment), f"has {len(files.leaves)} of {count} leaf hashes"))
        hashes = files.leaves[:count]
        hashes += by_lines[len(hashes) :]
        kept += hashes
        told.append([None if one in (hashes[place], UNKNOWN_LEAF) else one for place, one in enumerate(by_lines)])
        pruned_before = max(pruned_before, _pruned_before(files.lines[:count], hashes, segment * SEGMENT_ENTRIES))
    mended = _with_root(head, kept, told, damages)
    leaves, frontier = mended or (kept, Frontier(kept))
    if mended is None:
        got = frontier.root().hex()
        damages.append(Damage(HEAD_NAME, f"promises the root {head.root.hex()}, and the log has {got}"))
    return Log(head, version, leaves, frontier, mended is not None, damages, pruned_before)


def check_continues(log: Log, known: Head, location: str) -> None:
    """That a log began as it was known to be: nothing was changed, put in or taken out since.

    Raises:
        LogRewritten: it did not.
        ArchiveUnavailable: it is damaged, and nothing says which leaf hashes are right.
    """
    if not log.is_whole:
        raise ArchiveUnavailable(
            f"the log of {location} is damaged ({log.damages[-1]}): look with `hutong archive verify`, "
            "and go on at another place"
        )
    if log.head.size < known.size:
        what = f"has {log.head.size} entries, and had {known.size}"
    else:
        root = Frontier(log.leaves[: known.size]).root()
        if root == known.root:
            return
        what = f"has the root {root.hex()} over the first {known.size} entries, and had {known.root.hex()}"
    raise LogRewritten(f"the log was rewritten: {location} {what}; keep it as evidence, and go on at another place")


def _pruned_before(lines: Sequence[bytes], leaves: Sequence[bytes], first: int) -> int:
    """What the intact prunings among entries `first` and on let go of. One that names what comes after it would license
    every tombstone to come: it prunes nothing."""
    most = 0
    for index, (line, leaf) in enumerate(zip(lines, leaves, strict=False), first):
        if b'"prune"' in line and leaf_hash(line) == leaf:
            try:
                entry = decode_line(line)
            except MalformedInput:
                continue
            if isinstance(entry, PruneEntry) and entry.before <= index:
                most = max(most, entry.before)
    return most


def _with_root(
    head: Head, kept: list[bytes], told: Sequence[Sequence[bytes | None]], damages: list[Damage]
) -> tuple[list[bytes], Frontier] | None:
    """Leaf hashes that have the head's root: the kept ones, or as the lines tell them in one segment, or in all. None if
    none of these have it."""
    differing = [segment for segment, others in enumerate(told) if any(others)]
    for suspects in ([], *([segment] for segment in differing), differing):
        leaves = list(kept)
        for segment in suspects:
            for index, other in enumerate(told[segment], segment * SEGMENT_ENTRIES):
                leaves[index] = leaves[index] if other is None else other
        frontier = Frontier(leaves)
        if frontier.root() == head.root:
            damages += [Damage(leaves_name(one), "is damaged; the entries say what it was") for one in suspects]
            return leaves, frontier
    return None


def entries_of(backend: Backend, log: Log, segment: int) -> Iterator[tuple[int, Entry | Tombstone | Damage]]:
    """Every entry of a segment by its index: itself, what is left of it after pruning, or what is wrong with it.

    Raises:
        ArchiveUnavailable: the place does not answer.
    """
    count = entries_in(segment, log.head.size)
    lines = read_segment(backend, segment).lines[:count]
    for place in range(count):
        index = segment * SEGMENT_ENTRIES + place
        yield index, _entry(log, index, lines[place] if place < len(lines) else None)


def _entry(log: Log, index: int, line: bytes | None) -> Entry | Tombstone | Damage:
    subject = f"entry {index}"
    where = f"in {log_name(index // SEGMENT_ENTRIES)}"
    if line is None:
        return Damage(subject, f"is missing {where}")
    try:
        entry = decode_line(line)
    except MalformedInput as error:
        return Damage(subject, f"is damaged {where}: {error}")
    if isinstance(entry, Tombstone):
        if index < log.pruned_before:
            return entry
        return Damage(subject, f"stands {where} as pruned, and no entry of the log prunes it")
    if leaf_hash(line) != log.leaves[index]:
        return Damage(subject, f"is not what the log's leaf says {where}")
    if isinstance(entry, FileEntry) and log.head.version < FILES_VERSION:
        return Damage(subject, f"is a file {where}, which a head of version {log.head.version} has not")
    if isinstance(entry, PruneEntry) and entry.before > index:
        return Damage(subject, f"prunes {where} up to {entry.before}, which comes after it: it counts for nothing")
    return entry
