"""Messages: what a packet carries, where it ends, and one row a message to search and order lists by."""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROWS = 5_000
_DRIFT_NS = 60 * 10**9
_INDEXES = {
    "messages_by_time": ["ordered_at_ns", "packet_id"],
    "messages_by_state": ["state", "ordered_at_ns", "packet_id"],
    "messages_by_lane": ["lane", "state", "ordered_at_ns", "packet_id"],
    "messages_by_sender": ["sender", "lane", "state", "ordered_at_ns", "packet_id"],
    "messages_by_receiver": ["receiver", "lane", "state", "ordered_at_ns", "packet_id"],
    "messages_by_change": ["change", "packet_id"],
    "messages_by_end": ["settled_at_ns", "latency_ns"],
}
_PACKET_COLUMNS: dict[str, Any] = {
    "app": sa.String(16),
    "sender": sa.String(128),
    "receiver": sa.String(128),
    "denom": sa.Text,
    "amount": sa.String(78),
    "next_client": sa.String(64),
    "final_chain": sa.String(32),
    "final_client": sa.String(64),
    "refused": sa.Boolean,
}


def upgrade() -> None:
    for name, type_ in _PACKET_COLUMNS.items():
        op.add_column("packets", sa.Column(name, type_))
    op.create_table(
        "messages",
        sa.Column("packet_id", sa.String(160), primary_key=True),
        sa.Column("second_id", sa.String(160)),
        sa.Column("lane", sa.String(100), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(128)),
        sa.Column("receiver", sa.String(128)),
        sa.Column("ordered_at_ns", sa.BigInteger, nullable=False),
        sa.Column("updated_at_ns", sa.BigInteger, nullable=False),
        sa.Column("settled_at_ns", sa.BigInteger),
        sa.Column("latency_ns", sa.BigInteger),
        sa.Column("change", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    # Milliseconds, so that a ledger that was lost and made again does not take an old cursor for one of its own.
    start = sa.text("INSERT INTO counter (name, value) VALUES ('changes', :now_ms)")
    op.get_bind().execute(start, {"now_ms": time.time_ns() // 10**6})
    _fill()
    for name, columns in _INDEXES.items():
        op.create_index(name, "messages", columns)
    op.create_index("transactions_by_hash", "transactions", ["hash"])


def _fill() -> None:
    """What the older columns say: apps by port, refusals by the seen acknowledgement, pairs by the order of times."""
    connection = op.get_bind()
    op.execute(
        "UPDATE packets SET app = CASE WHEN source_port = 'transfer' OR destination_port = 'transfer' THEN 'transfer'"
        " WHEN source_port = 'gmpport' OR message_id IS NOT NULL THEN 'message' ELSE 'other' END"
    )
    op.execute(
        "UPDATE packets SET refused = (outcome = 'acknowledged' AND EXISTS (SELECT 1 FROM steps WHERE steps.packet_id ="
        " packets.packet_id AND steps.kind = 'acknowledge' AND steps.reason = 'error acknowledgement'))"
        " WHERE outcome IS NOT NULL"
    )
    for some in _batches(_pairs(connection)):
        connection.execute(_SET_FIRST, some)
    connection.execute(sa.text(_MESSAGES))


_SET_FIRST = sa.text("UPDATE packets SET leg_of = :first WHERE packet_id = :second")
_KEYED: Any = sa.text(
    "SELECT packet_id, forward_key, source_chain, source_client, destination_chain, sequence, sent_time_ns,"
    " timeout_timestamp_s, outcome, refused, settled_at_ns FROM packets WHERE forward_key IS NOT NULL AND leg_of IS NULL"
    " ORDER BY forward_key, coalesce(sent_time_ns, first_seen_at_ns), sequence, packet_id"
)


def _pairs(connection: sa.Connection) -> Iterator[dict[str, str]]:
    """One pass, a key's packets in memory. The rules are those of `hutong.relay.ledger.writing.pairing` when this was written; sender
    and token, which it compares too, the older schemas do not have.
    """
    rows = connection.execute(_KEYED, execution_options={"yield_per": _ROWS})
    for _, keyed in groupby(rows, key=lambda row: row.forward_key):
        yield from _pairs_of_key(list(keyed))


def _pairs_of_key(packets: Sequence[Any]) -> Iterator[dict[str, str]]:
    """Each packet that a hub sent, in its order, with the oldest one that can have caused it; none is of two messages."""
    to: dict[str, deque[Any]] = defaultdict(deque)
    sent: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for packet in packets:
        to[packet.destination_chain].append(packet)
        sent[packet.source_chain, packet.source_client].append(packet)
    paired: set[str] = set()
    for (hub, _), seconds in sorted(sent.items()):
        waiting = to.get(hub, deque())
        for second in seconds:
            if second.packet_id in paired:
                continue
            while waiting and (waiting[0].packet_id in paired or _is_over(waiting[0], second)):
                waiting.popleft()
            if waiting and _is_young_enough(waiting[0], second):
                first = waiting.popleft()
                paired |= {first.packet_id, second.packet_id}
                yield {"first": first.packet_id, "second": second.packet_id}


def _is_over(first: Any, second: Any) -> bool:
    """The first one timed out, or was given back, before the second was sent: nor did it cause a later one."""
    if first.sent_time_ns is None or second.sent_time_ns is None:
        return False
    ended_ns = first.timeout_timestamp_s * 10**9
    if first.settled_at_ns is not None and (first.outcome == "timed_out" or first.refused):
        ended_ns = min(ended_ns, first.settled_at_ns + _DRIFT_NS)
    return bool(ended_ns <= second.sent_time_ns)


def _is_young_enough(first: Any, second: Any) -> bool:
    if first.sent_time_ns is None or second.sent_time_ns is None:
        return True
    return bool(first.sent_time_ns - _DRIFT_NS <= second.sent_time_ns)


def _batches(pairs: Iterator[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    while some := list(islice(pairs, _ROWS)):
        yield some


_MESSAGES: Any = """
INSERT INTO messages (packet_id, second_id, lane, state, ordered_at_ns, updated_at_ns, settled_at_ns, latency_ns, change)
SELECT p.packet_id, s.packet_id,
  p.source_chain || ' ' || coalesce(s.destination_chain, p.destination_chain) || ' ' || p.app,
  CASE WHEN p.outcome = 'acknowledged' AND p.refused THEN 'refused' WHEN p.outcome IS NOT NULL THEN p.outcome
       WHEN p.step = 'dead' OR (s.step = 'dead' AND s.outcome IS NULL) THEN 'dead' ELSE 'open' END,
  coalesce(p.sent_time_ns, p.first_seen_at_ns),
  CASE WHEN s.at_ns > p.at_ns THEN s.at_ns ELSE p.at_ns END,
  p.settled_at_ns,
  CASE WHEN e.block_time_ns >= p.sent_time_ns AND p.outcome IS NOT NULL THEN e.block_time_ns - p.sent_time_ns END,
  (SELECT value FROM counter)
FROM packets p
LEFT JOIN packets s ON s.packet_id = (SELECT min(o.packet_id) FROM packets o WHERE o.leg_of = p.packet_id)
LEFT JOIN steps e ON e.packet_id = p.packet_id AND e.kind = p.kind AND e.step = 'included'
WHERE p.leg_of IS NULL
"""


def downgrade() -> None:
    op.drop_index("transactions_by_hash", "transactions")
    op.drop_table("counter")
    op.drop_table("messages")
    with op.batch_alter_table("packets") as packets:
        for name in _PACKET_COLUMNS:
            packets.drop_column(name)
