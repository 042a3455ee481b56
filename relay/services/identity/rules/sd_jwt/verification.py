"""A whole presentation, from the text that a wallet sent to the claims that a verifier may believe.

    verified = judge_presentation(VERIFY, text, policy)

Whether the credential was revoked is not judged here: `status` says where its issuer publishes that.
"""

from typing import NamedTuple

from hutong.light_clients.interface import Judge, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject, read_jws, token_type_is
from hutong.relay.services.identity.rules.sd_jwt.compact import CompactSdJwt, read_compact
from hutong.relay.services.identity.rules.sd_jwt.credential_type import (
    CREDENTIAL_TYPE,
    credential_is_for_this_audience,
    no_other_data_model,
    other_types_well_formed,
    status_well_formed,
    type_is_accepted,
    what_protects_is_not_withheld,
)
from hutong.relay.services.identity.rules.sd_jwt.disclosures import disclosures_well_formed
from hutong.relay.services.identity.rules.sd_jwt.issuer import Issuer, judge_issuer
from hutong.relay.services.identity.rules.sd_jwt.key_binding import (
    HolderBinding,
    judge_key_binding,
    key_binding_is_as_demanded,
)
from hutong.relay.services.identity.rules.sd_jwt.lifetime import already_valid, not_expired, not_issued_in_the_future
from hutong.relay.services.identity.rules.sd_jwt.policy import PresentationPolicy
from hutong.relay.services.identity.rules.sd_jwt.unpacking import (
    Unpacked,
    digest_algorithm_is_sha256,
    disclosures_unpack,
)

NAME = "credential"


class VerifiedSdJwt(NamedTuple):
    """What stands: who signed, the payload as signed, the claims as shown, and who holds it."""

    issuer: Issuer
    payload: JsonObject
    unpacked: Unpacked
    holder: HolderBinding | None


class VerifiedPresentation(NamedTuple):
    """A credential that its issuer signed, and its holder where the policy demands it.

    `claims` has no `iss` where nothing binds that name to the issuer's key (`issuer.name` is None).
    """

    vct: str
    issuer: Issuer
    holder: HolderBinding | None
    claims: JsonObject
    unpacked: Unpacked
    status: JsonObject | None


@rule(f"{drafts.SD_JWT} §4")
def presentation_well_formed(text: str) -> CompactSdJwt:
    """The text is an SD-JWT in its compact form, within bounds; see `read_compact`."""
    return read_compact(text)


def judge_sd_jwt(judge: Judge, parts: CompactSdJwt, policy: PresentationPolicy, token_type: str) -> VerifiedSdJwt:
    """The rules of RFC 9901, for an issuer's token of `typ` `token_type`; those of credentials are not applied.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    jws = read_jws(parts.issuer_jwt, NAME)
    judge(token_type_is, jws, token_type)
    payload = jws.claims()
    issuer = judge_issuer(judge, jws, payload, policy)
    judge(digest_algorithm_is_sha256, payload)
    disclosures = judge(disclosures_well_formed, parts.disclosures)
    unpacked = judge(disclosures_unpack, payload, disclosures)
    judge(not_expired, unpacked.claims, policy.clock, NAME)
    judge(already_valid, unpacked.claims, policy.clock, NAME)
    judge(not_issued_in_the_future, unpacked.claims, policy.clock, NAME)
    if policy.key_binding is None:
        judge(key_binding_is_as_demanded, parts, None)
        return VerifiedSdJwt(issuer, payload, unpacked, None)
    holder = judge_key_binding(judge, parts, payload, policy.key_binding, policy.clock, policy.algorithms)
    return VerifiedSdJwt(issuer, payload, unpacked, holder)


def judge_presentation(judge: Judge, text: str, policy: PresentationPolicy) -> VerifiedPresentation:
    """Every rule of an SD-JWT VC and its presentation, in order. Takes time and memory linear in `text`.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold; nothing else.
    """
    parts = judge(presentation_well_formed, text)
    verified = judge_sd_jwt(judge, parts, policy, CREDENTIAL_TYPE)
    judge(what_protects_is_not_withheld, verified.unpacked)
    judge(no_other_data_model, verified.unpacked)
    vct = judge(type_is_accepted, verified.payload, policy.types)
    judge(other_types_well_formed, verified.payload, vct)
    audience = None if policy.key_binding is None else policy.key_binding.audience
    judge(credential_is_for_this_audience, verified.unpacked.claims, audience)
    status = judge(status_well_formed, verified.payload)
    claims = verified.unpacked.claims
    if verified.issuer.name is None:
        claims = {name: value for name, value in claims.items() if name != "iss"}
    return VerifiedPresentation(vct, verified.issuer, verified.holder, claims, verified.unpacked, status)
