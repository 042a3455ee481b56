"""base64url of tokens: one spelling of each value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.jose import decode_base64url, encode_base64url


def test_attack_N6_base64url_has_one_spelling():
    assert decode_base64url("-_8", "signature", 8) == b"\xfb\xff"
    assert decode_base64url("", "signature", 0) == b""
    reasons = {
        "-_8=": "no padding",
        "-_9": "bits after the last byte",
        "QR": "bits after the last byte",
        "A": "impossible length",
        "AAAAA": "impossible length",
        "+/8": "is not base64url",
        "-_8\n": "is not base64url",
        " -_8": "is not base64url",
        "-_\u00e98": "is not base64url",
        "A" * 12: "more than 8 bytes",
    }
    for text, reason in reasons.items():
        with pytest.raises(MalformedInput, match=reason):
            decode_base64url(text, "signature", 8)
    assert decode_base64url("A" * 11, "signature", 8) == bytes(8)


@settings(max_examples=100)
@given(data=st.binary(max_size=40))
def test_what_is_written_is_read_back(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data), "part", 40) == data


@settings(max_examples=150)
@given(text=st.text(max_size=12) | st.text(alphabet="AQgw-_=", max_size=12))
def test_what_is_read_is_written_alike(text: str) -> None:
    try:
        data = decode_base64url(text, "part", 8)
    except MalformedInput as error:
        assert error.field == "part"
    else:
        assert encode_base64url(data) == text and len(data) <= 8
