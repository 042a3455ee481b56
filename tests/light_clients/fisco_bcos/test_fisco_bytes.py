"""Block headers of both generations and RPC blocks: strict both ways, total, bounded."""

import json
from pathlib import Path

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.fisco_bcos import (
    BlockHeaderV2,
    BlockHeaderV3,
    Generation,
    Sealer,
    decode_block_header,
    decode_client_state,
    decode_consensus_state,
    decode_header_message,
    encode_block_header,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    header_from_rpc,
)
from hutong.light_clients.fisco_bcos.rpc_json import number
from hutong.light_clients.interface import Height, MalformedInput, UnsupportedOperation
from tests.light_clients.fisco_bcos.fisco_chain import SimulatedChain

V2, V3 = Generation.V2, Generation.V3
GENERATIONS = pytest.mark.parametrize("generation", [V2, V3])
CHAINS = {generation: SimulatedChain(generation) for generation in Generation}
RECORDED = json.loads((Path(__file__).parent / "recorded_blocks.json").read_text())

HASH = st.binary(min_size=32, max_size=32)
KEYS = st.lists(st.binary(min_size=64, max_size=64), min_size=1, max_size=4)
TIMES = st.integers(1, 2**48 - 1)
V2_HEADERS = st.builds(
    BlockHeaderV2,
    HASH,
    HASH,
    HASH,
    HASH,
    HASH,
    st.binary(min_size=256, max_size=256),
    st.integers(1, 2**63 - 1),
    st.integers(0, 2**256 - 1),
    st.integers(0, 2**256 - 1),
    TIMES,
    st.lists(st.binary(max_size=20), max_size=3).map(tuple),
    st.integers(0, 2**63 - 1),
    KEYS.map(tuple),
)


@st.composite
def v3_headers(draw):
    height = draw(st.integers(1, 2**63 - 1))
    sealers = tuple(Sealer(key, draw(st.integers(1, 2**60))) for key in draw(KEYS))
    return BlockHeaderV3(
        draw(st.integers(0, 2**32 - 1)),
        height - 1,
        *(draw(HASH) for _ in range(4)),
        height,
        draw(st.integers(0, 10**20 - 1)),
        draw(TIMES),
        draw(st.integers(0, 2**63 - 1)),
        sealers,
    )


@settings(max_examples=50)
@given(V2_HEADERS)
def test_headers_of_generation_2_round_trip(header):
    assert decode_block_header(V2, encode_block_header(header)) == header


@settings(max_examples=50)
@given(v3_headers())
def test_headers_of_generation_3_round_trip(header):
    assert decode_block_header(V3, encode_block_header(header)) == header


@GENERATIONS
@settings(max_examples=50)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_header_or_malformed(generation, data):
    for decode in (decode_block_header, decode_header_message):
        with pytest.raises(MalformedInput):
            decode(generation, data)


@GENERATIONS
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_damage_is_another_header_or_malformed(generation, data):
    original = encode_block_header(CHAINS[generation].blocks[1].header)
    damaged = bytearray(original)
    at = data.draw(st.integers(0, len(damaged) - 1))
    if data.draw(st.booleans()):
        damaged[at] ^= data.draw(st.integers(1, 255))
    else:
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        decoded = decode_block_header(generation, bytes(damaged))
    except MalformedInput:
        return
    assert encode_block_header(decoded) == bytes(damaged)


@pytest.mark.parametrize(
    ("index", "item", "field"),
    [
        (0, b"\0" * 31, "parent_hash"),
        (1, [], "state_root"),
        (5, bytes(255), "logs_bloom"),
        (6, b"", "number"),
        (6, b"\0\1", "number"),
        (6, (2**63).to_bytes(8, "big"), "number"),
        (9, b"", "timestamp_ms"),
        (9, (2**48).to_bytes(7, "big"), "timestamp_ms"),
        (10, b"x", "extra_data"),
        (10, [[b""]], "extra_data"),
        (10, [b""] * 65, "extra_data"),
        (10, [bytes(4097)], "extra_data"),
        (11, (2**63).to_bytes(8, "big"), "sealer"),
        (12, b"", "sealer_list"),
        (12, [], "sealer_list"),
        (12, [bytes(63)], "sealer_list"),
    ],
)
def test_fields_of_generation_2_out_of_bounds_are_named(index, item, field):
    items = rlp.decode(encode_block_header(CHAINS[V2].blocks[1].header))
    assert decode_block_header(V2, rlp.encode(items)) == CHAINS[V2].blocks[1].header
    items[index] = item
    with pytest.raises(MalformedInput) as caught:
        decode_block_header(V2, rlp.encode(items))
    assert caught.value.field == f"header.{field}"


@pytest.mark.parametrize("count", [0, 12, 14])
def test_generation_2_has_thirteen_fields(count):
    items = [*rlp.decode(encode_block_header(CHAINS[V2].blocks[1].header)), b""][:count]
    with pytest.raises(MalformedInput):
        decode_block_header(V2, rlp.encode(items))


@pytest.mark.parametrize("gas", [b"", b"00", b"01", b"-1", b"+1", b"1e3", b" 1", b"1" * 21])
def test_gas_of_generation_3_is_plain_digits(gas):
    header = CHAINS[V3].blocks[1].header
    encoded = encode_block_header(header)
    own = str(header.gas_used).encode()
    at = 4 + 8 + 4 * 32 + 8
    assert encoded[at : at + len(own)] == own
    with pytest.raises(MalformedInput) as caught:
        decode_block_header(V3, encoded[:at] + gas + encoded[at + len(own) :])
    assert caught.value.field == "header.gas_used"


@GENERATIONS
def test_states_and_updates_have_one_encoding(generation):
    chain = CHAINS[generation]
    client, state, header = chain.client_state(1), chain.consensus_state(1), chain.header(1, 0)
    assert encode_client_state(decode_client_state(client)) == client
    assert encode_consensus_state(decode_consensus_state(state)) == state
    assert encode_header_message(decode_header_message(generation, header)) == header
    for data, decode in (
        (client, decode_client_state),
        (state, decode_consensus_state),
        (header, lambda data: decode_header_message(generation, data)),
    ):
        for tail in (b"\0", data, b"\xff\x01\x01"):
            with pytest.raises(MalformedInput):
                decode(data + tail)


JUNK = (
    st.none() | st.integers() | st.text(max_size=12) | st.lists(st.integers(), max_size=2) | st.just({}) | st.just(True)
)


@pytest.mark.parametrize("name", ["v2_four_sealers", "v3"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_attack_H_fisco_blocks_that_no_node_serves_are_malformed(name, data):
    block = json.loads(json.dumps(RECORDED[name]))
    key = data.draw(st.sampled_from(sorted(block)))
    inner = block[key]
    if isinstance(inner, list) and inner and data.draw(st.booleans()):
        inner[data.draw(st.integers(0, len(inner) - 1))] = data.draw(JUNK)
    else:
        block[key] = data.draw(JUNK)
    try:
        header = header_from_rpc(block, Height(0, 0))
    except (MalformedInput, UnsupportedOperation):
        return
    assert encode_block_header(header.block) == header.encoded


@pytest.mark.parametrize("name", ["v2_four_sealers", "v3"])
def test_attack_H_fisco_blocks_without_a_key_are_malformed(name):
    for key in RECORDED[name]:
        block = {k: v for k, v in RECORDED[name].items() if k != key}
        if key in ("hash", "extraData") and (name == "v3" or key == "hash"):
            header_from_rpc(block, Height(0, 0))
            continue
        with pytest.raises(MalformedInput):
            header_from_rpc(block, Height(0, 0))


@pytest.mark.parametrize(("value", "expected"), [(7, 7), ("7", 7), ("0x1f", 31), ("0", 0)])
def test_numbers_in_every_form_that_nodes_write(value, expected):
    assert number(value, "field") == expected


@pytest.mark.parametrize(
    "value", [None, True, -1, 2**256, "", "0x", "-1", "1e3", "1_0", "9" * 78, "0x" + "f" * 65, 1.0]
)
def test_numbers_in_no_form(value):
    with pytest.raises(MalformedInput):
        number(value, "field")
