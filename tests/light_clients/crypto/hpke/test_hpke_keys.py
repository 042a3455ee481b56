"""Keys of readers: what is parsed, and what nothing may be sealed to."""

import pytest
from Crypto.PublicKey import ECC

from hutong.light_clients.crypto import hpke
from hutong.light_clients.crypto.hpke import Kem, KeyRefused, PrivateKey, PublicKey, SizeRefused

FIELD_PRIME = 2**255 - 19
SMALL_ORDER = (
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    FIELD_PRIME - 1,
)
"""Every canonical number whose point has an order of at most 8, on the curve or on its twist (curve25519's page, D. J. Bernstein)."""
SECRET = bytes(range(1, 33))


def lattice_key() -> bytes:
    return PrivateKey.parse(Kem.MLKEM768_X25519, SECRET).public_key.encoded[:1184]


@pytest.mark.parametrize("kem", Kem)
def test_public_key_comes_back_as_it_was(kem):
    key = PrivateKey.parse(kem, SECRET)
    assert key.kem is kem
    assert PublicKey.parse(kem, key.public_key.encoded) == key.public_key


@pytest.mark.parametrize("number", SMALL_ORDER)
def test_x25519_point_of_small_order_is_refused(number):
    """All that is sealed to such a key is sealed under a secret that everybody knows."""
    encoded = number.to_bytes(32, "little")
    with pytest.raises(KeyRefused, match="small order"):
        PublicKey.parse(Kem.X25519, encoded)
    with pytest.raises(KeyRefused, match="small order"):
        PublicKey.parse(Kem.MLKEM768_X25519, lattice_key() + encoded)


@pytest.mark.parametrize("number", [FIELD_PRIME, FIELD_PRIME + 9, 2**255 + 9, 2**256 - 1])
def test_x25519_key_has_one_encoding(number):
    encoded = number.to_bytes(32, "little")
    with pytest.raises(KeyRefused, match="not canonical"):
        PublicKey.parse(Kem.X25519, encoded)
    with pytest.raises(KeyRefused, match="not canonical"):
        PublicKey.parse(Kem.MLKEM768_X25519, lattice_key() + encoded)


def test_largest_canonical_x25519_key_is_taken():
    assert PublicKey.parse(Kem.X25519, (FIELD_PRIME - 2).to_bytes(32, "little"))


def p256_key() -> bytes:
    return PrivateKey.parse(Kem.P256, SECRET).public_key.encoded


def test_p256_point_off_the_curve_is_refused():
    good = p256_key()
    for changed in (good[:-1] + bytes([good[-1] ^ 1]), good[:1] + bytes(64), good[:1] + b"\xff" * 64):
        with pytest.raises(KeyRefused, match="point of the curve"):
            PublicKey.parse(Kem.P256, changed)


@pytest.mark.parametrize("first", [0, 2, 3, 5, 6, 7])
def test_p256_key_is_uncompressed(first):
    with pytest.raises(KeyRefused):
        PublicKey.parse(Kem.P256, bytes([first]) + p256_key()[1:])


def test_p256_key_is_that_of_another_library():
    point = ECC.construct(curve="P-256", d=int.from_bytes(SECRET, "big")).public_key()
    assert p256_key() == point.export_key(format="SEC1", compress=False)


@pytest.mark.parametrize(
    ("secret", "taken"),
    [
        (bytes(32), False),
        (bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"), True),
        (bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"), False),
        (b"\xff" * 32, False),
    ],
)
def test_p256_secret_is_a_scalar(secret, taken):
    if taken:
        assert PrivateKey.parse(Kem.P256, secret)
    else:
        with pytest.raises(KeyRefused, match="scalar"):
            PrivateKey.parse(Kem.P256, secret)


def test_lattice_key_is_reduced():
    """FIPS 203 §7.2: each of 768 coefficients, 12 bits, is below 3 329; one above is refused."""
    key = lattice_key()
    good = key + PrivateKey.parse(Kem.X25519, SECRET).public_key.encoded
    assert PublicKey.parse(Kem.MLKEM768_X25519, good)
    unreduced = b"\xff\x0f" + key[2:]
    with pytest.raises(KeyRefused, match="reduced"):
        PublicKey.parse(Kem.MLKEM768_X25519, unreduced + good[1184:])


@pytest.mark.parametrize("kem", Kem)
def test_size_is_the_kems(kem):
    encoded = PrivateKey.parse(kem, SECRET).public_key.encoded
    for wrong in (b"", encoded[:-1], encoded + b"\0"):
        with pytest.raises(SizeRefused) as refused:
            PublicKey.parse(kem, wrong)
        assert refused.value.size == len(wrong)
    for wrong in (b"", SECRET[:-1], SECRET + b"\0"):
        with pytest.raises(SizeRefused):
            PrivateKey.parse(kem, wrong)


@pytest.mark.parametrize("kem", Kem)
def test_secret_is_in_no_text(kem):
    key = PrivateKey.parse(kem, SECRET)
    assert SECRET.hex() not in repr(key)
    assert repr(SECRET) not in repr(key)
    assert "secret" not in str(key)


def test_numbers_of_a_suite():
    assert hpke.Suite.of_numbers(0x20, 1, 1) == hpke.DAP
    assert hpke.Suite.of_numbers(0x647A, 1, 2) == hpke.HYBRID
    for numbers in ((0x11, 1, 1), (0x20, 2, 1), (0x20, 1, 0xFFFF), (0x20, 1, 0), (-1, 1, 1), (0x40, 1, 1)):
        with pytest.raises(hpke.SuiteUnsupported, match="not supported"):
            hpke.Suite.of_numbers(*numbers)
