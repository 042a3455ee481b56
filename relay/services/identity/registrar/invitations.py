"""Invitations: one-time codes that an office hands to a person after it has seen who that is. Of a code the digest is kept."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, delete, func, insert, select, update

from hutong.relay.services.identity.store.grants import digest_of

MAX_INVITATIONS = 100_000
"""That are not over, together."""
_TABLES = MetaData()
INVITATIONS = Table(
    "registrar_invitations",
    _TABLES,
    Column("digest", String(64), primary_key=True),
    Column("receipt", String(64)),
    Column("expires_s", BigInteger, nullable=False),
)


class TooManyInvitations(Exception):
    """As many as may be stand already."""


def add_invitations(connection: Connection, codes: Sequence[str], expires_s: int) -> None:
    """Keep their digests.

    Raises:
        TooManyInvitations: see there.
    """
    standing = connection.execute(select(func.count()).select_from(INVITATIONS)).scalar_one()
    if standing + len(codes) > MAX_INVITATIONS:
        raise TooManyInvitations
    rows = [{"digest": digest_of(code), "receipt": None, "expires_s": expires_s} for code in codes]
    connection.execute(insert(INVITATIONS), rows)


def spend_invitation(connection: Connection, code: str, receipt: str, now_s: int) -> bool:
    """Whether it lets this registration in: it is not over, and no other registration has used it."""
    row = connection.execute(select(INVITATIONS).where(INVITATIONS.c.digest == digest_of(code))).first()
    if row is None or row.expires_s <= now_s or row.receipt not in {None, receipt}:
        return False
    chosen = INVITATIONS.c.digest == digest_of(code)
    connection.execute(update(INVITATIONS).where(chosen).values(receipt=receipt))
    return True


def give_back_invitations(connection: Connection, receipts: Sequence[str]) -> None:
    """Registrations that came to nothing without their persons' fault leave their invitations unused."""
    for receipt in receipts:
        connection.execute(update(INVITATIONS).where(INVITATIONS.c.receipt == receipt).values(receipt=None))


def forget_invitations(connection: Connection, now_s: int) -> None:
    """Those that are over go."""
    connection.execute(delete(INVITATIONS).where(INVITATIONS.c.expires_s <= now_s))
