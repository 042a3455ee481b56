"""Packets whose timeout another relay was first to prove timed out: earlier relays wrote that they did not know."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LATE = "SELECT packet_id FROM packets WHERE outcome = 'timed_out'"
"""A timeout is sent where no later block of the destination can receive the packet: it can have ended in no other way."""


def upgrade() -> None:
    op.execute("UPDATE packets SET outcome = 'timed_out' WHERE outcome = 'settled' AND kind = 'timeout'")
    op.execute("UPDATE counter SET value = value + 1 WHERE name = 'changes'")
    changed = "UPDATE messages SET state = 'timed_out', change = (SELECT value FROM counter WHERE name = 'changes')"
    op.execute(f"{changed} WHERE state = 'settled' AND packet_id IN ({LATE})")
    op.execute(f"{changed} WHERE state = 'refused' AND second_id IN ({LATE})")


def downgrade() -> None:
    """What was not known before is not forgotten."""
