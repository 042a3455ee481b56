"""ICS-27 GMP packet data in ABI: canonical bytes only (checklist H)."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.gmp import (
    GmpPacketData,
    decode_gmp,
    decode_gmp_acknowledgement,
    encode_gmp,
    encode_gmp_acknowledgement,
)
from hutong.light_clients.interface import MalformedInput, VerificationError
from tests.light_clients.ibc.ibc_strategies import GMP_DATA

DATA = GmpPacketData("0x" + "11" * 20, "0x" + "22" * 20, b"", b"hello", "")


@given(GMP_DATA)
def test_data_survive_their_encoding(data):
    assert decode_gmp(encode_gmp(data)) == data


@given(st.binary(max_size=300))
def test_acknowledgements_survive_their_encoding(result):
    assert decode_gmp_acknowledgement(encode_gmp_acknowledgement(result)) == result


def test_the_stock_tuple():
    raw = encode_gmp(DATA)
    assert raw == encode(["(string,string,bytes,bytes,string)"], [(DATA.sender, DATA.receiver, b"", b"hello", "")])
    assert raw[:32] == (32).to_bytes(32, "big")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sender": ""}, "gmp.sender"),
        ({"sender": " \t"}, "gmp.sender"),
        ({"sender": "x" * 2049}, "gmp.sender"),
        ({"receiver": "é" * 1025}, "gmp.receiver"),
        ({"salt": bytes(33)}, "gmp.salt"),
        ({"payload": b""}, "gmp.payload"),
        ({"memo": "m" * 32_769}, "gmp.memo"),
    ],
)
def test_data_out_of_bounds(changes, field):
    with pytest.raises(MalformedInput) as caught:
        replace(DATA, **changes)
    assert caught.value.field == field


def test_attack_H_every_changed_bit_is_another_value_or_refused():
    raw = encode_gmp(DATA)
    assert decode_gmp(raw) == DATA
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            other = decode_gmp(bytes(changed))
        except VerificationError:
            continue
        assert other != DATA
        assert encode_gmp(other) == bytes(changed)


@given(st.binary(max_size=500))
def test_attack_H_any_bytes_give_a_verdict(data):
    for decode in (decode_gmp, decode_gmp_acknowledgement):
        try:
            decode(data)
        except VerificationError:
            continue
