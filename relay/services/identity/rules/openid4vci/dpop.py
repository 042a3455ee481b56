"""DPoP proofs: a token is good only with the key that it was given to (RFC 9449)."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    JsonObject,
    KeySet,
    KeySource,
    VerificationKey,
    encode_base64url,
    judge_header,
    read_jws,
    signature_verifies,
    token_type_is,
)
from hutong.relay.services.identity.rules.openid4vci.tokens import (
    MAX_WALLET_TOKEN_BYTES,
    issued_just_now,
    key_is_in_the_header,
    text_of,
)
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock

DPOP_TYPE: Final = "dpop+jwt"
DPOP_AGE_S: Final = 60
_PATH = "DPoP proof"
_SOURCES = frozenset({KeySource.JWK})


@dataclass(frozen=True, slots=True)
class DpopDemand:
    """The request that a proof must be of. That its `jti` comes once is the caller's to see to.

    `access_token` is None at the token end point; `nonce` None where the server gives none out.
    """

    method: str
    url: str
    clock: Clock
    access_token: str | None = None
    thumbprint: str | None = None
    """RFC 7638, base64url: of the key that the access token is bound to."""
    nonces: Container[str] | None = None


@dataclass(frozen=True, slots=True)
class DpopProof:
    """The key, and the identifier that may come once."""

    key: VerificationKey
    jti: str


@rule(f"{drafts.DPOP} §4.3 (8), (9)")
def proof_is_of_this_request(claims: JsonObject, method: str, url: str) -> None:
    """`htm` is the request's method, and `htu` its URL without query and fragment; scheme and host in any case.

    Raises:
        PredicateFailed: of another request.
    """
    if claims.get("htm") != method:
        raise PredicateFailed("proof_is_of_this_request", f"htm of the {_PATH}", claims.get("htm"), method)
    said = claims.get("htu")
    if not isinstance(said, str) or not said.isascii() or _place(said) != _place(url):
        raise PredicateFailed("proof_is_of_this_request", f"htu of the {_PATH}", said, url)


@rule(f"{drafts.DPOP} §4.3 (11)")
def proof_is_of_this_token(claims: JsonObject, access_token: str | None) -> None:
    """`ath` is the SHA-256 of the access token that comes with it; where none comes, it is absent.

    Raises:
        PredicateFailed: of another token, or of none.
    """
    expected = None if access_token is None else encode_base64url(sha256(access_token.encode()))
    if claims.get("ath") != expected:
        raise PredicateFailed("proof_is_of_this_token", f"ath of the {_PATH}", claims.get("ath"), expected)


@rule(f"{drafts.DPOP} §6.1")
def token_is_bound_to_the_key(key: VerificationKey, thumbprint: str | None) -> None:
    """The key is the one to which the token was given.

    Raises:
        PredicateFailed: another one.
    """
    found = encode_base64url(key.thumbprint())
    if thumbprint is not None and found != thumbprint:
        raise PredicateFailed("token_is_bound_to_the_key", f"key of the {_PATH}", found, thumbprint)


@rule(f"{drafts.DPOP} §8")
def proof_has_the_servers_nonce(claims: JsonObject, nonces: Container[str] | None) -> None:
    """`nonce` is one that the server gave out lately, where it asks for one.

    Raises:
        PredicateFailed: another one, or none.
    """
    if nonces is not None and claims.get("nonce") not in nonces:
        raise PredicateFailed("proof_has_the_servers_nonce", f"nonce of the {_PATH}", claims.get("nonce"))


def judge_dpop(judge: Judge, token: str, demand: DpopDemand) -> DpopProof:
    """Every rule of a DPoP proof but the one that its `jti` comes once.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    jws = read_jws(token, _PATH, MAX_WALLET_TOKEN_BYTES)
    judge(token_type_is, jws, DPOP_TYPE)
    algorithm = judge_header(judge, jws, HAIP_ALGORITHMS, _SOURCES)
    key = judge(key_is_in_the_header, jws)
    judge(signature_verifies, jws, algorithm, KeySet((key,)))
    claims = jws.claims()
    jti = text_of(claims, "jti", _PATH)
    judge(proof_is_of_this_request, claims, demand.method, demand.url)
    judge(issued_just_now, claims, demand.clock, _PATH, DPOP_AGE_S)
    judge(proof_has_the_servers_nonce, claims, demand.nonces)
    judge(proof_is_of_this_token, claims, demand.access_token)
    judge(token_is_bound_to_the_key, key, demand.thumbprint)
    return DpopProof(key, jti)


def _place(url: str) -> tuple[str, str, int | None, str] | None:
    """Scheme, host, port and path, as two spellings of one URL have them in common; None of what is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or parts.hostname is None or "@" in parts.netloc:
        return None
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname, port or usual, parts.path
