"""P-256 signatures of others' making, beside OpenSSL's and Wycheproof's edges made by hand."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hutong.light_clients.crypto import p256

KEY = ec.derive_private_key(0x5151, ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
COORDINATES = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
MESSAGE = b"eyJhbGciOiJFUzI1NiJ9.e30"


def signed(message: bytes) -> bytes:
    return KEY.sign(message, ec.ECDSA(SHA256()))


def joined(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_what_openssl_signs_verifies_in_both_forms_of_s():
    for number in range(16):
        message = MESSAGE + bytes([number])
        der = signed(message)
        r, s = decode_dss_signature(der)
        assert p256.signature_of_der(der) == joined(r, s)
        assert p256.verify(PUBLIC, message, joined(r, s)) and p256.verify(PUBLIC, message, joined(r, p256.ORDER - s))
        assert not p256.verify(PUBLIC, message + b"x", joined(r, s))


def test_a_key_has_one_compressed_form():
    assert p256.coordinates_of(PUBLIC) == COORDINATES and p256.compress(COORDINATES) == PUBLIC
    for bad in (b"", PUBLIC[:-1], PUBLIC + b"\0", b"\x04" + PUBLIC[1:], b"\x02" + b"\xff" * 32, b"\x00" * 33):
        assert p256.coordinates_of(bad) is None
    for bad in (b"", COORDINATES[:-1], COORDINATES[:-1] + bytes([COORDINATES[-1] ^ 2]), bytes(64)):
        assert p256.compress(bad) is None


@pytest.mark.parametrize(
    "signature",
    [b"", bytes(64), bytes(63), joined(0, 1), joined(1, 0), joined(p256.ORDER, 1), joined(1, p256.ORDER), b"\xff" * 64],
)
def test_numbers_out_of_range_verify_nothing(signature):
    assert not p256.verify(PUBLIC, MESSAGE, signature)
    assert not p256.verify(b"\x02" + b"\xff" * 32, MESSAGE, signature)


def test_only_strict_der_is_read():
    der = signed(MESSAGE)
    r, s = decode_dss_signature(der)
    long_form = b"\x30\x81" + der[1:]
    padded = b"\x30" + bytes([der[1] + 1, 2, der[3] + 1, 0]) + der[4:]
    for bad in (
        *(b"", der[:-1], der + b"\0", long_form, padded, b"\x31" + der[1:], b"\x30\0", b"\x30\x02\x02\0"),
        *(encode_dss_signature(*pair) for pair in ((0, s), (r, 0), (p256.ORDER, s), (r, p256.ORDER))),
        b"\x30\x06\x02\x01\x81\x02\x01\x01",
    ):
        assert p256.signature_of_der(bad) is None, bad.hex()
