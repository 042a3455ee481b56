"""Certificate chains of issuers (`x5c`, RFC 7515 §4.1.6) under trust anchors that the verifier chose.

The chain is judged as it was sent, link by link, and nothing is searched for: the signing certificate first, each certified
by the next, the last one by an anchor that is itself not sent (HAIP 1.0 §6.1.1). Revocation of certificates is not checked.

A verifier sees the same few chains again and again, so what rules found of one is kept, by its exact texts and the anchors:
never a refusal, and never whether the time is within its validity, which is asked anew of each presentation.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey, key_at
from hutong.relay.services.identity.rules.jose.strict_json import JsonValue

MAX_CHAIN: Final = 4
"""The signing certificate and three authorities."""
MAX_CERTIFICATE_BYTES: Final = 1 << 13
MAX_ANCHORS: Final = 64
MAX_ANCHOR_FILE_BYTES: Final = 1 << 20
KEPT_CHAINS: Final = 128
"""Of those judged last. A chain takes 50 kB with what the library keeps of it."""

ISSUER_PURPOSES: Final = frozenset(
    {
        ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
        ExtendedKeyUsageOID.CODE_SIGNING.dotted_string,
        ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string,
        "1.0.18013.5.1.2",
        "1.3.130.2.0.0.1.2",
    }
)
"""Extended key usages under which a certificate may sign credentials, if it states any: general ones of signers, document
signers of ISO/IEC 18013-5 and PID providers. A certificate for TLS servers alone is none of these."""

_HASHES = frozenset({"sha256", "sha384", "sha512"})
_READ = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
Value = TypeVar("Value")
Extension = TypeVar("Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True, eq=False)
class TrustAnchors:
    """Authorities that the verifier trusts to certify issuers, and for what a certificate must be good.

    Each object equals itself alone: what is kept of a chain is kept for the one set of anchors that it was judged under.
    """

    certificates: tuple[x509.Certificate, ...]
    purposes: frozenset[str] = ISSUER_PURPOSES


@dataclass(frozen=True, slots=True, eq=False)
class SentChain:
    """Certificates as they were sent: the signing one first. One object for each list of texts while it is kept."""

    certificates: tuple[x509.Certificate, ...]

    @property
    def leaf(self) -> x509.Certificate:
        """The signing certificate."""
        return self.certificates[0]


@dataclass(frozen=True, slots=True, eq=False)
class CertificatePath:
    """A chain with the anchor that signed its last certificate, at the end."""

    certificates: tuple[x509.Certificate, ...]
    validities_s: tuple[tuple[float, float], ...]
    """First and last second of each, since 1970."""


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """What a chain shows: the key, and the names that the signing certificate gives its holder."""

    key: VerificationKey
    fingerprint: bytes
    """SHA-256 of the signing certificate."""
    subject: str
    """RFC 4514."""
    uris: tuple[str, ...]
    hosts: tuple[str, ...]
    """In lower case."""

    def names(self, issuer: str) -> bool | None:
        """Whether the certificate names `issuer`: by a URI, or else as an https URL on one of its hosts.

        None where it names nobody: then nothing binds an issuer's name to the key.
        """
        if self.uris:
            return issuer in self.uris
        if not self.hosts:
            return None
        try:
            url = urlsplit(issuer)
            host = url.hostname
        except ValueError:
            return False
        plain = issuer.isascii() and issuer.isprintable() and "\\" not in issuer and "@" not in url.netloc
        return plain and url.scheme == "https" and host in self.hosts


def read_anchors(data: bytes, path: str, purposes: Iterable[str] = ISSUER_PURPOSES) -> TrustAnchors:
    """Anchors from a file: certificates in PEM, at least one.

    Raises:
        MalformedInput: no such file, too large, or more than `MAX_ANCHORS`.
    """
    if len(data) > MAX_ANCHOR_FILE_BYTES:
        raise MalformedInput(path, f"more than {MAX_ANCHOR_FILE_BYTES} bytes", got=len(data))
    found = _parsed(lambda: x509.load_pem_x509_certificates(data), path, "is not certificates in PEM")
    if not 0 < len(found) <= MAX_ANCHORS:
        raise MalformedInput(path, f"is not 1 to {MAX_ANCHORS} certificates", got=len(found))
    return TrustAnchors(tuple(found), frozenset(purposes))


@rule(f"{drafts.JWS} §4.1.6")
def chain_well_formed(x5c: JsonValue) -> SentChain:
    """Certificates in DER, in standard base64 of one spelling each.

    Raises:
        MalformedInput: no list of 1 to `MAX_CHAIN`, or an element that is no certificate.
    """
    if not isinstance(x5c, list) or not 0 < len(x5c) <= MAX_CHAIN:
        raise MalformedInput("x5c", f"is not a list of 1 to {MAX_CHAIN}", got=x5c)
    texts = []
    for index, text in enumerate(x5c):
        if not isinstance(text, str) or len(text) > MAX_CERTIFICATE_BYTES * 4 // 3 + 4:
            raise MalformedInput(f"x5c[{index}]", f"is not base64 of at most {MAX_CERTIFICATE_BYTES} bytes")
        texts.append(text)
    return _sent_chain(*texts)


@lru_cache(KEPT_CHAINS)
def _sent_chain(*texts: str) -> SentChain:
    chain = []
    for index, text in enumerate(texts):
        path = f"x5c[{index}]"
        try:
            der = b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedInput(path, "is not base64") from error
        if b64encode(der).decode() != text:
            raise MalformedInput(path, "is another spelling of base64")
        chain.append(_parsed(partial(x509.load_der_x509_certificate, der), path, "is not a certificate"))
    return SentChain(tuple(chain))


@rule(f"{drafts.HAIP} §6.1.1")
@lru_cache(KEPT_CHAINS)
def anchor_is_not_sent(chain: SentChain, anchors: TrustAnchors) -> None:
    """No certificate of the chain is an anchor, has an anchor's key, or is certified by its own key.

    Raises:
        PredicateFailed: one is, by its place.
    """
    trusted = {_key_bytes(anchor, "anchor") for anchor in anchors.certificates}
    for index, certificate in enumerate(chain.certificates):
        if _key_bytes(certificate, f"x5c[{index}]") in trusted:
            raise PredicateFailed("anchor_is_not_sent", "a trust anchor in x5c", index, "absent")
        if _issued(certificate, certificate):
            raise PredicateFailed("anchor_is_not_sent", "a self-signed certificate in x5c", index, "absent")


@rule(f"{drafts.X509} §6.1.3")
@lru_cache(KEPT_CHAINS)
def chain_ends_at_an_anchor(chain: SentChain, anchors: TrustAnchors) -> CertificatePath:
    """Each certificate is signed by the next and names it as its issuer, the last one by an anchor; the path to it.

    Raises:
        PredicateFailed: a link that does not hold, by its place.
    """
    sent = chain.certificates
    for index in range(len(sent) - 1):
        if not _issued(sent[index + 1], sent[index]):
            raise PredicateFailed("chain_ends_at_an_anchor", "the next certificate did not sign this one", index)
    for anchor in anchors.certificates:
        if _issued(anchor, sent[-1]):
            path = (*sent, anchor)
            return CertificatePath(path, tuple(_validity_s(each) for each in path))
    raise PredicateFailed("chain_ends_at_an_anchor", "no trust anchor signed the last certificate", len(sent) - 1)


@rule(f"{drafts.X509} §6.1.3 (a)(2)")
def chain_is_valid_now(path: CertificatePath, now_s: int) -> None:
    """The time is within the validity of every certificate, the anchor's included; both bounds belong to it.

    Asked anew each time, whatever is kept of the chain.

    Raises:
        PredicateFailed: it is not, by place in the chain.
    """
    for index, (first, last) in enumerate(path.validities_s):
        if not first <= now_s <= last:
            raise PredicateFailed(
                "chain_is_valid_now", f"time outside the validity of certificate {index}", now_s, (first, last)
            )


@rule(f"{drafts.X509} §6.1.4 (k) to (n), §4.2")
@lru_cache(KEPT_CHAINS)
def authorities_may_certify(path: CertificatePath, purposes: frozenset[str]) -> None:
    """All but the first are authorities: CA, for signing certificates, path length kept, no constraint left unread.

    Raises:
        PredicateFailed: one is not, by place in the chain.
    """
    last = len(path.certificates) - 1
    for index, certificate in enumerate(path.certificates[1:], 1):
        constraints = _extension(certificate, x509.BasicConstraints)
        usage = _extension(certificate, x509.KeyUsage)
        if constraints is None or not constraints.ca:
            raise PredicateFailed("authorities_may_certify", f"certificate {index} is no authority")
        if constraints.path_length is not None and index - 1 > constraints.path_length:
            raise PredicateFailed(
                "authorities_may_certify", f"authorities below certificate {index}", index - 1, constraints.path_length
            )
        if usage is not None and not usage.key_cert_sign:
            raise PredicateFailed("authorities_may_certify", f"certificate {index} is not for signing certificates")
        _demand_readable(certificate, index, "authorities_may_certify")
        if index < last:  # an anchor is trusted for what the verifier says, not for what it says of itself
            _demand_purpose(certificate, index, purposes, "authorities_may_certify")


@rule(f"{drafts.X509} §4.2.1.3, §4.2.1.12; {drafts.HAIP} §6.1.1")
@lru_cache(KEPT_CHAINS)
def leaf_may_sign(leaf: x509.Certificate, purposes: frozenset[str]) -> None:
    """The signing certificate is no authority's, and is for signatures and for one of the purposes, if it states any.

    Raises:
        PredicateFailed: it is something else.
    """
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise PredicateFailed("leaf_may_sign", "the signing certificate is an authority's")
    usage = _extension(leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise PredicateFailed("leaf_may_sign", "the signing certificate is not for signatures")
    _demand_readable(leaf, 0, "leaf_may_sign")
    _demand_purpose(leaf, 0, purposes, "leaf_may_sign")


@rule(f"{drafts.HAIP} §7")
@lru_cache(KEPT_CHAINS)
def leaf_key_is_p256(leaf: x509.Certificate) -> CertifiedKey:
    """The certified key is on P-256; with the names that the certificate gives.

    Raises:
        PredicateFailed: another key.
        MalformedInput: names that cannot be read.
    """
    key = _parsed(leaf.public_key, "x5c[0]", "has a key that cannot be read")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PredicateFailed("leaf_key_is_p256", "key of the signing certificate", type(key).__name__, "P-256")
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    names = _extension(leaf, x509.SubjectAlternativeName)
    uris = () if names is None else tuple(names.get_values_for_type(x509.UniformResourceIdentifier))
    hosts = () if names is None else tuple(host.lower() for host in names.get_values_for_type(x509.DNSName))
    subject = _parsed(leaf.subject.rfc4514_string, "x5c[0]", "has a subject that cannot be read")
    fingerprint = sha256(leaf.public_bytes(Encoding.DER))
    return CertifiedKey(key_at(Algorithm.ES256, point, "x5c[0]"), fingerprint, subject, uris, hosts)


def judge_chain(judge: Judge, x5c: JsonValue, anchors: TrustAnchors, now_s: int) -> CertifiedKey:
    """Every rule of a chain, in order; the key of its signing certificate.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    chain = judge(chain_well_formed, x5c)
    judge(anchor_is_not_sent, chain, anchors)
    path = judge(chain_ends_at_an_anchor, chain, anchors)
    judge(chain_is_valid_now, path, now_s)
    judge(authorities_may_certify, path, anchors.purposes)
    judge(leaf_may_sign, chain.leaf, anchors.purposes)
    return judge(leaf_key_is_p256, chain.leaf)


def _parsed(read: Callable[[], Value], path: str, reason: str) -> Value:
    """What the library reads. It reads late: a certificate that was loaded may hold an extension that is broken."""
    try:
        return read()
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise MalformedInput(path, reason) from error


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    extensions = _parsed(lambda: certificate.extensions, "x5c", "has an extension that cannot be read")
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether `authority` signed `certificate` with a hash of today, and is named as its issuer."""
    try:
        hashed = certificate.signature_hash_algorithm
        if hashed is not None and hashed.name not in _HASHES:
            return False
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _validity_s(certificate: x509.Certificate) -> tuple[float, float]:
    return certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()


def _key_bytes(certificate: x509.Certificate, path: str) -> bytes:
    return _parsed(
        lambda: certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        path,
        "has a key that cannot be read",
    )


def _demand_readable(certificate: x509.Certificate, index: int, predicate: str) -> None:
    for extension in _parsed(lambda: list(certificate.extensions), "x5c", "has an extension that cannot be read"):
        if extension.critical and not isinstance(extension.value, _READ):
            name = extension.oid.dotted_string
            raise PredicateFailed(predicate, f"critical extension of certificate {index} that no rule reads", name)
        if isinstance(extension.value, x509.NameConstraints):
            raise PredicateFailed(predicate, f"name constraints of certificate {index} are not supported")


def _demand_purpose(certificate: x509.Certificate, index: int, purposes: frozenset[str], predicate: str) -> None:
    stated = _extension(certificate, x509.ExtendedKeyUsage)
    if stated is None:
        return
    found = {purpose.dotted_string for purpose in stated}
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string not in found and not found & purposes:
        raise PredicateFailed(predicate, f"purposes of certificate {index}", sorted(found), sorted(purposes))
