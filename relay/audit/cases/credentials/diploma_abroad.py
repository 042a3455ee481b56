"""The rule of case 5: each diploma was good under the hub's records, the employer's contract keeps degree and year of it and was
shown nothing else; a revoked one and one of a university without accreditation are refused by the records themselves.
"""

from collections.abc import Sequence

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.credentials.credentials_meant import (
    credential_is_meant,
    gate_is_meant,
    mapping_slot,
    nothing_else_is_shown,
    refused_as_meant,
)
from hutong.relay.audit.cases.feeds_meant import id_is_given
from hutong.relay.audit.cases.named import credential_is_there, state_is_there
from hutong.relay.audit.cases.numbered import statements_are_numbered
from hutong.relay.audit.cases.shown import Shown, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, ShownCredential
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.services.identity.rules.seals import ClaimValue

CASE = "diploma-abroad"
CHAIN, EMPLOYER, UNIVERSITY, MILL, SCHEMA = "e1", "employer", "university", "mill", "schema"
REVOKED, UNACCREDITED = "revoked", "unaccredited"
APPLICATIONS_SLOT = 1
"""Of `ExampleEmployer.applications`, after the nonces of its gate."""
SHOWN = ("degree", "year")


@rule(SPEC)
def application_is_of_the_diploma(word: int, position: bytes, said: tuple[ClaimValue, ...]) -> list[ClaimValue]:
    """What the contract keeps is the hash of the position, and of degree and year as the diploma says them. Returns these.

    Raises:
        PredicateFailed: it keeps something else, or nothing; or a claim is of another type.
    """
    degree, year = said
    name = "application_is_of_the_diploma"
    if not (isinstance(degree, str) and type(year) is int):
        raise PredicateFailed(name, "degree is a text and year a number", said)
    expected = keccak256(encode_abi(["bytes32", "string", "int256"], [position, degree, year]))
    if word.to_bytes(32, "big") != expected:
        raise PredicateFailed(name, "the contract keeps something else", word, expected)
    return [degree, year]


@rule(SPEC)
def diplomas_are_distinct(digests: Sequence[bytes]) -> None:
    """No diploma is counted twice.

    Raises:
        PredicateFailed: one is.
    """
    if len(set(digests)) != len(digests):
        raise PredicateFailed("diplomas_are_distinct", "a diploma stands twice", len(digests), len(set(digests)))


@rule(SPEC)
def revoked_was_accepted_before(revoked: bytes, accepted: Sequence[bytes]) -> None:
    """The revoked diploma is one that had been accepted.

    Raises:
        PredicateFailed: it is another one.
    """
    if revoked not in accepted:
        raise PredicateFailed("revoked_was_accepted_before", "was never accepted", revoked)


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    everything = shown.of_kind(ShownCredential)
    diplomas = {name: one for name, one in everything.items() if name not in (REVOKED, UNACCREDITED)}
    inquiry.about("diplomas")(statements_are_numbered, diplomas, "diploma")
    accepted = [_accepted(inquiry.about(name), shown, trust, name, credential) for name, credential in diplomas.items()]
    digests = [credential.digest for credential in diplomas.values()]
    inquiry.about("diplomas")(diplomas_are_distinct, digests)
    refused = {}
    for name, issuer, rules in (
        (REVOKED, UNIVERSITY, ["status_is_valid"]),
        (UNACCREDITED, MILL, ["accreditation_counts", "accreditation_exists"]),
    ):
        judge = inquiry.about(name)
        credential = judge(credential_is_there, shown, name)
        judge(credential_is_meant, credential, trust, issuer, SCHEMA)
        refused[name] = judge(refused_as_meant, credential, rules)
        if name == REVOKED:
            judge(revoked_was_accepted_before, credential.digest, digests)
    return {"accepted": accepted, **refused}


def _accepted(judge: Judge, shown: Shown, trust: CaseTrust, name: str, credential: ShownCredential) -> list[ClaimValue]:
    judge(credential_is_meant, credential, trust, UNIVERSITY, SCHEMA)
    judge(gate_is_meant, credential, trust, CHAIN, EMPLOYER)
    said = judge(nothing_else_is_shown, credential, SHOWN)
    state = judge(state_is_there, shown, name.replace("diploma", "application"))
    slot = mapping_slot(credential.digest, APPLICATIONS_SLOT)
    word = judge(slot_is_meant, state, trust, CHAIN, EMPLOYER, slot)
    return judge(application_is_of_the_diploma, word, judge(id_is_given, trust, "position"), said)
