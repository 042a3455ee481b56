"""What makes an SD-JWT a credential: its type, and claims that an issuer signs in the clear or leaves out (SD-JWT VC)."""

from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject
from hutong.relay.services.identity.rules.sd_jwt.unpacking import Unpacked

CREDENTIAL_TYPE: Final = "dc+sd-jwt"
MAX_TYPES: Final = 64
MAX_NAME_CHARS: Final = 2_048
NEVER_DISCLOSED: Final = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})
"""With everything inside them (draft 19 §2.2.2.3): withheld, nobody would miss them."""
W3C_MEMBERS: Final = frozenset({"@context", "credentialStatus"})


@rule(f"{drafts.SD_JWT_VC} §2.2.2.2")
def type_is_accepted(payload: JsonObject, types: frozenset[str] | None) -> str:
    """`vct` is there, and one that the verifier asked for; the type.

    Raises:
        MalformedInput: no text, or empty.
        PredicateFailed: another type.
    """
    vct = payload.get("vct")
    if not isinstance(vct, str) or not 0 < len(vct) <= MAX_NAME_CHARS:
        raise MalformedInput("payload.vct", f"is not a text of 1 to {MAX_NAME_CHARS} characters", got=vct)
    if types is not None and vct not in types:
        raise PredicateFailed("type_is_accepted", "vct", vct, sorted(types))
    return vct


@rule(f"{drafts.SD_JWT_VC} §2.2.2.2")
def other_types_well_formed(payload: JsonObject, vct: str) -> None:
    """`aka_vcts`, if it is there, lists other types. A verifier that asks for one of them does not get this one.

    Raises:
        MalformedInput: no list of 1 to `MAX_TYPES` texts, or `vct` among them.
    """
    if "aka_vcts" not in payload:
        return
    others = payload["aka_vcts"]
    if not isinstance(others, list) or not 0 < len(others) <= MAX_TYPES or vct in others:
        raise MalformedInput("payload.aka_vcts", f"is not a list of 1 to {MAX_TYPES} other types", got=others)
    if not all(isinstance(other, str) and 0 < len(other) <= MAX_NAME_CHARS for other in others):
        raise MalformedInput("payload.aka_vcts", "holds what is no type")


@rule(f"{drafts.SD_JWT_VC} §2.2.2.3")
def what_protects_is_not_withheld(unpacked: Unpacked) -> None:
    """No disclosure brought issuer, times, key, type or status, or anything inside them.

    Raises:
        PredicateFailed: one did, by its path.
    """
    for path in unpacked.places:
        if path[0] in NEVER_DISCLOSED:
            raise PredicateFailed("what_protects_is_not_withheld", "a disclosure brings", path, "signed in the clear")


@rule(f"{drafts.SD_JWT_VC} §2.2.1")
def no_other_data_model(unpacked: Unpacked) -> None:
    """The claims are no W3C credential in this envelope: its `validUntil` and `credentialStatus` would go unread.

    Raises:
        UnsupportedOperation: `@context` or `credentialStatus` at the top level.
    """
    if not W3C_MEMBERS.isdisjoint(unpacked.claims):
        found = min(W3C_MEMBERS & unpacked.claims.keys())
        raise UnsupportedOperation("the W3C data model in dc+sd-jwt", f"it has {found}; send it as vc+jwt")


@rule(f"{drafts.JWT} §4.1.3")
def credential_is_for_this_audience(claims: JsonObject, audience: str | None) -> None:
    """`aud` of the credential, if its issuer set one, has this verifier.

    Raises:
        MalformedInput: no text, and no list of texts.
        PredicateFailed: others alone, or the verifier has no name.
    """
    if "aud" not in claims:
        return
    named = claims["aud"]
    listed = [named] if isinstance(named, str) else named
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise MalformedInput("payload.aud", "is no text and no list of texts", got=named)
    if audience is None or audience not in listed:
        raise PredicateFailed("credential_is_for_this_audience", "aud of the credential", listed, audience)


@rule(f"{drafts.SD_JWT_VC} §2.2.2.2")
def status_well_formed(payload: JsonObject) -> JsonObject | None:
    """`status`, if it is there, is an object. What it says is for the rules of status lists, and is not judged here.

    Raises:
        MalformedInput: something else: a verifier that passed it over would take what may be revoked.
    """
    if "status" not in payload:
        return None
    status = payload["status"]
    if not isinstance(status, dict) or not status:
        raise MalformedInput("payload.status", "is not an object with members", got=status)
    return status
