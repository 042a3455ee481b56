"""A credential request as it is read: which type or credential, and the proofs, which are judged elsewhere (OpenID4VCI 1.0 §8.2)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import PredicateFailed, UnsupportedOperation, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.services.identity.rules.openid4vci.metadata import MAX_BATCH

MAX_TRANSACTION_CHARS: Final = 512
SEAL_PROOFS: Final = "hutong_seal_proofs"
"""Proofs of the accounts that are to hold seals, one for each credential; see docs/identity/issuer.md."""


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """`configuration` or `identifier` is set, the other one None."""

    configuration: str | None
    identifier: str | None
    proofs: JsonValue
    seal_proofs: tuple[str, ...]
    response_encryption: JsonObject | None


@rule(f"{drafts.OPENID4VCI} §8.2")
def request_names_one_credential(body: JsonObject) -> tuple[str | None, str | None]:
    """`credential_configuration_id` or `credential_identifier`, one of them, as a text.

    Raises:
        PredicateFailed: both, neither, or not a text.
    """
    found = [body.get(name) for name in ("credential_configuration_id", "credential_identifier")]
    given = [one for one in found if one is not None]
    if len(given) != 1 or not isinstance(given[0], str) or not given[0]:
        raise PredicateFailed("request_names_one_credential", "the request", len(given), "one text of the two")
    configuration, identifier = (one if isinstance(one, str) else None for one in found)
    return configuration, identifier


@rule(f"{drafts.OPENID4VCI} §8.2")
def request_has_proofs(body: JsonObject) -> JsonValue:
    """`proofs` is there; `proof`, of earlier drafts, is not.

    Raises:
        PredicateFailed: it is not so.
    """
    if "proof" in body or "proofs" not in body:
        raise PredicateFailed("request_has_proofs", "the request", "proof" if "proof" in body else None, "proofs")
    return body["proofs"]


@rule("docs/identity/issuer.md")
def seal_proofs_well_formed(body: JsonObject) -> tuple[str, ...]:
    """Up to MAX_BATCH texts, or none at all.

    Raises:
        PredicateFailed: anything else.
    """
    given = body.get(SEAL_PROOFS, [])
    texts = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    if not isinstance(given, list) or len(texts) != len(given) or len(given) > MAX_BATCH:
        raise PredicateFailed("seal_proofs_well_formed", SEAL_PROOFS, None, f"at most {MAX_BATCH} texts")
    return tuple(texts)


def read_credential_request(body: JsonObject) -> CredentialRequest:
    """The request, its members of their types.

    Raises:
        PredicateFailed: the first rule that does not hold.
        UnsupportedOperation: a deferred request's member.
    """
    if "transaction_id" in body:
        raise UnsupportedOperation("a transaction at this end point", "it is asked for at the deferred one")
    configuration, identifier = request_names_one_credential(body)
    encryption = response_encryption_well_formed(body)
    return CredentialRequest(
        configuration, identifier, request_has_proofs(body), seal_proofs_well_formed(body), encryption
    )


@rule(f"{drafts.OPENID4VCI} §8.2, §9.1")
def response_encryption_well_formed(body: JsonObject) -> JsonObject | None:
    """`credential_response_encryption` is an object, or absent.

    Raises:
        PredicateFailed: anything else.
    """
    encryption = body.get("credential_response_encryption")
    if encryption is not None and not isinstance(encryption, dict):
        raise PredicateFailed("response_encryption_well_formed", "credential_response_encryption", None, "an object")
    return encryption


@rule(f"{drafts.OPENID4VCI} §9.1")
def transaction_asked_for(body: JsonObject) -> tuple[str, JsonObject | None]:
    """`transaction_id` of a deferred request, and how its answer is to be encrypted.

    Raises:
        PredicateFailed: no text of 1 to MAX_TRANSACTION_CHARS characters, or another member of the wrong type.
    """
    found = body.get("transaction_id")
    if not isinstance(found, str) or not 0 < len(found) <= MAX_TRANSACTION_CHARS:
        raise PredicateFailed(
            "transaction_asked_for", "transaction_id", None, f"1 to {MAX_TRANSACTION_CHARS} characters"
        )
    return found, response_encryption_well_formed(body)
