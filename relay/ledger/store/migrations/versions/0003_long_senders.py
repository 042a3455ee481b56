"""Senders of chains whose addresses are bech32 text: up to 128 characters."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _change(sa.String(42), sa.String(128))


def downgrade() -> None:
    _change(sa.String(128), sa.String(42))


def _change(before: sa.String, after: sa.String) -> None:
    with op.batch_alter_table("transactions") as transactions:
        transactions.alter_column("sender", existing_type=before, type_=after, existing_nullable=False)
