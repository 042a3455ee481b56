"""Credential offers, and the links by which a wallet is handed one (OpenID4VCI 1.0 §4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue

PRE_AUTHORIZED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE: Final = "authorization_code"
OFFER_SCHEME: Final = "openid-credential-offer"


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """A code that comes by another way, such as a letter; digits alone."""

    length: int
    description: str | None = None


def credential_offer(
    issuer: str,
    configurations: Sequence[str],
    *,
    pre_authorized_code: str | None = None,
    transaction_code: TransactionCode | None = None,
    issuer_state: str | None = None,
) -> JsonObject:
    """An offer of some types, by one grant.

    Args:
        pre_authorized_code: makes it an offer without a login; else `issuer_state` begins the code flow.
    """
    grants: JsonObject = {}
    if pre_authorized_code is not None:
        grant: JsonObject = {"pre-authorized_code": pre_authorized_code}
        if transaction_code is not None:
            code: JsonObject = {"input_mode": "numeric", "length": transaction_code.length}
            if transaction_code.description is not None:
                code["description"] = transaction_code.description
            grant["tx_code"] = code
        grants[PRE_AUTHORIZED] = grant
    if issuer_state is not None:
        grants[AUTHORIZATION_CODE] = {"issuer_state": issuer_state}
    return {
        "credential_issuer": issuer,
        "credential_configuration_ids": list[JsonValue](configurations),
        "grants": grants,
    }


def offer_link(offer_uri: str) -> str:
    """The link that a wallet opens, or reads as a QR code; the offer itself is fetched from `offer_uri`."""
    return f"{OFFER_SCHEME}://?{urlencode({'credential_offer_uri': offer_uri})}"
