"""Header bytes: both ways for every fork, and nothing but one encoding."""

from dataclasses import replace

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.evm_header import (
    MAX_EXTRA_DATA_BYTES,
    MAX_HEADER_RLP_BYTES,
    ExecutionHeader,
    decode_header,
    encode_header,
    header_from_rpc,
    header_hash,
    header_to_rpc,
)
from hutong.light_clients.evm_header.rpc_json import AMSTERDAM_KEYS
from hutong.light_clients.evm_header.types import FIELD_NAMES, INTEGER_FIELDS, OPTIONAL_FIELDS
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation

PRE_LONDON = ExecutionHeader(
    parent_hash=b"\x01" * 32,
    ommers_hash=b"\x02" * 32,
    beneficiary=b"\x03" * 20,
    state_root=b"\x04" * 32,
    transactions_root=b"\x05" * 32,
    receipts_root=b"\x06" * 32,
    logs_bloom=b"\x07" * 256,
    difficulty=2**70,
    number=8,
    gas_limit=30_000_000,
    gas_used=0,
    timestamp_s=1_700_000_000,
    extra_data=b"extra",
    mix_hash=b"\x09" * 32,
    nonce=b"\x0a" * 8,
)
LONDON = replace(PRE_LONDON, base_fee_per_gas_wei=7)
SHANGHAI = replace(LONDON, withdrawals_root=b"\x0b" * 32)
BESU_CANCUN = replace(SHANGHAI, blob_gas_used=0, excess_blob_gas=131_072)
CANCUN = replace(BESU_CANCUN, parent_beacon_block_root=b"\x0c" * 32)
PRAGUE = replace(CANCUN, requests_hash=b"\x0d" * 32)
FORKS = {
    "pre-London": (PRE_LONDON, 15),
    "London": (LONDON, 16),
    "Shanghai": (SHANGHAI, 17),
    "Cancun without beacon root": (BESU_CANCUN, 19),
    "Cancun": (CANCUN, 20),
    "Prague": (PRAGUE, 21),
}


def items_of(header: ExecutionHeader) -> list[bytes]:
    return rlp.decode(encode_header(header))


@pytest.mark.parametrize("fork", FORKS)
def test_each_fork_round_trips_as_bytes_and_as_rpc(fork):
    header, fields = FORKS[fork]
    assert len(items_of(header)) == fields
    assert decode_header(encode_header(header)) == header
    assert header_from_rpc(header_to_rpc(header)) == header
    assert header_from_rpc({**header_to_rpc(header), "hash": "0x00", "size": "0x1", "requestsHash": None}) == (
        header if fork != "Prague" else CANCUN
    )


@pytest.mark.parametrize("key", AMSTERDAM_KEYS)
def test_parity_header_of_amsterdam_is_refused_by_name(key):
    """Read without its new fields it would hash to something else, and the node would look like a liar."""
    served = header_to_rpc(PRAGUE)
    assert header_from_rpc({**served, key: None}) == PRAGUE
    with pytest.raises(UnsupportedOperation, match="execution headers of Amsterdam; the newest ones.*Prague and Osaka"):
        header_from_rpc({**served, key: "0x1"})


def test_hashes_of_forks_differ():
    assert len({header_hash(header) for header, _ in FORKS.values()}) == len(FORKS)


@pytest.mark.parametrize("count", [0, 14, 18, 22])
def test_other_numbers_of_fields_are_refused(count):
    items = (items_of(PRAGUE) + [b"\x01" * 32])[:count]
    with pytest.raises(MalformedInput):
        decode_header(rlp.encode(items))


@pytest.mark.parametrize("name", OPTIONAL_FIELDS[:-1])
def test_optional_fields_form_a_prefix(name):
    with pytest.raises(MalformedInput) as caught:
        replace(PRAGUE, **{name: None})
    assert caught.value.field == f"header.{name}"


@pytest.mark.parametrize("name", [name for name in FIELD_NAMES if name not in INTEGER_FIELDS | {"extra_data"}])
def test_fixed_sizes(name):
    items = items_of(PRAGUE)
    index = FIELD_NAMES.index(name)
    for changed in (items[index][:-1], items[index] + b"\x01", [items[index]]):
        with pytest.raises(MalformedInput) as caught:
            decode_header(rlp.encode([*items[:index], changed, *items[index + 1 :]]))
        assert caught.value.field == f"header.{name}"


@pytest.mark.parametrize("name", sorted(INTEGER_FIELDS))
def test_attack_B34_evm_header_integers_have_one_form_and_a_bound(name):
    items = items_of(PRAGUE)
    index = FIELD_NAMES.index(name)
    greatest = 32 if name in ("difficulty", "base_fee_per_gas_wei") else 8
    for accepted in (b"", b"\x01", b"\xff" * greatest):
        assert getattr(
            decode_header(rlp.encode([*items[:index], accepted, *items[index + 1 :]])), name
        ) == int.from_bytes(accepted, "big")
    for refused in (b"\x00", b"\x00\x01", b"\x01" + b"\0" * greatest, [b""]):
        with pytest.raises(MalformedInput) as caught:
            decode_header(rlp.encode([*items[:index], refused, *items[index + 1 :]]))
        assert caught.value.field == f"header.{name}"


def test_extra_data_has_a_bound():
    assert len(decode_header(encode_header(replace(LONDON, extra_data=bytes(MAX_EXTRA_DATA_BYTES)))).extra_data)
    with pytest.raises(MalformedInput):
        replace(LONDON, extra_data=bytes(MAX_EXTRA_DATA_BYTES + 1))
    with pytest.raises(MalformedInput) as caught:
        decode_header(bytes(MAX_HEADER_RLP_BYTES + 1))
    assert caught.value.field == "header"


def test_attack_B34_evm_header_trailing_byte_and_string_for_a_list():
    encoded = encode_header(PRAGUE)
    for changed in (encoded + b"\0", encoded[:-1], b"\x80", rlp.encode(encoded), b""):
        with pytest.raises(MalformedInput):
            decode_header(changed)
    assert decode_header(encoded) == PRAGUE


@given(st.binary(max_size=700))
def test_any_bytes_are_a_header_or_malformed(data):
    try:
        header = decode_header(data)
    except MalformedInput:
        return
    assert encode_header(header) == data


@given(st.data())
def test_any_damage_is_another_header_or_malformed(data):
    encoded = bytearray(encode_header(PRAGUE))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        header = decode_header(bytes(encoded))
    except MalformedInput:
        return
    assert header != PRAGUE
    assert encode_header(header) == bytes(encoded)


RPC_VALUE = st.one_of(
    st.none(),
    st.integers(),
    st.booleans(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.binary(max_size=40).map(lambda data: "0x" + data.hex()),
)


@given(st.data())
def test_any_rpc_block_is_a_header_or_malformed(data):
    block = header_to_rpc(PRAGUE)
    key = data.draw(st.sampled_from(sorted(block)))
    block[key] = data.draw(RPC_VALUE)
    try:
        header_from_rpc(block)
    except MalformedInput as error:
        assert error.field


@pytest.mark.parametrize("text", ["0x", "0x01", "1", "0x1g", "0x" + "1" * 65, None, 5])
def test_rpc_quantities_have_one_form(text):
    block = {**header_to_rpc(LONDON), "number": text}
    with pytest.raises(MalformedInput) as caught:
        header_from_rpc(block)
    assert caught.value.field == "block.number"
