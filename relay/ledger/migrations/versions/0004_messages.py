"""Messages: what a packet carries, where it ends, and one row a message to search and order lists by."""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

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
    """What the older columns say: apps by port, refusals by the seen acknowledgement, pairs by the order of sequences."""
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
    pairs = connection.execute(sa.text(_PAIRS)).all()
    if pairs:
        connection.execute(
            sa.text("UPDATE packets SET leg_of = :first WHERE packet_id = :second"),
            [{"first": first, "second": second} for first, second in pairs],
        )
    connection.execute(sa.text(_MESSAGES))


_PAIRS: Any = """
WITH keyed AS (SELECT packet_id, forward_key, source_chain, source_client, destination_chain, sequence FROM packets
               WHERE forward_key IS NOT NULL AND leg_of IS NULL),
firsts AS (SELECT keyed.*, row_number() OVER (
             PARTITION BY forward_key, source_chain, source_client, destination_chain ORDER BY sequence) AS place FROM keyed
           WHERE EXISTS (SELECT 1 FROM keyed AS sent_on WHERE sent_on.forward_key = keyed.forward_key
                         AND sent_on.source_chain = keyed.destination_chain)),
seconds AS (SELECT keyed.*, row_number() OVER (
              PARTITION BY forward_key, source_chain, source_client ORDER BY sequence) AS place FROM keyed)
SELECT min(firsts.packet_id), seconds.packet_id FROM seconds JOIN firsts ON firsts.forward_key = seconds.forward_key
  AND firsts.destination_chain = seconds.source_chain AND firsts.place = seconds.place
GROUP BY seconds.packet_id
"""

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
