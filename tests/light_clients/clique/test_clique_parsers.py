"""Every parser of the clique client is total: a value with one encoding, or a typed error."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.clique import (
    codec,
    decode_client_state,
    decode_consensus_state,
    decode_header_message,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    recover_signer,
    sealed_block,
)
from hutong.light_clients.evm_header import decode_header, encode_header
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import clique_pb2
from tests.light_clients.clique.simulated_clique_chain import SimulatedCliqueChain

CHAIN = SimulatedCliqueChain(epoch=4)
CHAIN.main.vote(CHAIN.know(9), add=True)
CHAIN.main.advance(8)
UPDATE = CHAIN.header(6, 2)
PARSERS = {
    "client state": (decode_client_state, encode_client_state, CHAIN.client_state(2)),
    "consensus state": (decode_consensus_state, encode_consensus_state, CHAIN.consensus_state(2)),
    "header": (decode_header_message, encode_header_message, UPDATE),
    "misbehaviour": (
        codec.decode_misbehaviour,
        codec.encode_misbehaviour,
        CHAIN.misbehaviour(CHAIN.update(6, 2), CHAIN.update(5, 2)),
    ),
}
each_parser = pytest.mark.parametrize("name", PARSERS)


@each_parser
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_value_or_malformed(name, data):
    decode, encode, _ = PARSERS[name]
    try:
        value = decode(data)
    except MalformedInput:
        return
    assert encode(value) == data


@each_parser
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage_is_another_value_or_malformed(name, data):
    decode, encode, honest = PARSERS[name]
    damaged = bytearray(honest)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        value = decode(bytes(damaged))
    except MalformedInput:
        return
    assert encode(value) == bytes(damaged)
    assert value != decode(honest)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_headers_with_damage_within_reach_the_rules_as_values(data):
    """Structure-aware: the protobuf stays canonical and the RLP a header, so the damage gets past the first decoders."""
    message = clique_pb2.Header.FromString(UPDATE)
    index = data.draw(st.integers(0, len(message.headers_rlp) - 1))
    header = decode_header(message.headers_rlp[index])
    field = data.draw(st.sampled_from(["parent_hash", "state_root", "beneficiary", "nonce", "mix_hash", "extra_data"]))
    value = bytearray(getattr(header, field))
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    message.headers_rlp[index] = encode_header(replace(header, **{field: bytes(value)}))
    decoded = decode_header_message(message.SerializeToString(deterministic=True))
    assert encode_header_message(decoded) != UPDATE
    assert decoded.blocks[index].hash != decode_header_message(UPDATE).blocks[index].hash


@settings(max_examples=100, deadline=None)
@given(extra=st.binary(max_size=400))
def test_any_extra_data_is_a_sealed_block_or_malformed(extra):
    header = replace(CHAIN.main.at(3).block.execution, extra_data=extra)
    try:
        block = sealed_block(header)
    except MalformedInput as error:
        assert error.field == "header.extra_data"
        assert len(extra) < 97 or (len(extra) - 97) % 20
        return
    assert extra[:32] + b"".join(block.signers) + block.seal == extra
    signer = recover_signer(block)
    assert signer is None or len(signer) == 20


@pytest.mark.parametrize("name", ["client state", "consensus state", "header", "misbehaviour"])
def test_oversized_bytes_are_refused_by_their_length(name):
    decode, _, honest = PARSERS[name]
    with pytest.raises(MalformedInput, match="more than"):
        decode(honest + bytes(4 * 1024 * 1024))
