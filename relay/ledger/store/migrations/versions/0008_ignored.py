"""Jobs that an operator said are to be left alone, with the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ignored",
        sa.Column("job", sa.String(180), primary_key=True),
        sa.Column("packet_id", sa.String(160), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Index("ignored_by_packet", "packet_id"),
    )


def downgrade() -> None:
    op.drop_table("ignored")
