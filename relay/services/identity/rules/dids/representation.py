"""DID documents as JSON, in the representations of DID Core 1.0 and 1.1.

A document that we make is one value. Without a context it is conforming JSON to both versions; the two contexts exclude each
other, since each version wants its own in first place.
"""

from enum import Enum
from typing import Final

from hutong.relay.services.identity.rules.dids.document import CONTEXT_V1, DidDocument
from hutong.relay.services.identity.rules.dids.syntax import RELATIVE_STARTS
from hutong.relay.services.identity.rules.dids.verification_method import (
    JSON_WEB_KEY,
    MULTIKEY,
    VerificationMethod,
)
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue


class MediaType(Enum):
    """What a reader may ask for (`accept`) and is told (`contentType`)."""

    DID = "application/did"
    """DID Core 1.1, without a context: the JSON of both versions."""
    DID_JSON = "application/did+json"
    """DID Core 1.0, the same bytes."""
    DID_LD_JSON = "application/did+ld+json"
    """DID Core 1.0, with its context."""


_CONTEXT_OF_KIND: Final = {
    MULTIKEY: "https://w3id.org/security/multikey/v1",
    JSON_WEB_KEY: "https://w3id.org/security/jwk/v1",
}


def write_document(document: DidDocument, media_type: MediaType = MediaType.DID) -> JsonObject:
    """`document` in one representation; empty members are left out, as are relationships without methods."""
    written: JsonObject = {}
    if media_type is MediaType.DID_LD_JSON:
        kinds = {method.kind for method in document.methods}
        written["@context"] = [
            CONTEXT_V1,
            *(context for kind, context in _CONTEXT_OF_KIND.items() if kind in kinds),
        ]
    written["id"] = str(document.did)
    members: dict[str, list[JsonValue]] = {
        "controller": [str(controller) for controller in document.controllers],
        "alsoKnownAs": list(document.also_known_as),
        "verificationMethod": [method.value for method in document.methods],
        **{
            relationship.value: [item.value if isinstance(item, VerificationMethod) else item for item in items]
            for relationship, items in document.relationships.items()
        },
        "service": [service.value for service in document.services],
    }
    written.update({name: items for name, items in members.items() if items})
    return written


def media_type_of(document: JsonObject) -> MediaType:
    """What a document of others is, by its first context."""
    context = document.get("@context")
    first = context[0] if isinstance(context, list) and context else context
    return MediaType.DID_LD_JSON if first == CONTEXT_V1 else MediaType.DID


def with_absolute_ids(document: JsonObject) -> JsonObject:
    """`expandRelativeUrls` of DID Resolution: relative ids and references get the DID before them."""
    did = document["id"]

    def expanded(value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return f"{did}{value}" if value.startswith(RELATIVE_STARTS) else value
        if isinstance(value, dict) and isinstance(value.get("id"), str):
            return {**value, "id": expanded(value["id"])}
        return value

    return {
        name: [expanded(item) for item in value] if name in _LISTS and isinstance(value, list) else value
        for name, value in document.items()
    }


_LISTS: Final = frozenset(
    {
        "verificationMethod",
        "authentication",
        "assertionMethod",
        "keyAgreement",
        "capabilityInvocation",
        "capabilityDelegation",
        "service",
    }
)
