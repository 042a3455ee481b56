"""Accreditations as one credential of VC Recognized Entities: who may issue under a schema, and who let it.

A verifier that follows the draft compares a credential with `outputValidation`: the schema's place, and its SHA-256, which is
the one that the hub has. The credential ends when the first accreditation on it does.
"""

from collections.abc import Sequence
from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.exports.list_form import Scheme, Standing, instant, list_ends
from hutong.relay.services.identity.rules.exports.listed_issuer import ListedIssuer
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, encode_base64url
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA

CONTEXTS: Final = ("https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/recognized-entities/v1")
_SHA2_256: Final = b"\x12\x20"
"""Multihash: the code of SHA-256, and 32 bytes."""


@rule(f"{drafts.RECOGNIZED_ENTITIES} RecognizedEntityCredential")
def scheme_is_for_a_credential(scheme: Scheme) -> tuple[str, str]:
    """The operator has a URI to issue under, and the schema is one, with a place to read it; these two.

    Raises:
        PredicateFailed: one is missing, or the accreditations are for all schemas, which no credential says.
    """
    if scheme.schema == ANY_SCHEMA:
        raise PredicateFailed("scheme_is_for_a_credential", "a credential recognizes for one schema", "all schemas")
    if scheme.operator_id is None or scheme.schema_url is None:
        missing = "operator_id" if scheme.operator_id is None else "schema_url"
        raise PredicateFailed("scheme_is_for_a_credential", f"the scheme has no {missing}")
    return scheme.operator_id, scheme.schema_url


def recognized_entity_credential(scheme: Scheme, issuers: Sequence[ListedIssuer], at: Standing) -> JsonObject:
    """The credential without a proof, entities in order of their DIDs.

    Raises:
        PredicateFailed: see `scheme_is_for_a_credential` and `list_ends`.
    """
    operator_id, schema_url = scheme_is_for_a_credential(scheme)
    validation: JsonObject = {
        "id": schema_url,
        "type": "JsonSchema",
        "digestMultibase": f"u{encode_base64url(_SHA2_256 + scheme.schema)}",
    }

    def entity(issuer: ListedIssuer) -> JsonValue:
        action: JsonObject = {
            "type": "RecognizedAction",
            "action": "issue",
            "recognizedBy": issuer.accreditor or operator_id,
            "outputValidation": validation,
            "validFrom": instant(issuer.valid_from_s),
            "validUntil": instant(issuer.valid_until_s),
        }
        return {
            "id": issuer.did,
            "type": "RecognizedEntity",
            "name": issuer.words.name,
            "url": issuer.words.information,
            "recognizedTo": action,
        }

    return {
        "@context": list(CONTEXTS),
        "type": ["VerifiableCredential", "RecognizedEntityCredential"],
        "issuer": {"id": operator_id, "type": "RecognizedIssuer", "name": scheme.operator},
        "validFrom": instant(at.time_s),
        "validUntil": instant(list_ends(scheme, issuers, at)),
        "credentialSubject": [entity(one) for one in sorted(issuers, key=lambda issuer: issuer.did)],
    }
