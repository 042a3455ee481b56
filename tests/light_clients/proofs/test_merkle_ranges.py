"""Range proofs: every range of every small tree, and everything that leaves a leaf out."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.light_clients.proofs.merkle import (
    RangeProof,
    judge_range,
    leaf_hash,
    levels_of_leaves,
    prove_range,
    prove_range_in,
    root,
)
from hutong.light_clients.proofs.merkle.proof import MAX_TOTAL

ITEMS = [bytes([number]) * 3 for number in range(13)]
LEAVES = [leaf_hash(item) for item in ITEMS]
ROOT = root(ITEMS)


def test_every_range_of_every_small_tree_is_proven():
    for total in range(1, len(ITEMS) + 1):
        for first in range(total):
            for count in range(1, total - first + 1):
                proof = prove_range(LEAVES[:total], first, count)
                judge_range(VERIFY, proof, root(ITEMS[:total]), ITEMS[first : first + count])


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 0), (12, 2), (13, 1)])
def test_no_range_outside_of_the_tree_is_proven(first, count):
    with pytest.raises(IndexError):
        prove_range(LEAVES, first, count)


def changed(proof, shown):
    """A page, mutilated in every way that keeps its form."""
    yield "dropped", proof, [*shown[:1], *shown[2:]]
    yield "dropped and counted", replace(proof, count=proof.count - 1), [*shown[:1], *shown[2:]]
    yield "shortened", replace(proof, count=proof.count - 1), shown[:-1]
    yield "doubled", replace(proof, count=proof.count + 1), [shown[0], *shown]
    yield "swapped", proof, [shown[1], shown[0], *shown[2:]]
    yield "other place", replace(proof, first=proof.first + 1), shown
    yield "shorter total", replace(proof, total=proof.first + proof.count), shown
    yield "other entry", proof, [b"other", *shown[1:]]
    yield "node less", replace(proof, nodes=proof.nodes[:-1]), shown
    yield "node more", replace(proof, nodes=(*proof.nodes, bytes(32))), shown
    yield "short node", replace(proof, nodes=(proof.nodes[0][:31], *proof.nodes[1:])), shown
    yield "nodes swapped", replace(proof, nodes=proof.nodes[::-1]), shown


@pytest.mark.parametrize("name", [name for name, _, _ in changed(prove_range(LEAVES, 3, 5), ITEMS[3:8])])
def test_attack_R5_a_mutilated_range_is_refused(name):
    proof = prove_range(LEAVES, 3, 5)
    (case,) = (each for each in changed(proof, ITEMS[3:8]) if each[0] == name)
    judge_range(VERIFY, proof, ROOT, ITEMS[3:8])
    with pytest.raises(PredicateFailed):
        judge_range(VERIFY, case[1], ROOT, case[2])


def test_attack_R5_an_empty_or_endless_range_is_refused():
    for proof in (RangeProof(13, 0, 0, ()), RangeProof(MAX_TOTAL + 1, 0, 13, ()), RangeProof(13, -1, 2, ())):
        with pytest.raises(PredicateFailed, match="range_within_total"):
            judge_range(VERIFY, proof, ROOT, ITEMS)


@given(st.integers(1, 200), st.data())
@settings(max_examples=20, deadline=None)
def test_attack_R5_a_drawn_range_holds_and_an_omission_does_not(total, data):
    items = [number.to_bytes(2, "big") for number in range(total)]
    first = data.draw(st.integers(0, total - 1))
    count = data.draw(st.integers(1, total - first))
    proof, shown = prove_range([leaf_hash(item) for item in items], first, count), items[first : first + count]
    judge_range(VERIFY, proof, root(items), shown)
    left_out = data.draw(st.integers(0, count - 1))
    with pytest.raises(PredicateFailed):
        judge_range(VERIFY, proof, root(items), shown[:left_out] + shown[left_out + 1 :])


def test_a_prover_that_keeps_all_levels_makes_the_same_proofs():
    for total in range(1, 18):
        leaves = [leaf_hash(bytes([number])) for number in range(total)]
        levels = levels_of_leaves(leaves)
        for first in range(total):
            for count in range(1, total - first + 1):
                assert prove_range_in(levels, first, count) == prove_range(leaves, first, count)
    with pytest.raises(IndexError):
        prove_range_in(levels, 16, 2)
