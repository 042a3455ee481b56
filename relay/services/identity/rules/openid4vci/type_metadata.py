"""Type metadata of an SD-JWT VC: what a `vct` that is an https URL leads to (SD-JWT VC §6)."""

from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, read_json_object
from hutong.relay.services.identity.rules.openid4vci.metadata import ClaimDescription, CredentialConfiguration

MAX_TYPE_BYTES: Final = 64 * 1024


def type_metadata(one: CredentialConfiguration) -> JsonObject:
    """What an issuer says of a type: its names, and of each claim whether it is always there and whether its holder can withhold it."""
    display: list[JsonValue] = [{"locale": locale, "name": name} for locale, name in one.names]
    return {"vct": one.vct, "display": display, "claims": [_claim(claim) for claim in one.claims]}


def _claim(claim: ClaimDescription) -> JsonObject:
    said: JsonObject = {
        "path": list[JsonValue](claim.path),
        "mandatory": claim.is_mandatory,
        "sd": "always" if claim.is_hidden else "never",
    }
    if claim.names:
        said["display"] = [{"locale": locale, "label": name} for locale, name in claim.names]
    return said


@rule(f"{drafts.SD_JWT_VC} §6.2")
def type_metadata_is_of(vct: str, data: bytes) -> JsonObject:
    """A document of somebody's own is a JSON object, and of this type.

    Raises:
        MalformedInput: no JSON object of at most MAX_TYPE_BYTES.
        PredicateFailed: of another type.
    """
    found = read_json_object(data, "type metadata", MAX_TYPE_BYTES)
    if found.get("vct") != vct:
        said = found.get("vct")
        raise PredicateFailed("type_metadata_is_of", "vct", said if isinstance(said, str) else None, vct)
    return found
