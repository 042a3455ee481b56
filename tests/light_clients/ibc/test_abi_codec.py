"""The quick codec beside eth-abi: what it takes is what the library takes, and nothing else."""

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.abi import HEIGHT_TUPLE, PACKET_TUPLE, decode_canonical
from hutong.light_clients.ibc.abi_codec import NotCanonical, decode_quickly, encode_quickly
from hutong.light_clients.interface import MalformedInput

_BASIC = {
    "uint8": st.integers(0, 2**8 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "bool": st.booleans(),
    "address": st.binary(min_size=20, max_size=20).map(lambda value: "0x" + value.hex()),
    "string": st.text(max_size=80),
    "bytes": st.binary(max_size=80),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes32": st.binary(min_size=32, max_size=32),
}


def _grown(inner):
    arrays = inner.map(lambda typed: (f"{typed[0]}[]", st.lists(typed[1], max_size=3)))
    tuples = st.lists(inner, min_size=1, max_size=4).map(
        lambda members: (
            f"({','.join(name for name, _ in members)})",
            st.tuples(*(values for _, values in members)),
        )
    )
    return arrays | tuples


TYPES = st.recursive(st.sampled_from(sorted(_BASIC.items())), _grown, max_leaves=6)


@st.composite
def typed_values(draw):
    members = draw(st.lists(TYPES, min_size=1, max_size=4))
    return tuple(name for name, _ in members), [draw(values) for _, values in members]


@pytest.mark.long
@given(typed_values())
def test_it_encodes_and_decodes_as_the_library(case):
    types, values = case
    data = encode(types, values)
    assert encode_quickly(types, values) == data
    assert decode_quickly(types, data) == decode(types, data)


@given(typed_values(), st.data())
def test_attack_F4_changed_bytes_are_taken_only_if_they_are_canonical(case, data):
    types, values = case
    encoded = bytearray(encode(types, values))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(encoded) - 1)) if encoded else 0
        match data.draw(st.sampled_from(["set", "cut", "insert"])):
            case "set" if encoded:
                encoded[position] = data.draw(st.integers(0, 255))
            case "cut":
                del encoded[position : position + data.draw(st.sampled_from([1, 32]))]
            case _:
                encoded[position:position] = bytes(data.draw(st.sampled_from([1, 32])))
    try:
        taken = decode_quickly(types, bytes(encoded))
    except NotCanonical:
        return
    assert encode(types, taken) == bytes(encoded) and decode(types, bytes(encoded)) == taken


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_taken_only_if_they_are_canonical(data):
    for types in ((PACKET_TUPLE,), (HEIGHT_TUPLE, "bytes"), ("bytes[]",), ("string", "uint64")):
        try:
            taken = decode_quickly(types, data)
        except NotCanonical:
            continue
        assert encode(types, taken) == data


@pytest.mark.parametrize(
    ("types", "values"),
    [
        (("uint8",), [256]),
        (("uint64",), [True]),
        (("uint64",), [-1]),
        (("address",), ["0x5FbDB2315678afecb367f032d93F642f64180aa3"]),
        (("address",), ["0x12"]),
        (("bytes4",), [b"abc"]),
        (("string",), ["\udc80"]),
        (("uint8[2]",), [[1, 2]]),
        (("int8",), [1]),
        (("uint8", "uint8"), [1]),
        (("bytes",), ["text"]),
    ],
)
def test_what_it_is_not_sure_of_is_left_to_the_library(types, values):
    with pytest.raises(NotCanonical):
        encode_quickly(types, values)


def test_a_count_that_the_data_cannot_hold_is_not_believed():
    with pytest.raises(NotCanonical):
        decode_quickly(("uint8[]",), (32).to_bytes(32, "big") + (2**200).to_bytes(32, "big"))
    with pytest.raises(MalformedInput):
        decode_canonical(["uint8[]"], (32).to_bytes(32, "big") + (2**200).to_bytes(32, "big"), "field", 1_000)


@pytest.mark.parametrize("abi_type", ["string", "bytes"])
def test_attack_F4_padding_that_is_not_zero_is_another_encoding(abi_type):
    data = encode([abi_type], ["five5" if abi_type == "string" else b"five5"])
    assert decode_quickly((abi_type,), data)
    for position in range(len(data) - 27, len(data)):
        changed = bytearray(data)
        changed[position] = 1
        with pytest.raises(NotCanonical):
            decode_quickly((abi_type,), bytes(changed))
