"""A log that grew, and one that was rewritten: RFC 6962's consistency proofs tell them apart."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import PredicateFailed, audit
from hutong.light_clients.proofs.merkle import (
    EMPTY_ROOT,
    ConsistencyProof,
    Frontier,
    judge_consistency,
    leaf_hash,
    prove_consistency,
    root_of_leaves,
    verify_consistency,
)

LEAVES = [leaf_hash(bytes([number])) for number in range(40)]


@pytest.mark.parametrize("second", range(34))
def test_every_beginning_of_a_log_is_proven(second):
    for first in range(second + 1):
        proof = prove_consistency(LEAVES[:second], first)
        roots = root_of_leaves(LEAVES[:first]), root_of_leaves(LEAVES[:second])
        assert [one.held for one in audit(judge_consistency, proof, *roots)] == [True] * 4


def test_known_proof_of_seven_leaves():
    """The example of RFC 6962, section 2.1.3: the first three of seven leaves are shown by c, d, g and l."""
    a_b, c, d = root_of_leaves(LEAVES[:2]), LEAVES[2], LEAVES[3]
    assert prove_consistency(LEAVES[:7], 3).nodes == (c, d, a_b, root_of_leaves(LEAVES[4:7]))
    assert prove_consistency(LEAVES[:7], 4).nodes == (root_of_leaves(LEAVES[4:7]),)


def refused(predicate: str, proof: ConsistencyProof, first_root: bytes, second_root: bytes) -> None:
    with pytest.raises(PredicateFailed) as caught:
        verify_consistency(proof, first_root, second_root)
    assert caught.value.predicate == predicate


def test_attack_H_a_rewritten_log_is_no_continuation():
    rewritten = [*LEAVES[:2], leaf_hash(b"another"), *LEAVES[3:9]]
    for first in range(3, 9):
        proof = prove_consistency(rewritten, first)
        refused("first_root_matches" if first != 4 and first != 8 else "second_root_matches",
                proof, root_of_leaves(LEAVES[:first]), root_of_leaves(rewritten))  # fmt: skip


def test_length_and_order_are_judged():
    first_root, second_root = root_of_leaves(LEAVES[:3]), root_of_leaves(LEAVES[:7])
    proof = prove_consistency(LEAVES[:7], 3)
    refused("sizes_ascend", replace(proof, first=8), first_root, second_root)
    refused("sizes_ascend", replace(proof, first=-1), first_root, second_root)
    refused("nodes_are_hashes", replace(proof, nodes=(b"short",)), first_root, second_root)
    refused("nodes_are_hashes", replace(proof, nodes=(bytes(32),) * 65), first_root, second_root)
    for nodes in ((), proof.nodes[:-1], (*proof.nodes, bytes(32))):
        refused("proof_has_its_length", replace(proof, nodes=nodes), first_root, second_root)
    refused("proof_has_its_length", ConsistencyProof(7, 7, (bytes(32),)), second_root, second_root)
    refused("second_root_matches", ConsistencyProof(7, 7, ()), second_root, first_root)
    refused("first_root_matches", ConsistencyProof(0, 7, ()), first_root, second_root)
    with pytest.raises(IndexError):
        prove_consistency(LEAVES[:3], 4)


@given(st.integers(1, 40), st.data())
def test_any_other_node_or_size_is_refused(second, data):
    first = data.draw(st.integers(1, second))
    proof = prove_consistency(LEAVES[:second], first)
    roots = root_of_leaves(LEAVES[:first]), root_of_leaves(LEAVES[:second])
    if proof.nodes:
        at = data.draw(st.integers(0, len(proof.nodes) - 1))
        nodes = (*proof.nodes[:at], data.draw(st.binary(min_size=32, max_size=32)), *proof.nodes[at + 1 :])
        if nodes != proof.nodes:
            with pytest.raises(PredicateFailed):
                verify_consistency(replace(proof, nodes=nodes), *roots)
    with pytest.raises(PredicateFailed):
        verify_consistency(replace(proof, first=first - 1 or second + 1), *roots)
    assert prove_consistency(LEAVES[:second], 0) == ConsistencyProof(0, second, ())
    verify_consistency(ConsistencyProof(0, second, ()), EMPTY_ROOT, roots[1])


def test_a_growing_tree_has_the_root_of_its_leaves():
    frontier = Frontier()
    for count in range(len(LEAVES)):
        assert (frontier.size, frontier.root()) == (count, root_of_leaves(LEAVES[:count]))
        beside = frontier.copy()
        beside.append(b"\1" * 32)
        frontier.append(LEAVES[count])
        assert beside.root() != frontier.root()
