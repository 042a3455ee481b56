"""Strict RLP (checklist B34)."""

import pytest
import rlp as library
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.mpt.rlp import MAX_DEPTH, decode_fixed, decode_rlp, decode_uint, encoded_size

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5).map(tuple), max_leaves=12)


@given(ITEMS)
def test_what_the_library_encodes_is_read_back(item):
    encoded = library.encode(item)
    assert decode_rlp(encoded) == item
    assert encoded_size(item) == len(encoded)


@given(st.binary(max_size=80))
def test_any_bytes_are_the_one_encoding_of_their_value_or_refused(data):
    try:
        item = decode_rlp(data)
    except MalformedInput:
        return
    assert library.encode(item) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "RLP of nothing", id="nothing"),
        pytest.param(b"\x81\x7f", "single byte", id="single byte with a prefix"),
        pytest.param(b"\xb8\x37" + bytes(55), "long form", id="long form of a short string"),
        pytest.param(b"\xf8\x00", "leading zero", id="long form of an empty list"),
        pytest.param(b"\xb9\x00\x38" + bytes(56), "leading zero", id="length with a leading zero"),
        pytest.param(b"\xf9\x00\x38" + bytes(56), "leading zero", id="list length with a leading zero"),
        pytest.param(b"\x83ab", "longer than", id="string cut short"),
        pytest.param(b"\xc3ab", "longer than", id="list cut short"),
        pytest.param(b"\xc2\x82a", "longer than", id="string beyond its list"),
        pytest.param(b"\xbf" + b"\xff" * 8, "longer than", id="length of 2^64 - 1"),
        pytest.param(b"\xff" + b"\xff" * 8, "longer than", id="list of 2^64 - 1"),
        pytest.param(b"\xbf\xff", "inside a length", id="cut inside a length"),
        pytest.param(b"\xff\xff", "inside a length", id="list cut inside a length"),
        pytest.param(b"\x80\x00", "after", id="trailing byte"),
        pytest.param(b"\xc0\xc0", "after", id="trailing list"),
    ],
)
def test_attack_B34_rlp_that_is_not_canonical(data, reason):
    assert decode_rlp(b"\x83dog") == b"dog"
    assert decode_rlp(b"\xb8\x38" + bytes(56)) == bytes(56)
    with pytest.raises(MalformedInput, match=reason):
        decode_rlp(data)


def test_attack_B34_depth_bomb():
    assert decode_rlp(nested(MAX_DEPTH)) != ()
    for depth in (MAX_DEPTH + 1, 2000, 50_000):
        with pytest.raises(MalformedInput, match="nested"):
            decode_rlp(nested(depth))


def nested(depth):
    """The encoding of `depth` lists, one in the other."""
    data = b"\xc0"
    for _ in range(depth - 1):
        size = len(data)
        head = (
            bytes([0xC0 + size])
            if size < 56
            else bytes([0xF7 + (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
        )
        data = head + data
    return data


def test_attack_B34_list_where_a_string_is_needed_and_integers_with_zeros():
    assert decode_uint(b"", "n") == 0
    assert decode_uint(b"\x01\x00", "n") == 256
    for item in ((), (b"\x01",), b"\0", b"\0\1", b"\1" * 33):
        with pytest.raises(MalformedInput):
            decode_uint(item, "n")
    assert decode_fixed(bytes(32), "hash", 32) == bytes(32)
    for item in ((), (bytes(32),), bytes(31), bytes(33), b""):
        with pytest.raises(MalformedInput):
            decode_fixed(item, "hash", 32)


def test_the_size_bound_stands_before_the_parser():
    with pytest.raises(MalformedInput, match="more than 10 bytes"):
        decode_rlp(bytes(11), max_bytes=10)
