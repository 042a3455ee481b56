"""SM3 and HMAC-SM3: both engines give the same, and each alone will do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import gm

ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@pytest.mark.parametrize("absent", [[], ["gmssl_pyx"], ["cryptography"]], ids=["both", "OpenSSL", "GmSSL"])
def test_the_standards_own_with_either_engine(without, absent):
    without(*absent)
    assert gm.sm3(b"abc").hex() == ABC
    assert gm.hmac_sm3(b"", b"") == gm.hmac_sm3(b"\0", b"") == gm.hmac_sm3(bytes(64), b"")


def test_without_any_engine_both_say_what_to_install(without):
    without("gmssl_pyx", "cryptography")
    for call in (lambda: gm.sm3(b""), lambda: gm.hmac_sm3(b"key", b"")):
        with pytest.raises(gm.GmNotInstalled, match=r"'\.\[gm\]'"):
            call()


def by_definition(key: bytes, data: bytes) -> bytes:
    """RFC 2104, over the hash itself."""
    block = (gm.sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = gm.sm3(bytes(byte ^ 0x36 for byte in block) + data)
    return gm.sm3(bytes(byte ^ 0x5C for byte in block) + inner)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=300))
def test_both_engines_agree(key, data):
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    hashing = Hash(SM3())
    hashing.update(data)
    assert gm.sm3(data) == hashing.finalize()
    assert gm.hmac_sm3(key, data) == by_definition(key, data)
