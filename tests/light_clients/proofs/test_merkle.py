from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed, audit
from hutong.light_clients.proofs import merkle


def split_root(items):
    """The recursive definition of RFC 6962, section 2.1."""
    if not items:
        return sha256(b"")
    if len(items) == 1:
        return sha256(b"\0" + items[0])
    split = 1
    while 2 * split < len(items):
        split *= 2
    return sha256(b"\1" + split_root(items[:split]) + split_root(items[split:]))


def items_of(count):
    return [bytes([i]) * 3 for i in range(count)]


def refused(predicate, proof, root, item):
    with pytest.raises(PredicateFailed) as caught:
        merkle.verify(proof, root, item)
    assert caught.value.predicate == predicate


@pytest.mark.parametrize("count", range(40))
def test_roots_and_proofs_follow_the_recursive_definition(count):
    items = items_of(count)
    root = merkle.root(items)
    assert root == split_root(items)
    for index, item in enumerate(items):
        proof = merkle.prove(items, index)
        merkle.verify(proof, root, item)
        assert [v.held for v in audit(merkle.judge_inclusion, proof, root, item)] == [True] * 4


def test_prove_has_no_proof_of_an_item_that_is_not_there():
    with pytest.raises(IndexError):
        merkle.prove(items_of(3), 3)
    with pytest.raises(IndexError):
        merkle.prove([], 0)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 7, 9, 13, 33])
def test_attack_B45_a_proof_verifies_at_its_own_index_and_width_only(count):
    items = items_of(count)
    root = merkle.root(items)
    for index, item in enumerate(items):
        proof = merkle.prove(items, index)
        merkle.verify(proof, root, item)
        for other in range(-1, count + 2):
            if other != index:
                with pytest.raises(PredicateFailed):
                    merkle.verify(replace(proof, index=other), root, item)
    # The lone promoted leaf of 2^k + 1 leaves has a one-step path, which fits other widths in which it is last too:
    # the total is bound by the signed header or not at all, the index among them by the path.


def test_attack_B45_paths_shorter_and_longer_than_canonical():
    items = items_of(5)
    root = merkle.root(items)
    proof = merkle.prove(items, 4)
    merkle.verify(proof, root, items[4])
    refused("path_is_canonical", replace(proof, aunts=()), root, items[4])
    refused("path_is_canonical", replace(proof, aunts=(*proof.aunts, bytes(32))), root, items[4])
    refused("path_is_canonical", replace(proof, aunts=(proof.aunts[0][:31],)), root, items[4])
    refused("path_is_canonical", replace(proof, aunts=(bytes(32),) * 10_000), root, items[4])


@pytest.mark.parametrize(("total", "index"), [(0, 0), (-1, 0), (3, 3), (3, -1), (2**63, 0), (2, 2**70)])
def test_attack_B45_width_zero_and_index_outside(total, index):
    items = items_of(3)
    proof = merkle.prove(items, 0)
    merkle.verify(proof, merkle.root(items), items[0])
    refused("index_within_total", replace(proof, total=total, index=index), merkle.root(items), items[0])


def test_attack_B47_two_child_hashes_are_no_leaf():
    items = items_of(4)
    root = merkle.root(items)
    left = merkle.inner_hash(merkle.leaf_hash(items[0]), merkle.leaf_hash(items[1]))
    right = merkle.inner_hash(merkle.leaf_hash(items[2]), merkle.leaf_hash(items[3]))
    assert merkle.inner_hash(left, right) == root
    forged = merkle.MerkleProof(1, 0, merkle.leaf_hash(left + right), ())
    refused("root_matches", forged, root, left + right)
    refused("leaf_matches", replace(forged, leaf_hash=root), root, left + right)


def test_wrong_item_and_wrong_root():
    items = items_of(6)
    root = merkle.root(items)
    proof = merkle.prove(items, 2)
    merkle.verify(proof, root, items[2])
    refused("leaf_matches", proof, root, items[3])
    refused("root_matches", proof, merkle.root(items[:5]), items[2])
    refused("root_matches", proof, b"", items[2])
    refused("root_matches", proof, bytes(32), items[2])


@given(
    st.integers(-(2**70), 2**70),
    st.integers(-(2**70), 2**70),
    st.lists(st.binary(max_size=33), max_size=70),
    st.binary(max_size=40),
)
def test_any_proof_gives_a_verdict(total, index, aunts, item):
    proof = merkle.MerkleProof(total, index, merkle.leaf_hash(item), tuple(aunts))
    try:
        merkle.verify(proof, bytes(32), item)
    except PredicateFailed:
        return
    raise AssertionError("a root of zeros has no preimage")
