"""Attacks on ICS-23 absence proofs (checklist B20 to B27), each beside the proof that is accepted."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError, audit
from hutong.light_clients.proofs import ics23
from hutong.light_clients.proofs.ics23 import (
    IAVL_SPEC,
    SMT_SPEC,
    TENDERMINT_SPEC,
    InnerOp,
    NonExistenceProof,
    judge_absence,
    neighbours,
    spec_from_message,
    spec_to_message,
)
from tests.light_clients.proofs.reference_trees import TREES, SparseTree, digest

KINDS = pytest.mark.parametrize("kind", TREES.values(), ids=TREES)


def absent_keys(tree):
    """One key before all, one in each gap and one after all, in the tree's own order."""
    candidates = [b"absent/%d" % i for i in range(400)]
    places = {}
    for key in candidates:
        place = sum(tree.order(k) < tree.order(key) for k in tree.keys)
        places.setdefault(place, key)
    return places


def grown(kind, count=9):
    """A tree whose keys leave room before, between and after."""
    return kind({b"absent/%d" % i + b"~": b"value %d" % i for i in range(0, 400, 400 // count)})


def accept(tree, key):
    ics23.verify_non_membership(tree.spec, tree.non_existence(key), tree.root, key)


def refuse(tree, proof, key, predicate, root=None):
    with pytest.raises(PredicateFailed) as caught:
        ics23.verify_non_membership(tree.spec, proof, root or tree.root, key)
    assert caught.value.predicate == predicate


def gap(tree):
    """(absent key, its proof) with neighbours on both sides and a present key two places away on each."""
    for place, key in sorted(absent_keys(tree).items()):
        if 2 <= place <= len(tree.keys) - 2:
            return place, key, tree.non_existence(key)
    raise AssertionError("no gap")


@KINDS
@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 17])
def test_every_gap_of_an_honest_tree_is_proven(kind, count):
    tree = grown(kind, count)
    for key in absent_keys(tree).values():
        accept(tree, key)
        verdicts = audit(judge_absence, tree.spec, tree.non_existence(key), tree.root, key)
        assert all(verdict.held for verdict in verdicts)
        assert verdicts[-1].name == "nothing_between"


@KINDS
def test_attack_B20_left_and_right_from_different_roots(kind):
    tree = grown(kind)
    other = kind({key: value + b"!" for key, value in tree.items.items()})
    _, key, proof = gap(tree)
    accept(tree, key)
    mixed = replace(proof, right=other.existence(proof.right.key))
    refuse(tree, mixed, key, "root_matches")
    refuse(tree, mixed, key, "root_matches", root=other.root)


@KINDS
def test_attack_B21_one_neighbour_that_is_not_outermost(kind):
    tree = grown(kind)
    _, key, proof = gap(tree)
    accept(tree, key)
    refuse(tree, replace(proof, right=None), key, "nothing_between")
    refuse(tree, replace(proof, left=None), key, "nothing_between")
    for place, end in ((0, "right"), (len(tree.keys), "left")):
        outside = absent_keys(tree).get(place)
        assert outside is not None
        honest = tree.non_existence(outside)
        accept(tree, outside)
        inner_neighbour = tree.existence(tree.keys[1 if end == "right" else -2])
        refuse(tree, replace(honest, **{end: inner_neighbour}), outside, "nothing_between")


@KINDS
def test_attack_B22_a_key_between_the_neighbours(kind):
    tree = grown(kind)
    place, key, proof = gap(tree)
    accept(tree, key)
    hidden = tree.keys[place]
    # Around a present key: its own neighbours are proven, so only the gap between them tells.
    wide = NonExistenceProof(hidden, tree.existence(tree.keys[place - 1]), tree.existence(tree.keys[place + 1]))
    refuse(tree, wide, hidden, "nothing_between")
    refuse(tree, replace(proof, right=tree.existence(tree.keys[place + 1])), key, "nothing_between")


@KINDS
def test_attack_B22_neighbours_swapped_identical_or_the_key_itself(kind):
    tree = grown(kind)
    place, key, proof = gap(tree)
    accept(tree, key)
    refuse(tree, replace(proof, left=proof.right, right=proof.left), key, "key_lies_between")
    refuse(tree, replace(proof, left=proof.right), key, "key_lies_between")
    refuse(tree, replace(proof, right=proof.left), key, "key_lies_between")
    present = tree.keys[place]
    itself = tree.existence(present)
    refuse(tree, NonExistenceProof(present, itself, itself), present, "key_lies_between")


@KINDS
def test_attack_B23_the_key_is_present(kind):
    tree = grown(kind)
    place, key, _ = gap(tree)
    accept(tree, key)
    present = tree.keys[place]
    before, after = tree.existence(tree.keys[place - 1]), tree.existence(tree.keys[place + 1])
    itself = tree.existence(present)
    refuse(tree, NonExistenceProof(present, before, itself), present, "key_lies_between")
    refuse(tree, NonExistenceProof(present, itself, after), present, "key_lies_between")
    refuse(tree, NonExistenceProof(present, before, after), present, "nothing_between")


@pytest.mark.parametrize("kind", [TREES["iavl"], TREES["tendermint"]])
def test_attack_B23_a_prefix_of_the_left_key_is_not_right_of_it(kind):
    tree = kind({b"aa": b"1", b"abc": b"2", b"b": b"3"})
    accept(tree, b"ab")
    assert tree.non_existence(b"ab").right.key == b"abc"
    wrong = NonExistenceProof(b"ab", tree.existence(b"abc"), tree.existence(b"b"))
    refuse(tree, wrong, b"ab", "key_lies_between")


@KINDS
def test_attack_B24_no_neighbour_at_all(kind):
    tree = grown(kind)
    _, key, _ = gap(tree)
    accept(tree, key)
    refuse(tree, NonExistenceProof(key, None, None), key, "has_neighbour")


@KINDS
def test_attack_B24_empty_paths_do_not_crash(kind):
    tree = grown(kind)
    _, key, proof = gap(tree)
    accept(tree, key)
    for changed in (
        replace(proof, left=replace(proof.left, path=())),
        replace(proof, right=replace(proof.right, path=())),
        replace(proof, left=replace(proof.left, path=()), right=replace(proof.right, path=())),
    ):
        with pytest.raises(VerificationError):
            ics23.verify_non_membership(tree.spec, changed, tree.root, key)
    inner = tree.spec.inner_spec
    left, right = proof.left.path, proof.right.path
    assert neighbours.are_neighbours(inner, left, right)
    for pair in (((), ()), (left, ()), ((), right), (left, left), (right, left), (left[-1:], left), (left, left[-1:])):
        assert not neighbours.are_neighbours(inner, *pair)


@KINDS
def test_attack_B24_forged_common_tail(kind):
    tree = grown(kind)
    place, key, proof = gap(tree)
    accept(tree, key)
    far = tree.existence(tree.keys[0])
    forged = replace(far, path=(*far.path[:1], *proof.right.path[1:]))
    refuse(tree, replace(proof, left=forged), key, "root_matches")
    longer = replace(proof.left, path=(*proof.left.path, proof.left.path[-1]))
    with pytest.raises(VerificationError):
        ics23.verify_non_membership(tree.spec, replace(proof, left=longer), tree.root, key)


def test_attack_B25_smt_neighbours_by_raw_key():
    tree = grown(SparseTree)
    for key in absent_keys(tree).values():
        accept(tree, key)
        raw = sorted(tree.keys)
        place = sum(k < key for k in raw)
        left = tree.existence(raw[place - 1]) if place else None
        right = tree.existence(raw[place]) if place < len(raw) else None
        honest = tree.non_existence(key)
        if (left, right) == (honest.left, honest.right):
            continue
        with pytest.raises(PredicateFailed) as caught:
            ics23.verify_non_membership(SMT_SPEC, NonExistenceProof(key, left, right), tree.root, key)
        assert caught.value.predicate in {"key_lies_between", "nothing_between"}


def test_attack_B25_smt_placeholder_where_a_sibling_is():
    tree = grown(SparseTree, 20)
    place, key, proof = gap(tree)
    accept(tree, key)
    last = tree.existence(tree.keys[place])
    emptied = tuple(InnerOp(op.hash, op.prefix, bytes(32)) if op.suffix else op for op in last.path)
    beyond = tree.keys[place + 1]
    forged = NonExistenceProof(beyond, replace(last, path=emptied), None)
    assert neighbours.is_right_most(SMT_SPEC.inner_spec, emptied)
    refuse(tree, forged, beyond, "root_matches")


def test_attack_B25_placeholders_count_for_smt_only():
    empty_left = InnerOp(1, b"\1" + bytes(32), b"")
    empty_right = InnerOp(1, b"\1", bytes(32))
    assert neighbours.is_left_most(SMT_SPEC.inner_spec, (empty_left,))
    assert neighbours.is_right_most(SMT_SPEC.inner_spec, (empty_right,))
    assert not neighbours.is_left_most(TENDERMINT_SPEC.inner_spec, (empty_left,))
    assert not neighbours.is_right_most(TENDERMINT_SPEC.inner_spec, (empty_right,))
    full = InnerOp(1, b"\1" + b"\0" * 31 + b"\1", b"")
    assert not neighbours.is_left_most(SMT_SPEC.inner_spec, (full,))


@pytest.mark.parametrize("longest", [33, 64])
def test_attack_B26_a_prefix_range_that_can_hide_a_sibling_is_no_spec(longest):
    accepted = spec_to_message(TENDERMINT_SPEC)
    assert spec_from_message(accepted) == TENDERMINT_SPEC
    accepted.inner_spec.max_prefix_length = 32
    spec_from_message(accepted)
    accepted.inner_spec.max_prefix_length = longest
    with pytest.raises(MalformedInput):
        spec_from_message(accepted)


def test_attack_B26_iavl_padding_between_least_and_most_hides_nothing():
    tree = grown(TREES["iavl"])
    place, key, proof = gap(tree)
    accept(tree, key)
    for extra in (b"\0", b"\x20" * 4):
        path = (InnerOp(1, proof.left.path[0].prefix + extra, proof.left.path[0].suffix), *proof.left.path[1:])
        left = replace(proof.left, path=path)
        root = ics23.calculate_root(left)
        with pytest.raises(PredicateFailed) as caught:
            ics23.verify_non_membership(IAVL_SPEC, NonExistenceProof(key, left, None), root, key)
        assert caught.value.predicate == "inner_nodes_conform_to_spec"


@KINDS
def test_attack_B27_absence_at_an_older_root(kind):
    tree = grown(kind)
    _, key, proof = gap(tree)
    accept(tree, key)
    written = kind(tree.items | {key: b"received"})
    ics23.verify_membership(written.spec, written.existence(key), written.root, key, b"received")
    refuse(tree, proof, key, "root_matches", root=written.root)


@KINDS
def test_a_proof_that_names_another_key_is_refused(kind):
    tree = grown(kind)
    _, key, proof = gap(tree)
    accept(tree, key)
    refuse(tree, replace(proof, key=key + b"?"), key, "proof_names_key")
    refuse(tree, replace(proof, key=b""), key, "proof_names_key")
    refuse(tree, replace(proof, key=b""), b"", "proof_names_key")
    hashed = replace(proof, key=digest(key))
    if kind is SparseTree:
        ics23.verify_non_membership(SMT_SPEC, hashed, tree.root, key)
    else:
        refuse(tree, hashed, key, "proof_names_key")


def test_an_empty_smt_proves_no_absence():
    one = SparseTree({b"hub/genesis": b"1"})
    accept(one, b"other")
    with pytest.raises(PredicateFailed):
        ics23.verify_non_membership(SMT_SPEC, NonExistenceProof(b"other", None, None), bytes(32), b"other")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(TREES)),
    st.dictionaries(st.binary(min_size=1, max_size=6), st.binary(min_size=1, max_size=40), min_size=1, max_size=24),
    st.binary(min_size=1, max_size=6),
)
def test_each_key_is_either_a_member_or_absent_and_never_both(kind, content, key):
    tree = TREES[kind](content)
    if key in content:
        ics23.verify_membership(tree.spec, tree.existence(key), tree.root, key, content[key])
        rest = {k: v for k, v in content.items() if k != key}
        if rest:
            proof = TREES[kind](rest).non_existence(key)
            with pytest.raises(PredicateFailed):
                ics23.verify_non_membership(tree.spec, proof, tree.root, key)
    else:
        accept(tree, key)
    # No pair of honest neighbours proves a present key absent.
    order = tree.keys
    for i, left in enumerate(order):
        for right in order[i + 1 : i + 4]:
            between = order[order.index(left) + 1 : order.index(right)]
            for hidden in between:
                proof = NonExistenceProof(hidden, tree.existence(left), tree.existence(right))
                with pytest.raises(PredicateFailed):
                    ics23.verify_non_membership(tree.spec, proof, tree.root, hidden)


def test_attack_B22_branches_of_a_wide_node_with_one_between():
    """No stock tree has three branches, so only the function itself can show that the one between is missed."""
    wide = replace(
        SMT_SPEC.inner_spec, child_order=(0, 1, 2), min_prefix_length=1, max_prefix_length=1, empty_child=b""
    )

    def at(branch):
        return (InnerOp(1, b"\x01" + bytes(32 * branch), bytes(32 * (2 - branch))),)

    assert neighbours.are_neighbours(wide, at(0), at(1))
    assert neighbours.are_neighbours(wide, at(1), at(2))
    assert not neighbours.are_neighbours(wide, at(0), at(2))
    assert not neighbours.are_neighbours(wide, at(1), at(0))
