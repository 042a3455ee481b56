"""SM2 signatures: GmSSL against the tests' own SM2 and other authors', and what happens without the extra."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import gm
from tests.light_clients.crypto.gm.sm2_reference import DEFAULT_IDENTIFIER, SM2P256V1

PRIVATE = int.from_bytes(gm.sm3(b"a key"), "big") % gm.ORDER
POINT = SM2P256V1.public_key(PRIVATE)
KEY = SM2P256V1.hash_of(*POINT)
MESSAGE = b"message"


def signed(message: bytes, nonce: int = 0x1234_5678_9ABC) -> bytes:
    e = SM2P256V1.digest(POINT, DEFAULT_IDENTIFIER, message)
    return SM2P256V1.hash_of(*SM2P256V1.sign(PRIVATE, e, nonce))


SIGNATURE = signed(MESSAGE)
E = SM2P256V1.digest(POINT, DEFAULT_IDENTIFIER, MESSAGE)
PAIR = gm.KeyPair(PRIVATE.to_bytes(32, "big"), KEY)


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=80), st.integers(1, 2**200))
def test_signatures_of_the_reference_verify_and_those_of_other_messages_do_not(message, nonce):
    signature = signed(message, nonce)
    assert gm.verify(KEY, message, signature)
    assert not gm.verify(KEY, message + b"\0", signature)
    e = SM2P256V1.digest(POINT, DEFAULT_IDENTIFIER, message)
    assert gm.verify_digest(KEY, e.to_bytes(32, "big"), signature)
    assert not gm.verify_digest(KEY, gm.sm3(message), signature)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 511))
def test_one_bit_of_a_signature_is_refused_by_both(bit):
    damaged = bytearray(SIGNATURE)
    damaged[bit // 8] ^= 1 << bit % 8
    assert not gm.verify(KEY, MESSAGE, bytes(damaged))
    e = SM2P256V1.digest(POINT, DEFAULT_IDENTIFIER, MESSAGE)
    assert not SM2P256V1.verify(POINT, e, int.from_bytes(damaged[:32], "big"), int.from_bytes(damaged[32:], "big"))


R, S = (int.from_bytes(half, "big") for half in (SIGNATURE[:32], SIGNATURE[32:]))


@pytest.mark.parametrize(
    "scalars",
    [(0, S), (R, 0), (gm.ORDER, S), (R, gm.ORDER), (R, gm.ORDER - R), (R, gm.ORDER - S), (S, R), (0, 0)],
)
def test_attack_D2_sm2_scalars_out_of_range_and_twins_are_refused(scalars):
    assert gm.verify(KEY, MESSAGE, SIGNATURE)
    refused = SM2P256V1.hash_of(*scalars)
    assert not gm.verify(KEY, MESSAGE, refused)
    assert not gm.verify_digest(KEY, E.to_bytes(32, "big"), refused)


@pytest.mark.parametrize(
    "key",
    [b"", KEY[:63], KEY + b"\0", b"\4" + KEY, bytes(64), KEY[32:] + KEY[:32], KEY[:63] + b"\0", b"\xff" * 64],
)
def test_attack_D2_sm2_keys_that_are_no_point_are_refused(key):
    assert gm.is_public_key(KEY) and not gm.is_public_key(key)
    assert not gm.verify(key, MESSAGE, SIGNATURE)
    assert not gm.verify_digest(key, bytes(32), SIGNATURE)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=70), st.binary(max_size=40), st.binary(max_size=70))
def test_any_bytes_have_a_verdict(key, message, signature):
    assert gm.verify(key, message, signature) is False
    assert gm.verify_digest(key, message, signature) is False


def test_attack_D2_sm2_key_of_the_same_x_and_the_other_y_is_another_key():
    negated = KEY[:32] + (gm.FIELD_PRIME - int.from_bytes(KEY[32:], "big")).to_bytes(32, "big")
    assert gm.is_public_key(negated) and gm.verify(KEY, MESSAGE, SIGNATURE)
    assert not gm.verify(negated, MESSAGE, SIGNATURE)


@pytest.mark.parametrize("identifier", [b"1", b"ALICE123@YAHOO.COM", b"a\0b", b"i" * 8191])
def test_attack_D2_sm2_signature_is_of_its_identifier(identifier):
    signature = gm.sign(PAIR, MESSAGE, identifier)
    assert gm.verify(KEY, MESSAGE, signature, identifier)
    for other in (gm.DEFAULT_IDENTIFIER, identifier + b"\0", b"", b"i" * 8192):
        assert not gm.verify(KEY, MESSAGE, signature, other)
    e = SM2P256V1.digest(POINT, identifier, MESSAGE)
    assert gm.verify_digest(KEY, e.to_bytes(32, "big"), signature)


@pytest.mark.parametrize("identifier", [b"", b"i" * 8192])
def test_identifiers_that_no_digest_covers_sign_nothing(identifier):
    with pytest.raises(gm.GmMalformed, match=r"^sm2\.identifier must be 1 to 8191 bytes$"):
        gm.sign(PAIR, MESSAGE, identifier)


@pytest.mark.parametrize("private", [0, gm.ORDER - 1, gm.ORDER, 2**256 - 1])
def test_attack_D2_sm2_private_key_out_of_range_is_no_key(private):
    assert gm.is_private_key(PAIR.private_key) and gm.is_private_key((gm.ORDER - 2).to_bytes(32, "big"))
    assert not gm.is_private_key(private.to_bytes(32, "big"))
    with pytest.raises(gm.GmMalformed, match="sm2_key.private_key"):
        gm.KeyPair(private.to_bytes(32, "big"), KEY)


def test_halves_of_two_keys_sign_nothing():
    other = gm.new_key_pair()
    assert other != gm.new_key_pair()
    with pytest.raises(gm.GmNotAuthentic, match="not of one key"):
        gm.sign(gm.KeyPair(PAIR.private_key, other.public_key), MESSAGE)
    assert gm.verify(other.public_key, MESSAGE, gm.sign(other, MESSAGE))


def test_no_key_is_shown():
    assert PAIR.private_key.hex() not in repr(PAIR) and repr(PAIR.private_key) not in repr(PAIR)
    with pytest.raises(gm.GmMalformed) as refused:
        gm.KeyPair(b"secret", KEY)
    assert "secret" not in str(refused.value)


def test_other_authors_verify_ours_and_we_theirs():
    gmalg, tongsuopy = (pytest.importorskip(name) for name in ("gmalg", "tongsuopy"))
    assert gmalg and tongsuopy
    from tests.light_clients.crypto.gm import oracles

    signature = gm.sign(PAIR, MESSAGE)
    assert oracles.gmalg_verify(KEY, MESSAGE, signature) and oracles.tongsuo_verify(KEY, MESSAGE, signature)
    theirs = b"".join(oracles.gmalg_key(PAIR).sign(MESSAGE))
    assert gm.verify(KEY, MESSAGE, theirs)
    assert gm.verify(KEY, MESSAGE, oracles.tongsuo_sign(PAIR.private_key, MESSAGE))


def test_without_the_extra_every_function_says_what_to_install(without):
    without("gmssl_pyx")
    assert not gm.is_installed()
    for call in (
        lambda: gm.verify(KEY, MESSAGE, SIGNATURE),
        lambda: gm.verify_digest(KEY, bytes(32), SIGNATURE),
        lambda: gm.sign(PAIR, MESSAGE),
        lambda: gm.encrypt(KEY, MESSAGE),
        lambda: gm.decrypt(PAIR.private_key, bytes(98)),
        gm.new_key_pair,
    ):
        with pytest.raises(gm.GmNotInstalled, match=r"'\.\[gm\]'"):
            call()
    assert gm.is_public_key(KEY)
    assert gm.signature_from_der(gm.signature_to_der(SIGNATURE)) == SIGNATURE


def test_with_it_they_work_again():
    assert gm.is_installed()
