import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import eth_address, keccak256, recover_eth_address, secp256k1

SECRET = bytes(range(1, 33))
PUBLIC = secp256k1.public_key_of(SECRET)
DIGEST = keccak256(b"block")
SIGNATURE = secp256k1.sign_recoverable(SECRET, DIGEST)


def high_s_twin(signature):
    s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([signature[64] ^ 1])


def test_sign_verify_recover_agree():
    assert secp256k1.verify_low_s(PUBLIC, DIGEST, secp256k1.sign(SECRET, DIGEST))
    key = secp256k1.recover_public_key(DIGEST, SIGNATURE)
    assert secp256k1.compress(key) == PUBLIC
    assert recover_eth_address(DIGEST, SIGNATURE) == eth_address(PUBLIC) == eth_address(key)


def test_signatures_are_those_of_the_librarys_own_keys():
    secrets = (SECRET, (1).to_bytes(32, "big"), (secp256k1.ORDER - 1).to_bytes(32, "big"))
    for secret in secrets:
        for digest in (DIGEST, bytes(32), b"\xff" * 32):
            expected = PrivateKey(secret).sign_recoverable(digest, hasher=None)
            assert secp256k1.sign_recoverable(secret, digest) == expected


def test_attack_D2_the_high_s_twin_is_refused():
    twin = high_s_twin(SIGNATURE)
    assert secp256k1.verify_low_s(PUBLIC, DIGEST, SIGNATURE[:64])
    assert not secp256k1.verify_low_s(PUBLIC, DIGEST, twin[:64])
    assert secp256k1.recover_public_key(DIGEST, twin) is None
    assert recover_eth_address(DIGEST, twin, allow_high_s=True) == eth_address(PUBLIC)


@pytest.mark.parametrize("v", [2, 3, 27, 28, 29, 255])
def test_attack_D2_recovery_takes_v_zero_or_one_only(v):
    assert secp256k1.recover_public_key(DIGEST, SIGNATURE) is not None
    assert secp256k1.recover_public_key(DIGEST, SIGNATURE[:64] + bytes([v])) is None


def test_attack_D2_the_compact_form_is_not_recoverable():
    assert secp256k1.recover_public_key(DIGEST, SIGNATURE[:64]) is None


@pytest.mark.parametrize("scalar", [0, secp256k1.ORDER, 2**256 - 1])
def test_scalars_out_of_range_are_refused(scalar):
    word = scalar.to_bytes(32, "big")
    for changed in (word + SIGNATURE[32:64], SIGNATURE[:32] + word):
        assert not secp256k1.verify_low_s(PUBLIC, DIGEST, changed)
        assert secp256k1.recover_public_key(DIGEST, changed + b"\0", allow_high_s=True) is None


def test_every_changed_bit_of_a_signature_is_refused():
    for bit in range(8 * 64):
        changed = bytearray(SIGNATURE[:64])
        changed[bit // 8] ^= 1 << bit % 8
        assert not secp256k1.verify_low_s(PUBLIC, DIGEST, bytes(changed))


def test_decompress_gives_a_point_of_the_curve_with_the_parity_of_its_prefix():
    x, y = secp256k1.decompress(PUBLIC)
    assert (y * y - x**3 - 7) % (2**256 - 2**32 - 977) == 0
    assert y % 2 == PUBLIC[0] - 2
    assert secp256k1.decompress(b"\x02" + (2**256 - 1).to_bytes(32, "big")) is None
    assert secp256k1.decompress(b"\x04" + PUBLIC[1:]) is None
    assert secp256k1.decompress(b"") is None


def test_hybrid_and_off_curve_keys_are_refused():
    x, y = (c.to_bytes(32, "big") for c in secp256k1.decompress(PUBLIC))
    assert secp256k1.compress(b"\x04" + x + y) == PUBLIC
    assert secp256k1.compress(bytes([6 + y[-1] % 2]) + x + y) is None
    assert secp256k1.compress(b"\x04" + x + x) is None
    assert eth_address(b"\x04" + x + x) is None


def test_known_address():
    # The secret 1 has the generator as key; its address is in every wallet's tests.
    one = (1).to_bytes(32, "big")
    assert eth_address(secp256k1.public_key_of(one)).hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"


@pytest.mark.parametrize("secret", [b"", bytes(32), secp256k1.ORDER.to_bytes(32, "big"), bytes(33)])
def test_a_bad_secret_is_a_value_error_without_the_secret(secret):
    with pytest.raises(ValueError) as caught:
        secp256k1.sign(secret, DIGEST)
    assert secret.hex() not in str(caught.value) or not secret


@given(st.binary(max_size=70), st.binary(max_size=40), st.binary(max_size=70))
def test_any_bytes_give_a_verdict_and_batches_agree(public_key, digest, signature):
    assert secp256k1.verify_low_s_batch([(public_key, digest, signature)]) == [
        secp256k1.verify_low_s(public_key, digest, signature)
    ]
    assert secp256k1.recover_public_key_batch([(digest, signature)]) == [
        secp256k1.recover_public_key(digest, signature)
    ]
    secp256k1.decompress(public_key)
    secp256k1.compress(public_key)
    eth_address(public_key)


def der(r: int, s: int) -> bytes:
    def integer(number: int) -> bytes:
        body = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return b"\x02" + bytes([len(body)]) + body

    body = integer(r) + integer(s)
    return b"\x30" + bytes([len(body)]) + body


@given(st.integers(1, secp256k1.ORDER - 1), st.integers(1, secp256k1.ORDER - 1))
def test_signatures_in_der_are_read_with_either_s(r, s):
    assert secp256k1.signature_of_der(der(r, s)) == r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize(
    "twist",
    [
        lambda good: b"",
        lambda good: good[:-1],
        lambda good: good + b"\0",
        lambda good: b"\x31" + good[1:],
        lambda good: good[:1] + b"\x81" + good[1:],
        lambda good: der(secp256k1.ORDER, 5),
        lambda good: b"\x30\x07\x02\x02\x00\x05\x02\x01\x05",
        lambda good: b"\x30\x06\x02\x01\x85\x02\x01\x05",
    ],
)
def test_what_is_no_strict_der_is_none(twist):
    good = der(5, 7)
    assert secp256k1.signature_of_der(good) is not None
    assert secp256k1.signature_of_der(twist(good)) is None
