"""Life cycles: packets, their steps, and why routes wait."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "packets",
        sa.Column("packet_id", sa.String(160), primary_key=True),
        sa.Column("source_chain", sa.String(32), nullable=False),
        sa.Column("source_client", sa.String(64), nullable=False),
        sa.Column("destination_chain", sa.String(32), nullable=False),
        sa.Column("destination_client", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("source_port", sa.String(128), nullable=False),
        sa.Column("destination_port", sa.String(128), nullable=False),
        sa.Column("payload_bytes", sa.BigInteger, nullable=False),
        sa.Column("timeout_timestamp_s", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.String(66)),
        sa.Column("leg_of", sa.String(160)),
        sa.Column("forward_key", sa.String(64)),
        sa.Column("sent_height", sa.BigInteger),
        sa.Column("sent_time_ns", sa.BigInteger),
        sa.Column("sent_hash", sa.String(66)),
        sa.Column("first_seen_at_ns", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("cause", sa.String(24)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("settled_at_ns", sa.BigInteger),
    )
    op.create_index("packets_by_outcome", "packets", ["outcome", "first_seen_at_ns"])
    op.create_index("packets_by_end", "packets", ["settled_at_ns"])
    op.create_index("packets_by_sender", "packets", ["source_chain", "source_client", "sequence"])
    op.create_index("packets_by_message", "packets", ["message_id"])
    op.create_index("packets_by_hash", "packets", ["sent_hash"])
    op.create_index("packets_by_leg", "packets", ["leg_of"])
    op.create_index("packets_by_forward", "packets", ["forward_key"])
    op.create_table(
        "steps",
        sa.Column("packet_id", sa.String(160), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("step", sa.String(16), primary_key=True),
        sa.Column("chain", sa.String(32), nullable=False),
        sa.Column("first_at_ns", sa.BigInteger, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("height", sa.BigInteger),
        sa.Column("block_time_ns", sa.BigInteger),
        sa.Column("transaction_hash", sa.String(66)),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "routes",
        sa.Column("route", sa.String(100), primary_key=True),
        sa.Column("reason", sa.Text),
        sa.Column("cause", sa.String(24)),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("deliveries_by_hash", "deliveries", ["transaction_hash"])
    op.create_index("transactions_by_end", "transactions", ["ended_at_ns"])


def downgrade() -> None:
    op.drop_index("transactions_by_end", "transactions")
    op.drop_index("deliveries_by_hash", "deliveries")
    op.drop_table("routes")
    op.drop_table("steps")
    op.drop_table("packets")
