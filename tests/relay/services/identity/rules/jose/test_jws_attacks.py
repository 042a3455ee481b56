"""Signed tokens: the verifier names algorithms and keys, and the token has no say in either."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import (
    Algorithm,
    KeySet,
    encode_base64url,
    judge_jws,
    read_jwk,
    read_jws,
    read_key_set,
)
from hutong.relay.services.identity.rules.jose.jwk import ecdsa_der, ecdsa_numbers
from tests.relay.services.identity.rules.actors import (
    ISSUER_HEADER,
    ISSUER_KEY,
    STRANGER,
    Signer,
    raw,
    raw_token,
    token,
)
from tests.relay.services.identity.rules.refusals import refused_by

K256 = Signer(0xA11CE, Algorithm.ES256K)
ED = Signer(0xA11CE, Algorithm.EDDSA)
EVERY = frozenset(Algorithm)


def verify(text: str, *keys, allowed=EVERY):
    return judge_jws(VERIFY, read_jws(text, "token"), allowed, KeySet(keys or (ISSUER_KEY.public,)))


def refusal(text: str, *keys, allowed=EVERY) -> str:
    return refused_by(lambda: verify(text, *keys, allowed=allowed))


def test_each_algorithm_verifies_under_its_own_key():
    for signer in (ISSUER_KEY, K256, ED):
        text = token({"alg": signer.algorithm.value}, b"{}", signer)
        assert verify(text, ISSUER_KEY.public, K256.public, ED.public) == signer.public


@pytest.mark.parametrize("size", [32, 48, 66])
def test_a_signature_is_spelled_in_der_as_the_library_spells_it(size):
    """Numbers that begin with zeros or a bit that would be a sign, zero among them."""
    whole, small = 1 << (8 * size), (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000)
    edges = [*small, whole >> 1, (whole >> 1) - 1, (whole >> 8) - 1, whole >> 9, whole - 1]
    for r in edges:
        for s in edges:
            signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
            assert ecdsa_der(signature) == encode_dss_signature(r, s), (r, s)
            assert size > 32 or ecdsa_numbers(encode_dss_signature(r, s)) == signature, (r, s)


def test_attack_N3_none_and_hmac_over_the_public_key():
    good = token({"alg": "ES256"}, b"{}")
    assert verify(good)
    public = raw(ISSUER_KEY.jwk)
    for secret in (public, ISSUER_KEY.public.coordinates, b"\x04" + ISSUER_KEY.public.coordinates):
        forged = raw_token(b'{"alg":"HS256"}', b"{}", lambda m, s=secret: hmac.digest(s, m, hashlib.sha256))
        assert "algorithm_is_allowed" in refusal(forged)
    for name in ("none", "None", "NONE", "es256", "ES256 ", "", "ES224", "RS256", None, 1, ["ES256"], {"ES256": 1}):
        assert "algorithm_is_allowed" in refusal(raw_token(raw({"alg": name}), b"{}", ISSUER_KEY.sign)), name
    assert "algorithm_is_allowed" in refusal(raw_token(b"{}", b"{}"))
    assert "algorithm_is_allowed" in refusal(raw_token(b'{"alg":"none"}', b"{}", lambda _: b""))


def test_attack_N3_a_key_of_another_curve():
    """The same number is a secret on three curves; a token of one algorithm asks for a key of another."""
    es256 = token({"alg": "ES256"}, b"{}")
    assert verify(es256, ISSUER_KEY.public, allowed={Algorithm.ES256})
    for signer in (K256, ED):
        assert "no trusted key" in refusal(es256, signer.public)
        mislabelled = token({"alg": "ES256"}, b"{}", signer)
        assert "signature_verifies" in refusal(mislabelled, ISSUER_KEY.public, signer.public)
        honest = token({"alg": signer.algorithm.value}, b"{}", signer)
        assert verify(honest, signer.public)
        assert "algorithm_is_allowed" in refusal(honest, signer.public, allowed={Algorithm.ES256})


def test_attack_N4_a_key_that_the_token_brings():
    good = token({"alg": "ES256", "kid": "1"}, b"{}")
    assert verify(good, ISSUER_KEY.named("1"))
    for name in ("jwk", "jku", "x5u", "x5c"):
        for value in (STRANGER.jwk, "https://stranger.example/keys", None):
            forged = token({"alg": "ES256", name: value}, b"{}", STRANGER)
            assert "keys_come_from_the_verifier" in refusal(forged)
            # even a token of the right key does not name another one beside
            assert "keys_come_from_the_verifier" in refusal(token({"alg": "ES256", name: value}, b"{}"))


def test_attack_N4_critical_extensions_and_other_ways_to_read():
    assert verify(token({"alg": "ES256", "cty": "JWT", "unknown": [1]}, b"{}"))
    for value in (["exp"], ["b64"], [], "b64", None, [1], {}):
        assert "no_critical_extension" in refusal(token({"alg": "ES256", "crit": value}, b"{}"))
    for name, value in (("b64", False), ("b64", True), ("zip", "DEF")):
        assert "keys_come_from_the_verifier" in refusal(token({"alg": "ES256", name: value}, b"{}"))


def test_attack_N4_two_keys_of_one_name():
    one, two = ISSUER_KEY.named("1"), STRANGER.named("2")
    assert KeySet((one, two)).candidates(Algorithm.ES256, "2") == (two,)
    assert "two keys have one kid" in refused_by(lambda: KeySet((one, STRANGER.named("1"))))
    document = raw({"keys": [{**ISSUER_KEY.jwk, "kid": "1"}, {**STRANGER.jwk, "kid": "1"}]})
    assert "two keys have one kid" in refused_by(lambda: read_key_set(document, "keys"))
    assert "no trusted key" in refusal(token({"alg": "ES256", "kid": "2"}, b"{}"), one)
    assert "signature_verifies" in refusal(token({"alg": "ES256", "kid": "2"}, b"{}"), one, two)
    for kid in (1, "", None, ["1"], "1" * 513):
        assert "kid" in refusal(token({"alg": "ES256", "kid": kid}, b"{}"), one)


def test_attack_N4_keys_that_are_for_something_else():
    jwk = ISSUER_KEY.jwk
    for extra in ({"use": "sig"}, {"key_ops": ["verify"]}, {"alg": "ES256"}, {"x5t": "?", "whatever": 1}):
        assert read_jwk({**jwk, **extra}, "key") == ISSUER_KEY.public
    for extra in ({"use": "enc"}, {"use": None}, {"key_ops": ["deriveKey"]}, {"key_ops": ["verify", "encrypt"]},
                  {"key_ops": "verify"}, {"key_ops": []}, {"alg": "ES384"}, {"alg": "ECDH-ES"}):  # fmt: skip
        assert "key_is_for_signatures" in refused_by(lambda extra=extra: read_jwk({**jwk, **extra}, "key"))
    for member in ("d", "k", "p"):
        assert "private or symmetric" in refused_by(lambda m=member: read_jwk({**jwk, m: "AA"}, "key"))
    assert "symmetric key" in refused_by(
        lambda: read_key_set(raw({"keys": [jwk, {"kty": "oct", "k": "AAAA"}]}), "keys")
    )


def test_attack_N4_keys_that_are_none():
    jwk = ISSUER_KEY.jwk
    broken = (
        ({"x": jwk["y"], "y": jwk["x"]}, "is no key of P-256"),
        ({"x": encode_base64url(bytes(32)), "y": encode_base64url(bytes(32))}, "is no key of P-256"),
        ({"x": encode_base64url(bytes(31))}, "is not 32 bytes"),
        ({"x": encode_base64url(b"\0" + bytes(32))}, "more than 32 bytes"),
        ({"x": str(jwk["x"]) + "="}, "more than 32 bytes"),
        ({"x": 7}, "is not a text"),
        ({"y": None}, "is not a text"),
        ({"crv": "secp256k1"}, "is no key of secp256k1"),
        ({"crv": 5}, "kty and crv are not texts"),
        ({"kty": None}, "kty and crv are not texts"),
    )
    assert read_jwk(jwk, "key").verifies(b"m", ISSUER_KEY.sign(b"m"))
    for change, reason in broken:
        assert reason in refused_by(lambda change=change: read_jwk({**jwk, **change}, "key")), change
    for other in (
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-224"},
        {"kty": "OKP", "crv": "X25519"},
    ):
        assert "unsupported: keys of kind" in refused_by(lambda other=other: read_jwk(other, "key"))
    assert "is not a JSON object" in refused_by(lambda: read_jwk([], "key"))


def test_attack_N6_a_token_has_one_spelling():
    good = token({"alg": "ES256"}, b'{"a":1}')
    header, payload, signature = good.split(".")
    assert verify(good)
    for bad in (
        f"{header}.{payload}.{signature}=",
        f"{header}=.{payload}.{signature}",
        f"{header}.{payload}.{signature}\n",
        f" {good}",
        f"{header}.{payload}",
        f"{good}.",
        f"{good}.{signature}.{signature}.{signature}",
        f"{header}..{signature}",
        f"{header}.{payload}.{signature[:-1]}{chr(ord(signature[-1]) + 1)}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}",
        f"{header}.{payload}.{signature}AAAA",
        raw_token(b'{"alg":"ES256"}', b"{}", lambda m: ISSUER_KEY.private_key.sign(m, _der())),
    ):
        assert refusal(bad), bad


def _der():
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    return ec.ECDSA(SHA256(), deterministic_signing=True)


def test_attack_N1_a_header_that_says_two_things():
    assert verify(raw_token(b'{"alg":"ES256","kid":"1"}', b"{}"))
    assert "repeats the name" in refusal(raw_token(b'{"alg":"none","alg":"ES256"}', b"{}"))
    assert "repeats the name" in refusal(raw_token(b'{"alg":"ES256","x":{"y":[{"z":1,"z":2}]}}', b"{}"))
    for header in (b"[]", b'"ES256"', b"null", b"{", b'{"alg":"ES256"}x', b"\xef\xbb\xbf" + b'{"alg":"ES256"}'):
        assert "header" in refusal(raw_token(header, b"{}"))


def test_thumbprints_are_those_of_rfc_7638():
    """The RFC's own example is an RSA key, so the form is checked by hand, and RFC 8037 §A.3 by its value."""
    ed = read_jwk({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}, "key")
    assert encode_base64url(ed.thumbprint()) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    x, y = ISSUER_KEY.jwk["x"], ISSUER_KEY.jwk["y"]
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    assert ISSUER_KEY.public.thumbprint() == hashlib.sha256(canonical.encode()).digest()
    renamed = read_jwk({**ISSUER_KEY.jwk, "kid": "other", "use": "sig"}, "key")
    assert renamed.thumbprint() == ISSUER_KEY.public.thumbprint()


def test_a_set_leaves_out_keys_that_it_cannot_use():
    rsa = {"kty": "RSA", "n": "AQAB", "e": "AQAB"}
    found = read_key_set(raw({"keys": [rsa, {**STRANGER.jwk, "use": "enc"}, ISSUER_KEY.jwk]}), "keys")
    assert found.keys == (ISSUER_KEY.public,)
    assert read_key_set(raw(ISSUER_KEY.jwk), "keys").keys == (ISSUER_KEY.public,)
    assert "has no key of a supported curve" in refused_by(lambda: read_key_set(raw({"keys": [rsa]}), "keys"))
    assert "is not a list" in refused_by(lambda: read_key_set(raw({"keys": [ISSUER_KEY.jwk] * 33}), "keys"))
    assert "is not a list" in refused_by(lambda: read_key_set(raw({"keys": {}}), "keys"))


def test_attack_N180_a_reader_cannot_change_the_header_of_another_token():
    first = read_jws(token(ISSUER_HEADER, b"{}"), "first")
    with pytest.raises(TypeError):
        first.header["alg"] = "none"  # type: ignore[index]
    assert read_jws(token(ISSUER_HEADER, b"[]"), "second").header == ISSUER_HEADER


def test_attack_N180_a_header_that_was_refused_is_refused_again():
    text = raw_token(b'{"alg":"ES256","alg":"none"}', b"{}")
    for path in ("first", "second"):
        assert refused_by(lambda path=path: read_jws(text, path)).startswith(f"{path}.header")
    long = {**ISSUER_HEADER, "kid": "k" * 500, "more": "x" * 7_000}  # of those that are not kept
    assert read_jws(token(long, b"{}"), "long").header == long
