"""QBFT extra data: strict both ways, and the forms under the two hashes."""

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.bft_evm import ExtraData, Vote, VoteKind, block_hash, decode_extra_data, encode_extra_data
from hutong.light_clients.interface import MalformedInput
from tests.light_clients.bft_evm.simulated_chain import SimulatedChain

ADDRESS = b"\x11" * 20
SEAL = b"\x22" * 65
FULL = ExtraData(b"\x33" * 32, (ADDRESS, b"\x44" * 20), Vote(ADDRESS, VoteKind.ADD), 7, (SEAL, SEAL))

EXTRA = st.builds(
    ExtraData,
    vanity=st.binary(max_size=32),
    validators=st.lists(st.binary(min_size=20, max_size=20), max_size=5).map(tuple),
    vote=st.none() | st.builds(Vote, st.binary(min_size=20, max_size=20), st.sampled_from(VoteKind)),
    round=st.integers(0, 2**32 - 1),
    seals=st.lists(st.binary(min_size=65, max_size=65), max_size=4).map(tuple),
)


@given(EXTRA)
def test_values_round_trip(extra):
    assert decode_extra_data(encode_extra_data(extra)) == extra


@given(st.binary(max_size=300))
def test_any_bytes_are_extra_data_or_malformed(data):
    try:
        extra = decode_extra_data(data)
    except MalformedInput:
        return
    assert encode_extra_data(extra) == data


@given(EXTRA, st.data())
def test_any_damage_is_other_extra_data_or_malformed(extra, data):
    encoded = bytearray(encode_extra_data(extra))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode_extra_data(bytes(encoded))
    except MalformedInput:
        return
    assert decoded != extra
    assert encode_extra_data(decoded) == bytes(encoded)


@pytest.mark.parametrize(
    ("index", "item", "field"),
    [
        (0, b"\0" * 33, "vanity"),
        (0, [], "vanity"),
        (1, b"", "validators"),
        (1, [ADDRESS[:19]], "validators[0]"),
        (1, [ADDRESS, [ADDRESS]], "validators[1]"),
        (2, ADDRESS, "vote"),
        (2, [ADDRESS], "vote"),
        (2, [ADDRESS, b"\xff", b""], "vote"),
        (2, [ADDRESS[:19], b"\xff"], "vote.recipient"),
        (2, [ADDRESS, b"\x00"], "vote.kind"),
        (2, [ADDRESS, b"\xfe"], "vote.kind"),
        (2, [ADDRESS, [b"\xff"]], "vote.kind"),
        (3, b"\x00", "round"),
        (3, b"\x00\x07", "round"),
        (3, b"\x01" * 5, "round"),
        (3, [], "round"),
        (4, b"", "seals"),
        (4, [SEAL[:64]], "seals[0]"),
        (4, [SEAL, SEAL + b"\0"], "seals[1]"),
    ],
)
def test_items_of_another_shape_are_named(index, item, field):
    items = rlp.decode(encode_extra_data(FULL))
    assert decode_extra_data(rlp.encode(items)) == FULL
    items[index] = item
    with pytest.raises(MalformedInput) as caught:
        decode_extra_data(rlp.encode(items))
    assert caught.value.field == f"header.extra_data.{field}"


@pytest.mark.parametrize("count", [0, 4, 6])
def test_five_items(count):
    items = [*rlp.decode(encode_extra_data(FULL)), b""][:count]
    with pytest.raises(MalformedInput) as caught:
        decode_extra_data(rlp.encode(items))
    assert (caught.value.got, caught.value.expected) == (count, 5)


def test_round_has_a_bound_when_encoding():
    with pytest.raises(MalformedInput):
        encode_extra_data(ExtraData(b"", (), None, 2**32, ()))


def test_blocks_link_by_the_hash_without_seals_and_round():
    chain = SimulatedChain()
    chain.advance(3)
    for number in (2, 3, 4):
        assert chain.headers[number][0].parent_hash == block_hash(*chain.headers[number - 1])
    first = block_hash(*chain.propose(3))
    assert first == block_hash(*chain.propose(3, round_number=9)) == block_hash(*chain.propose(3, signers=[]))
    assert first != block_hash(*chain.propose(3, gas_used=1))
