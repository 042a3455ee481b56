"""Key binding: the holder signed this presentation, for this verifier, just now (RFC 9901 §4.3, §7.3)."""

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from hutong.light_clients.interface import Judge, PredicateFailed, UnsupportedOperation, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    Algorithm,
    JsonObject,
    KeySet,
    VerificationKey,
    judge_header,
    read_jwk,
    read_jws,
    signature_verifies,
    token_type_is,
)
from hutong.relay.services.identity.rules.sd_jwt.compact import CompactSdJwt
from hutong.relay.services.identity.rules.sd_jwt.lifetime import (
    already_valid,
    not_expired,
    not_issued_in_the_future,
    time_of,
)
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock, KeyBindingDemand

KEY_BINDING_TYPE: Final = "kb+jwt"
NAME: Final = "key binding JWT"
_OTHER_CONFIRMATIONS = ("jwe", "jku", "x5t#S256", "osc")
_NAMES_OF_OTHERS = frozenset(_OTHER_CONFIRMATIONS)


class HolderBinding(NamedTuple):
    """Who holds the credential, and the time of the presentation as the holder says it."""

    key: VerificationKey
    presented_s: float


@rule(f"{drafts.SD_JWT} §7.3 (1), (2)")
def key_binding_is_as_demanded(parts: CompactSdJwt, demand: KeyBindingDemand | None) -> str | None:
    """A key binding JWT is there if and only if the verifier demands one: what it cannot judge is not passed over.

    Raises:
        PredicateFailed: it is missing, or nobody asked for it.
    """
    if demand is not None and parts.key_binding_jwt is None:
        raise PredicateFailed("key_binding_is_as_demanded", "the holder's signature is missing", None, KEY_BINDING_TYPE)
    if demand is None and parts.key_binding_jwt is not None:
        raise PredicateFailed(
            "key_binding_is_as_demanded", "a holder signed, and no audience and nonce are given to judge it by"
        )
    return parts.key_binding_jwt


@rule(f"{drafts.SD_JWT} §4.1.2, RFC 7800 §3.1")
def holder_key_is_confirmed(payload: JsonObject) -> VerificationKey:
    """`cnf.jwk`, signed in the clear by the issuer, is a key for signatures, and the only confirmation.

    Raises:
        PredicateFailed: there is no `cnf`, or one that names a second key.
        UnsupportedOperation: another way to confirm a key.
        MalformedInput: a key that is not one.
    """
    confirmation = payload.get("cnf")
    if not isinstance(confirmation, dict):
        raise PredicateFailed(
            "holder_key_is_confirmed", "the credential is bound to no holder", confirmation, "cnf.jwk"
        )
    if "jwk" not in confirmation:
        raise UnsupportedOperation("a confirmation other than cnf.jwk", f"it has {sorted(confirmation)[:4]}")
    if not _NAMES_OF_OTHERS.isdisjoint(confirmation):
        others = [name for name in _OTHER_CONFIRMATIONS if name in confirmation]
        raise PredicateFailed("holder_key_is_confirmed", "cnf names a second key", others, "jwk alone")
    return read_jwk(confirmation["jwk"], "cnf.jwk")


@rule(f"{drafts.SD_JWT} §7.3 (5)(e)")
def presented_just_now(claims: JsonObject, demand: KeyBindingDemand, clock: Clock) -> float:
    """`iat` is there and no older than the demanded age; the skew is not added to it.

    Raises:
        MalformedInput: `iat` is no number.
        PredicateFailed: absent or older.
    """
    presented_s = time_of(claims, "iat", NAME)
    if presented_s is None or clock.now_s - presented_s > demand.max_age_s:
        raise PredicateFailed(
            "presented_just_now", f"iat of the {NAME}", presented_s, f">= {clock.now_s - demand.max_age_s}"
        )
    return presented_s


@rule(f"{drafts.SD_JWT} §7.3 (5)(f)")
def presented_to_this_verifier(claims: JsonObject, demand: KeyBindingDemand) -> None:
    """`aud` is this verifier, as one text.

    Raises:
        PredicateFailed: another, several, or none.
    """
    if claims.get("aud") != demand.audience:
        raise PredicateFailed("presented_to_this_verifier", f"aud of the {NAME}", claims.get("aud"), demand.audience)


@rule(f"{drafts.SD_JWT} §7.3 (5)(f)")
def presented_for_this_request(claims: JsonObject, demand: KeyBindingDemand) -> None:
    """`nonce` is the one of this request.

    Raises:
        PredicateFailed: another, or none.
    """
    if claims.get("nonce") != demand.nonce:
        raise PredicateFailed("presented_for_this_request", f"nonce of the {NAME}", claims.get("nonce"), demand.nonce)


@rule(f"{drafts.SD_JWT} §7.3 (5)(g)")
def all_that_was_sent_is_signed(claims: JsonObject, parts: CompactSdJwt) -> None:
    """`sd_hash` covers the issuer's token and every disclosure that came with it, in this order.

    Raises:
        PredicateFailed: it covers another set, or is absent.
    """
    expected = parts.sd_hash()
    if claims.get("sd_hash") != expected:
        raise PredicateFailed("all_that_was_sent_is_signed", f"sd_hash of the {NAME}", claims.get("sd_hash"), expected)


def judge_key_binding(
    judge: Judge,
    parts: CompactSdJwt,
    payload: JsonObject,
    demand: KeyBindingDemand,
    clock: Clock,
    algorithms: AbstractSet[Algorithm],
) -> HolderBinding:
    """Every rule of the holder's signature. `payload` is the issuer's, as signed: a disclosed `cnf` counts for nothing.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    token = judge(key_binding_is_as_demanded, parts, demand)
    key = judge(holder_key_is_confirmed, payload)
    jws = read_jws(token or "", NAME)
    judge(token_type_is, jws, KEY_BINDING_TYPE)
    algorithm = judge_header(judge, jws, algorithms)
    judge(signature_verifies, jws, algorithm, KeySet((key,)))
    claims = jws.claims()
    judge(presented_to_this_verifier, claims, demand)
    judge(presented_for_this_request, claims, demand)
    presented_s = judge(presented_just_now, claims, demand, clock)
    judge(not_issued_in_the_future, claims, clock, NAME)
    judge(not_expired, claims, clock, NAME)
    judge(already_valid, claims, clock, NAME)
    judge(all_that_was_sent_is_signed, claims, parts)
    return HolderBinding(key, presented_s)
