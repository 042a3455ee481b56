"""ASN.1 of signatures and ciphertexts: one form each, the one that OpenSSL and GmSSL write."""

import gmssl_pyx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import gm
from tests.light_clients.crypto.gm.test_sm2 import KEY, MESSAGE, SIGNATURE

DER = gm.signature_to_der(SIGNATURE)
CIPHERTEXT = gm.encrypt(KEY, b"a key of sixteen")
CIPHERTEXT_DER = gm.ciphertext_to_der(CIPHERTEXT)


def signature_der(r: bytes, s: bytes, after: bytes = b"") -> bytes:
    """With the INTEGERs' contents as they are given."""
    body = bytes((2, len(r))) + r + bytes((2, len(s))) + s + after
    return bytes((0x30, len(body))) + body


def content(half: bytes) -> bytes:
    number = int.from_bytes(half, "big")
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


R, S = content(SIGNATURE[:32]), content(SIGNATURE[32:])
SMALL = signature_der(b"\x01", b"\x7f")


def test_the_form_is_the_engines():
    assert signature_der(R, S) == DER
    assert gmssl_pyx.sm2_verify(KEY, MESSAGE, DER)
    assert gm.signature_from_der(SMALL) == bytes(31) + b"\x01" + bytes(31) + b"\x7f"
    assert gm.signature_to_der(gm.signature_from_der(SMALL)) == SMALL


WRONG = {
    "empty": b"",
    "one byte": b"\x30",
    "another tag": b"\x31" + DER[1:],
    "a byte after": DER + b"\0",
    "a byte short": DER[:-1],
    "a third integer": signature_der(R, S, b"\x02\x01\x00"),
    "one integer": bytes((0x30, 2 + len(R), 2, len(R))) + R,
    "zero in front": signature_der(b"\0\0" + R[-32:], S),
    "zero in front of a small one": signature_der(b"\0\x01", S),
    "negative": signature_der(b"\xff", S),
    "no content": signature_der(b"", S),
    "r zero": signature_der(b"\0", S),
    "s zero": signature_der(R, b"\0"),
    "r order": signature_der(content(gm.ORDER.to_bytes(32, "big")), S),
    "s order": signature_der(R, content(gm.ORDER.to_bytes(32, "big"))),
    "r above 32 bytes": signature_der(b"\x01" + bytes(32), S),
    "t zero": signature_der(b"\x01", content((gm.ORDER - 1).to_bytes(32, "big"))),
    "long length": b"\x30\x81" + DER[1:],
    "longer length": b"\x30\x82\x00" + DER[1:],
    "indefinite length": b"\x30\x80" + DER[2:] + b"\0\0",
    "length of three bytes": b"\x30\x83\x00\x00" + DER[1:],
    "octets in place of an integer": DER.replace(b"\x02", b"\x04", 1),
    "too long": b"\x30\x81\xff" + bytes(255),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_attack_D10_sm2_signature_has_one_encoding(wrong):
    assert gm.signature_from_der(DER) == SIGNATURE
    with pytest.raises(gm.GmMalformed, match="^sm2_signature"):
        gm.signature_from_der(wrong)


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:63], SIGNATURE + b"\0", bytes(64), b"\xff" * 64])
def test_what_is_no_signature_is_not_encoded(signature):
    with pytest.raises(gm.GmMalformed, match="^sm2_signature"):
        gm.signature_to_der(signature)


def changed(data: bytes, at: int, value: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes((data[at] ^ value,)) + data[at + 1 :]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80) | st.builds(changed, st.just(DER), st.integers(0, 71), st.integers(0, 255)))
@example(DER)
def test_a_signature_that_is_read_is_written_alike(data):
    try:
        signature = gm.signature_from_der(data)
    except gm.GmMalformed:
        return
    assert gm.signature_to_der(signature) == data


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=380)
    | st.builds(changed, st.just(CIPHERTEXT_DER), st.integers(0, len(CIPHERTEXT_DER)), st.integers(0, 255))
)
@example(CIPHERTEXT_DER)
def test_a_ciphertext_that_is_read_is_written_alike(data):
    try:
        ciphertext = gm.ciphertext_from_der(data)
    except gm.GmMalformed:
        return
    assert gm.ciphertext_to_der(ciphertext) == data


def octets(tag: int, data: bytes) -> bytes:
    return bytes((tag, len(data))) + data


X, Y, CHECK, MASKED = CIPHERTEXT[1:33], CIPHERTEXT[33:65], CIPHERTEXT[65:97], CIPHERTEXT[97:]


def ciphertext_der(x: bytes, y: bytes, check: bytes, masked: bytes, after: bytes = b"") -> bytes:
    body = octets(2, content(x)) + octets(2, content(y)) + octets(4, check) + octets(4, masked) + after
    return bytes((0x30, 0x81, len(body)) if len(body) > 127 else (0x30, len(body))) + body


WRONG_CIPHERTEXTS = {
    "empty": b"",
    "a byte after": CIPHERTEXT_DER + b"\0",
    "a field more": ciphertext_der(X, Y, CHECK, MASKED, b"\x04\x01\x00"),
    "no point": ciphertext_der(X, X, CHECK, MASKED),
    "x of 33 bytes": ciphertext_der(b"\x01" + X, Y, CHECK, MASKED),
    "short check": ciphertext_der(X, Y, CHECK[:31], MASKED),
    "long check": ciphertext_der(X, Y, CHECK + b"\0", MASKED),
    "no text": ciphertext_der(X, Y, CHECK, b""),
    "check and text swapped": ciphertext_der(X, Y, MASKED, CHECK),
    "too long": bytes((0x30, 0x82, 0x01, 0x6B)) + bytes(363),
}


@pytest.mark.parametrize("wrong", WRONG_CIPHERTEXTS.values(), ids=WRONG_CIPHERTEXTS)
def test_attack_D10_sm2_ciphertext_has_one_encoding(wrong):
    assert ciphertext_der(X, Y, CHECK, MASKED) == CIPHERTEXT_DER
    assert gm.ciphertext_from_der(CIPHERTEXT_DER) == CIPHERTEXT
    with pytest.raises(gm.GmMalformed, match="^sm2_ciphertext"):
        gm.ciphertext_from_der(wrong)
