"""What of a holder's SD-JWT VCs answers a query (OpenID4VP 1.0 §6.4): the wallet's side, and the verifier's check of an answer.

Both sides call the same rules, so that a verifier takes exactly what a wallet of ours would have sent. Nothing is disclosed
that was not asked for: of a list, only the elements whose values will do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hutong.light_clients.interface.errors import PredicateFailed, UnsupportedOperation
from hutong.light_clients.interface.judge import Judge, rule
from hutong.relay.services.identity.rules.dcql.claim_paths import ConcretePath, claims_at
from hutong.relay.services.identity.rules.dcql.query import (
    SD_JWT_VC_FORMAT,
    ClaimQuery,
    ClaimValue,
    CredentialQuery,
    DcqlQuery,
)
from hutong.relay.services.identity.rules.drafts import OPENID4VP
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue

MAX_PRESENTED: Final = 64
"""Presentations for one credential query of an answer."""


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """An SD-JWT VC as matching sees it: its claims with every disclosure in place, as issued or as presented.

    `authorities` are the values under which its issuer is known, by type of trusted authority; `bound` says that it has a
    holder's key (`cnf`), or, of a presentation, that the holder's signature was verified.
    """

    claims: JsonObject
    bound: bool
    authorities: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """A credential that answers a credential query, by position in what was offered, and the values to disclose of it."""

    position: int
    disclosed: tuple[ConcretePath, ...]


@rule(OPENID4VP + " §6.1")
def format_is_sd_jwt_vc(query: CredentialQuery) -> None:
    """The one format that is presented here.

    Raises:
        UnsupportedOperation: another format.
    """
    if query.format != SD_JWT_VC_FORMAT:
        raise UnsupportedOperation(f"a credential of format {query.format[:64]}")


@rule(OPENID4VP + " §B.3.5")
def type_is_asked_for(query: CredentialQuery, credential: HeldCredential) -> None:
    """`vct` is one of `vct_values`, by code points. Types that extend another are not followed.

    Raises:
        PredicateFailed: it is another type.
    """
    vct = credential.claims.get("vct")
    if not isinstance(vct, str) or vct not in query.vct_values:
        raise PredicateFailed("type_is_asked_for", "another type", got=vct, expected=list(query.vct_values))


@rule(OPENID4VP + " §6.1")
def holder_is_bound(query: CredentialQuery, credential: HeldCredential) -> None:
    """Where the query asks for cryptographic holder binding, which is the default, the credential has it.

    Raises:
        PredicateFailed: it has none.
    """
    if query.holder_binding and not credential.bound:
        raise PredicateFailed("holder_is_bound", "the credential is bound to no key")


@rule(OPENID4VP + " §6.1.1")
def issuer_is_trusted(query: CredentialQuery, credential: HeldCredential) -> None:
    """The issuer is known under at least one value of one of the trusted authorities.

    Raises:
        PredicateFailed: it is known under none; authorities of an unknown type match nobody.
    """
    if query.trusted_authorities is None:
        return
    for authority in query.trusted_authorities:
        if credential.authorities.get(authority.type, frozenset()).intersection(authority.values):
            return
    raise PredicateFailed("issuer_is_trusted", "known under none of the trusted authorities")


def same_value(value: JsonValue, wanted: ClaimValue) -> bool:
    """Equal in type and value, texts by code points: true is not 1, and 1.0 is not 1."""
    return type(value) is type(wanted) and value == wanted


@rule(OPENID4VP + " §6.3")
def claim_is_there(claim: ClaimQuery, credential: HeldCredential) -> tuple[ConcretePath, ...]:
    """Where the claim stands: every value that its path selects, or those of them that it may have.

    Raises:
        PredicateFailed: the path selects nothing, or nothing that the claim may have.
    """
    selected = claims_at(credential.claims, claim.path)
    if claim.values is not None:
        wanted = claim.values
        selected = tuple(found for found in selected if any(same_value(found[1], value) for value in wanted))
        if not selected:
            raise PredicateFailed("claim_is_there", "the claim has none of the values asked for", got=list(claim.path))
    return tuple(place for place, _ in selected)


@rule(OPENID4VP + " §6.4.1")
def claims_are_there(query: CredentialQuery, credential: HeldCredential) -> tuple[ConcretePath, ...]:
    """What to disclose: nothing where no claim is asked for; else all claims, or the first of `claim_sets` that is whole.

    Raises:
        PredicateFailed: a claim is missing, or every set lacks one.
    """
    if query.claims is None:
        return ()
    if query.claim_sets is None:
        return _distinct(place for claim in query.claims for place in claim_is_there(claim, credential))
    found: dict[str, tuple[ConcretePath, ...]] = {}
    for claim in query.claims:
        try:
            found[claim.id or ""] = claim_is_there(claim, credential)
        except PredicateFailed:
            continue
    for names in query.claim_sets:
        if all(name in found for name in names):
            return _distinct(place for name in names for place in found[name])
    raise PredicateFailed("claims_are_there", "no set of claims is whole", got=sorted(found))


def _distinct(places: Iterable[ConcretePath]) -> tuple[ConcretePath, ...]:
    return tuple(dict.fromkeys(places))


def judge_credential(judge: Judge, query: CredentialQuery, credential: HeldCredential) -> tuple[ConcretePath, ...]:
    """What to disclose of a credential that answers the query.

    Raises:
        PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge(format_is_sd_jwt_vc, query)
    judge(type_is_asked_for, query, credential)
    judge(holder_is_bound, query, credential)
    judge(issuer_is_trusted, query, credential)
    return judge(claims_are_there, query, credential)


def matches(judge: Judge, query: DcqlQuery, held: Sequence[HeldCredential]) -> dict[str, tuple[Match, ...]]:
    """By id of a credential query, which of `held` answer it, in their order; queries that nothing answers are left out."""
    found: dict[str, tuple[Match, ...]] = {}
    for credential_query in query.credentials:
        answering: list[Match] = []
        for position, credential in enumerate(held):
            try:
                answering.append(Match(position, judge_credential(judge, credential_query, credential)))
            except (PredicateFailed, UnsupportedOperation):
                continue
        if answering:
            found[credential_query.id] = tuple(answering)
    return found


@rule(OPENID4VP + " §6.4.2")
def sets_are_answered(query: DcqlQuery, answered: Iterable[str]) -> tuple[str, ...]:
    """The ids to present out of those that are answered, in the order of the query.

    Without credential sets that is every one. With them it is the first option of each set that is whole; sets that are not
    required may go without.

    Raises:
        PredicateFailed: a credential, or every option of a required set, is missing.
    """
    available = set(answered)
    ids = [credential.id for credential in query.credentials]
    if query.credential_sets is None:
        missing = [name for name in ids if name not in available]
        if missing:
            raise PredicateFailed("sets_are_answered", "a credential is missing", got=missing[0])
        return tuple(ids)
    chosen: set[str] = set()
    for position, wanted in enumerate(query.credential_sets):
        option = next((names for names in wanted.options if available.issuperset(names)), None)
        if option is not None:
            chosen.update(option)
        elif wanted.required:
            raise PredicateFailed("sets_are_answered", "no option of a required set is whole", got=position)
    return tuple(name for name in ids if name in chosen)


@rule(OPENID4VP + " §8.1")
def answer_names_only_queries(query: DcqlQuery, presented: Mapping[str, Sequence[HeldCredential]]) -> None:
    """Each id of the answer is one of the query's, with one presentation, or with several where `multiple`.

    Raises:
        PredicateFailed: an id that was not asked for, no presentation, or more than were asked for.
    """
    asked = {credential.id: credential for credential in query.credentials}
    for name, presentations in presented.items():
        if name not in asked:
            raise PredicateFailed("answer_names_only_queries", "an answer to what was not asked", got=name[:64])
        most = MAX_PRESENTED if asked[name].multiple else 1
        if not 0 < len(presentations) <= most:
            raise PredicateFailed("answer_names_only_queries", "as many as asked for", len(presentations), most)


def judge_answer(judge: Judge, query: DcqlQuery, presented: Mapping[str, Sequence[HeldCredential]]) -> None:
    """That presentations, each verified before, are what the query asks for: all of each, and all sets.

    Raises:
        PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge(answer_names_only_queries, query, presented)
    for credential_query in query.credentials:
        for presentation in presented.get(credential_query.id, ()):
            judge_credential(judge.under(f"{credential_query.id}: "), credential_query, presentation)
    judge(sets_are_answered, query, presented)
