"""Readers of addresses and of canonical fields, which every message passes: each byte at each place, and drawn ones."""

import re

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.evm import Evm, Reverted

HEX_ADDRESS = re.compile(rb"0x[0-9a-fA-F]{40}")
TEXT = b"0x00ff19AFaf0123456789abcdefABCDEF00000001"
NOTHING = (False, "0x" + "00" * 20)


@pytest.fixture(scope="module")
def probe():
    return Evm().deploy("TextProbe")


def expected(text):
    if HEX_ADDRESS.fullmatch(text) is None:
        return NOTHING
    return True, f"0x{text[2:].decode().lower()}"


@pytest.mark.parametrize("place", [0, 1, 2, 3, 21, 41])
def test_attack_H_contract_each_byte_in_an_address_is_read_or_refused(probe, place):
    for byte in range(256):
        text = TEXT[:place] + bytes([byte]) + TEXT[place + 1 :]
        assert probe.call("parseAddress", text) == expected(text), text


@pytest.mark.parametrize("text", [b"", b"0x", TEXT[:-1], TEXT + b"0", TEXT[2:], b"0X" + TEXT[2:], TEXT * 2])
def test_attack_H_contract_addresses_of_another_length_are_refused(probe, text):
    assert probe.call("parseAddress", text) == NOTHING
    assert probe.call("parseAddress", TEXT) == expected(TEXT)


@given(st.binary(min_size=20, max_size=20), st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_drawn_addresses_are_read_as_they_are(probe, account, other):
    for text in (b"0x" + account.hex().encode(), b"0x" + account.hex().upper().encode(), other):
        assert probe.call("parseAddress", text) == expected(text)


@given(st.binary(max_size=100))
@settings(max_examples=40, deadline=None)
def test_a_canonical_field_is_read(probe, field):
    assert probe.call("onlyField", encode(["bytes"], [field])) == field


@given(st.binary(min_size=1, max_size=70), st.data())
@settings(max_examples=80, deadline=None)
def test_attack_H_contract_any_other_encoding_of_a_field_is_refused(probe, field, data):
    canonical = encode(["bytes"], [field])
    place = data.draw(st.integers(0, len(canonical) - 1))
    changed = bytearray(canonical)
    changed[place] ^= data.draw(st.integers(1, 255))
    drawn = data.draw(st.sampled_from([bytes(changed), canonical[:-1], canonical + b"\x00", canonical[:place]]))
    try:
        said = probe.call("onlyField", drawn)
    except Reverted as error:
        assert error.name == "MalformedPayload"
        return
    assert encode(["bytes"], [said]) == drawn
