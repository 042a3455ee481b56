"""Certificates of issuers: a chain as it was sent, under an anchor that was not sent, for signing credentials, now."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import TrustAnchors, judge_chain, read_anchors
from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust
from tests.relay.services.identity.rules.actors import (
    ISSUER,
    ISSUER_HEADER,
    ISSUER_KEY,
    NOW_S,
    STRANGER,
    Presented,
    Signer,
    judged,
    payload,
)
from tests.relay.services.identity.rules.refusals import refused, refused_by

ROOT, MIDDLE, LOWER = Signer(0x2007), Signer(0x31DD1E), Signer(0x103E2)
NOW = datetime.fromtimestamp(NOW_S, UTC)
DAY = timedelta(days=1)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def usage(**allowed: bool) -> x509.KeyUsage:
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{each: allowed.get(each, False) for each in every})


def certificate(
    subject: str,
    key: Any,
    issuer: str,
    issuer_key: Signer,
    *extensions: tuple[x509.ExtensionType, bool],
    valid: tuple[datetime, datetime] = (NOW - DAY, NOW + DAY),
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.private_key.public_key() if isinstance(key, Signer) else key)
        .serial_number(1)
        .not_valid_before(valid[0].replace(tzinfo=None))
        .not_valid_after(valid[1].replace(tzinfo=None))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key.private_key, SHA256(), ecdsa_deterministic=True)


CA = (x509.BasicConstraints(ca=True, path_length=None), True)
CERT_SIGN = (usage(key_cert_sign=True), True)
SIGNS = (usage(digital_signature=True), True)
NAMED = (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(ISSUER)]), False)


@cache
def root(**changes: Any) -> x509.Certificate:
    return certificate("root", ROOT, "root", ROOT, CA, CERT_SIGN, **changes)


def leaf(*extensions: tuple[x509.ExtensionType, bool], issuer: str = "root", by: Signer = ROOT, **changes: Any):
    return certificate("issuer", ISSUER_KEY, issuer, by, *(extensions or (SIGNS, NAMED)), **changes)


@cache
def middle(
    subject: str = "middle", key: Signer = MIDDLE, issuer: str = "root", by: Signer = ROOT, *extensions, **changes
):
    return certificate(subject, key, issuer, by, *(extensions or (CA, CERT_SIGN)), **changes)


def x5c(*chain: x509.Certificate) -> list[str]:
    return [b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain]


def chain_refusal(*chain: x509.Certificate, anchors: tuple[x509.Certificate, ...] = (), now_s: int = NOW_S) -> str:
    trusted = TrustAnchors(anchors or (root(),))
    return refused_by(lambda: judge_chain(VERIFY, x5c(*chain), trusted, now_s))


def holds(*chain: x509.Certificate, anchors: tuple[x509.Certificate, ...] = (), now_s: int = NOW_S):
    return judge_chain(VERIFY, x5c(*chain), TrustAnchors(anchors or (root(),)), now_s)


def with_chain(*chain: x509.Certificate, **changes: Any) -> Presented:
    return Presented(header={**ISSUER_HEADER, "x5c": x5c(*chain)}, **changes)


def test_a_chain_gives_the_key_and_the_names_of_its_leaf():
    found = holds(leaf())
    assert found.key == ISSUER_KEY.public and found.uris == (ISSUER,) and found.subject == "CN=issuer"
    assert holds(leaf(issuer="middle", by=MIDDLE), middle())
    assert judged(with_chain(leaf()).text, trust=IssuerTrust((), TrustAnchors((root(),)))).issuer.name == ISSUER


def test_attack_N5_the_anchor_inside_and_self_signed_leaves():
    assert "a trust anchor in x5c" in chain_refusal(leaf(), root())
    assert "a trust anchor in x5c" in chain_refusal(root())
    again = certificate("root again", ROOT, "middle", MIDDLE, CA, CERT_SIGN)
    assert "a trust anchor in x5c" in chain_refusal(leaf(issuer="root again"), again)
    own = certificate("issuer", ISSUER_KEY, "issuer", ISSUER_KEY, SIGNS, NAMED)
    assert "a self-signed certificate" in chain_refusal(own)
    assert "a trust anchor in x5c" in chain_refusal(own, anchors=(own,))


def test_attack_N5_links_that_do_not_hold():
    good = (leaf(issuer="middle", by=MIDDLE), middle())
    assert holds(*good)
    assert "the next certificate did not sign" in chain_refusal(good[0], middle("other", LOWER), good[1])
    assert "did not sign" in chain_refusal(good[1], good[0])
    assert "no trust anchor signed" in chain_refusal(good[0])
    assert "no trust anchor signed" in chain_refusal(leaf(by=STRANGER))  # the right name, another key
    assert "no trust anchor signed" in chain_refusal(leaf(issuer="elsewhere"))  # the right key, another name
    stranger = certificate("root", STRANGER, "root", STRANGER, CA, CERT_SIGN)
    assert "no trust anchor signed" in chain_refusal(leaf(), anchors=(stranger,))
    assert holds(leaf(), anchors=(stranger, root()))


def test_attack_N5_expired_and_not_yet_valid():
    edge = (NOW - DAY, NOW)
    assert holds(leaf(valid=edge))
    assert holds(leaf(valid=(NOW, NOW + DAY)))
    past, future = (NOW - 2 * DAY, NOW - DAY), (NOW + DAY, NOW + 2 * DAY)
    for valid in (past, future):
        assert "validity of certificate 0" in chain_refusal(leaf(valid=valid))
        assert "validity of certificate 1" in chain_refusal(leaf(issuer="middle", by=MIDDLE), middle(valid=valid))
        assert "validity of certificate 1" in chain_refusal(leaf(), anchors=(root(valid=valid),))
    assert "validity of certificate 0" in chain_refusal(leaf(valid=edge), now_s=NOW_S + 1)


def test_attack_N5_authorities_that_are_none():
    below = leaf(issuer="middle", by=MIDDLE)
    assert holds(below, middle())

    def by(*extensions: tuple[x509.ExtensionType, bool]) -> str:
        return chain_refusal(below, middle("middle", MIDDLE, "root", ROOT, *extensions))

    assert "is no authority" in by(SIGNS)
    assert "is no authority" in by((x509.BasicConstraints(ca=False, path_length=None), True), CERT_SIGN)
    assert "not for signing certificates" in by(CA, SIGNS)
    short = (x509.BasicConstraints(ca=True, path_length=0), True)
    assert holds(below, middle("middle", MIDDLE, "root", ROOT, short, CERT_SIGN))
    lower = middle("lower", LOWER, "middle", MIDDLE)
    two = leaf(issuer="lower", by=LOWER)
    assert holds(two, lower, middle())
    assert "authorities below certificate 2" in chain_refusal(
        two, lower, middle("middle", MIDDLE, "root", ROOT, short, CERT_SIGN)
    )
    tls = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    assert "purposes of certificate 1" in by(CA, CERT_SIGN, tls)
    names = (x509.NameConstraints([x509.DNSName("example")], None), True)
    assert "critical extension of certificate 1" in by(CA, CERT_SIGN, names)
    assert "name constraints of certificate 1" in by(CA, CERT_SIGN, (names[0], False))
    strict_root = certificate("root", ROOT, "root", ROOT, short, CERT_SIGN)
    assert "authorities below certificate 2" in chain_refusal(below, middle(), anchors=(strict_root,))
    assert holds(leaf(), anchors=(strict_root,))


def test_attack_N5_leaves_for_something_else():
    def purposes(*wanted: x509.ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
        return x509.ExtendedKeyUsage(wanted), True

    for oid in (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
                x509.ObjectIdentifier("1.0.18013.5.1.2")):  # fmt: skip
        assert holds(leaf(SIGNS, NAMED, purposes(oid)))
        assert holds(leaf(SIGNS, NAMED, purposes(ExtendedKeyUsageOID.SERVER_AUTH, oid)))
    assert "purposes of certificate 0" in chain_refusal(leaf(SIGNS, NAMED, purposes(ExtendedKeyUsageOID.SERVER_AUTH)))
    assert "not for signatures" in chain_refusal(leaf((usage(key_agreement=True), True), NAMED))
    assert "is an authority's" in chain_refusal(leaf(CA, CERT_SIGN, NAMED))
    unknown = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    assert "critical extension of certificate 0" in chain_refusal(leaf(SIGNS, NAMED, unknown))
    assert holds(leaf(SIGNS, NAMED, (unknown[0], False)))


def test_attack_N5_keys_of_other_kinds():
    other = ec.derive_private_key(5, ec.SECP384R1()).public_key()
    wrong = certificate("issuer", other, "root", ROOT, SIGNS, NAMED)
    assert "leaf_key_is_p256" in chain_refusal(wrong)
    numbers = rsa.RSAPublicNumbers(65_537, (1 << 2_047) + 1)
    by_rsa = certificate("issuer", numbers.public_key(), "root", ROOT, SIGNS, NAMED)
    assert "leaf_key_is_p256" in chain_refusal(by_rsa)


def test_attack_N5_chains_of_another_form():
    good = x5c(leaf())[0]

    def of(value: Any) -> str:
        return refused_by(lambda: judge_chain(VERIFY, value, TrustAnchors((root(),)), NOW_S))

    assert judge_chain(VERIFY, [good], TrustAnchors((root(),)), NOW_S)
    for value in (good, [], None, {}, [good] * 5):
        assert "is not a list of 1 to 4" in of(value)
    for value in (1, None, "A" * 20_000):
        assert "is not base64" in of([value])
    for value in (good.rstrip("=") + "\n", "?" + good, good[:-1], good.replace("/", "_").replace("+", "-") + "-"):
        assert "x5c[0]" in of([value])
    assert "is not a certificate" in of([good[:400]])
    assert "is not a certificate" in of([b64encode(leaf().public_bytes(Encoding.DER) + b"\0").decode()])


def test_attack_N5_certificates_where_keys_are_trusted_and_the_reverse():
    anchored = IssuerTrust((), TrustAnchors((root(),)))
    assert "no anchor is trusted" in refused(with_chain(leaf()))
    assert "issuer_is_trusted" in refused(Presented(), trust=anchored)
    assert "signature_verifies" in refused(with_chain(leaf(), issuer=STRANGER), trust=anchored)
    assert "algorithm_is_allowed" in refused(
        with_chain(leaf()).but(header={"alg": "none", "typ": "dc+sd-jwt", "x5c": x5c(leaf())}), trust=anchored
    )


def test_attack_N5_a_certificate_that_names_somebody_else():
    anchored = IssuerTrust((), TrustAnchors((root(),)))

    def signed(alternative: list[x509.GeneralName], iss: str | None) -> Presented:
        names = ((x509.SubjectAlternativeName(alternative), False),) if alternative else ()
        return with_chain(leaf(SIGNS, *names), payload=payload(iss=iss))

    uri, host = x509.UniformResourceIdentifier(ISSUER), x509.DNSName("Issuer.example")
    assert judged(signed([uri], ISSUER).text, trust=anchored).issuer.name == ISSUER
    assert judged(signed([host], ISSUER).text, trust=anchored).issuer.name == ISSUER
    assert judged(signed([host], ISSUER + "/tenant").text, trust=anchored).issuer.name == ISSUER + "/tenant"
    assert judged(signed([uri], None).text, trust=anchored).issuer.name is None
    unbound = judged(signed([], ISSUER).text, trust=anchored)
    assert unbound.issuer.name is None and "iss" not in unbound.claims
    for alternative, iss in (
        ([uri], "https://bank.example"),
        ([uri], ISSUER + "/"),
        ([uri, x509.DNSName("bank.example")], "https://bank.example"),
        ([host], "https://bank.example"),
        ([host], "http://issuer.example"),
        ([host], "https://user@issuer.example"),
        ([host], "https://bank.example\\@issuer.example"),
        ([host], "https://[issuer.example"),
        ([host], "did:web:issuer.example"),
    ):
        assert "certificate_names_issuer" in refused(signed(alternative, iss), trust=anchored), iss


def test_anchors_come_from_a_file_of_certificates():
    pem = root().public_bytes(Encoding.PEM)
    assert read_anchors(pem + middle().public_bytes(Encoding.PEM), "anchors").certificates == (root(), middle())
    for data in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"x" * (1 << 21)):
        assert "anchors" in refused_by(lambda data=data: read_anchors(data, "anchors"))


def test_attack_N180_what_is_kept_of_a_chain_does_not_outlive_its_validity():
    chain, anchors = x5c(leaf(issuer="middle", by=MIDDLE, valid=(NOW, NOW + DAY)), middle()), TrustAnchors((root(),))
    day_later_s = NOW_S + 86_400
    for now_s in (NOW_S, NOW_S, day_later_s, day_later_s):
        assert judge_chain(VERIFY, chain, anchors, now_s).key == ISSUER_KEY.public
    for now_s in (NOW_S - 1, day_later_s + 1, NOW_S - 1):
        refusal = refused_by(lambda now_s=now_s: judge_chain(VERIFY, chain, anchors, now_s))
        assert "validity of certificate 0" in refusal
    assert judge_chain(VERIFY, chain, anchors, NOW_S)


def test_attack_N180_what_is_kept_of_a_chain_is_for_its_anchors_alone():
    chain, anchors = x5c(leaf()), TrustAnchors((root(),))
    assert judge_chain(VERIFY, chain, anchors, NOW_S) is judge_chain(VERIFY, chain, anchors, NOW_S)
    other = TrustAnchors((certificate("root", STRANGER, "root", STRANGER, CA, CERT_SIGN),))
    narrow = TrustAnchors((root(),), frozenset({"1.0.18013.5.1.2"}))
    stated = x5c(leaf(SIGNS, NAMED, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)))
    assert judge_chain(VERIFY, stated, anchors, NOW_S)
    for _ in range(2):  # the second time it is looked for among what is kept
        assert "no trust anchor signed" in refused_by(lambda: judge_chain(VERIFY, chain, other, NOW_S))
        assert "purposes of certificate 0" in refused_by(lambda: judge_chain(VERIFY, stated, narrow, NOW_S))
    assert judge_chain(VERIFY, chain, anchors, NOW_S)


def test_attack_N180_each_text_of_a_chain_is_judged_not_the_one_before_it():
    kept, anchors = x5c(leaf()), TrustAnchors((root(),))
    assert judge_chain(VERIFY, kept, anchors, NOW_S)
    forged = x5c(leaf(by=STRANGER))
    for wrong in (forged, [*kept, kept[0]], [kept[0] + "\n"], [kept[0] + "===="]):
        for _ in range(2):
            assert refused_by(lambda wrong=wrong: judge_chain(VERIFY, wrong, anchors, NOW_S))
