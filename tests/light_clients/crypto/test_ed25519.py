"""CometBFT's acceptance rules (ZIP-215) at their edges, and totality."""

import pytest
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
