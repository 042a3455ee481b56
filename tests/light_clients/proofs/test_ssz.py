"""SSZ roots against remerkleable, and branches at generalized indices with the attacks on them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remerkleable.basic import uint64
from remerkleable.byte_arrays import ByteList, Bytes32
from remerkleable.complex import Container, List, Vector

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs.ssz import (
    ZERO_CHUNK,
    branch_holds,
    bytes_root,
    container_root,
    depth_of,
    hash_pair,
    merkle_root,
    mix_in_length,
    root_of_branch,
    uint64_chunk,
    verify_branch,
    verify_normalized_branch,
)

chunks = st.binary(min_size=32, max_size=32)


class Five(Container):
    a: uint64
    b: Bytes32
    c: Bytes32
    d: uint64
    e: Bytes32


def sibling_branch(leaves: list[bytes], position: int) -> tuple[bytes, ...]:
    """Nodes beside the way from a leaf to the root of a full tree."""
    nodes, layer = [], list(leaves)
    while len(layer) > 1:
        nodes.append(layer[position ^ 1])
        layer = [hash_pair(layer[at], layer[at + 1]) for at in range(0, len(layer), 2)]
        position //= 2
    return tuple(nodes)


LEAVES = [bytes([number]) * 32 for number in range(8)]
ROOT = merkle_root(LEAVES)
INDEX = 8 + 3
BRANCH = sibling_branch(LEAVES, 3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**64 - 1), chunks, chunks, st.integers(0, 2**64 - 1), chunks)
def test_container_roots_are_remerkleables(a, b, c, d, e):
    expected = Five(a=a, b=b, c=c, d=d, e=e).hash_tree_root()
    assert container_root([uint64_chunk(a), b, c, uint64_chunk(d), e]) == bytes(expected)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=100), st.lists(chunks, min_size=1, max_size=9))
def test_list_and_vector_roots_are_remerkleables(data, items):
    assert mix_in_length(bytes_root(data, 200), len(data)) == bytes(ByteList[200](data).hash_tree_root())
    assert merkle_root(items) == bytes(Vector[Bytes32, len(items)](*items).hash_tree_root())
    expected = List[Bytes32, 300](*items).hash_tree_root()
    assert mix_in_length(merkle_root(items, 300), len(items)) == bytes(expected)


def test_roots_of_nothing():
    assert merkle_root([]) == ZERO_CHUNK
    assert merkle_root([], 4) == hash_pair(hash_pair(ZERO_CHUNK, ZERO_CHUNK), hash_pair(ZERO_CHUNK, ZERO_CHUNK))
    with pytest.raises(ValueError):
        merkle_root(LEAVES, 7)


def test_branch_of_a_leaf_holds_and_of_another_does_not():
    verify_branch(LEAVES[3], BRANCH, INDEX, ROOT)
    with pytest.raises(PredicateFailed) as caught:
        verify_branch(LEAVES[4], BRANCH, INDEX, ROOT, "field_proven")
    assert (caught.value.predicate, caught.value.expected) == ("field_proven", ROOT)


def test_attack_B46_branch_for_another_generalized_index():
    for other in range(8, 16):
        assert branch_holds(LEAVES[3], BRANCH, other, ROOT) == (other == INDEX)


@pytest.mark.parametrize("index", [1, 5, 2 * INDEX, 2 * INDEX + 1, 2**70])
def test_attack_B45_branch_of_another_depth(index):
    """A short branch cannot stand for a deeper field, nor a long one for an inner node: the depth is the index's."""
    with pytest.raises(MalformedInput) as caught:
        root_of_branch(LEAVES[3], BRANCH, index)
    assert (caught.value.got, caught.value.expected) == (3, depth_of(index))
    for changed in (BRANCH[:-1], (*BRANCH, ZERO_CHUNK), ()):
        with pytest.raises(MalformedInput):
            root_of_branch(LEAVES[3], changed, INDEX)


def test_attack_B46_branch_of_an_earlier_fork_in_a_later_container():
    """Normalized by zero nodes in front and by nothing else; never as long as it likes."""
    for extra in range(4):
        verify_normalized_branch(LEAVES[3], (ZERO_CHUNK,) * extra + BRANCH, INDEX, ROOT)
    for noise in (b"\1" + bytes(31), bytes(31) + b"\x80"):
        with pytest.raises(PredicateFailed):
            verify_normalized_branch(LEAVES[3], (noise, *BRANCH), INDEX, ROOT)
        with pytest.raises(PredicateFailed):
            verify_normalized_branch(LEAVES[3], (noise, ZERO_CHUNK, *BRANCH), INDEX, ROOT)
    with pytest.raises(PredicateFailed):
        verify_normalized_branch(LEAVES[3], (*BRANCH, ZERO_CHUNK), INDEX, ROOT)
    for length in (2, 65):
        with pytest.raises(MalformedInput):
            verify_normalized_branch(LEAVES[3], ((ZERO_CHUNK,) * 65 + BRANCH)[-length:], INDEX, ROOT)


def test_attack_B47_inner_node_as_a_leaf():
    """64 bytes that are two child hashes lead to the same root one level up: so a leaf has 32 bytes and a fixed depth."""
    inner = hash_pair(LEAVES[2], LEAVES[3])
    verify_branch(inner, BRANCH[1:], INDEX // 2, ROOT)
    with pytest.raises(MalformedInput):
        root_of_branch(inner, BRANCH[1:], INDEX)
    with pytest.raises(MalformedInput):
        root_of_branch(LEAVES[2] + LEAVES[3], BRANCH[1:], INDEX // 2)
    with pytest.raises(MalformedInput):
        root_of_branch(LEAVES[3], (LEAVES[2] + b"\0", *BRANCH[1:]), INDEX)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.lists(st.binary(max_size=40), max_size=70), st.integers(1, 2**66))
def test_any_branch_gives_a_verdict(leaf, branch, index):
    for verify in (verify_branch, verify_normalized_branch):
        with pytest.raises((MalformedInput, PredicateFailed)):
            verify(leaf, branch, index, b"\7" * 32)
