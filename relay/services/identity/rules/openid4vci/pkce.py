"""Proof Key for Code Exchange, S256 alone (RFC 7636): a stolen code is worth nothing without its verifier."""

import hmac
import re
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import encode_base64url

S256: Final = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@rule(f"{drafts.PKCE} §4.3")
def challenge_well_formed(challenge: str | None, method: str | None) -> str:
    """A challenge comes with the request, by S256. Returns it.

    Raises:
        PredicateFailed: none, another method (`plain` shows the verifier), or not the base64url of 32 bytes.
    """
    if method != S256:
        raise PredicateFailed("challenge_well_formed", "code_challenge_method", method, S256)
    if challenge is None or _CHALLENGE.fullmatch(challenge) is None:
        raise PredicateFailed("challenge_well_formed", "code_challenge", challenge, "base64url of a SHA-256")
    return challenge


@rule(f"{drafts.PKCE} §4.6")
def verifier_fits(verifier: str | None, challenge: str) -> None:
    """The SHA-256 of the verifier is the challenge of the request.

    Raises:
        PredicateFailed: it is another one's, absent, or not of 43 to 128 unreserved characters.
    """
    if verifier is None or _VERIFIER.fullmatch(verifier) is None:
        raise PredicateFailed("verifier_fits", "code_verifier", None, "43 to 128 unreserved characters")
    if not hmac.compare_digest(encode_base64url(sha256(verifier.encode())), challenge):
        raise PredicateFailed("verifier_fits", "code_verifier", "that of another request")
