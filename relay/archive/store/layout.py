"""Names and forms of an archive's files: head, log segments, leaf hashes, objects (docs/spec/archive.md)."""

import json
import re
from dataclasses import dataclass

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.light_clients.proofs.merkle import EMPTY_ROOT
from hutong.relay.archive.store.entries import MAX_ENTRY_BYTES

HEAD_FORMAT = "hutong-archive-head"
FILES_VERSION = 2
"""Of a head over a log that has files; without any it is 1, so that older software reads it."""
_VERSIONS = (1, FILES_VERSION)
HEAD_NAME = "archive-head.json"
"""A folder with this file is an archive."""
MAX_HEAD_BYTES = 512
SEGMENT_ENTRIES = 256
MAX_SEGMENT_BYTES = SEGMENT_ENTRIES * (MAX_ENTRY_BYTES + 1)
LEAF_BYTES = 32
MAX_ENTRIES = 10_000_000
_HEX = re.compile(r"[0-9a-f]{64}")
_WRITER = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries the log has, and the RFC 6962 root over them. `writer`: who writes more of it, or was to."""

    size: int
    root: bytes
    writer: str | None = None
    version: int = 1


EMPTY_HEAD = Head(0, EMPTY_ROOT)


def encode_head(head: Head) -> bytes:
    """Canonical JSON with a final line break."""
    fields = {
        "format": HEAD_FORMAT,
        "version": head.version,
        "size": head.size,
        "root": head.root.hex(),
        "writer": head.writer,
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def decode_head(data: bytes) -> Head:
    """Inverse of `encode_head`.

    Raises:
        MalformedInput: anything else than its canonical bytes.
    """
    document = Document.parse(data, "head", MAX_HEAD_BYTES)
    with document.of_format("the head of an archive", HEAD_FORMAT) as fields:
        writer = fields["writer"].nullable()
        head = Head(
            fields["size"].integer(0, MAX_ENTRIES),
            fields["root"].hex(LEAF_BYTES),
            None if writer is None else writer.matching(_WRITER, "16 digits of lower-case hex"),
            fields["version"].integer(_VERSIONS[0], _VERSIONS[-1]),
        )
    if encode_head(head) != data:
        raise MalformedInput("head", "is not the canonical encoding")
    return head


def object_name(digest: bytes) -> str:
    """Where an object is kept: `objects/`, the first two digits of its SHA-256, then all 64 in lower-case hex."""
    text = digest.hex()
    return f"objects/{text[:2]}/{text}"


def digest_of_name(name: str) -> bytes | None:
    """Inverse of `object_name`, 32 bytes; None for a file that is not an object of ours."""
    digest = name.rpartition("/")[2]
    if _HEX.fullmatch(digest) is None or object_name(bytes.fromhex(digest)) != name:
        return None
    return bytes.fromhex(digest)


def log_name(segment: int) -> str:
    """The file with the lines of entries `256 * segment` to `256 * segment + 255`."""
    return f"log/{segment:08d}"


def leaves_name(segment: int) -> str:
    """Leaf hashes of the same entries, 32 bytes each."""
    return f"leaves/{segment:08d}"


def segments_of(size: int) -> range:
    """All segments of a log of that size, from 0 on; none of an empty log."""
    return range(-(-size // SEGMENT_ENTRIES))


def entries_in(segment: int, size: int) -> int:
    """How many of the log's entries a segment holds; negative for a segment that begins after the log's end."""
    return min(SEGMENT_ENTRIES, size - segment * SEGMENT_ENTRIES)


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a segment; each ends in a line break. Bytes after the last line break are not a line."""
    return data.split(b"\n")[:-1]


def text_of(lines: list[bytes]) -> bytes:
    """Inverse of `lines_of`."""
    return b"".join(line + b"\n" for line in lines)
