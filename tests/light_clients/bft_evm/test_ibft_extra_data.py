"""Extra data of IBFT 2.0 and Istanbul: strict both ways, and the forms under the hashes."""

from dataclasses import replace

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.bft_evm import (
    Consensus,
    ExtraData,
    SealRules,
    Vote,
    VoteKind,
    block_hash,
    commit_seal_hash,
    decode_extra_data,
    encode_extra_data,
)
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import MalformedInput
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain

ADDRESS = b"\x11" * 20
SEAL = b"\x22" * 65
IBFT2 = ExtraData(b"\x33" * 32, (ADDRESS, b"\x44" * 20), Vote(ADDRESS, VoteKind.ADD), 7, (SEAL,), Consensus.IBFT2, 4)
ISTANBUL = ExtraData(b"\x33" * 32, (ADDRESS,), None, 0, (SEAL, SEAL), Consensus.ISTANBUL, 0, SEAL)

ADDRESSES = st.lists(st.binary(min_size=20, max_size=20), max_size=5).map(tuple)
SEALS = st.lists(st.binary(min_size=65, max_size=65), max_size=4).map(tuple)
ANY_IBFT2 = st.builds(
    ExtraData,
    vanity=st.binary(max_size=32),
    validators=ADDRESSES,
    vote=st.none() | st.builds(Vote, st.binary(min_size=20, max_size=20), st.sampled_from(VoteKind)),
    round=st.integers(0, 2**24 - 1),
    seals=SEALS,
    consensus=st.just(Consensus.IBFT2),
    round_width=st.sampled_from((0, 4)),
)
ANY_ISTANBUL = st.builds(
    ExtraData,
    vanity=st.binary(min_size=32, max_size=32),
    validators=ADDRESSES,
    vote=st.none(),
    round=st.just(0),
    seals=SEALS,
    consensus=st.just(Consensus.ISTANBUL),
    proposer_seal=st.just(b"") | st.binary(min_size=65, max_size=65),
)
OTHERS = st.sampled_from((Consensus.IBFT2, Consensus.ISTANBUL))


@settings(max_examples=60)
@given(ANY_IBFT2 | ANY_ISTANBUL)
def test_values_round_trip(extra):
    assert decode_extra_data(encode_extra_data(extra), extra.consensus) == extra


@settings(max_examples=100)
@given(st.binary(max_size=300), OTHERS)
def test_any_bytes_are_extra_data_or_malformed(data, consensus):
    try:
        extra = decode_extra_data(data, consensus)
    except MalformedInput:
        return
    assert encode_extra_data(extra) == data


@settings(max_examples=60)
@given(ANY_IBFT2 | ANY_ISTANBUL, st.data())
def test_any_damage_is_other_extra_data_or_malformed(extra, data):
    encoded = bytearray(encode_extra_data(extra))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode_extra_data(bytes(encoded), extra.consensus)
    except MalformedInput:
        return
    assert decoded != extra
    assert encode_extra_data(decoded) == bytes(encoded)


def test_besu_writes_an_ibft2_round_in_four_bytes_and_votes_in_one():
    items = rlp.decode(encode_extra_data(IBFT2))
    assert items[2:4] == [[ADDRESS, b"\xff"], b"\x00\x00\x00\x07"]
    dropped = replace(IBFT2, vote=Vote(ADDRESS, VoteKind.DROP), round_width=0)
    assert rlp.decode(encode_extra_data(dropped))[2:4] == [[ADDRESS, b"\x00"], b"\x07"]
    assert rlp.decode(encode_extra_data(replace(IBFT2, vote=None)))[2] == b""


@pytest.mark.parametrize(
    ("index", "item", "field"),
    [
        (0, b"\0" * 33, "vanity"),
        (1, [ADDRESS[:19]], "validators[0]"),
        (2, [], "vote"),
        (2, [ADDRESS, b""], "vote.kind"),
        (2, [ADDRESS, b"\x01"], "vote.kind"),
        (3, b"\x00", "round"),
        (3, b"\x00" * 5, "round"),
        (3, b"\x00\x00\x07", "round"),
        (4, [SEAL[:64]], "seals[0]"),
    ],
)
def test_ibft2_items_of_another_shape_are_named(index, item, field):
    items = rlp.decode(encode_extra_data(IBFT2))
    items[index] = item
    with pytest.raises(MalformedInput) as caught:
        decode_extra_data(rlp.encode(items), Consensus.IBFT2)
    assert caught.value.field == f"header.extra_data.{field}"


@pytest.mark.parametrize(
    ("index", "item", "field"),
    [
        (0, b"", "validators"),
        (1, [], "proposer_seal"),
        (1, SEAL[:64], "proposer_seal"),
        (2, [SEAL + b"\0"], "seals[0]"),
    ],
)
def test_istanbul_items_of_another_shape_are_named(index, item, field):
    items = rlp.decode(encode_extra_data(ISTANBUL)[32:])
    items[index] = item
    with pytest.raises(MalformedInput) as caught:
        decode_extra_data(bytes(32) + rlp.encode(items), Consensus.ISTANBUL)
    assert caught.value.field == f"header.extra_data.{field}"


@pytest.mark.parametrize(
    "data", [b"", bytes(32), bytes(32) + rlp.encode([[], b""]), bytes(31) + rlp.encode([[], b"", []])]
)
def test_istanbul_extra_data_has_a_vanity_and_three_items(data):
    with pytest.raises(MalformedInput):
        decode_extra_data(data, Consensus.ISTANBUL)


def test_ibft2_drops_items_from_what_is_hashed():
    chain = SimulatedChain(rules=SealRules(Consensus.IBFT2))
    chain.advance(2)
    execution, extra = chain.propose(2, round_number=9)
    items = rlp.decode(execution.extra_data)
    for kept, hashed in ((4, commit_seal_hash), (3, block_hash)):
        form = replace(execution, extra_data=rlp.encode(items[:kept]))
        assert hashed(execution, extra) == keccak256(encode_header(form))
    assert chain.headers[3][0].parent_hash == block_hash(*chain.headers[2]) == block_hash(execution, extra)


def test_istanbul_blocks_are_named_without_seals_but_with_the_proposers():
    chain = SimulatedChain(rules=SealRules(Consensus.ISTANBUL))
    chain.advance(2)
    execution, extra = chain.headers[2]
    items = rlp.decode(execution.extra_data[32:])
    form = replace(execution, extra_data=execution.extra_data[:32] + rlp.encode([*items[:2], []]))
    assert block_hash(execution, extra) == keccak256(encode_header(form)) == chain.headers[3][0].parent_hash
    other = chain.propose(2, proposer=chain.keys[1])
    assert block_hash(*other) != block_hash(execution, extra), "another proposer's block is another block"
