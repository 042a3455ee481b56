"""SM2 and SM3: GmSSL against the tests' own SM2, and what happens without the extra."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import gm
from tests.light_clients.crypto.sm2_reference import DEFAULT_IDENTIFIER, SM2P256V1

PRIVATE = int.from_bytes(gm.sm3(b"a key"), "big") % gm.ORDER
POINT = SM2P256V1.public_key(PRIVATE)
KEY = SM2P256V1.hash_of(*POINT)
MESSAGE = b"message"


def signed(message: bytes, nonce: int = 0x1234_5678_9ABC) -> bytes:
    e = SM2P256V1.digest(POINT, DEFAULT_IDENTIFIER, message)
    return SM2P256V1.hash_of(*SM2P256V1.sign(PRIVATE, e, nonce))


SIGNATURE = signed(MESSAGE)


def test_sm3_of_the_standard():
    assert gm.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=80), st.integers(1, 2**200))
def test_signatures_of_the_reference_verify_and_those_of_other_messages_do_not(message, nonce):
    signature = signed(message, nonce)
    assert gm.verify(KEY, message, signature)
    assert not gm.verify(KEY, message + b"\0", signature)
    e = SM2P256V1.digest(POINT, DEFAULT_IDENTIFIER, message)
    assert gm.verify_digest(KEY, e.to_bytes(32, "big"), signature)
    assert not gm.verify_digest(KEY, gm.sm3(message), signature)


@settings(max_examples=25, deadline=None)
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
    assert not gm.verify(KEY, MESSAGE, SM2P256V1.hash_of(*scalars))


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


@pytest.fixture
def without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    gm._library.cache_clear()
    yield
    gm._library.cache_clear()


def test_without_the_extra_every_function_says_what_to_install(without_the_extra):
    assert not gm.is_installed()
    for call in (
        lambda: gm.sm3(b""),
        lambda: gm.verify(KEY, MESSAGE, SIGNATURE),
        lambda: gm.verify_digest(KEY, bytes(32), SIGNATURE),
    ):
        with pytest.raises(gm.GmNotInstalled, match=r"hutong\[gm\]"):
            call()
    assert gm.is_public_key(KEY)


def test_with_it_they_work_again():
    assert gm.is_installed()
