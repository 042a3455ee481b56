"""A credential before it is kept: signed by an issuer that the holder trusts, of the kind that was asked for, bound to a
key of this request. What a wallet keeps unread, its holder learns of at a verifier's desk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    JsonObject,
    VerificationKey,
    read_jws,
)
from hutong.relay.services.identity.rules.openid4vp.answer import AUTHORITY_KEY, authority_keys
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    IssuerTrust,
    PresentationPolicy,
    VerifiedPresentation,
    judge_presentation,
    read_compact,
)
from hutong.relay.services.identity.rules.sd_jwt.key_binding import holder_key_is_confirmed

_OWN_CLAIMS = frozenset({"cnf", "status", "iat", "nbf", "exp"})
"""In which the credentials of one batch differ by right."""


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What the wallet asked for, whom it trusts to have signed it, and the time."""

    vct: str
    trust: IssuerTrust
    clock: Clock


@dataclass(frozen=True, slots=True)
class JudgedCredential:
    """A credential that may be kept. `thumbprint` is that of the key that it is bound to."""

    verified: VerifiedPresentation
    thumbprint: bytes
    authorities: Mapping[str, frozenset[str]]


@rule(f"{drafts.OPENID4VCI} §8.3")
def bound_to_a_key_that_was_sent(payload: JsonObject, keys: Mapping[bytes, object]) -> bytes:
    """`cnf.jwk` is one of the keys whose proofs were sent; its thumbprint.

    Raises:
        PredicateFailed: it is another's: this wallet could not present it, and somebody else could.
        MalformedInput, UnsupportedOperation: there is no such key.
    """
    key: VerificationKey = holder_key_is_confirmed(payload)
    thumbprint = key.thumbprint()
    if thumbprint not in keys:
        raise PredicateFailed("bound_to_a_key_that_was_sent", "cnf.jwk", thumbprint, sorted(keys)[:1])
    return thumbprint


@rule(f"{drafts.OPENID4VCI} §3.3")
def batch_is_of_one_kind(received: Sequence[JudgedCredential]) -> None:
    """Each is bound to a key of its own, and all say the same: one that says more could be told from the others.

    Raises:
        PredicateFailed: two for one key, or other claims.
    """
    if len({each.thumbprint for each in received}) != len(received):
        raise PredicateFailed("batch_is_of_one_kind", "two credentials are bound to one key")
    for position, each in enumerate(received):
        if _said(each) != _said(received[0]):
            raise PredicateFailed("batch_is_of_one_kind", "one says something else than the first", position)


def _said(judged: JudgedCredential) -> JsonObject:
    return {name: value for name, value in judged.verified.claims.items() if name not in _OWN_CLAIMS}


def judge_received(judge: Judge, text: str, asked: AskedFor, keys: Mapping[bytes, object]) -> JudgedCredential:
    """Every rule of a credential that a wallet receives.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    policy = PresentationPolicy(asked.trust, asked.clock, None, frozenset({asked.vct}))
    verified = judge_presentation(judge, text, policy)
    token = read_jws(read_compact(text).issuer_jwt, "credential")
    thumbprint = judge(bound_to_a_key_that_was_sent, token.claims(), keys)
    return JudgedCredential(verified, thumbprint, {AUTHORITY_KEY: authority_keys(text)})
