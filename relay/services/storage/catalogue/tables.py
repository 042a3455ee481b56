"""The tables, in the two dialects: the same names and columns, so that statements differ in nothing but the mark of a parameter.

SQLite keeps objects without a row id, in the order of bucket and key: an index of 16.8 million objects is one tree of about 100 bytes a row.
Keys are bytes in both, and so are compared byte by byte, as S3 lists them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

VERSION: Final = 1
_OBJECTS: Final = (
    "storage_objects (bucket {number} NOT NULL, key {bytes} NOT NULL, pack {number} NOT NULL, at {number} NOT NULL,"
    " manifest_bytes {number} NOT NULL, head_bytes {number} NOT NULL, size {number} NOT NULL,"
    " modified_ms {number} NOT NULL, retain_s {number} NOT NULL, digest {bytes} NOT NULL, note {bytes},"
    " PRIMARY KEY (bucket, key)) {without_rowid}"
)
_PACKS: Final = (
    "storage_packs (number {number} PRIMARY KEY, name {bytes} NOT NULL UNIQUE, shape {bytes} NOT NULL,"
    " roots {bytes} NOT NULL, placement {number} NOT NULL)"
)
_UPLOADS: Final = (
    "storage_uploads (id {text} PRIMARY KEY, bucket {number} NOT NULL, key {bytes} NOT NULL, note {bytes} NOT NULL,"
    " retain_s {number} NOT NULL, began_s {number} NOT NULL)"
)
_PARTS: Final = (
    "storage_parts (upload {text} NOT NULL, number {number} NOT NULL, size {number} NOT NULL, digest {bytes} NOT NULL,"
    " segment {bytes} NOT NULL, modified_ms {number} NOT NULL, PRIMARY KEY (upload, number)) {without_rowid}"
)
_PART_SUMS: Final = (
    "storage_part_sums (upload {text} NOT NULL, number {number} NOT NULL, checksum {text} NOT NULL,"
    " PRIMARY KEY (upload, number)) {without_rowid}"
)
"""What S3 clients said of a part; a table of its own, so that older catalogues can still be read."""
_BATCHES: Final = (
    "storage_batches (sequence {number} PRIMARY KEY, number {number} NOT NULL, packs {number} NOT NULL,"
    " unsigned {bytes} NOT NULL)"
)
_USES: Final = (
    "storage_uses (pack {number} PRIMARY KEY, bytes {number} NOT NULL, dead_bytes {number} NOT NULL)",
    "storage_dropped (pack {number} NOT NULL, at {number} NOT NULL, head_bytes {number} NOT NULL, PRIMARY KEY (pack, at))",
    (
        "storage_removals (name {bytes} PRIMARY KEY, shape {bytes} NOT NULL, roots {bytes} NOT NULL,"
        " placement {number} NOT NULL, since_s {number} NOT NULL)"
    ),
)
"""What compaction goes by: they came after the others, and a catalogue that is without them gets them empty."""
_TABLES: Final = (
    "storage_version (version {number} PRIMARY KEY)",
    "storage_counters (name {text} PRIMARY KEY, value {number} NOT NULL)",
    "storage_buckets (number {number} PRIMARY KEY, name {text} NOT NULL UNIQUE, created_s {number} NOT NULL)",
    "storage_placements (number {number} PRIMARY KEY, operators {bytes} NOT NULL UNIQUE)",
    _PACKS,
    _OBJECTS,
    _UPLOADS,
    _PARTS,
    _PART_SUMS,
    _BATCHES,
    "storage_idempotency (name {text} PRIMARY KEY, answer {bytes} NOT NULL, until_s {number} NOT NULL)",
    *_USES,
)
_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "sqlite": {"number": "INTEGER", "text": "TEXT", "bytes": "BLOB", "without_rowid": "WITHOUT ROWID"},
        "postgresql": {"number": "BIGINT", "text": "TEXT", "bytes": "BYTEA", "without_rowid": ""},
    }
)


def create_statements(dialect: str) -> tuple[str, ...]:
    """Statements that make each table where it is missing.

    Args:
        dialect: `sqlite` or `postgresql`.
    """
    return tuple(f"CREATE TABLE IF NOT EXISTS {table.format_map(_WORDS[dialect])}" for table in _TABLES)
