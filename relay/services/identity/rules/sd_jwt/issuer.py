"""Who issued a credential: a key that the verifier trusts under a name, or a certificate that an anchor of its stands for."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    CertifiedKey,
    JsonObject,
    Jws,
    KeySet,
    KeySource,
    TrustAnchors,
    VerificationKey,
    judge_chain,
    judge_header,
    signature_verifies,
)
from hutong.relay.services.identity.rules.jose.certificates import chain_well_formed
from hutong.relay.services.identity.rules.sd_jwt.policy import IssuerTrust, PresentationPolicy, TrustedKeys

MAX_ISSUER_CHARS: Final = 2_048
_CERTIFICATES = frozenset({KeySource.X5C})
_X5C: Final = KeySource.X5C.value


class Issuer(NamedTuple):
    """Whose key signed. `name` is None where nothing binds the name that the token gives to that key."""

    key: VerificationKey
    name: str | None
    certificate: CertifiedKey | None


@rule(f"{drafts.JWT} §4.1.1")
def issuer_name_well_formed(payload: JsonObject) -> str | None:
    """`iss`, if it is there, is a name.

    Raises:
        MalformedInput: no text, empty, or too long.
    """
    if "iss" not in payload:
        return None
    name = payload["iss"]
    if not isinstance(name, str) or not 0 < len(name) <= MAX_ISSUER_CHARS:
        raise MalformedInput("payload.iss", f"is not a text of 1 to {MAX_ISSUER_CHARS} characters", got=name)
    return name


@rule(f"{drafts.SD_JWT_VC} §2.5")
def certificates_are_judged(jws: Jws, anchors: TrustAnchors | None) -> TrustAnchors:
    """A token that brings certificates is judged by them alone, so the verifier must have anchors.

    Raises:
        PredicateFailed: it has none.
    """
    if anchors is None:
        raise PredicateFailed("certificates_are_judged", f"{jws.path} brings certificates, and no anchor is trusted")
    return anchors


@rule(f"{drafts.SD_JWT_VC} §2.5")
def certificate_names_issuer(certified: CertifiedKey, name: str | None) -> str | None:
    """A certificate that names its holder names the issuer; the name that is bound, or None where it names nobody.

    Raises:
        PredicateFailed: it names somebody else.
    """
    if name is None:
        return None
    named = certified.names(name)
    if named is False:
        raise PredicateFailed("certificate_names_issuer", "iss", name, [*certified.uris, *certified.hosts])
    return name if named else None


@rule(f"{drafts.SD_JWT_VC} §2.5")
def issuer_is_trusted(trust: IssuerTrust, name: str | None) -> tuple[TrustedKeys, ...]:
    """The verifier trusts keys under this name, or under whatever name.

    Raises:
        PredicateFailed: it trusts none.
    """
    trusted = trust.keys_for(name)
    if not trusted:
        known = sorted(keys.issuer for keys in trust.keys if keys.issuer is not None)
        raise PredicateFailed("issuer_is_trusted", "iss", name, known)
    return trusted


@rule("docs/spec/identity-acceptance.md")
def certificate_is_pinned(jws: Jws, pinned: Mapping[bytes, KeySet]) -> KeySet:
    """The first certificate is one that is trusted by its hash. Returns the key that is trusted with it.

    Raises:
        MalformedInput: `x5c` is no list of certificates.
        PredicateFailed: it is another certificate.
    """
    found = chain_well_formed(jws.header[_X5C]).leaf.fingerprint(SHA256())
    if found not in pinned:
        raise PredicateFailed("certificate_is_pinned", "another certificate", found, [one.hex() for one in pinned])
    return pinned[found]


def judge_issuer(judge: Judge, jws: Jws, payload: JsonObject, policy: PresentationPolicy) -> Issuer:
    """Every rule of the issuer's signature; who it is.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    algorithm = judge_header(judge, jws, policy.algorithms, _CERTIFICATES)
    name = judge(issuer_name_well_formed, payload)
    if _X5C in jws.header and policy.trust.pinned:
        keys = judge(certificate_is_pinned, jws, policy.trust.pinned)
        return Issuer(judge(signature_verifies, jws, algorithm, keys), None, None)
    if _X5C in jws.header:
        anchors = judge(certificates_are_judged, jws, policy.trust.anchors)
        certified = judge_chain(judge, jws.header[_X5C], anchors, policy.clock.now_s)
        key = judge(signature_verifies, jws, algorithm, KeySet((certified.key,)))
        return Issuer(key, judge(certificate_names_issuer, certified, name), certified)
    trusted = judge(issuer_is_trusted, policy.trust, name)
    keys = trusted[0].keys if len(trusted) == 1 else KeySet(tuple(key for each in trusted for key in each.keys.keys))
    return Issuer(judge(signature_verifies, jws, algorithm, keys), trusted[0].issuer, None)
