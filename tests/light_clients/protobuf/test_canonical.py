"""One value, one encoding (docs/spec/strictness.md P1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import bft_evm_pb2, clique_pb2, cometbft_pb2, evm_router_pb2, ibc_pb2, ics23_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

HEIGHT = ibc_pb2.Height(revision_number=1, revision_height=300)
RAW = HEIGHT.SerializeToString()
MESSAGES = [
    getattr(module, name)
    for module in (bft_evm_pb2, clique_pb2, cometbft_pb2, evm_router_pb2, ibc_pb2, ics23_pb2)
    for name in module.DESCRIPTOR.message_types_by_name
]


def test_the_canonical_encoding_is_read():
    assert RAW.hex() == "080110ac02"
    assert parse_canonical(ibc_pb2.Height, RAW, "height", 100) == HEIGHT
    assert parse_canonical(ibc_pb2.Height, b"", "height", 100) == ibc_pb2.Height()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("10ac020801", id="other order"),
        pytest.param("0801080110ac02", id="field twice"),
        pytest.param("080110ac021801", id="unknown field"),
        pytest.param("08810010ac02", id="varint not shortest"),
        pytest.param("080110ac8200", id="second varint not shortest"),
        pytest.param("080010ac02", id="default value written"),
        pytest.param("080110ac0200", id="tag zero"),
        pytest.param("080110", id="cut short"),
        pytest.param("0a0110", id="other wire type"),
        pytest.param("08ffffffffffffffffffff0110ac02", id="varint above 64 bits"),
    ],
)
def test_attack_H_other_encodings_of_a_value(raw):
    assert parse_canonical(ibc_pb2.Height, RAW, "height", 100) == HEIGHT
    with pytest.raises(MalformedInput) as caught:
        parse_canonical(ibc_pb2.Height, bytes.fromhex(raw), "height", 100)
    assert caught.value.field == "height"


def test_attack_H_unknown_fields_deep_inside():
    header = ibc_pb2.TendermintHeader(trusted_height=HEIGHT)
    parse_canonical(ibc_pb2.TendermintHeader, header.SerializeToString(), "header", 1000)
    inner = RAW + b"\x18\x01"
    raw = b"\x1a" + bytes([len(inner)]) + inner
    assert ibc_pb2.TendermintHeader.FromString(raw).trusted_height.revision_height == 300
    with pytest.raises(MalformedInput):
        parse_canonical(ibc_pb2.TendermintHeader, raw, "header", 1000)


def test_the_size_bound_stands_before_the_parser():
    parse_canonical(ibc_pb2.Height, RAW, "height", len(RAW))
    with pytest.raises(MalformedInput, match="more than 4 bytes"):
        parse_canonical(ibc_pb2.Height, RAW, "height", len(RAW) - 1)


def test_attack_H_nesting_is_bounded():
    raw = b""
    for _ in range(200):
        size = len(raw)
        length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
        raw = b"\x0b" + raw + b"\x0c" if len(raw) > 16_000 else b"\x0a" + length + raw
    for message in MESSAGES:
        try:
            parse_canonical(message, raw, "nested", 1 << 20)
        except MalformedInput:
            continue


@given(st.sampled_from(MESSAGES), st.binary(max_size=120))
def test_attack_H_any_bytes_are_the_one_encoding_or_refused(message, data):
    try:
        value = parse_canonical(message, data, "message", 100)
    except MalformedInput:
        return
    assert value.SerializeToString(deterministic=True) == data
