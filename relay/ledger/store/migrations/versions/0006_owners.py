"""Several relays in one ledger: cursors and waiting routes are each relay's own, and what was sent names who sent it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OWNER = "relay"
"""Of rows from before: the one relay that wrote them."""


def _owner() -> sa.Column[str]:
    return sa.Column("owner", sa.String(32), nullable=False, server_default=_OWNER)


def _cursors(*columns: sa.Column[str]) -> None:
    op.create_table(
        "cursors",
        *columns,
        sa.Column("chain", sa.String(32), primary_key=True),
        sa.Column("height", sa.BigInteger(), nullable=False),
    )


def _routes(*columns: sa.Column[str]) -> None:
    op.create_table(
        "routes",
        *columns,
        sa.Column("route", sa.String(100), primary_key=True),
        sa.Column("reason", sa.Text()),
        sa.Column("cause", sa.String(24)),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
    )


def _key() -> sa.Column[str]:
    return sa.Column("owner", sa.String(32), primary_key=True)


def upgrade() -> None:
    rows = op.get_bind().execute
    kept = {
        "cursors": rows(sa.text("SELECT chain, height FROM cursors")).all(),
        "routes": rows(sa.text("SELECT route, reason, cause, failures, since_ns, at_ns FROM routes")).all(),
    }
    for name, make in (("cursors", _cursors), ("routes", _routes)):
        op.drop_table(name)
        make(_key())
        table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
        if kept[name]:
            op.bulk_insert(table, [{"owner": _OWNER, **row._mapping} for row in kept[name]])
    for name in ("transactions", "deliveries"):
        op.add_column(name, _owner())


def downgrade() -> None:
    rows = op.get_bind().execute
    own = sa.text("SELECT chain, height FROM cursors WHERE owner = :owner")
    waits = sa.text("SELECT route, reason, cause, failures, since_ns, at_ns FROM routes WHERE owner = :owner")
    kept = {
        "cursors": rows(own, {"owner": _OWNER}).all(),
        "routes": rows(waits, {"owner": _OWNER}).all(),
    }
    for name, make in (("cursors", _cursors), ("routes", _routes)):
        op.drop_table(name)
        make()
        table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
        if kept[name]:
            op.bulk_insert(table, [dict(row._mapping) for row in kept[name]])
    for name in ("transactions", "deliveries"):
        with op.batch_alter_table(name) as altered:
            altered.drop_column("owner")
