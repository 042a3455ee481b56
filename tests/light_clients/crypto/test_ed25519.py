"""CometBFT's acceptance rules (ZIP-215) at their edges, and totality."""

import hashlib

import pytest
from Crypto.PublicKey import ECC
from Crypto.PublicKey.ECC import EccPoint
from Crypto.Signature import eddsa
from ed25519_zebra import ed_from_seed, ed_sign
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import ed25519

SECRET, PUBLIC = ed_from_seed(bytes(range(32)))
MESSAGE = b"precommit"
SIGNATURE = ed_sign(SECRET, MESSAGE)
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def test_a_valid_signature_is_accepted_and_every_changed_bit_is_refused():
    assert ed25519.verify(PUBLIC, MESSAGE, SIGNATURE)
    for bit in range(8 * len(SIGNATURE)):
        changed = bytearray(SIGNATURE)
        changed[bit // 8] ^= 1 << bit % 8
        assert not ed25519.verify(PUBLIC, MESSAGE, bytes(changed))
    assert not ed25519.verify(PUBLIC, MESSAGE + b"!", SIGNATURE)


def test_attack_C14_non_canonical_s_is_refused():
    assert ed25519.verify(PUBLIC, MESSAGE, SIGNATURE)
    s = int.from_bytes(SIGNATURE[32:], "little") + GROUP_ORDER
    assert not ed25519.verify(PUBLIC, MESSAGE, SIGNATURE[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_attack_C14_wrong_key_length_is_refused(length):
    assert not ed25519.verify(PUBLIC.ljust(length, b"\0")[:length], MESSAGE, SIGNATURE)


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_attack_C14_wrong_signature_length_is_refused(length):
    assert not ed25519.verify(PUBLIC, MESSAGE, SIGNATURE.ljust(length, b"\0")[:length])


def test_attack_C14_all_zero_signature_is_refused_for_an_honest_key():
    assert not ed25519.verify(PUBLIC, MESSAGE, bytes(64))


def test_small_order_and_non_canonical_points_follow_zip215():
    identity = b"\x01" + bytes(31)
    non_canonical_identity = (2**255 - 19 + 1).to_bytes(32, "little")
    assert ed25519.verify(identity, MESSAGE, identity + bytes(32))
    assert ed25519.verify(non_canonical_identity, MESSAGE, identity + bytes(32))


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_give_a_verdict_and_batch_agrees(public_key, message, signature):
    verdict = ed25519.verify(public_key, message, signature)
    assert ed25519.verify_batch([(public_key, message, signature), (PUBLIC, MESSAGE, SIGNATURE)]) == [verdict, True]


SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
)
OTHER_ENCODINGS = (
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)
"""The points of small order, and their encodings that are not canonical (libsodium's list)."""


@pytest.mark.parametrize("point", SMALL_ORDER + OTHER_ENCODINGS)
def test_attack_C14_strict_points_have_no_small_order_and_one_encoding(point):
    """ZIP-215 takes a signature of such keys over anything."""
    encoded = bytes.fromhex(point)
    assert ed25519.is_strict_point(PUBLIC)
    assert not ed25519.is_strict_point(encoded)
    assert ed25519.verify(encoded, MESSAGE, encoded + bytes(32))
    assert not ed25519.verify_strict(encoded, MESSAGE, encoded + bytes(32))


def mixed_order_signature() -> tuple[bytes, bytes, bytes]:
    """Key, message and a signature whose R has a part of small order: made with the secret, since nobody else can."""
    eighth = eddsa.import_public_key(bytes.fromhex(SMALL_ORDER[4])).pointQ
    mixed = encoded_point(base_times(77) + eighth)
    return PUBLIC, MESSAGE, signature_with(mixed)


def signature_with(r: bytes) -> bytes:
    """Of MESSAGE, where `r` encodes 77 times the base point, or that and a point of small order."""
    challenge = int.from_bytes(hashlib.sha512(r + PUBLIC + MESSAGE).digest(), "little") % GROUP_ORDER
    return r + ((77 + challenge * clamped(SECRET)) % GROUP_ORDER).to_bytes(32, "little")


def test_attack_C14_strict_refuses_signatures_that_libraries_judge_differently():
    """R with a part of small order: equal with the cofactor (ZIP-215, RFC 8032's first equation), unequal without (Go)."""
    _, _, signature = mixed_order_signature()
    assert ed25519.verify(PUBLIC, MESSAGE, signature)
    assert not ed25519.verify_strict(PUBLIC, MESSAGE, signature)
    assert ed25519.verify_strict(PUBLIC, MESSAGE, signature_with(encoded_point(base_times(77))))
    eighth = eddsa.import_public_key(bytes.fromhex(SMALL_ORDER[4])).pointQ
    assert not ed25519.is_strict_point(encoded_point(eddsa.import_public_key(PUBLIC).pointQ + eighth))


def clamped(secret: bytes) -> int:
    half = bytearray(hashlib.sha512(secret[:32]).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    return int.from_bytes(half, "little")


def base_times(scalar: int) -> EccPoint:
    return EccPoint(*ECC._curves["Ed25519"].G.xy, "Ed25519") * scalar


def encoded_point(point: EccPoint) -> bytes:
    x, y = map(int, point.xy)
    return (y | (x & 1) << 255).to_bytes(32, "little")


def test_strict_accepts_what_is_signed_honestly_and_refuses_other_lengths():
    assert ed25519.verify_strict(PUBLIC, MESSAGE, SIGNATURE)
    for length in (0, 31, 33):
        assert not ed25519.is_strict_point(PUBLIC.ljust(length, b"\0")[:length])
    assert not ed25519.verify_strict(PUBLIC, MESSAGE, SIGNATURE[:63])
