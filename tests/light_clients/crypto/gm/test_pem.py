"""SM2 keys in PEM: OpenSSL's form, and no other."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import gm
from tests.light_clients.crypto.gm.test_sm2 import KEY, PAIR

BY_OPENSSL = b"""-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQg0JFWczAXva2An9m7
2MaT9gIwWTFptvlKrxyO4TjMmbWhRANCAAQ5OirZ4n5DrKqrhaGdO4VZHhRAYVcX
Wt3Te/d/8Mr57Tf886i09VwDhSMmH8pmNq/mp6+ioUgqYG9cs6GLLioe
-----END PRIVATE KEY-----
"""
"""From OpenSSL's own tests (test/recipes/30-test_evp_data/evppkey_sm2.txt)."""
PRIVATE = gm.key_pair_to_pem(PAIR)
PUBLIC = gm.public_key_to_pem(KEY)


def test_keys_come_back_and_are_written_as_openssl_writes_them():
    assert gm.key_pair_from_pem(PRIVATE) == PAIR
    assert gm.public_key_from_pem(PUBLIC) == KEY
    theirs = gm.key_pair_from_pem(BY_OPENSSL)
    assert gm.key_pair_to_pem(theirs) == BY_OPENSSL
    assert gm.verify(theirs.public_key, b"message", gm.sign(theirs, b"message"))
    assert gm.key_pair_from_pem(BY_OPENSSL.replace(b"\n", b"\r\n")) == theirs


def changed(pem: bytes, at: int, bit: int) -> bytes:
    lines = pem.splitlines()
    content = bytearray(b64decode(b"".join(lines[1:-1])))
    content[at] ^= 1 << bit
    return b"\n".join((lines[0], b64encode(bytes(content)), lines[-1]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 90), st.integers(0, 7))
def test_attack_D2_sm2_public_key_of_which_a_bit_was_changed_is_refused(at, bit):
    with pytest.raises(gm.GmMalformed, match="^sm2_key"):
        gm.public_key_from_pem(changed(PUBLIC, at, bit))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 137), st.integers(0, 7))
def test_attack_D2_sm2_key_file_of_which_a_bit_was_changed_signs_nothing(at, bit):
    try:
        other = gm.key_pair_from_pem(changed(PRIVATE, at, bit))
    except gm.GmMalformed:
        return
    with pytest.raises(gm.GmNotAuthentic):
        gm.sign(other, b"message")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 1025,
        PUBLIC + PUBLIC,
        PUBLIC.replace(b"PUBLIC", b"EC PUBLIC"),
        PUBLIC[:-5],
        PRIVATE,
        PUBLIC.replace(b"MFkw", b"M*kw"),
        PUBLIC.replace(b"MFkw", b"MFk"),
    ],
)
def test_other_files_are_no_public_key(data):
    with pytest.raises(gm.GmMalformed, match="^sm2_key"):
        gm.public_key_from_pem(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_by_name(data):
    for read in (gm.key_pair_from_pem, gm.public_key_from_pem):
        for shown in (data, b"-----BEGIN PRIVATE KEY-----\n" + b64encode(data) + b"\n-----END PRIVATE KEY-----"):
            with pytest.raises(gm.GmMalformed, match="^sm2_key"):
                read(shown)


def test_what_is_no_key_is_not_written():
    with pytest.raises(gm.GmMalformed, match="no point"):
        gm.public_key_to_pem(bytes(64))
