"""Key attestations: somebody whom the issuer trusts says of which keys a wallet keeps them, and how (OpenID4VCI 1.0, appendix D)."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    JsonObject,
    JsonValue,
    KeySet,
    KeySource,
    TrustAnchors,
    VerificationKey,
    judge_chain,
    judge_header,
    read_jwk,
    read_jws,
    signature_verifies,
    token_type_is,
)
from hutong.relay.services.identity.rules.openid4vci.metadata import MAX_BATCH
from hutong.relay.services.identity.rules.openid4vci.tokens import MAX_WALLET_TOKEN_BYTES
from hutong.relay.services.identity.rules.sd_jwt.lifetime import (
    already_valid,
    not_expired,
    not_issued_in_the_future,
    time_of,
)
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock

ATTESTATION_TYPE: Final = "key-attestation+jwt"
_MAX_BYTES: Final = 4 * MAX_WALLET_TOKEN_BYTES
"""A hundred keys of 150 bytes, and certificates."""
_PATH = "key attestation"
_SOURCES = frozenset({KeySource.X5C})


@dataclass(frozen=True, slots=True)
class KeyAttestation:
    """What one says: keys, and the nonce, empty where none was asked for."""

    keys: tuple[VerificationKey, ...]
    nonce: str


@rule(f"{drafts.OPENID4VCI} §D.1")
def attestation_is_there(token: JsonValue) -> str:
    """The proof carries an attestation.

    Raises:
        PredicateFailed: it does not.
    """
    if not isinstance(token, str):
        raise PredicateFailed("attestation_is_there", "key_attestation of the proof", None, "a key attestation")
    return token


@rule(f"{drafts.HAIP} §4.5.1")
def attester_is_certified(header: Mapping[str, JsonValue]) -> JsonValue:
    """The header has the attester's certificates. Returns them.

    Raises:
        PredicateFailed: it has none.
    """
    if "x5c" not in header:
        raise PredicateFailed("attester_is_certified", f"header of the {_PATH}", None, "x5c")
    return header["x5c"]


@rule(f"{drafts.OPENID4VCI} §D.1")
def attested_keys_well_formed(claims: JsonObject) -> tuple[VerificationKey, ...]:
    """`attested_keys` are 1 to MAX_BATCH public keys.

    Raises:
        MalformedInput: they are not.
    """
    keys = claims.get("attested_keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_BATCH:
        raise MalformedInput(f"{_PATH}.attested_keys", f"is not 1 to {MAX_BATCH} keys")
    return tuple(read_jwk(key, f"{_PATH}.attested_keys[{index}]") for index, key in enumerate(keys))


@rule(f"{drafts.OPENID4VCI} §D.1")
def attestation_ends(claims: JsonObject) -> None:
    """`iat` and `exp` are there: nothing is attested for ever.

    Raises:
        MalformedInput: one is no number.
        PredicateFailed: one is absent.
    """
    for name in ("iat", "exp"):
        if time_of(claims, name, _PATH) is None:
            raise PredicateFailed("attestation_ends", f"{name} of the {_PATH}", None, "a time")


@rule(f"{drafts.OPENID4VCI} §F.3")
def attestation_answers_a_nonce(claims: JsonObject, nonces: Container[str]) -> str:
    """`nonce` is one that this issuer gave out, where the attestation is the proof itself. Returns it.

    Raises:
        PredicateFailed: another one, or none.
    """
    found = claims.get("nonce")
    if not isinstance(found, str) or found not in nonces:
        raise PredicateFailed("attestation_answers_a_nonce", f"nonce of the {_PATH}", "one that is not good now")
    return found


def judge_key_attestation(
    judge: Judge, token: JsonValue, attesters: TrustAnchors, clock: Clock, nonces: Container[str] | None
) -> KeyAttestation:
    """Every rule of an attestation, by its certificates.

    Args:
        nonces: those that are good now where the attestation is the proof; None where it stands inside one.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    jws = read_jws(judge(attestation_is_there, token), _PATH, _MAX_BYTES)
    judge(token_type_is, jws, ATTESTATION_TYPE)
    algorithm = judge_header(judge, jws, HAIP_ALGORITHMS, _SOURCES)
    certified = judge_chain(judge, judge(attester_is_certified, jws.header), attesters, clock.now_s)
    judge(signature_verifies, jws, algorithm, KeySet((certified.key,)))
    claims = jws.claims()
    judge(attestation_ends, claims)
    judge(not_issued_in_the_future, claims, clock, _PATH)
    judge(already_valid, claims, clock, _PATH)
    judge(not_expired, claims, clock, _PATH)
    keys = judge(attested_keys_well_formed, claims)
    nonce = "" if nonces is None else judge(attestation_answers_a_nonce, claims, nonces)
    return KeyAttestation(keys, nonce)
