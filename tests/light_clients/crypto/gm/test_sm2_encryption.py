"""SM2 encryption: texts of all sizes, what was changed, and other authors' ciphertexts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import gm
from tests.light_clients.crypto.gm.test_sm2 import KEY, PAIR

TEXT = b"a key of sixteen"
SEALED = gm.encrypt(KEY, TEXT)


@pytest.mark.parametrize("size", [1, 2, 32, 254, 255])
def test_what_is_encrypted_is_decrypted(size):
    text = bytes(range(size))
    sealed = gm.encrypt(KEY, text)
    assert len(sealed) == 97 + size and sealed != gm.encrypt(KEY, text)
    assert gm.decrypt(PAIR.private_key, sealed) == text
    assert gm.decrypt(PAIR.private_key, gm.ciphertext_from_der(gm.ciphertext_to_der(sealed))) == text


@pytest.mark.parametrize("text", [b"", bytes(256)])
def test_texts_of_other_sizes_are_refused(text):
    with pytest.raises(gm.GmMalformed, match=r"^sm2\.plaintext must be 1 to 255 bytes$"):
        gm.encrypt(KEY, text)


@pytest.mark.parametrize("key", [b"", bytes(64), KEY[:63], b"\4" + KEY, KEY[32:] + KEY[:32]])
def test_attack_D2_sm2_nothing_is_encrypted_to_what_is_no_point(key):
    with pytest.raises(gm.GmMalformed, match="public_key"):
        gm.encrypt(key, TEXT)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 8 * len(SEALED) - 1))
def test_attack_D2_sm2_ciphertext_of_which_a_bit_was_changed_does_not_open(bit):
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((gm.GmMalformed, gm.GmNotAuthentic), match="^sm2_ciphertext"):
        gm.decrypt(PAIR.private_key, bytes(changed))


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(data):
    with pytest.raises((gm.GmMalformed, gm.GmNotAuthentic), match="^sm2_ciphertext"):
        gm.decrypt(PAIR.private_key, data)


@pytest.mark.parametrize(
    "other",
    [
        SEALED[:65] + SEALED[97:] + SEALED[65:97],
        b"\2" + SEALED[1:33] + SEALED[65:],
        SEALED[1:],
        SEALED[:97],
        SEALED + bytes(240),
    ],
    ids=["C1 C2 C3", "compressed", "without 04", "no text", "too long"],
)
def test_other_forms_do_not_open(other):
    with pytest.raises((gm.GmMalformed, gm.GmNotAuthentic)):
        gm.decrypt(PAIR.private_key, other)


def test_another_key_does_not_open_and_is_not_told():
    other = gm.new_key_pair()
    with pytest.raises(gm.GmNotAuthentic, match=r"^sm2_ciphertext is not of this key, or was changed$"):
        gm.decrypt(other.private_key, SEALED)
    with pytest.raises(gm.GmMalformed, match="1 to n - 2") as refused:
        gm.decrypt(b"\xff" * 32, SEALED)
    assert "ff" not in str(refused.value).replace("different", "")


def test_other_authors_open_ours_and_we_theirs():
    gmalg, tongsuopy = (pytest.importorskip(name) for name in ("gmalg", "tongsuopy"))
    assert gmalg and tongsuopy
    from tests.light_clients.crypto.gm import oracles

    assert oracles.gmalg_key(PAIR).decrypt(SEALED) == TEXT
    assert gm.decrypt(PAIR.private_key, oracles.gmalg_key(PAIR).encrypt(TEXT)) == TEXT
    assert oracles.tongsuo_private(PAIR.private_key).decrypt(gm.ciphertext_to_der(SEALED)) == TEXT
    theirs = oracles.tongsuo_public(KEY).encrypt(TEXT)
    assert gm.decrypt(PAIR.private_key, gm.ciphertext_from_der(theirs)) == TEXT
