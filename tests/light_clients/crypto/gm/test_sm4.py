"""SM4-GCM and SM4-CTR: both engines give the same, what was changed does not open, bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import gm
from hutong.light_clients.crypto.gm import sm4

KEY, NONCE, AAD, TEXT = bytes(range(16)), bytes(range(12)), b"header", b"a text of more than one block, and some"
SEALED = gm.gcm_seal(KEY, NONCE, AAD, TEXT)
engines = pytest.mark.parametrize("absent", ["gmssl_pyx", "cryptography"], ids=["OpenSSL", "GmSSL"])


@engines
def test_either_engine_seals_opens_and_counts_alike(without, absent):
    turned = gm.ctr_transform(KEY, bytes(16), TEXT)
    without(absent)
    assert gm.gcm_seal(KEY, NONCE, AAD, TEXT) == SEALED and len(SEALED) == len(TEXT) + 16
    assert gm.gcm_open(KEY, NONCE, AAD, SEALED) == TEXT
    assert gm.ctr_transform(KEY, bytes(16), TEXT) == turned != TEXT
    assert gm.ctr_transform(KEY, bytes(16), turned) == TEXT
    assert gm.ctr_transform(KEY, bytes(16), b"") == b""


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=12, max_size=64),
    st.binary(max_size=40),
    st.binary(min_size=1, max_size=80),
    st.sampled_from([b"\xff" * 16, bytes(12) + b"\xff" * 4, bytes(8) + b"\xff" * 8]),
)
def test_both_engines_agree(key, nonce, aad, text, counter):
    import gmssl_pyx

    assert gm.gcm_seal(key, nonce, aad, text) == b"".join(gmssl_pyx.sm4_gcm_encrypt(key, nonce, aad, text))
    assert gm.ctr_transform(key, counter, text) == gmssl_pyx.sm4_ctr_encrypt(key, counter, text)


@engines
@pytest.mark.parametrize(
    "other",
    [
        {"key": bytes(16)},
        {"nonce": bytes(12)},
        {"aad": b""},
        {"sealed": SEALED[:-1] + bytes((SEALED[-1] ^ 1,))},
        {"sealed": bytes((SEALED[0] ^ 1,)) + SEALED[1:]},
        {"sealed": SEALED[:-1]},
    ],
    ids=["key", "nonce", "aad", "tag", "text", "short"],
)
def test_attack_D2_sm4_what_was_sealed_otherwise_does_not_open(without, absent, other):
    without(absent)
    sealed = {"key": KEY, "nonce": NONCE, "aad": AAD, "sealed": SEALED}
    assert gm.gcm_open(**sealed) == TEXT
    with pytest.raises(gm.GmNotAuthentic, match="^sm4_gcm_tag"):
        gm.gcm_open(**sealed | other)


def test_an_empty_text_needs_the_engine_that_takes_it(without):
    sealed = gm.gcm_seal(KEY, NONCE, AAD, b"")
    assert len(sealed) == 16 and gm.gcm_open(KEY, NONCE, AAD, sealed) == b""
    with pytest.raises(gm.GmNotAuthentic):
        gm.gcm_open(KEY, NONCE, b"", sealed)
    without("cryptography")
    for call in (lambda: gm.gcm_seal(KEY, NONCE, AAD, b""), lambda: gm.gcm_open(KEY, NONCE, AAD, sealed)):
        with pytest.raises(gm.GmNotInstalled, match="empty clear text without the library `cryptography`"):
            call()


def test_without_any_engine_all_say_what_to_install(without):
    without("gmssl_pyx", "cryptography")
    for call in (
        lambda: gm.gcm_seal(KEY, NONCE, AAD, TEXT),
        lambda: gm.gcm_open(KEY, NONCE, AAD, SEALED),
        lambda: gm.ctr_transform(KEY, bytes(16), TEXT),
    ):
        with pytest.raises(gm.GmNotInstalled, match=r"^SM4 .*'\.\[gm\]'"):
            call()


LARGE = bytes(sm4.MAX_DATA_BYTES + 1)
WRONG = {
    "sm4.key": {"key": bytes(15)},
    "sm4.key ": {"key": bytes(32)},
    "sm4.nonce": {"nonce": bytes(11)},
    "sm4.nonce ": {"nonce": b""},
    "sm4.nonce  ": {"nonce": bytes(65)},
    "sm4.aad": {"aad": LARGE},
    "sm4.data": {"plaintext": LARGE},
}


@pytest.mark.parametrize("field", WRONG)
def test_sizes_are_bounded_by_name(field):
    given_ = {"key": KEY, "nonce": NONCE, "aad": AAD, "plaintext": TEXT} | WRONG[field]
    with pytest.raises(gm.GmMalformed, match=field.strip()):
        gm.gcm_seal(**given_)


def test_sizes_of_what_is_opened_and_counted_are_bounded():
    with pytest.raises(gm.GmMalformed, match=r"sm4\.sealed has less than 16 bytes"):
        gm.gcm_open(KEY, NONCE, AAD, SEALED[:15])
    with pytest.raises(gm.GmMalformed, match=r"sm4\.counter must be 16 bytes"):
        gm.ctr_transform(KEY, bytes(12), TEXT)
    with pytest.raises(gm.GmMalformed, match=r"sm4\.data"):
        gm.ctr_transform(KEY, bytes(16), LARGE)
