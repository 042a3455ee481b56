"""Presentations of SD-JWT VCs in acceptances. Their signatures are of P-256, for which the extra `identity` is needed."""

from hutong.light_clients.interface import Judge, MalformedInput
from hutong.relay.archive.acceptance import ShownPresentation
from hutong.relay.audit.identity.terms import AcceptanceTerms
from hutong.relay.services.identity.rules.acceptance.credential import (
    AcceptedCredential,
    CredentialTerms,
    PresentedCredential,
    judge_credential,
)
from hutong.relay.services.identity.rules.acceptance.standing import Evidence, Ground
from hutong.relay.services.identity.rules.jose import HAIP_ALGORITHMS, Algorithm


def judge_shown_presentation(
    judge: Judge,
    ground: Ground,
    issuer: bytes,
    shown: ShownPresentation,
    evidence: Evidence,
    terms: AcceptanceTerms,
) -> AcceptedCredential:
    """Every rule of `judge_credential`, as an acceptance has it.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    presented = PresentedCredential(issuer, shown.text, shown.audience, shown.nonce)
    return judge_credential(judge, ground, presented, evidence, credential_terms(terms))


def credential_terms(terms: AcceptanceTerms) -> CredentialTerms:
    """The reader's terms as the rules of credentials take them.

    Raises:
        MalformedInput: an algorithm that there is not.
    """
    known = {one.value: one for one in Algorithm}
    chosen = HAIP_ALGORITHMS
    if terms.algorithms is not None:
        unknown = sorted(terms.algorithms - known.keys())
        if unknown:
            raise MalformedInput("terms.algorithms", "is no algorithm of JWS here", unknown[0], sorted(known))
        chosen = frozenset(known[name] for name in terms.algorithms)
    return CredentialTerms(terms.max_age_s, terms.skew_s, chosen, terms.types)
