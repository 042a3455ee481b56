"""Canonical ABI decoding: one encoding a value, and work linear in the input (checklist D10, H)."""

import time
import tracemalloc

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.abi import PACKET_TUPLE, decode_canonical, decode_packet_abi, encode_packet_abi
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.interface import MalformedInput, VerificationError

PACKET = Packet(1, "client-0", "client-1", 9, (Payload("gmpport", "gmpport", "ics27-2", "abi", b"value"),))
TYPES = ["(uint64,string)", "bytes[]", "(uint64,uint64)[]", "uint256", "(string,bytes)[2]", "bytes32[2]", "string"]
VALUES = (
    (7, "text"),
    (b"", b"x" * 33),
    ((1, 2), (3, 4)),
    5,
    (("a", b"b"), ("", b"")),
    (b"\1" * 32, b"\2" * 32),
    "é",
)
DATA = encode(TYPES, VALUES)


def word(number):
    return number.to_bytes(32, "big")


def decode(data, types=TYPES):
    return decode_canonical(types, data, "data", 1 << 20)


def test_canonical_data_of_every_kind_of_type():
    assert decode(DATA) == VALUES
    assert decode(b"", []) == ()
    assert decode(encode(["bytes[]"], [[]]), ["bytes[]"]) == ((),)


@pytest.mark.long
def test_attack_H_every_changed_bit_is_another_value_or_refused():
    for bit in range(8 * len(DATA)):
        changed = bytearray(DATA)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            values = decode(bytes(changed))
        except VerificationError:
            continue
        assert values != VALUES
        assert encode(TYPES, values) == bytes(changed)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(DATA + bytes(32), id="trailing word"),
        pytest.param(DATA + b"\0", id="trailing byte"),
        pytest.param(DATA[:-32], id="cut short"),
        pytest.param(DATA[:-1], id="cut inside a word"),
        pytest.param(b"", id="nothing"),
        pytest.param(word(2**255) + DATA[32:], id="offset of 2^255"),
        pytest.param(word(0) + DATA[32:], id="offset to itself"),
    ],
)
def test_attack_H_data_that_is_not_canonical(data):
    assert decode(DATA) == VALUES
    with pytest.raises(MalformedInput):
        decode(data)


@pytest.mark.parametrize(
    ("types", "data"),
    [
        pytest.param(["bytes"], word(32) + word(1) + b"a\1" + bytes(30), id="dirty padding"),
        pytest.param(["bytes"], word(64) + word(0) + word(0), id="gap before the tail"),
        pytest.param(["bytes"], word(32) + word(2**255), id="length of 2^255"),
        pytest.param(["bytes[]"], word(32) + word(2**255), id="count of 2^255"),
        pytest.param(["uint64[]"], word(32) + word(2**59), id="count of 2^59"),
        pytest.param(["bytes", "bytes"], word(64) + word(64) + word(0), id="two offsets to one tail"),
        pytest.param(["bytes", "bytes"], word(96) + word(64) + word(0) + word(0), id="tails in another order"),
        pytest.param(["uint8"], word(256), id="number above its type"),
        pytest.param(["bool"], word(2), id="bool of two"),
        pytest.param(["bytes4"], b"abcd\1" + bytes(27), id="dirty fixed bytes"),
        pytest.param(["string"], word(32) + word(1) + b"\xff" + bytes(31), id="string that is not UTF-8"),
    ],
)
def test_attack_H_shapes_that_a_lax_decoder_takes(types, data):
    with pytest.raises(MalformedInput):
        decode(data, types)


def test_attack_H_offsets_that_share_bytes_do_not_unfold():
    """4 000 payloads that are all the same quarter megabyte would be a gigabyte when decoded."""
    assert decode_packet_abi(encode_packet_abi(PACKET)) == PACKET
    count = 4000
    shared = word(0xA0) * 4 + word(0xE0) + word(1) + b"a".ljust(32, b"\0") + word(1 << 18) + bytes(1 << 18)
    head = word(1) + word(0xA0) + word(0xA0) + word(9) + word(0xE0)
    data = word(0x20) + head + word(8) + b"client-0".ljust(32, b"\0") + word(count) + word(32 * count) * count + shared
    tracemalloc.start()
    started = time.thread_time()
    with pytest.raises(MalformedInput):
        decode_packet_abi(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.thread_time() - started < 1
    assert peak < 4 * len(data)


@given(st.binary(max_size=400))
def test_attack_H_any_bytes_give_a_verdict(data):
    for types in (TYPES, [PACKET_TUPLE], ["bytes[][]"], ["(string,(bytes,uint8)[])[]"]):
        try:
            values = decode(data, types)
        except VerificationError:
            continue
        assert encode(types, values) == data


@given(st.lists(st.sampled_from([0, 1, 31, 32, 33, 64, 96, 128, 160, 2**64, 2**255]), max_size=14))
def test_attack_H_any_words_give_a_verdict(numbers):
    data = b"".join(map(word, numbers))
    for types in (TYPES, [PACKET_TUPLE], ["bytes[]"], ["string", "bytes"], ["uint256[][]"], ["(uint8,bytes)[]"]):
        try:
            values = decode(data, types)
        except VerificationError:
            continue
        assert encode(types, values) == data


def test_the_size_bound_stands_before_the_parser():
    with pytest.raises(MalformedInput, match="more than 31 bytes"):
        decode_canonical(["uint256"], word(1), "data", 31)
