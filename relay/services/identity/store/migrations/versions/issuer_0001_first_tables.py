"""Offers, grants, lists and issuances."""

import sqlalchemy as sa
from alembic import op

revision = "issuer_0001"
down_revision = None
branch_labels = ("issuer",)
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "identity_seen",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("expires_s", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "identity_offers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("code_digest", sa.String(64), unique=True),
        sa.Column("state_digest", sa.String(64), unique=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("code_tries", sa.Integer, nullable=False),
        sa.Column("is_taken", sa.Boolean, nullable=False),
        sa.Column("expires_s", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "identity_secrets",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("is_used", sa.Boolean, nullable=False),
        sa.Column("expires_s", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "identity_lists",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key_thumbprint", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("told", sa.BigInteger, nullable=False),
        sa.Column("sending", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "identity_issued",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("list", sa.BigInteger, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("configuration", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(128), index=True),
        sa.Column("issued_s", sa.BigInteger, nullable=False),
        sa.Column("expires_s", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.UniqueConstraint("list", "idx", name="identity_issued_place"),
    )
    op.create_table(
        "identity_revocations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("list", sa.BigInteger, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """There is no way back: what was issued may not be forgotten."""
    raise NotImplementedError("issuances are not forgotten")
