"""Buckets and objects: each function is part of its caller's transaction."""

from collections.abc import Sequence
from typing import Any

from hutong.relay.services.storage.catalogue.database import Statements
from hutong.relay.services.storage.catalogue.listing import Asked, Page, list_page
from hutong.relay.services.storage.catalogue.rows import (
    Bucket,
    BucketMissing,
    BucketNotEmpty,
    BucketTaken,
    HeadPlace,
    ObjectRow,
)

_COLUMNS = "bucket, key, pack, at, manifest_bytes, head_bytes, size, modified_ms, retain_s, digest, note"
BULK_ROWS = 200_000
"""Of one transaction where very many are put. Keys spread over thousands of folders fill a leaf for each of these,
so that a page is written for some forty rows and not for five."""
_PUT = (
    f"INSERT INTO storage_objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (bucket, key) DO UPDATE"  # noqa: S608  columns
    " SET pack = excluded.pack, at = excluded.at, manifest_bytes = excluded.manifest_bytes,"
    " head_bytes = excluded.head_bytes, size = excluded.size, modified_ms = excluded.modified_ms,"
    " retain_s = excluded.retain_s, digest = excluded.digest, note = excluded.note"
)


def bucket_of(statements: Statements, name: str) -> Bucket:
    """The bucket of a name.

    Raises:
        BucketMissing: there is none.
    """
    found = statements.row("SELECT number, name, created_s FROM storage_buckets WHERE name = ?", (name,))
    if found is None:
        raise BucketMissing(f"there is no bucket {name}")
    return Bucket(*found)


def buckets(statements: Statements) -> tuple[Bucket, ...]:
    """All, by name."""
    return tuple(
        Bucket(*row) for row in statements.rows("SELECT number, name, created_s FROM storage_buckets ORDER BY name")
    )


def add_bucket(statements: Statements, name: str, created_s: int) -> Bucket:
    """A new bucket.

    Raises:
        BucketTaken: there is one of this name.
    """
    if statements.row("SELECT number FROM storage_buckets WHERE name = ?", (name,)) is not None:
        raise BucketTaken(f"there is a bucket {name} already")
    number = next_number(statements, "bucket")
    statements.run("INSERT INTO storage_buckets (number, name, created_s) VALUES (?, ?, ?)", (number, name, created_s))
    return Bucket(number, name, created_s)


def remove_bucket(statements: Statements, name: str) -> None:
    """Forget an empty bucket.

    Raises:
        BucketMissing: there is none.
        BucketNotEmpty: it has objects.
    """
    bucket = bucket_of(statements, name)
    if statements.row("SELECT key FROM storage_objects WHERE bucket = ? LIMIT 1", (bucket.number,)) is not None:
        raise BucketNotEmpty(f"bucket {name} has objects")
    statements.run("DELETE FROM storage_buckets WHERE number = ?", (bucket.number,))


def next_number(statements: Statements, name: str) -> int:
    """Count on, from 1; a number that was given is never given again, also after what it named is gone."""
    statements.run(
        "INSERT INTO storage_counters (name, value) VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = storage_counters.value + 1",
        (name,),
    )
    return counter(statements, name)


def counter(statements: Statements, name: str) -> int:
    """The last number that was given; 0 before the first."""
    found = statements.row("SELECT value FROM storage_counters WHERE name = ?", (name,))
    return 0 if found is None else int(found[0])


def raise_counter(statements: Statements, name: str, value: int) -> None:
    """The next number will be above `value`."""
    statements.run(
        "INSERT INTO storage_counters (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE"
        " SET value = CASE WHEN storage_counters.value < excluded.value THEN excluded.value"
        " ELSE storage_counters.value END",
        (name, value),
    )


def put_objects(statements: Statements, rows: Sequence[ObjectRow]) -> None:
    """Each key is this object from now on, the last of several. Rows go in by their keys: those of one leaf follow one another."""
    statements.run_each(
        _PUT,
        [
            (
                row.bucket,
                row.key,
                row.place.pack,
                row.place.offset,
                row.place.manifest_bytes,
                row.place.head_bytes,
                row.size,
                row.modified_ms,
                row.retain_until_s,
                row.digest,
                row.note or None,
            )
            for row in sorted(rows, key=_by_key)
        ],
    )


def _by_key(row: ObjectRow) -> tuple[int, bytes]:
    return row.bucket, row.key


def find_object(statements: Statements, bucket: int, key: bytes) -> ObjectRow | None:
    """The object of a key; None where there is none."""
    found = statements.row(f"SELECT {_COLUMNS} FROM storage_objects WHERE bucket = ? AND key = ?", (bucket, key))  # noqa: S608  columns
    return None if found is None else _object(found)


def remove_object(statements: Statements, bucket: int, key: bytes) -> bool:
    """Forget a key; whether it was there."""
    return statements.run("DELETE FROM storage_objects WHERE bucket = ? AND key = ?", (bucket, key)) > 0


def list_objects(statements: Statements, bucket: int, asked: Asked) -> Page:
    """A page of a bucket's keys, in the order of bytes."""

    def scan(first: bytes, end: bytes | None, most: int) -> Sequence[ObjectRow]:
        below = "" if end is None else " AND key < ?"
        values = (bucket, first, most) if end is None else (bucket, first, end, most)
        query = f"SELECT {_COLUMNS} FROM storage_objects WHERE bucket = ? AND key >= ?{below} ORDER BY key LIMIT ?"  # noqa: S608  columns
        return [_object(row) for row in statements.rows(query, values)]

    return list_page(scan, asked)


def _object(row: Any) -> ObjectRow:
    bucket, key, pack, at, manifest_bytes, head_bytes, size, modified_ms, retain_s, digest, note = row
    place = HeadPlace(pack, at, manifest_bytes, head_bytes)
    return ObjectRow(bucket, bytes(key), place, size, modified_ms, retain_s, bytes(digest), bytes(note or b""))
