"""Signatures of others: made low, given their recovery id, and refused if they are another key's."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.interface import DocumentUnsupported, SignerFaulty
from hutong.light_clients.crypto import p256, secp256k1
from hutong.light_clients.crypto.hashes import sha256
from hutong.relay.keys import KeyAlgorithm
from hutong.relay.keys.documents import DocumentKind
from hutong.relay.keys.signatures import check_signable, checked_p256_signature, finished_signature
from tests.relay.keys.documents import ES256_TOKEN, documents, token
from tests.relay.keys.fake_kms import random_signature

SECRET = bytes(range(1, 33))
PUBLIC = secp256k1.public_key_of(SECRET)


def high(signature: bytes) -> bytes:
    s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big")


@given(st.binary(min_size=32, max_size=32))
def test_either_s_is_finished_to_the_same_signature(digest):
    whole = secp256k1.sign_recoverable(SECRET, digest)
    assert finished_signature("a token", PUBLIC, digest, whole[:64]) == whole
    assert finished_signature("a token", PUBLIC, digest, high(whole)) == whole


@pytest.mark.parametrize(
    "twist",
    [
        lambda signature: b"",
        lambda signature: signature + b"\0",
        lambda signature: bytes(64),
        lambda signature: signature[:32] + bytes(32),
        lambda signature: signature[32:] + signature[:32],
        lambda signature: signature[:32] + secp256k1.ORDER.to_bytes(32, "big"),
        lambda signature: secp256k1.sign(bytes(31) + b"\x07", bytes(32)),
        lambda signature: secp256k1.sign(SECRET, b"\x01" * 32),
    ],
)
def test_attack_G14_a_signature_that_is_not_the_keys_goes_nowhere(twist):
    good = secp256k1.sign(SECRET, bytes(32))
    with pytest.raises(SignerFaulty) as caught:
        finished_signature("a token", PUBLIC, bytes(32), twist(good))
    assert caught.value.source == "a token"
    assert finished_signature("a token", PUBLIC, bytes(32), good)[:64] == good


@pytest.mark.long
def test_parity_row_71_ten_thousand_digests_have_low_s_and_their_recovery_id():
    """By signatures of a random nonce, with a high s one half of the time, as tokens and clouds give them."""
    highs = 0
    for number in range(10_000):
        digest = sha256(number.to_bytes(8, "big"))
        r, s = random_signature(SECRET, digest)
        highs += s > secp256k1.HALF_ORDER
        finished = finished_signature("a token", PUBLIC, digest, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        recovered = secp256k1.recover_public_key(digest, finished)
        assert recovered is not None and secp256k1.compress(recovered) == PUBLIC
    assert 4_000 < highs < 6_000


def test_a_curve_signs_what_it_is_for():
    for kind, document in documents(PUBLIC).items():
        check_signable("a token", KeyAlgorithm.SECP256K1, document)
        if kind is not DocumentKind.JWS:
            with pytest.raises(DocumentUnsupported, match="does not sign a"):
                check_signable("a token", KeyAlgorithm.P256, document)
    check_signable("a token", KeyAlgorithm.P256, ES256_TOKEN)
    for algorithm, wrong in ((KeyAlgorithm.P256, token()), (KeyAlgorithm.SECP256K1, ES256_TOKEN)):
        with pytest.raises(DocumentUnsupported, match="does not sign ES256"):
            check_signable("a token", algorithm, wrong)


def test_attack_G14_a_signature_of_p256_that_is_not_the_keys_goes_nowhere():
    keys = [ec.derive_private_key(number, ec.SECP256R1()) for number in (7, 9)]
    own = keys[0].public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    good, other = (p256.signature_of_der(key.sign(ES256_TOKEN.preimage, ec.ECDSA(SHA256()))) for key in keys)
    assert checked_p256_signature("a token", own, ES256_TOKEN, good) == good
    for wrong in (other, b"", bytes(64), good[:-1], good[32:] + good[:32]):
        with pytest.raises(SignerFaulty):
            checked_p256_signature("a token", own, ES256_TOKEN, wrong)
