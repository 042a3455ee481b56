"""Offers: what a department says that somebody may have, until a wallet takes it or its time is over."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.issuer.settings import CredentialConfig
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, encode_base64url
from hutong.relay.services.identity.rules.openid4vci.offers import TransactionCode, credential_offer, offer_link
from hutong.relay.services.identity.store import grants
from hutong.relay.services.identity.store.grants import Offer

CODE_DIGITS = 6
MAX_CODE_TRIES = 5
"""Wrong transaction codes after which an offer ends: guessing finds one in 200 000."""
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")


@dataclass(frozen=True, slots=True)
class OfferWish:
    """What a department asks for. `reference` is its own name for the case, by which it revokes."""

    config: CredentialConfig
    claims: dict[str, JsonValue]
    reference: str | None
    has_code: bool
    by_login: bool
    """By the code flow, on whose page the transaction code is asked for; else by a pre-authorised code."""
    expires_s: int
    is_held: bool = False
    """Credentials are asked for, and come when the department releases them."""


@dataclass(frozen=True, slots=True)
class OfferMade:
    """What a department hands on. The transaction code goes by another way than the link."""

    id: str
    uri: str
    link: str
    transaction_code: str | None
    expires_s: int

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "offer_uri": self.uri,
            "link": self.link,
            "transaction_code": self.transaction_code,
            "expires_at_s": self.expires_s,
        }


def checked_reference(reference: JsonValue) -> str | None:
    """A reference, or None.

    Raises:
        MalformedInput: not a text of 1 to 128 letters, digits and . _ : / -.
    """
    if reference is None:
        return None
    if not isinstance(reference, str) or _REFERENCE.fullmatch(reference) is None:
        raise MalformedInput("reference", "is not 1 to 128 letters, digits and . _ : / -")
    return reference


def make_offer(connection: Connection, issuer: str, wish: OfferWish, random_bytes: Callable[[int], bytes]) -> OfferMade:
    """Keep an offer, in the caller's transaction.

    Args:
        issuer: the credential issuer identifier.
    """
    offer_id = encode_base64url(random_bytes(32))
    secret = encode_base64url(random_bytes(32))
    code = _digits(random_bytes) if wish.has_code or wish.by_login else None
    document = {
        "type": wish.config.id,
        "claims": wish.claims,
        "reference": wish.reference,
        "code": None if code is None else _code_digest(offer_id, code),
        "secret": secret,
        "issued": 0,
        "by_login": wish.by_login,
        "held": wish.is_held,
    }
    grants.put_offer(
        connection,
        Offer(offer_id, document, 0, is_taken=False, expires_s=wish.expires_s),
        code=None if wish.by_login else secret,
        state=secret if wish.by_login else None,
    )
    uri = f"{issuer}/offers/{offer_id}"
    return OfferMade(offer_id, uri, offer_link(uri), code, wish.expires_s)


def offer_document(issuer: str, offer: Offer) -> JsonObject:
    """The offer as a wallet fetches it."""
    document = offer.document
    by_login = document["by_login"]
    code = TransactionCode(CODE_DIGITS, "the code that came by another way") if document["code"] else None
    return credential_offer(
        issuer,
        [document["type"]],
        pre_authorized_code=None if by_login else document["secret"],
        transaction_code=None if by_login else code,
        issuer_state=document["secret"] if by_login else None,
    )


def offer_id_in(text: str) -> str:
    """The identifier at the end of what a person pasted: an offer's link, its address, or the identifier itself."""
    return unquote(text).strip().rpartition("/")[2]


def code_fits(connection: Connection, offer: Offer, code: str | None) -> bool:
    """Whether the transaction code is the offer's. A wrong one counts, and the last one ends the offer."""
    expected = offer.document["code"]
    if expected is None:
        return code is None
    if code is not None and _code_digest(offer.id, code) == expected:
        return True
    if code is not None:
        grants.count_try(connection, offer.id)
        if offer.code_tries + 1 >= MAX_CODE_TRIES:
            grants.erase_offer(connection, offer.id)
    return False


def _code_digest(offer_id: str, code: str) -> str:
    return sha256(f"{offer_id} {code}".encode(errors="surrogatepass")).hexdigest()


def _digits(random_bytes: Callable[[int], bytes]) -> str:
    """16 random bytes are so many that no code is likelier than another by more than 2^-100."""
    return f"{int.from_bytes(random_bytes(16), 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
