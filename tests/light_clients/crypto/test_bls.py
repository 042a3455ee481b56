"""BLS12-381: the scheme against known answers, and what must never count as a key or a signature."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import bls

SECRETS = [number.to_bytes(32, "big") for number in (1, 2, 263, bls.ORDER - 1)]
MESSAGE = sha256(b"message").digest()
GENERATOR = "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
G1_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 5)
G2_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 11)


def test_known_answers_of_the_ethereum_bls_vectors():
    """ethereum/bls12-381-tests, sign_case: the first secret and the zero message."""
    secret = bytes.fromhex("263dbd792f5b1be47ed85f8938c0f29586af0d3ac7b977f21c278fe1462040e3")
    assert bls.public_key_of(secret).hex() == (
        "a491d1b0ecd9bb917989f0e74f0dea0422eac4a873e5e2644f368dffb9a6e20fd6e10c1b77654d067c0618f6e5a7f79a"
    )
    assert bls.sign(secret, bytes(32)).hex() == (
        "b6ed936746e01f8ecf281f020953fbf1f01debd5657c4a383940b020b26507f6076334f91e2366c96e9ab279fb5158090352ea1c5b0c9274"
        "504f4f0e7053af24802e51e4568d164fe986834f41e55c8e850ce1f98458c0cfc9ab380b55285a55"
    )


def test_generator_is_the_key_of_one():
    assert bls.public_key_of(SECRETS[0]).hex() == GENERATOR


def test_aggregate_of_all_signers_verifies_and_every_change_is_refused():
    keys = [bls.public_key_of(secret) for secret in SECRETS]
    signature = bls.sign_aggregate(SECRETS[:3], MESSAGE)
    assert bls.fast_aggregate_verify(keys[:3], MESSAGE, signature)
    for changed in (
        (keys[:2], MESSAGE, signature),
        (keys, MESSAGE, signature),
        (keys[:3] + keys[:1], MESSAGE, signature),
        (keys[:3], MESSAGE[::-1], signature),
        (keys[:3], MESSAGE, bls.sign(SECRETS[0], MESSAGE)),
        (keys[:3], MESSAGE, signature[:-1]),
        ([], MESSAGE, signature),
        ([], MESSAGE, bytes([0xC0]) + bytes(95)),
    ):
        assert not bls.fast_aggregate_verify(*changed)


def test_infinity_never_counts_as_a_key_or_a_signature():
    """Libraries accept it as both; one that adds it to honest keys would let a member sign without signing."""
    infinity = bytes([0xC0]) + bytes(47)
    key = bls.public_key_of(SECRETS[1])
    signature = bls.sign(SECRETS[1], MESSAGE)
    assert bls.fast_aggregate_verify([key], MESSAGE, signature)
    assert bls.decode_public_key(infinity) is None
    assert not bls.fast_aggregate_verify([key, infinity], MESSAGE, signature)
    assert not bls.fast_aggregate_verify([infinity], MESSAGE, bytes([0xC0]) + bytes(95))
    assert not bls.verify_under_sum(bls.add_keys([]), MESSAGE, bytes([0xC0]) + bytes(95))
    assert not bls.verify_under_sum(bls.add_keys([]), MESSAGE, signature)


def test_points_outside_the_subgroup_are_refused_by_decoder_and_definition():
    assert bls.decode_public_key(G1_OUTSIDE_SUBGROUP) is None
    key = bls.decode_public_key(bls.public_key_of(SECRETS[1]))
    assert bls.in_subgroup(key)
    assert bls.verify_under_sum(key, MESSAGE, bls.sign(SECRETS[1], MESSAGE))
    assert not bls.verify_under_sum(key, MESSAGE, G2_OUTSIDE_SUBGROUP)


@pytest.mark.parametrize("secret", [bytes(32), bls.ORDER.to_bytes(32, "big"), b"\1" * 31, b"\xff" * 32])
def test_secrets_out_of_range_are_refused_without_being_told(secret):
    for use in (bls.public_key_of, lambda s: bls.sign(s, MESSAGE)):
        with pytest.raises(ValueError) as caught:
            use(secret)
        assert secret.hex() not in str(caught.value)


def test_sums_added_and_subtracted_agree():
    keys = [bls.decode_public_key(bls.public_key_of(secret)) for secret in SECRETS[:3]]
    total = bls.add_keys(keys)
    assert bls.subtract_keys(total, keys[2:]) == bls.add_keys(keys[:2])
    assert bls.subtract_keys(total, []) == total
    assert bls.subtract_keys(total, keys) == bls.add_keys([])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_give_a_verdict(data):
    key = bls.decode_public_key(data)
    if key is not None:
        assert bls.encode_public_key(key) == data
        assert bls.in_subgroup(key)
    valid = bls.decode_public_key(bls.public_key_of(SECRETS[1]))
    assert not bls.verify_under_sum(valid, MESSAGE, data)
    assert len(bls.decode_public_keys(data)) == -(-len(data) // 48)


@settings(max_examples=30, deadline=None)
@given(bit=st.integers(0, 96 * 8 - 1))
def test_any_flipped_bit_of_a_signature_is_refused(bit):
    signature = bytearray(bls.sign(SECRETS[1], MESSAGE))
    key = bls.public_key_of(SECRETS[1])
    signature[bit // 8] ^= 1 << bit % 8
    assert not bls.fast_aggregate_verify([key], MESSAGE, bytes(signature))
