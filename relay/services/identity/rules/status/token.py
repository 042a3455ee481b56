"""A Status List Token in JWT form, from its text to one status (Token Status List §5.1, §8.3)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface.errors import PredicateFailed
from hutong.light_clients.interface.judge import Judge, rule
from hutong.relay.services.identity.rules.drafts import STATUS_LIST
from hutong.relay.services.identity.rules.jose import read_jws, token_type_is
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust, PresentationPolicy
from hutong.relay.services.identity.rules.sd_jwt.issuer import Issuer, judge_issuer
from hutong.relay.services.identity.rules.status.list_claims import (
    MAX_PAYLOAD_BYTES,
    ListClaims,
    list_claims_well_formed,
    subject_is_lists_uri,
    token_is_fresh,
    token_is_in_time,
)
from hutong.relay.services.identity.rules.status.proven_list import (
    ProvenList,
    epoch_is_newest,
    list_is_bound_to_key,
    statuses_are_the_records,
    token_is_the_proven_one,
)
from hutong.relay.services.identity.rules.status.status_claim import StatusReference
from hutong.relay.services.identity.rules.status.statuses import index_is_in_list, status_at

LIST_TYP: Final = "statuslist+jwt"


@dataclass(frozen=True, slots=True)
class ListDemand:
    """What a verifier demands of a list. Nothing of it is read from the token.

    `fetched_at_s` is when this copy was fetched, None where nobody knows. `max_age_s` is how long after signing a list is taken,
    None where its own `exp` and `ttl` are enough. `newest_epoch` is the highest of the issuer that was seen, where the list
    is proven by the hub. With `credential_issuer` None everybody in `trust` may sign every list, so that a verifier of several
    issuers always says whose credential it is.
    """

    trust: IssuerTrust
    clock: Clock
    credential_issuer: Issuer | None = None
    fetched_at_s: int | None = None
    max_age_s: int | None = None
    newest_epoch: int = 0


@dataclass(frozen=True, slots=True)
class StatusReading:
    """One status, and the list that it is read from: all of it holds."""

    status: int
    claims: ListClaims
    issuer: Issuer


@rule(STATUS_LIST + " §11.3")
def list_is_the_issuers(signer: Issuer, credential_issuer: Issuer) -> None:
    """Who signed the list also signed the credential: by the same key, or under the same name that is bound to both keys.

    Raises:
        PredicateFailed: somebody else did, whom the verifier trusts for credentials of its own.
    """
    same_name = signer.name is not None and signer.name == credential_issuer.name
    if signer.key != credential_issuer.key and not same_name:
        said = signer.name or signer.key.thumbprint()
        held = credential_issuer.name or credential_issuer.key.thumbprint()
        raise PredicateFailed("list_is_the_issuers", "the list of another issuer", got=said, expected=held)


def judge_list(
    judge: Judge, token: str, uri: str, demand: ListDemand, proven: ProvenList | None = None
) -> tuple[ListClaims, Issuer]:
    """A token of the list that `uri` names: who signed it, whether it is in time, and what it says.

    With `proven` it must also be the token, and its statuses those, that the hub's record holds.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    if proven is not None:
        judge(epoch_is_newest, proven, demand.newest_epoch)
        judge(token_is_the_proven_one, proven, token)
    jws = read_jws(token, "token", MAX_PAYLOAD_BYTES)
    judge(token_type_is, jws, LIST_TYP)
    payload = jws.claims()
    issuer = judge_issuer(judge, jws, payload, PresentationPolicy(demand.trust, demand.clock, None))
    if demand.credential_issuer is not None:
        judge(list_is_the_issuers, issuer, demand.credential_issuer)
    if proven is not None:
        judge(list_is_bound_to_key, proven, issuer.key.thumbprint())
    claims = judge(list_claims_well_formed, payload)
    judge(subject_is_lists_uri, claims, uri)
    judge(token_is_in_time, claims, demand.clock.now_s, demand.clock.skew_s)
    judge(token_is_fresh, claims, demand.clock.now_s, demand.fetched_at_s, demand.max_age_s)
    if proven is not None:
        judge(statuses_are_the_records, proven, claims.statuses)
    return claims, issuer


def judge_status(
    judge: Judge, token: str, reference: StatusReference, demand: ListDemand, proven: ProvenList | None = None
) -> StatusReading:
    """The status that `reference` names, by the token of its list. What the status means is the caller's to ask: `status_is_valid`.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    claims, issuer = judge_list(judge, token, reference.uri, demand, proven)
    judge(index_is_in_list, claims.statuses, reference.index)
    return StatusReading(status_at(claims.statuses, reference.index), claims, issuer)
