"""Which rows no version from some version on needs, by that version: what pruning deletes once every older version may go.

Rows are content-addressed, so one that went stale may come back: then it is taken off, and the list that still names it is
overruled. Everything here is written in the batch of the block that caused it.
"""

from collections.abc import Iterable

from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable

_LISTS = b"s"  # BE8 version -> rows, each with its kind and its length in two bytes before it
_SINCE = b"d"  # row -> BE8 version, of rows that may come back
_MAY_RETURN, _FINAL = b"m", b"f"


def stale_since(reader: KeyValueReader, table: bytes, row: bytes) -> int | None:
    """The version that no longer needs the row; None where the newest does, or the row was never there.

    Rows that were marked as final are not known here.
    """
    raw = Table(reader, table).get(_SINCE + row)
    return None if raw is None else int.from_bytes(raw, "big")


def mark_stale(
    batch: KeyValueWriter, table: bytes, version: int, returning: Iterable[bytes], final: Iterable[bytes] = ()
) -> None:
    """These rows are needed up to `version` - 1; those in `final` never come back. Call it once for each version.

    `table` is the prefix under which `batch` keeps these marks.
    """
    into = WritableTable(batch, table)
    suffix = version.to_bytes(8, "big")
    listed = b""
    for row in returning:
        listed += _listed(_MAY_RETURN, row)
        into.put(_SINCE + row, suffix)
    for row in final:
        listed += _listed(_FINAL, row)
    if listed:
        into.put(_LISTS + suffix, listed)


def mark_needed(batch: KeyValueWriter, table: bytes, row: bytes) -> None:
    """The newest version has the row (again), so that pruning leaves it."""
    WritableTable(batch, table).delete(_SINCE + row)


def take_stale(batch: KeyValueWriter, table: bytes, version: int) -> list[bytes]:
    """Rows that went stale with `version` and did not come back; forgets about them. The caller deletes the rows."""
    into = WritableTable(batch, table)
    suffix = version.to_bytes(8, "big")
    listed = into.get(_LISTS + suffix)
    if listed is None:
        return []
    rows, at = [], 0
    while at < len(listed):
        start = at + 3
        end = start + int.from_bytes(listed[at + 1 : start], "big")
        row, kind = listed[start:end], listed[at : at + 1]
        if kind == _FINAL:
            rows.append(row)
        elif into.get(_SINCE + row) == suffix:
            rows.append(row)
            into.delete(_SINCE + row)
        at = end
    into.delete(_LISTS + suffix)
    return rows


def forget_stale(batch: KeyValueWriter, table: bytes, version: int) -> None:
    """The version was taken back: what went stale with it is needed again."""
    for row in take_stale(batch, table, version):
        mark_needed(batch, table, row)


def _listed(kind: bytes, row: bytes) -> bytes:
    return kind + len(row).to_bytes(2, "big") + row
