"""What the leaves of an archive's log are: a bundle or a file that was appended, or a pruning (docs/spec/archive.md)."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, Members
from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES, MAX_LEGS, Bundle, Claim

MAX_ENTRY_BYTES = 1_024
"""Two packet ids of 140 characters and three digests leave room."""
MAX_FILE_BYTES = 4 * 1024 * 1024
"""Of a file that is kept whole, such as a storage audit."""
MAX_PROGRESS = 3 * MAX_LEGS
_MAX_INTEGER = 2**63 - 1
_PACKET_ID = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,49})/([^/]{1,64})/([1-9][0-9]{0,19})")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DIGEST_BYTES = 32
_STEPS = {Claim.RECEIVED: 1, Claim.ACKNOWLEDGED: 2, Claim.TIMED_OUT: 2}


class _Kind(StrEnum):
    BUNDLE = "bundle"
    FILE = "file"
    PRUNE = "prune"
    PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """A bundle at `appended_at_s` (Unix time, by the writer's clock).

    `packet_ids`: of its legs, `chain id/client/sequence`. `bundle`, `manifest`: SHA-256 of its canonical bytes, and the
    name of the object that says how to rebuild them. `progress`: how much it shows, so that a later one may say more.
    `supersedes`: index of the entry of the same packet that this one takes the place of.
    """

    appended_at_s: int
    packet_ids: tuple[str, ...]
    bundle: bytes
    bundle_bytes: int
    manifest: bytes
    progress: int
    supersedes: int | None

    @property
    def packet_id(self) -> str:
        """`chain id/client/sequence` of the first leg."""
        return self.packet_ids[0]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file that is kept whole under the hash `file`, in an archive of version 2. No two have one `name`."""

    appended_at_s: int
    name: str
    file: bytes
    file_bytes: int


@dataclass(frozen=True, slots=True)
class PruneEntry:
    """From here on entries with an index below `before` may be missing: only their leaf hashes are kept."""

    appended_at_s: int
    before: int


Entry: TypeAlias = BundleEntry | FileEntry | PruneEntry


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What stands in the place of a pruned entry. No leaf commits to it: it only says what is not there any more."""

    packet_ids: tuple[str, ...]


def progress_of(bundle: Bundle) -> int:
    """How much a bundle shows, 1 to 6: a leg counts 1 for a receipt, 2 for an outcome that is final, 3 where it is
    settled.

    Only of a bundle that `check_bundle` accepts.
    """
    return sum(3 if leg.is_settled else _STEPS[leg.outcome] for leg in bundle.legs)


def encode_entry(entry: Entry) -> bytes:
    """Canonical JSON on one line, without a line break: the leaf of the log."""
    match entry:
        case BundleEntry():
            fields: dict[str, Any] = {
                "kind": "bundle",
                "appended_at_s": entry.appended_at_s,
                "packet_ids": list(entry.packet_ids),
                "bundle": entry.bundle.hex(),
                "bytes": entry.bundle_bytes,
                "manifest": entry.manifest.hex(),
                "progress": entry.progress,
                "supersedes": entry.supersedes,
            }
        case FileEntry():
            fields = {
                "kind": "file",
                "appended_at_s": entry.appended_at_s,
                "name": entry.name,
                "file": entry.file.hex(),
                "bytes": entry.file_bytes,
            }
        case PruneEntry():
            fields = {"kind": "prune", "appended_at_s": entry.appended_at_s, "before": entry.before}
    return _canonical(fields)


def encode_tombstone(tombstone: Tombstone) -> bytes:
    """The line in place of a pruned entry, canonical JSON without a line break. No leaf of the log commits to it."""
    return _canonical({"kind": "pruned", "packet_ids": list(tombstone.packet_ids)})


def is_tombstone(line: bytes) -> bool:
    """Whether a line claims to stand for a pruned entry. The rest of it is not read."""
    return line.startswith(b'{"kind":"pruned"')


def is_file_name(name: str) -> bool:
    """Whether a file may be kept under that name."""
    return _FILE_NAME.fullmatch(name) is not None


def decode_line(line: bytes) -> Entry | Tombstone:
    """Inverse of both encodings.

    Raises:
        MalformedInput: anything else than their canonical bytes.
    """
    found: Entry | Tombstone
    with Document.parse(line, "entry", MAX_ENTRY_BYTES).members() as fields:
        match fields["kind"].choice(_Kind):
            case _Kind.BUNDLE:
                found = _bundle_entry(fields)
            case _Kind.FILE:
                found = FileEntry(
                    fields["appended_at_s"].integer(0, _MAX_INTEGER),
                    fields["name"].matching(_FILE_NAME, "1 to 128 letters, digits, dots, dashes and underscores"),
                    fields["file"].hex(_DIGEST_BYTES),
                    fields["bytes"].integer(0, MAX_FILE_BYTES),
                )
            case _Kind.PRUNE:
                found = PruneEntry(
                    fields["appended_at_s"].integer(0, _MAX_INTEGER), fields["before"].integer(0, _MAX_INTEGER)
                )
            case _Kind.PRUNED:
                found = Tombstone(_packet_ids(fields["packet_ids"], least=0))
    encoded = encode_tombstone(found) if isinstance(found, Tombstone) else encode_entry(found)
    if encoded != line:
        raise MalformedInput("entry", "is not the canonical encoding")
    return found


def _bundle_entry(fields: Members) -> BundleEntry:
    supersedes = fields["supersedes"].nullable()
    return BundleEntry(
        fields["appended_at_s"].integer(0, _MAX_INTEGER),
        _packet_ids(fields["packet_ids"], least=1),
        fields["bundle"].hex(_DIGEST_BYTES),
        fields["bytes"].integer(0, MAX_BUNDLE_BYTES),
        fields["manifest"].hex(_DIGEST_BYTES),
        fields["progress"].integer(0, MAX_PROGRESS),
        None if supersedes is None else supersedes.integer(0, _MAX_INTEGER),
    )


def _packet_ids(document: Document, least: int) -> tuple[str, ...]:
    found = []
    for one in document.items(MAX_LEGS, least):
        text = one.matching(_PACKET_ID, "chain id/client/sequence")
        check_client_id(text.split("/")[1], one.path)
        found.append(text)
    return tuple(found)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
