"""How much of each pack is still of use: what compaction goes by. Each function is part of its caller's transaction.

Weights are bytes of contents, and 1 KiB more for what stands in the pack of manifest and event. What only tells of the past, such as a
deletion, has no weight: it is carried along.
"""

from collections.abc import Callable, Sequence
from typing import Final

from hutong.relay.services.storage.catalogue.database import Statements
from hutong.relay.services.storage.catalogue.objects import find_object
from hutong.relay.services.storage.catalogue.rows import HeadPlace, ObjectRow

HEAD_WEIGHT: Final = 1_024


def count_use(statements: Statements, pack: int, weight: int) -> None:
    """So much more of a pack is of use."""
    statements.run(
        "INSERT INTO storage_uses (pack, bytes, dead_bytes) VALUES (?, ?, 0)"
        " ON CONFLICT (pack) DO UPDATE SET bytes = storage_uses.bytes + excluded.bytes",
        (pack, weight),
    )


def count_dead(statements: Statements, pack: int, weight: int) -> None:
    """So much of a pack is of no use any more."""
    statements.run("UPDATE storage_uses SET dead_bytes = dead_bytes + ? WHERE pack = ?", (weight, pack))


def weight_of(size: int, *, is_in_parts: bool) -> int:
    """Of an object in the pack of its event: one in parts has its bytes elsewhere."""
    return HEAD_WEIGHT + (0 if is_in_parts else size)


def retire(statements: Statements, bucket: int, key: bytes, tells_of_parts: Callable[[bytes], bool]) -> None:
    """What is at a key is of no use from now on: it is replaced or removed in this transaction.

    Args:
        tells_of_parts: whether a note is that of an object in parts.
    """
    row = find_object(statements, bucket, key)
    if row is None:
        return
    is_in_parts = tells_of_parts(row.note)
    count_dead(statements, row.place.pack, weight_of(row.size, is_in_parts=is_in_parts))
    if is_in_parts:
        statements.run(
            "INSERT INTO storage_dropped (pack, at, head_bytes) VALUES (?, ?, ?) ON CONFLICT (pack, at) DO NOTHING",
            (row.place.pack, row.place.offset + row.place.manifest_bytes, row.place.head_bytes),
        )


def dropped(statements: Statements, most: int) -> tuple[HeadPlace, ...]:
    """Where events lie of objects in parts that were replaced or removed; their parts are not counted as dead yet."""
    rows = statements.rows("SELECT pack, at, head_bytes FROM storage_dropped ORDER BY pack, at LIMIT ?", (most,))
    return tuple(HeadPlace(pack, at, 0, head_bytes) for pack, at, head_bytes in rows)


def end_dropped(statements: Statements, pack: int, at: int) -> bool:
    """The parts of a dropped object are counted now; whether they were not before."""
    return statements.run("DELETE FROM storage_dropped WHERE pack = ? AND at = ?", (pack, at)) > 0


def wasted(statements: Statements, percent: int, after: int, most: int) -> Sequence[int]:
    """Numbers of packs of which at least so much is dead, and something is, after pack number `after`."""
    rows = statements.rows(
        "SELECT pack FROM storage_uses WHERE dead_bytes > 0 AND dead_bytes * 100 >= bytes * ? AND pack > ?"
        " ORDER BY pack LIMIT ?",
        (percent, after, most),
    )
    return [int(pack) for (pack,) in rows]


def end_use(statements: Statements, pack: int) -> None:
    """Forget what was counted of a pack."""
    statements.run("DELETE FROM storage_uses WHERE pack = ?", (pack,))


def move_object(statements: Statements, row: ObjectRow, place: HeadPlace) -> bool:
    """The object of a key lies elsewhere from now on, if it is still this one where it was; whether it is."""
    return (
        statements.run(
            "UPDATE storage_objects SET pack = ?, at = ?, manifest_bytes = ?, head_bytes = ?"
            " WHERE bucket = ? AND key = ? AND pack = ? AND at = ?",
            (
                *(place.pack, place.offset, place.manifest_bytes, place.head_bytes),
                *(row.bucket, row.key, row.place.pack, row.place.offset),
            ),
        )
        > 0
    )
