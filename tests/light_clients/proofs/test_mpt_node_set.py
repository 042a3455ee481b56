"""A set of nodes shows what ordered proofs show, no more, and in one form."""

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.proofs import mpt
from hutong.light_clients.proofs.mpt.node_set import MAX_SET_NODES
from tests.light_clients.proofs.test_mpt import STORAGE, built, proof_of, storage_trie, word


def by_hash(nodes):
    return sorted(set(nodes), key=keccak256)


def set_for(tree, slots):
    return by_hash(node for slot in slots for node in proof_of(tree, keccak256(word(slot))))


@settings(max_examples=60, deadline=None)
@given(
    held=st.dictionaries(st.integers(0, 60), st.integers(1, 2**256 - 1), max_size=40),
    asked=st.lists(st.integers(0, 70), min_size=1, max_size=8),
)
def test_a_set_shows_what_ordered_proofs_show(held, asked):
    tree = storage_trie(held)
    if not held:
        nodes = mpt.NodeSet([])
    else:
        nodes = mpt.NodeSet(set_for(tree, asked))
    for slot in asked:
        ordered = mpt.verify_storage(tree.root_hash, word(slot), proof_of(tree, keccak256(word(slot))))
        assert mpt.slot_proven(nodes, tree.root_hash, word(slot)) == ordered
    mpt.every_node_used(nodes)


def test_a_missing_node_refuses_the_place_that_needs_it():
    nodes = set_for(STORAGE, [1, 2])
    for missing in range(len(nodes)):
        rest = mpt.NodeSet(nodes[:missing] + nodes[missing + 1 :])
        with pytest.raises(PredicateFailed) as refused:
            for slot in (1, 2):
                mpt.slot_proven(rest, STORAGE.root_hash, word(slot))
        assert refused.value.predicate == "path_is_complete"


def test_a_node_that_no_place_needs_is_refused():
    nodes = mpt.NodeSet(set_for(STORAGE, [1, 2]))
    mpt.slot_proven(nodes, STORAGE.root_hash, word(1))
    with pytest.raises(PredicateFailed) as refused:
        mpt.every_node_used(nodes)
    assert refused.value.predicate == "every_node_used"
    mpt.slot_proven(nodes, STORAGE.root_hash, word(2))
    mpt.every_node_used(nodes)


def test_a_set_has_one_order_and_no_node_twice():
    nodes = set_for(STORAGE, [1, 2])
    for other in (nodes[::-1], [nodes[0], *nodes], [*nodes, nodes[-1]]):
        with pytest.raises(MalformedInput, match="must ascend by hash"):
            mpt.NodeSet(other)


def test_a_set_is_bounded():
    nodes = by_hash(word(number) for number in range(MAX_SET_NODES + 1))
    mpt.NodeSet(nodes[:-1])
    with pytest.raises(MalformedInput, match="more than 4096 nodes"):
        mpt.NodeSet(nodes)


def test_a_node_below_32_bytes_is_found_by_hash_as_a_root_alone():
    tree = built({keccak256(b"a"): b"1"})
    small = rlp.encode([b"\x20" + keccak256(b"a")[:3], b"\x01"])
    parent = rlp.encode([keccak256(small) if index == 3 else b"x" * 32 if index == 4 else b"" for index in range(17)])
    nodes = mpt.NodeSet(by_hash([small, parent]))
    with pytest.raises(PredicateFailed, match="shorter than 32 bytes"):
        nodes.walk(keccak256(parent), b"\x3f" + bytes(31))
    alone = mpt.NodeSet(by_hash(proof_of(tree, keccak256(b"a"))))
    assert alone.walk(tree.root_hash, keccak256(b"a")) == b"1"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_nodes_are_a_typed_refusal(noise):
    root = keccak256(noise[0]) if noise else STORAGE.root_hash
    try:
        nodes = mpt.NodeSet(by_hash(noise))
        mpt.slot_proven(nodes, root, word(1))
        mpt.every_node_used(nodes)
    except VerificationError:
        return
    assert root == keccak256(b"\x80")


@pytest.mark.parametrize("root", [b"", bytes(32), bytes(31)])
def test_a_root_that_cannot_be_one_is_refused(root):
    with pytest.raises(PredicateFailed) as refused:
        mpt.NodeSet([]).walk(root, bytes(32))
    assert refused.value.predicate == "root_is_well_formed"
