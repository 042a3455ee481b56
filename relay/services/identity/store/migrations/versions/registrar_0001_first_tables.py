"""What persons asked of a registrar, and invitations."""

import sqlalchemy as sa
from alembic import op

revision = "registrar_0001"
down_revision = None
branch_labels = ("registrar",)
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "registrar_operations",
        sa.Column("receipt", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("shard", sa.BigInteger, nullable=False),
        sa.Column("idx", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("effective_s", sa.BigInteger),
        sa.Column("accepted_s", sa.BigInteger, nullable=False),
        sa.Column("ends_s", sa.BigInteger, index=True),
    )
    op.create_index("registrar_waiting", "registrar_operations", ["state", "kind", "subject"])
    op.create_table(
        "registrar_invitations",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("receipt", sa.String(64), index=True),
        sa.Column("expires_s", sa.BigInteger, nullable=False, index=True),
    )


def downgrade() -> None:
    """There is no way back: what was accepted may not be forgotten."""
    raise NotImplementedError("what was accepted is not forgotten")
