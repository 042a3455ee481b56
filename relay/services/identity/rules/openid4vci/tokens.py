"""What all signed tokens of a wallet have in common: who may verify them is said by the verifier, and times by its clock."""

from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject, Jws, VerificationKey, read_jwk
from hutong.relay.services.identity.rules.sd_jwt.lifetime import time_of
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock

MAX_WALLET_TOKEN_BYTES: Final = 1 << 14
"""Of a proof, an attestation or a proof of possession."""
MAX_TEXT_CHARS: Final = 512
PROOF_AGE_S: Final = 300
"""How long after its `iat` a proof is taken."""


@rule(f"{drafts.JWS} §4.1.3")
def key_is_in_the_header(jws: Jws) -> VerificationKey:
    """The header brings the public key that the token proves possession of, as `jwk`, and names no other.

    Raises:
        MalformedInput: not a key, or one with its private half.
        PredicateFailed: `kid` or `x5c` beside it, or no `jwk`.
        UnsupportedOperation: a key of another kind.
    """
    others = sorted(name for name in ("kid", "x5c", "trust_chain") if name in jws.header)
    if "jwk" not in jws.header or others:
        raise PredicateFailed("key_is_in_the_header", f"header of {jws.path}", others or None, "jwk alone")
    return read_jwk(jws.header["jwk"], f"{jws.path}.jwk")


@rule(f"{drafts.JWT} §4.1.6")
def issued_just_now(claims: JsonObject, clock: Clock, path: str, max_age_s: int = PROOF_AGE_S) -> None:
    """`iat` is there, not later than now and not older than `max_age_s`, by clocks that differ by the skew at most.

    Raises:
        MalformedInput: `iat` is no number.
        PredicateFailed: absent, older or later.
    """
    issued_s = time_of(claims, "iat", path)
    first, last = clock.now_s - max_age_s - clock.skew_s, clock.now_s + clock.skew_s
    if issued_s is None or not first <= issued_s <= last:
        raise PredicateFailed("issued_just_now", f"iat of {path}", issued_s, f"{first} to {last}")


@rule(f"{drafts.JWT} §4.1.3")
def made_for_this_server(claims: JsonObject, audience: str, path: str) -> None:
    """`aud` is this server, as one text or as the only text of a list.

    Raises:
        PredicateFailed: another, several, or none.
    """
    found = claims.get("aud")
    if found not in (audience, [audience]):
        raise PredicateFailed("made_for_this_server", f"aud of {path}", found, audience)


def text_of(claims: JsonObject, name: str, path: str) -> str:
    """A claim that is a text of 1 to MAX_TEXT_CHARS characters.

    Raises:
        MalformedInput: absent, another type, empty or longer.
    """
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARS:
        raise MalformedInput(f"{path}.{name}", f"is not a text of 1 to {MAX_TEXT_CHARS} characters", got=value)
    return value
