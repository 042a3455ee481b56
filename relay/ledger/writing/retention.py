"""Bounded growth: what was settled long ago is forgotten, a piece at a time."""

from sqlalchemy import Connection, delete, exists, select, tuple_

from hutong.relay.ledger.store.tables import DeliveryRow, MessageRow, PacketRow, RecordRow, StepRow, TransactionRow

CHUNK_ROWS = 500


def prune(connection: Connection, before_ns: int) -> int:
    """Delete at most `CHUNK_ROWS` packets with all that is known of them, transactions and packetless deliveries each.

    Unsettled packets and transactions without an end stay, whatever their age. Returns how many rows went; 0: all did.
    """
    old = select(PacketRow.packet_id).where(PacketRow.settled_at_ns < before_ns).limit(CHUNK_ROWS)
    ids = list(connection.execute(old).scalars())
    gone = 0
    if ids:
        for row in (StepRow, DeliveryRow, MessageRow, RecordRow, PacketRow):
            gone += connection.execute(delete(row).where(row.packet_id.in_(ids))).rowcount
    if len(ids) == CHUNK_ROWS:
        return gone  # the rest comes when these are gone: looking for it passes everything that they still keep
    orphans = (
        select(DeliveryRow.packet_id, DeliveryRow.kind)
        .where(DeliveryRow.at_ns < before_ns, ~exists().where(PacketRow.packet_id == DeliveryRow.packet_id))
        .limit(CHUNK_ROWS)
    )
    keys = [tuple(key) for key in connection.execute(orphans)]
    if keys:
        gone += connection.execute(
            delete(DeliveryRow).where(tuple_(DeliveryRow.packet_id, DeliveryRow.kind).in_(keys))
        ).rowcount
    ended = (
        select(TransactionRow.chain, TransactionRow.hash)
        .where(TransactionRow.ended_at_ns < before_ns)
        .limit(CHUNK_ROWS)
    )
    hashes = [tuple(key) for key in connection.execute(ended)]
    if hashes:
        gone += connection.execute(
            delete(TransactionRow).where(tuple_(TransactionRow.chain, TransactionRow.hash).in_(hashes))
        ).rowcount
    return gone
