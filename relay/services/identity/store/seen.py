"""What may come once: nonces of proofs, identifiers of DPoP proofs and of wallets' proofs."""

from hashlib import sha256

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, delete, insert, select

SEEN = Table(
    "identity_seen",
    MetaData(),
    Column("kind", String(16), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("expires_s", BigInteger, nullable=False),
)
MAX_FORGOTTEN = 500
"""Rows that one call forgets, so that none takes long."""


class SeenBefore(Exception):
    """It came once already; `kind` says what."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(kind)


def see_once(connection: Connection, kind: str, value: str, expires_s: int, now_s: int) -> None:
    """Remember a value until it could not be taken any more for its age; part of the caller's transaction.

    Args:
        kind: at most 16 characters, such as `dpop`.

    Raises:
        SeenBefore: it is remembered.
    """
    digest = sha256(value.encode(errors="surrogatepass")).hexdigest()
    place = (SEEN.c.kind == kind) & (SEEN.c.digest == digest)
    if connection.execute(select(SEEN.c.digest).where(place)).first() is not None:
        raise SeenBefore(kind)
    old = select(SEEN.c.digest).where((SEEN.c.kind == kind) & (SEEN.c.expires_s < now_s)).limit(MAX_FORGOTTEN)
    gone = [row.digest for row in connection.execute(old)]
    if gone:
        connection.execute(delete(SEEN).where((SEEN.c.kind == kind) & SEEN.c.digest.in_(gone)))
    connection.execute(insert(SEEN).values(kind=kind, digest=digest, expires_s=expires_s))
