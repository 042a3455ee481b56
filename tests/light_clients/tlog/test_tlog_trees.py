"""Proofs and tiles against trees hashed as RFC 6962 is written, and a log grown at random judged by the client."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import (
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    PredicateFailed,
    Updated,
)
from hutong.light_clients.proofs.merkle import ConsistencyProof, MerkleProof, leaf_hash, verify, verify_consistency
from hutong.light_clients.tlog import TlogClient, decode_consensus_state, entry_path
from hutong.light_clients.tlog.tiles import (
    TILE_WIDTH,
    Tile,
    bundle_path,
    consistency_ranges,
    decode_bundle,
    decode_tile,
    encode_bundle,
    inclusion_ranges,
    range_root,
    tile_at,
    tiles_for,
)
from tests.light_clients.tlog.simulated_log import SimulatedLog, naive_path, naive_proof, naive_root

LEAVES = [b"leaf %d" % at for at in range(1_400)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
SIZES = st.integers(1, 80) | st.sampled_from([255, 256, 257, 511, 512, 513, 700, 1_400])


def served(size: int) -> dict[Tile, bytes]:
    """Every tile of a tree of `size` leaves, hashed from the leaves."""
    tiles, level = {}, 0
    while (span := TILE_WIDTH**level) <= size:
        roots = [naive_root(LEAVES[at * span : (at + 1) * span]) for at in range(size // span)]
        for index in range((len(roots) + TILE_WIDTH - 1) // TILE_WIDTH):
            part = roots[index * TILE_WIDTH : (index + 1) * TILE_WIDTH]
            tiles[Tile(level, index, len(part))] = b"".join(part)
        level += 1
    return tiles


TILES = {size: served(size) for size in (1, 2, 255, 256, 257, 513, 1_400)}


@given(st.data())
def test_inclusion_proofs_are_those_of_the_naive_tree(data):
    size = data.draw(SIZES)
    index = data.draw(st.integers(0, size - 1))
    path = naive_path(index, LEAVES[:size])
    root = naive_root(LEAVES[:size])
    proof = MerkleProof(size, index, HASHES[index], tuple(path))
    verify(proof, root, LEAVES[index])
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index)) if size > 1 else None
    if other is not None:
        with pytest.raises(PredicateFailed):
            verify(replace(proof, index=other, leaf_hash=HASHES[other]), root, LEAVES[other])
    if path:
        at, bit = data.draw(st.integers(0, 32 * len(path) - 1)), data.draw(st.integers(0, 7))
        changed = bytearray(b"".join(path))
        changed[at] ^= 1 << bit
        aunts = tuple(bytes(changed[32 * n : 32 * n + 32]) for n in range(len(path)))
        with pytest.raises(PredicateFailed):
            verify(replace(proof, aunts=aunts), root, LEAVES[index])


@given(st.data())
def test_consistency_proofs_are_those_of_the_naive_tree(data):
    second = data.draw(SIZES)
    first = data.draw(st.integers(1, second))
    roots = naive_root(LEAVES[:first]), naive_root(LEAVES[:second])
    proof = ConsistencyProof(first, second, tuple(naive_proof(first, LEAVES[:second])))
    verify_consistency(proof, *roots)
    rewritten = [*LEAVES[: first - 1], b"rewritten", *LEAVES[first:second]]
    with pytest.raises(PredicateFailed):
        verify_consistency(
            ConsistencyProof(first, second, tuple(naive_proof(first, rewritten))), roots[0], naive_root(rewritten)
        )


@pytest.mark.parametrize("size", TILES)
def test_tiles_give_the_proofs_of_the_naive_tree(size):
    tiles = TILES[size]
    places = sorted({0, 1, size // 3, size // 2, 255, 256, 511, 512, size - 2, size - 1} & set(range(size)))
    for index in places:
        ranges = inclusion_ranges(index, size)
        held = {tile: tiles[tile] for tile in tiles_for(ranges, size)}
        assert [range_root(*one, size, held) for one in ranges] == naive_path(index, LEAVES[:size])
        ranges = consistency_ranges(index + 1, size)
        held = {tile: tiles[tile] for tile in tiles_for(ranges, size)}
        assert [range_root(*one, size, held) for one in ranges] == naive_proof(index + 1, LEAVES[:size])
    held = {tile: tiles[tile] for tile in tiles_for([(0, size)], size)}
    assert range_root(0, size, size, held) == naive_root(LEAVES[:size])


def test_tiles_of_the_specification_s_example():
    """A tree of 70 000: 273 full tiles of level 0 and one of 112, one of level 1 and one of 17, one of level 2 and width 1."""
    assert [tile_at(0, index, 70_000).width for index in (0, 272, 273)] == [256, 256, 112]
    assert [tile_at(1, index, 70_000).width for index in (0, 1)] == [256, 17]
    assert tile_at(2, 0, 70_000).width == 1
    assert tile_at(1, 0, 256) == Tile(1, 0, 1)
    for level, index in ((0, 274), (1, 2), (2, 1), (3, 0)):
        with pytest.raises(ValueError, match="no such tile"):
            tile_at(level, index, 70_000)


def test_names_of_tiles():
    assert Tile(0, 1_234_067, 256).path == "tile/0/x001/x234/067"
    assert Tile(2, 7, 12).path == "tile/2/007.p/12"
    assert bundle_path(1_000, 256) == "tile/entries/x001/000"
    assert bundle_path(0, 3) == "tile/entries/000.p/3"


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_bundles_hold_their_entries(entries):
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == tuple(entries)
    for changed, width in ((data + b"\0", len(entries)), (data, len(entries) + 1), (data[:-1], len(entries))):
        if changed != data or width != len(entries):
            with pytest.raises(MalformedInput):
                decode_bundle(changed, width)


@given(st.binary(max_size=60), st.integers(1, 256))
def test_any_bytes_are_a_bundle_or_malformed(data, width):
    try:
        assert encode_bundle(decode_bundle(data, width)) == data
    except MalformedInput:
        pass


def test_tiles_of_another_length_are_malformed():
    assert decode_tile(bytes(64), 2) == bytes(64)
    for size in (0, 32, 63, 65, 96):
        with pytest.raises(MalformedInput):
            decode_tile(bytes(size), 2)


@pytest.mark.long
@given(st.lists(st.binary(min_size=1, max_size=8), min_size=3, max_size=40, unique=True), st.data())
def test_log_that_grows_is_followed_and_one_that_forks_freezes(entries, data):
    log, client = SimulatedLog(entries), TlogClient()
    first = data.draw(st.integers(1, len(entries) - 1))
    second = data.draw(st.integers(first + 1, len(entries)))
    stored = MemoryConsensusStates({Height(0, first): log.consensus_state(first)})
    verdict = client.verify_header(log.client_state(first), stored, log.header(second, first), log.time_ns(second))
    assert isinstance(verdict, Updated)
    assert decode_consensus_state(verdict.consensus_state).root == naive_root(entries[:second])
    at = data.draw(st.integers(0, second - 1))
    client.verify_membership(
        verdict.client_state, verdict.consensus_state, log.proof(at, second), entry_path(at), entries[at]
    )
    lost = data.draw(st.integers(0, first - 1))
    fork = SimulatedLog([*entries[:lost], b"rewritten by the log", *entries[lost + 1 :]])
    header = fork.header(second, first)
    assert isinstance(client.verify_header(log.client_state(first), stored, header, log.time_ns(second)), Misbehaved)
