"""Cursors, transactions and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cursors",
        sa.Column("chain", sa.String(32), primary_key=True),
        sa.Column("height", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "transactions",
        sa.Column("chain", sa.String(32), primary_key=True),
        sa.Column("hash", sa.String(66), primary_key=True),
        sa.Column("sender", sa.String(42), nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("prepared", sa.Text, nullable=False),
        sa.Column("jobs", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("signed_at_ns", sa.BigInteger, nullable=False),
        sa.Column("height", sa.BigInteger),
        sa.Column("gas_used", sa.BigInteger),
        sa.Column("fee_wei", sa.String(78)),
        sa.Column("ended_at_ns", sa.BigInteger),
        sa.Column("reason", sa.Text),
    )
    op.create_index("transactions_by_state", "transactions", ["chain", "sender", "state"])
    op.create_table(
        "deliveries",
        sa.Column("packet_id", sa.String(160), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("chain", sa.String(32), nullable=False),
        sa.Column("transaction_hash", sa.String(66), nullable=False),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("batch_size", sa.BigInteger, nullable=False),
        sa.Column("gas_used", sa.BigInteger, nullable=False),
        sa.Column("fee_wei", sa.String(78), nullable=False),
        sa.Column("event_time_ns", sa.BigInteger, nullable=False),
        sa.Column("block_time_ns", sa.BigInteger, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("deliveries_by_time", "deliveries", ["at_ns"])


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("transactions")
    op.drop_table("cursors")
