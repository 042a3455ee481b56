"""A presentation of an SD-JWT VC judged by a hub's records: they say which key may have signed, and for which type."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.acceptance.list_place import status_uri_names_a_list
from hutong.relay.services.identity.rules.acceptance.standing import (
    SPEC,
    Evidence,
    Ground,
    Standing,
    judge_issuer_did,
    judge_list_record,
    judge_standing,
)
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    Algorithm,
    JsonObject,
    KeySet,
    read_jwk,
    read_jws,
)
from hutong.relay.services.identity.rules.organisations.issued import Judged, key_is_the_dids
from hutong.relay.services.identity.rules.organisations.key_form import jwk_members
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, KeyRecord
from hutong.relay.services.identity.rules.records.log_record import Issuance
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    IssuerTrust,
    KeyBindingDemand,
    PresentationPolicy,
    TrustedKeys,
    VerifiedPresentation,
    judge_presentation,
)
from hutong.relay.services.identity.rules.sd_jwt.policy import DEFAULT_MAX_AGE_S, DEFAULT_SKEW_S
from hutong.relay.services.identity.rules.sd_jwt.verification import presentation_well_formed
from hutong.relay.services.identity.rules.status.status_claim import status_claim_well_formed

_SHA256: Final = "sha256-"
_ALGORITHMS: Final = {
    KeyAlgorithm.ES256: Algorithm.ES256,
    KeyAlgorithm.ES256K: Algorithm.ES256K,
    KeyAlgorithm.EDDSA: Algorithm.EDDSA,
}


@dataclass(frozen=True, slots=True)
class PresentedCredential:
    """What a wallet sent, of which issuer, and what it was asked: who asks, and the nonce."""

    issuer: bytes
    text: str
    audience: str
    nonce: str


@dataclass(frozen=True, slots=True)
class CredentialTerms:
    """What the reader demands. `types` says of which schema (SHA-256) a `vct` is that its credential does not say itself.

    Ages are counted to the header's time: the holder's signature is at most `max_age_s` older, and `skew_s` newer.
    """

    max_age_s: int = DEFAULT_MAX_AGE_S
    skew_s: int = DEFAULT_SKEW_S
    holder_algorithms: frozenset[Algorithm] = HAIP_ALGORITHMS
    types: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class AcceptedCredential:
    """A credential that holds, is presented by its holder, and stands under the hub's records."""

    shown: VerifiedPresentation
    standing: Standing
    schema: bytes
    judged: Judged


@rule(SPEC)
def issuer_names_the_did(payload: JsonObject, did: str) -> None:
    """Where the credential names its issuer by a DID, it is the one whose records are shown.

    Raises:
        PredicateFailed: it is another.
    """
    name = payload.get("iss")
    if isinstance(name, str) and name.startswith("did:") and name != did:
        raise PredicateFailed("issuer_names_the_did", "iss", name, did)


@rule(f"{drafts.SD_JWT_VC} §5, docs/spec/identity-acceptance.md")
def type_is_of_a_schema(payload: JsonObject, vct: str, types: Mapping[str, bytes]) -> bytes:
    """The schema of the credential: what `vct#integrity` is the SHA-256 of, or what the reader says of the type. Returns its hash.

    Raises:
        PredicateFailed: neither says it, so nothing shows that the issuer is accredited for this type; or they differ.
    """
    name = "type_is_of_a_schema"
    said = payload.get("vct#integrity")
    known = types.get(vct)
    if said is None:
        if known is None:
            raise PredicateFailed(name, "neither vct#integrity nor the reader says the schema of", vct)
        return known
    found = _sha256_of(said)
    if found is None:
        raise PredicateFailed(name, "vct#integrity is not one sha256", said, f"{_SHA256}…")
    if known not in (None, found):
        raise PredicateFailed(name, "the reader knows another schema of this type", found, known)
    return found


def _sha256_of(integrity: object) -> bytes | None:
    """The digest of Subresource Integrity metadata of one hash."""
    if not isinstance(integrity, str) or not integrity.startswith(_SHA256):
        return None
    try:
        found = b64decode(integrity[len(_SHA256) :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == 32 else None


@rule(SPEC)
def key_signs_credentials(record: KeyRecord) -> Algorithm:
    """The key that the list is bound to has an algorithm of signatures. Returns it.

    Raises:
        PredicateFailed: it is for sealed payloads alone, or of SM2, which JOSE does not have.
    """
    found = _ALGORITHMS.get(record.key.algorithm)
    if found is None:
        raise PredicateFailed("key_signs_credentials", "signs no credentials", record.key.algorithm.name)
    return found


def trust_in_key(record: KeyRecord) -> IssuerTrust:
    """The key of a record, under whatever name, and where the record names a certificate, brought by that one alone."""
    key = KeySet((read_jwk(dict(jwk_members(record.key)), "key"),))
    pinned = {record.use.x5t_s256: key} if any(record.use.x5t_s256) else {}
    return IssuerTrust((TrustedKeys(key),), pinned=MappingProxyType(pinned))


def judge_credential(
    judge: Judge, ground: Ground, presented: PresentedCredential, evidence: Evidence, terms: CredentialTerms
) -> AcceptedCredential:
    """Every rule of an acceptance: records of the issuer, signatures, disclosures, holder, then how it stands on the hub.

    Only the key that the credential's list is bound to may have signed: which list that is, the credential says, and its
    signature is judged under that key.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    issuer = judge_issuer_did(judge, ground, presented.issuer)
    parts = judge(presentation_well_formed, presented.text)
    claimed = read_jws(parts.issuer_jwt, "credential").claims()
    reference = judge(status_claim_well_formed, claimed.get("status"))
    number = judge(status_uri_names_a_list, reference.uri)
    record = judge_list_record(judge, ground, issuer.did, number)
    signing = judge(key_is_the_dids, issuer, record.bound.key_thumbprint)
    algorithm = judge(key_signs_credentials, signing)
    policy = PresentationPolicy(
        trust_in_key(signing),
        Clock(ground.time_s, terms.skew_s),
        KeyBindingDemand(presented.audience, presented.nonce, terms.max_age_s),
        None,
        terms.holder_algorithms | {algorithm},
    )
    shown = judge_presentation(judge, presented.text, policy)
    judge(issuer_names_the_did, claimed, f"did:hutong:{ground.hub}:{issuer.did.hex()}")
    schema = judge(type_is_of_a_schema, claimed, shown.vct, terms.types)
    issuance = Issuance(shown.issuer.key.thumbprint(), sha256(parts.issuer_jwt.encode()))
    judged = Judged(number, reference.index, issuance, KeyPurpose.SIGNING)
    return AcceptedCredential(shown, judge_standing(judge, ground, issuer, schema, judged, evidence), schema, judged)
