"""Credentials that a department holds back until it releases them (OpenID4VCI 1.0 §9): asked for now, given later."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, VerificationKey, read_jwk
from hutong.relay.services.identity.store import grants
from hutong.relay.services.identity.store.grants import Offer, SecretKind

DEFERRED_PATH = "/deferred_credential"
INTERVAL_S = 5
"""After which a wallet may ask again."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a wallet asked for: keys that it has proven, and accounts that are to hold seals or none."""

    keys: tuple[VerificationKey, ...]
    holders: tuple[bytes, ...]

    def written(self, grant: dict[str, Any]) -> dict[str, Any]:
        """For the store, bound to the offer and the key of the access token that it was asked for under."""
        return {
            "offer": grant["offer"],
            "jkt": grant["jkt"],
            "keys": [key.public_jwk() for key in self.keys],
            "holders": [holder.hex() for holder in self.holders],
        }

    @staticmethod
    def read(document: dict[str, Any]) -> "Transaction":
        """Inverse of `written`."""
        keys: list[JsonValue] = document["keys"]
        return Transaction(
            tuple(read_jwk(key, "transaction.keys") for key in keys),
            tuple(bytes.fromhex(holder) for holder in document["holders"]),
        )


def later(transaction_id: str) -> JsonObject:
    """What a wallet is answered that is to ask again."""
    return {"transaction_id": transaction_id, "interval": INTERVAL_S}


def is_held(connection: Connection, offer: Offer, now_s: int) -> bool:
    """Whether its department has not released it yet."""
    return offer.document.get("held", False) and not _is_released(connection, offer, now_s)


def _is_released(connection: Connection, offer: Offer, now_s: int) -> bool:
    return grants.read_secret(connection, SecretKind.RELEASE, offer.id, now_s) is not None


def begin(
    connection: Connection, grant: dict[str, Any], token: str, transaction_id: str, wanted: Transaction, offer: Offer
) -> bool:
    """Keep a transaction until the offer ends, and the access token as long; False where the offer has ended meanwhile.

    Its credentials count as issued from now on, so that no offer gives more than its type allows.
    """
    count, document = len(wanted.keys), offer.document
    counted = {**document, "issued": document["issued"] + count, "waiting": document.get("waiting", 0) + count}
    grants.put_secret(connection, SecretKind.DEFERRED, transaction_id, wanted.written(grant), offer.expires_s)
    grants.prolong(connection, SecretKind.TOKEN, token, offer.expires_s)
    return grants.put_document(connection, offer.id, counted)


def found(connection: Connection, grant: dict[str, Any], transaction_id: str, now_s: int) -> Transaction:
    """The transaction of a wallet that asks again.

    Raises:
        OAuthError: there is none under this access token, or it was served, or is over.
    """
    document = grants.read_secret(connection, SecretKind.DEFERRED, transaction_id, now_s)
    if document is None or (document["offer"], document["jkt"]) != (grant["offer"], grant["jkt"]):
        raise OAuthError("invalid_transaction_id", "there is no such transaction under this token, or it is over")
    return Transaction.read(document)


def serve(connection: Connection, transaction_id: str, offer: Offer, copies: int, now_s: int) -> bool:
    """Use up a transaction whose credentials are being issued; False where it was, or the offer has ended.

    What was offered is erased when nothing of it is left and nobody waits.
    """
    document = grants.take_secret(connection, SecretKind.DEFERRED, transaction_id, now_s)
    if document is None:
        return False
    waiting = offer.document["waiting"] - len(document["keys"])
    if offer.document["issued"] >= copies and waiting == 0:
        return grants.erase_offer(connection, offer.id)
    return grants.put_document(connection, offer.id, {**offer.document, "waiting": waiting})


def release(connection: Connection, reference: str, now_s: int) -> int:
    """Release what is held under a department's reference; how many offers."""
    held = [one for one in grants.offers_of(connection, reference) if is_held(connection, one, now_s)]
    for one in held:
        grants.put_secret(connection, SecretKind.RELEASE, one.id, {}, one.expires_s)
    return len(held)
