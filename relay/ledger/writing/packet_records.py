"""Bytes of unsettled packets: kept from the time when their event is seen until they are settled, and bounded.

Queue and memory can be lost, and nodes prune their logs. With these bytes a packet can be proven all the same, since a proof
needs the state alone. They are not believed: whoever uses them compares them with the commitment on the chain.
"""

from collections.abc import Collection, Mapping
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, func, select

from hutong.relay.ledger.store.inserting import insert_into
from hutong.relay.ledger.store.tables import PacketRow, RecordRow

MAX_RECORD_BYTES = 512 * 1024
"""More than the queue's longest record (docs/spec/queue-record.md); a longer one is not kept."""
MAX_RECORDS = 100_000
MAX_TOTAL_BYTES = 1024 * 1024 * 1024
"""Where so much is kept nothing is added until some of it is settled: `has_room`."""
CHUNK = 500


def write_records(connection: Connection, records: Mapping[tuple[str, str], bytes], settled: Collection[str]) -> None:
    """Keep `records` by (packet id, kind), and forget those of packets that are `settled`; in the caller's transaction.

    A record of more than MAX_RECORD_BYTES, or of a packet in `settled`, is not kept.
    """
    ended = frozenset(settled)
    rows = [
        {"packet_id": packet_id, "kind": kind, "record": record}
        for (packet_id, kind), record in records.items()
        if packet_id not in ended and len(record) <= MAX_RECORD_BYTES
    ]
    if rows:
        connection.execute(_upsert(connection.dialect.name), rows)
    ids = iter(ended)
    while chunk := list(islice(ids, CHUNK)):
        connection.execute(delete(RecordRow).where(RecordRow.packet_id.in_(chunk)))


def read_record(connection: Connection, packet_id: str, kind: str) -> bytes | None:
    """What is kept of a packet's event, as it was given to `write_records`; None if nothing is.

    Args:
        kind: `receive` or `acknowledge`.
    """
    query = select(RecordRow.record).where(RecordRow.packet_id == packet_id, RecordRow.kind == kind)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def has_room(connection: Connection) -> bool:
    """Forget what is left of settled packets, a piece at a time, and say whether more may be kept.

    Settled packets leave some where a step that was told late came after the settlement.
    """
    settled = (
        select(RecordRow.packet_id)
        .join(PacketRow, PacketRow.packet_id == RecordRow.packet_id)
        .where(PacketRow.outcome.is_not(None))
        .limit(CHUNK)
    )
    if ids := list(connection.execute(settled).scalars()):
        connection.execute(delete(RecordRow).where(RecordRow.packet_id.in_(ids)))
    kept = select(func.count(), func.coalesce(func.sum(func.length(RecordRow.record)), 0)).select_from(RecordRow)
    count, total_bytes = connection.execute(kept).one()
    return bool(count < MAX_RECORDS and int(total_bytes) < MAX_TOTAL_BYTES)


@cache
def _upsert(dialect: str) -> Any:
    statement = insert_into(dialect, RecordRow)
    return statement.on_conflict_do_update(
        index_elements=["packet_id", "kind"], set_={"record": statement.excluded.record}
    )
