"""Indexes of packets and transactions that hold only what is looked for, and a mark of the packets that pairing may still need."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BEFORE = {
    "packets_by_outcome": ["outcome", "first_seen_at_ns"],
    "packets_by_end": ["settled_at_ns"],
    "packets_by_sender": ["source_chain", "source_client", "sequence"],
    "packets_by_message": ["message_id"],
    "packets_by_hash": ["sent_hash"],
    "packets_by_leg": ["leg_of"],
    "packets_by_forward": ["forward_key"],
}
_AFTER = {
    "packets_open": (["first_seen_at_ns", "packet_id"], "outcome IS NULL"),
    "packets_open_by_sender": (["source_chain", "source_client", "sequence"], "outcome IS NULL"),
    "packets_by_end": (["settled_at_ns"], "settled_at_ns IS NOT NULL"),
    "packets_by_message": (["message_id"], "message_id IS NOT NULL"),
    "packets_by_hash": (["sent_hash"], "sent_hash IS NOT NULL"),
    "packets_by_leg": (["leg_of"], "leg_of IS NOT NULL"),
    "packets_unpaired": (["unpaired_key", "next_client", "timeout_timestamp_s"], "unpaired_key IS NOT NULL"),
}
# A packet that the hub sends on names the client that proved it before its sender; other transfers are halves of nothing.
_MARK: Any = (
    "UPDATE packets SET unpaired_key = forward_key WHERE forward_key IS NOT NULL AND coalesce(leg_of, '') = ''"
    " AND (next_client IS NOT NULL OR sender IS NULL OR sender LIKE '%/%')"
    " AND NOT EXISTS (SELECT 1 FROM packets other WHERE other.leg_of = packets.packet_id)"
)


def upgrade() -> None:
    op.drop_index("transactions_by_state", "transactions")
    _create("transactions_open", "transactions", ["chain", "sender"], "state = 'signed'")
    op.add_column("packets", sa.Column("unpaired_key", sa.String(64)))
    op.get_bind().execute(sa.text(_MARK))
    for name in _BEFORE:
        op.drop_index(name, "packets")
    for name, (columns, where) in _AFTER.items():
        _create(name, "packets", columns, where)


def _create(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    for name in _AFTER:
        op.drop_index(name, "packets")
    with op.batch_alter_table("packets") as packets:
        packets.drop_column("unpaired_key")
    for name, columns in _BEFORE.items():
        op.create_index(name, "packets", columns)
    op.drop_index("transactions_open", "transactions")
    op.create_index("transactions_by_state", "transactions", ["chain", "sender", "state"])
