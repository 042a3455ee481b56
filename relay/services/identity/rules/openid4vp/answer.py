"""Presentations of an answer, judged against the request: each by itself, then all of them against the query."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.dcql import CredentialQuery, DcqlQuery, HeldCredential, judge_answer
from hutong.relay.services.identity.rules.jose import encode_base64url, read_jws
from hutong.relay.services.identity.rules.openid4vp.response import VpToken
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    IssuerTrust,
    KeyBindingDemand,
    PresentationPolicy,
    VerifiedPresentation,
    judge_presentation,
    read_compact,
)

AUTHORITY_KEY: Final = "aki"
"""The type of trusted authority that HAIP demands: an authority's key identifier, in base64url."""


@dataclass(frozen=True, slots=True)
class AnswerDemand:
    """What a verifier demands of an answer to one request. Nothing of it is read from the answer.

    `binding` names the verifier (`client_id`) as the audience, and the nonce of this request.
    """

    query: DcqlQuery
    trust: IssuerTrust
    clock: Clock
    binding: KeyBindingDemand


@rule(f"{drafts.OPENID4VP} §8.1")
def query_is_asked(query: DcqlQuery, name: str) -> CredentialQuery:
    """The id is one of the request's.

    Raises:
        PredicateFailed: nobody asked.
    """
    for credential in query.credentials:
        if credential.id == name:
            return credential
    raise PredicateFailed("query_is_asked", "an answer to what was not asked", name[:64])


def judge_vp_token(
    judge: Judge, token: VpToken, demand: AnswerDemand
) -> Mapping[str, tuple[VerifiedPresentation, ...]]:
    """Every presentation, by id of the query, and whether they are together what was asked for. Status is not judged here.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    verified: dict[str, tuple[VerifiedPresentation, ...]] = {}
    held: dict[str, tuple[HeldCredential, ...]] = {}
    for name, texts in token.presentations.items():
        query = judge(query_is_asked, demand.query, name)
        under = judge.under(f"{name}: ")
        found = tuple(judge_presentation(under, text, _policy(query, text, demand)) for text in texts)
        verified[name] = found
        held[name] = tuple(_held(one, text) for one, text in zip(found, texts, strict=True))
    judge_answer(judge, demand.query, held)
    return verified


def _policy(query: CredentialQuery, text: str, demand: AnswerDemand) -> PresentationPolicy:
    """A holder's signature is demanded, unless the query does without and none is there."""
    unsigned = not query.holder_binding and read_compact(text).key_binding_jwt is None
    return PresentationPolicy(
        demand.trust, demand.clock, None if unsigned else demand.binding, frozenset(query.vct_values)
    )


def _held(verified: VerifiedPresentation, text: str) -> HeldCredential:
    authorities = {} if verified.issuer.certificate is None else {AUTHORITY_KEY: authority_keys(text)}
    return HeldCredential(verified.claims, verified.holder is not None, authorities)


def authority_keys(text: str) -> frozenset[str]:
    """Key identifiers of the authorities that certified an SD-JWT VC's issuer, from a chain that was judged before."""
    found: set[str] = set()
    chain = read_jws(read_compact(text).issuer_jwt, "credential").header.get("x5c")
    for member in chain if isinstance(chain, list) else ():
        certificate = x509.load_der_x509_certificate(b64decode(str(member)))
        try:
            identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        except x509.ExtensionNotFound:
            continue
        if identifier.key_identifier is not None:
            found.add(encode_base64url(identifier.key_identifier))
    return frozenset(found)
