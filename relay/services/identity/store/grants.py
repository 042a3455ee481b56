"""Offers, and the secrets that lead from one to credentials: pushed requests, codes, access tokens. Of a secret the digest is kept.

An offer's claims are erased when it has served or is over: nothing of a person stays here.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

_TABLES = MetaData()
OFFERS = Table(
    "identity_offers",
    _TABLES,
    Column("id", String(64), primary_key=True),
    Column("code_digest", String(64)),
    Column("state_digest", String(64)),
    Column("document", Text, nullable=False),
    Column("code_tries", Integer, nullable=False),
    Column("is_taken", Boolean, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
)
SECRETS = Table(
    "identity_secrets",
    _TABLES,
    Column("kind", String(16), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("document", Text, nullable=False),
    Column("is_used", Boolean, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
)


class SecretKind(StrEnum):
    """What a secret leads to."""

    REQUEST = "request"
    """`request_uri` of a pushed authorization request."""
    PAGE = "page"
    """The form on which a person agrees."""
    CODE = "code"
    TOKEN = "token"  # noqa: S105  the kind's name
    DEFERRED = "deferred"
    """`transaction_id` of credentials that come later."""
    RELEASE = "release"
    """The identifier of an offer that its department has released: a row of its own, for the document has other writers."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer. `document` is the issuer's: types, claims, reference, digest of the transaction code."""

    id: str
    document: dict[str, Any]
    code_tries: int
    is_taken: bool
    expires_s: int


def digest_of(secret: str) -> str:
    """SHA-256 in hexadecimal digits: a secret has at least 128 random bits, so there is nothing to guess."""
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def put_offer(connection: Connection, offer: Offer, *, code: str | None, state: str | None) -> None:
    """Keep an offer, and the digest of its pre-authorised code or of its `issuer_state`."""
    connection.execute(
        insert(OFFERS).values(
            id=offer.id,
            code_digest=None if code is None else digest_of(code),
            state_digest=None if state is None else digest_of(state),
            document=json.dumps(offer.document),
            code_tries=offer.code_tries,
            is_taken=offer.is_taken,
            expires_s=offer.expires_s,
        )
    )


def _offer(row: Any) -> Offer:
    return Offer(row.id, json.loads(row.document), row.code_tries, row.is_taken, row.expires_s)


def offer_by_id(connection: Connection, offer_id: str) -> Offer | None:
    """The offer of an identifier."""
    row = connection.execute(select(OFFERS).where(OFFERS.c.id == offer_id)).first()
    return None if row is None else _offer(row)


def offer_by_code(connection: Connection, code: str) -> Offer | None:
    """The offer of a pre-authorised code."""
    row = connection.execute(select(OFFERS).where(OFFERS.c.code_digest == digest_of(code))).first()
    return None if row is None else _offer(row)


def offer_by_state(connection: Connection, state: str) -> Offer | None:
    """The offer of an `issuer_state`."""
    row = connection.execute(select(OFFERS).where(OFFERS.c.state_digest == digest_of(state))).first()
    return None if row is None else _offer(row)


def count_try(connection: Connection, offer_id: str) -> None:
    """One wrong transaction code more."""
    connection.execute(update(OFFERS).where(OFFERS.c.id == offer_id).values(code_tries=OFFERS.c.code_tries + 1))


def take_offer(connection: Connection, offer_id: str) -> bool:
    """Whether this call is the one that takes it: each offer is taken once."""
    taken = update(OFFERS).where((OFFERS.c.id == offer_id) & ~OFFERS.c.is_taken).values(is_taken=True)
    return connection.execute(taken).rowcount == 1


def put_document(connection: Connection, offer_id: str, document: dict[str, Any]) -> bool:
    """In place of what the offer said, such as with one credential more that was issued; False where it has ended."""
    stands = (OFFERS.c.id == offer_id) & (OFFERS.c.document != "{}")
    return connection.execute(update(OFFERS).where(stands).values(document=json.dumps(document))).rowcount == 1


def erase_offer(connection: Connection, offer_id: str) -> bool:
    """Forget what was offered; the row says that it was. False where it has ended."""
    stands = (OFFERS.c.id == offer_id) & (OFFERS.c.document != "{}")
    return connection.execute(update(OFFERS).where(stands).values(document="{}", is_taken=True)).rowcount == 1


def offers_of(connection: Connection, reference: str) -> list[Offer]:
    """Offers under a department's reference that have not ended, also those of which a wallet has a part."""
    named = OFFERS.c.document.contains(json.dumps(reference), autoescape=True)
    found = [_offer(row) for row in connection.execute(select(OFFERS).where(named)).all()]
    return [one for one in found if one.document.get("reference") == reference]


def end_offers_of(connection: Connection, reference: str) -> int:
    """Offers under a department's reference end, also those of which a wallet has a part; how many."""
    ended = [one.id for one in offers_of(connection, reference) if erase_offer(connection, one.id)]
    if ended:
        _forget_transactions_of(connection, frozenset(ended))
    return len(ended)


def _forget_transactions_of(connection: Connection, offers: frozenset[str]) -> None:
    """Of what came later nothing stays: keys that a wallet has proven are of a person."""
    rows = connection.execute(select(SECRETS).where(SECRETS.c.kind == SecretKind.DEFERRED.value)).all()
    over = [row.digest for row in rows if json.loads(row.document)["offer"] in offers]
    if over:
        place = (SECRETS.c.kind == SecretKind.DEFERRED.value) & SECRETS.c.digest.in_(over)
        connection.execute(delete(SECRETS).where(place))


def put_secret(connection: Connection, kind: SecretKind, secret: str, document: dict[str, Any], expires_s: int) -> None:
    """Keep what a secret leads to."""
    values = {"kind": kind.value, "digest": digest_of(secret), "document": json.dumps(document)}
    connection.execute(insert(SECRETS).values(**values, is_used=False, expires_s=expires_s))


def read_secret(connection: Connection, kind: SecretKind, secret: str, now_s: int) -> dict[str, Any] | None:
    """What it leads to; None for a wrong one, one that was used up, and at or after its end."""
    row = connection.execute(select(SECRETS).where(_place(kind, secret))).first()
    if row is None or row.is_used or row.expires_s <= now_s:
        return None
    found: dict[str, Any] = json.loads(row.document)
    return found


def use_secret(connection: Connection, kind: SecretKind, secret: str, now_s: int) -> dict[str, Any] | None:
    """As `read_secret`, and it is used up."""
    found = read_secret(connection, kind, secret, now_s)
    if found is not None:
        connection.execute(update(SECRETS).where(_place(kind, secret)).values(is_used=True))
    return found


def take_secret(connection: Connection, kind: SecretKind, secret: str, now_s: int) -> dict[str, Any] | None:
    """As `use_secret`, and nothing of what it led to stays."""
    found = read_secret(connection, kind, secret, now_s)
    gone = delete(SECRETS).where(_place(kind, secret))
    return found if found is not None and connection.execute(gone).rowcount == 1 else None


def prolong(connection: Connection, kind: SecretKind, secret: str, expires_s: int) -> None:
    """A secret that stands ends at `expires_s` at the earliest."""
    shorter = _place(kind, secret) & (SECRETS.c.expires_s < expires_s) & ~SECRETS.c.is_used
    connection.execute(update(SECRETS).where(shorter).values(expires_s=expires_s))


def use_up(connection: Connection, kind: SecretKind, digest: str) -> bool:
    """Use up a secret by its digest; whether this call is the one that did."""
    place = (SECRETS.c.kind == kind.value) & (SECRETS.c.digest == digest) & ~SECRETS.c.is_used
    return connection.execute(update(SECRETS).where(place).values(is_used=True)).rowcount == 1


def was_used(connection: Connection, kind: SecretKind, secret: str) -> dict[str, Any] | None:
    """What a secret led to that comes a second time: a sign that somebody else has it."""
    row = connection.execute(select(SECRETS).where(_place(kind, secret))).first()
    if row is None or not row.is_used:
        return None
    found: dict[str, Any] = json.loads(row.document)
    return found


def end_tokens_of(connection: Connection, offer_id: str) -> None:
    """Every access token of an offer ends."""
    rows = connection.execute(select(SECRETS).where(SECRETS.c.kind == SecretKind.TOKEN.value)).all()
    of_offer = [row.digest for row in rows if json.loads(row.document).get("offer") == offer_id]
    if of_offer:
        ended = (SECRETS.c.kind == SecretKind.TOKEN.value) & SECRETS.c.digest.in_(of_offer)
        connection.execute(update(SECRETS).where(ended).values(is_used=True))


def forget_ended(connection: Connection, now_s: int) -> None:
    """Secrets that are over go; of offers that are over what they offered goes."""
    connection.execute(delete(SECRETS).where(SECRETS.c.expires_s < now_s))
    over = (OFFERS.c.expires_s < now_s) & (OFFERS.c.document != "{}")
    connection.execute(update(OFFERS).where(over).values(document="{}", is_taken=True))


def _place(kind: SecretKind, secret: str) -> Any:
    return (SECRETS.c.kind == kind.value) & (SECRETS.c.digest == digest_of(secret))
