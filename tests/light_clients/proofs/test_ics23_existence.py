"""Attacks on ICS-23 existence proofs (checklist B1 to B11), each beside the proof that is accepted.

A forged proof is judged under the root that it leads to itself, so that a rule of shape refuses it and not merely a
hash that does not fit: an attacker who can place bytes in a tree has such roots.
"""

import time
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError, audit
from hutong.light_clients.proofs import ics23
from hutong.light_clients.proofs.ics23 import (
    IAVL_SPEC,
    TENDERMINT_SPEC,
    ExistenceClaim,
    ExistenceProof,
    HashOp,
    InnerOp,
    LengthOp,
    judge_existence,
    operations,
)
from tests.light_clients.proofs.reference_trees import (
    TREES,
    IavlTree,
    SparseTree,
    TendermintTree,
    digest,
    items,
    varint,
)

KINDS = pytest.mark.parametrize("tree", [kind(items(7)) for kind in TREES.values()], ids=TREES)


def accept(tree, key, proof=None):
    ics23.verify_membership(tree.spec, proof or tree.existence(key), tree.root, key, tree.items[key])


def refuse(spec, proof, predicate, root=None):
    """Refused by the named predicate under its own root, or under the given one."""
    root = ics23.calculate_root(proof) if root is None else root
    with pytest.raises(PredicateFailed) as caught:
        ics23.verify_membership(spec, proof, root, proof.key, proof.value)
    assert caught.value.predicate == predicate


def with_leaf(proof, **changes):
    return replace(proof, leaf=replace(proof.leaf, **changes))


def with_step(proof, index, **changes):
    path = list(proof.path)
    path[index] = path[index]._replace(**changes)
    return replace(proof, path=tuple(path))


@KINDS
@pytest.mark.parametrize("count", [1, 2, 3, 6, 13])
def test_every_key_of_an_honest_tree_is_a_member(tree, count):
    grown = type(tree)(items(count))
    for key, value in grown.items.items():
        verdicts = audit(judge_existence, ExistenceClaim(grown.spec, grown.existence(key), grown.root, key, value))
        assert len(verdicts) == 9
        assert all(verdict.held for verdict in verdicts)


@KINDS
@pytest.mark.parametrize("padding", [b"\0", b"\1\2\3", bytes(40)])
def test_attack_B1_leaf_prefix_padded_or_truncated(tree, padding):
    key = tree.keys[3]
    accept(tree, key)
    proof = tree.existence(key)
    padded = with_leaf(proof, prefix=proof.leaf.prefix + padding)
    refuse(tree.spec, padded, "leaf_conforms_to_spec" if tree.spec == IAVL_SPEC else "leaf_prefix_is_exact")
    refuse(tree.spec, with_leaf(proof, prefix=b""), "leaf_conforms_to_spec")
    refuse(tree.spec, with_leaf(proof, prefix=b"\1" + proof.leaf.prefix), "leaf_conforms_to_spec")


@pytest.mark.parametrize("kind", [TendermintTree, IavlTree])
def test_attack_B2_part_of_the_key_moved_into_the_leaf_prefix(kind):
    # `abc 03 xyz` of 7 bytes and `xyz` of 3 bytes after a longer prefix have the same preimage and the same root.
    key = b"abc\x03xyz"
    tree = kind({key: b"v", b"other": b"w"})
    accept(tree, key)
    proof = tree.existence(key)
    forged = replace(with_leaf(proof, prefix=proof.leaf.prefix + b"\x07abc"), key=b"xyz")
    assert ics23.calculate_root(forged) == tree.root
    refuse(tree.spec, forged, "leaf_prefix_is_exact" if kind is TendermintTree else "leaf_conforms_to_spec", tree.root)


def test_attack_B2_the_prefix_moved_into_the_key():
    # SMT hashes keys, so the same bytes cannot be split anew; for the others a shorter prefix breaks the spec.
    for kind in (TendermintTree, IavlTree):
        tree = kind(items(4))
        proof = tree.existence(tree.keys[0])
        accept(tree, tree.keys[0])
        refuse(
            tree.spec, replace(with_leaf(proof, prefix=b""), key=proof.leaf.prefix + proof.key), "leaf_conforms_to_spec"
        )


@KINDS
@pytest.mark.parametrize("length", [number for number in range(-1, 12) if number not in (0, 1)])
def test_attack_B3_length_op_changed(tree, length):
    proof = tree.existence(tree.keys[1])
    accept(tree, tree.keys[1])
    refuse(tree.spec, with_leaf(proof, length=length), "leaf_conforms_to_spec", tree.root)


def test_attack_B3_no_prefix_and_var_proto_swapped():
    for kind, length in (
        (IavlTree, LengthOp.NO_PREFIX),
        (TendermintTree, LengthOp.NO_PREFIX),
        (SparseTree, LengthOp.VAR_PROTO),
    ):
        tree = kind(items(3))
        accept(tree, tree.keys[0])
        refuse(tree.spec, with_leaf(tree.existence(tree.keys[0]), length=length), "leaf_conforms_to_spec")


@KINDS
@pytest.mark.parametrize("field", ["hash", "prehash_key", "prehash_value"])
@pytest.mark.parametrize("op", [*range(-1, 12), 2**31 - 1])
def test_attack_B3_hash_ops_of_the_leaf_changed(tree, field, op):
    proof = tree.existence(tree.keys[1])
    accept(tree, tree.keys[1])
    if getattr(proof.leaf, field) != op:
        refuse(tree.spec, with_leaf(proof, **{field: op}), "leaf_conforms_to_spec", tree.root)


@KINDS
@pytest.mark.parametrize("op", [*range(-1, 12), 2**31 - 1])
def test_attack_B3_hash_op_of_an_inner_node_changed(tree, op):
    proof = tree.existence(tree.keys[1])
    accept(tree, tree.keys[1])
    if op != HashOp.SHA256:
        refuse(tree.spec, with_step(proof, 0, hash=op), "inner_nodes_conform_to_spec", tree.root)


def test_attack_B4_inner_node_presented_as_a_leaf():
    tree = TendermintTree(items(4))
    accept(tree, tree.keys[0])
    left, right = tree.existence(tree.keys[0]), tree.existence(tree.keys[2])
    node = operations.apply_inner(left.path[0], operations.apply_leaf(left.leaf, left.key, left.value))
    # The preimage 01 ‖ left ‖ right read as prefix, key length, key, 32, hashed value needs a foreign prefix.
    forged = ExistenceProof(left.path[1].suffix, b"v", replace(left.leaf, prefix=b"\1" + node), ())
    refuse(TENDERMINT_SPEC, forged, "leaf_conforms_to_spec")
    refuse(TENDERMINT_SPEC, forged, "leaf_conforms_to_spec", tree.root)
    assert right.path


@KINDS
def test_attack_B4_leaf_presented_as_an_inner_node(tree):
    """A value that holds a whole leaf's tail, climbed to by an op whose prefix is a leaf's head."""
    key = tree.keys[0]
    accept(tree, key)
    proof = tree.existence(key)
    step = InnerOp(HashOp.SHA256, proof.leaf.prefix + b"\x04host\x20", b"")
    refuse(tree.spec, replace(proof, path=(step, *proof.path)), "inner_nodes_conform_to_spec")


IAVL_TREE = IavlTree(items(7))
IAVL_PROOF = IAVL_TREE.existence(IAVL_TREE.keys[2])
HASH = digest(b"sibling")


def iavl_step(head, rest=b"\x20", suffix=b"\x20" + HASH):
    return InnerOp(HashOp.SHA256, head + rest, suffix)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"\x01" + varint(2) + varint(7), id="negative height"),
        pytest.param(varint(1) + b"\x01" + varint(7), id="negative size"),
        pytest.param(varint(1) + varint(2) + b"\x03", id="negative version"),
        pytest.param(varint(1) + varint(2) + b"\xff" * 10 + b"\x01", id="varint of eleven bytes"),
        pytest.param(varint(1) + varint(2) + b"\xff" * 9 + b"\x7f", id="varint above 64 bits"),
        pytest.param(varint(1) + b"\x84\x00" + varint(7), id="varint not shortest"),
        pytest.param(varint(1) + varint(2) + b"\x80", id="ends inside a varint"),
        pytest.param(varint(0) + varint(2) + varint(7), id="height of a leaf"),
    ],
)
def test_attack_B5_iavl_inner_prefix_varints(head):
    accept(IAVL_TREE, IAVL_PROOF.key)
    honest = iavl_step(varint(1) + varint(2) + varint(7))
    ics23.verify_membership(
        IAVL_SPEC,
        (proof := replace(IAVL_PROOF, path=(honest,))),
        ics23.calculate_root(proof),
        proof.key,
        proof.value,
    )
    refuse(IAVL_SPEC, replace(IAVL_PROOF, path=(iavl_step(head),)), "inner_nodes_conform_to_spec")


def test_attack_B5_iavl_height_below_the_layer():
    accept(IAVL_TREE, IAVL_PROOF.key)
    low = iavl_step(varint(1) + varint(9) + varint(7))
    refuse(IAVL_SPEC, replace(IAVL_PROOF, path=(low, low)), "inner_nodes_conform_to_spec")


@pytest.mark.parametrize("length", [0, 2, 3, 33, 35, 67])
def test_attack_B5_iavl_remainder_of_an_inner_prefix(length):
    accept(IAVL_TREE, IAVL_PROOF.key)
    head = varint(1) + varint(2) + varint(7)
    refuse(IAVL_SPEC, replace(IAVL_PROOF, path=(iavl_step(head, b"\x20" * length),)), "inner_nodes_conform_to_spec")


def test_attack_B5_bnb_shape_with_both_sides_filled():
    accept(IAVL_TREE, IAVL_PROOF.key)
    both = iavl_step(varint(1) + varint(2) + varint(7), b"\x20" + HASH + b"\x20", b"\x20" + HASH)
    refuse(IAVL_SPEC, replace(IAVL_PROOF, path=(both,)), "inner_nodes_have_one_place")


@pytest.mark.parametrize(("rest", "suffix"), [(b"\x20", b"\x21" + HASH), (b"\x1f", b"\x20" + HASH), (b"\x20", b"")])
def test_attack_B5_iavl_child_lengths_and_missing_sibling(rest, suffix):
    accept(IAVL_TREE, IAVL_PROOF.key)
    step = iavl_step(varint(1) + varint(2) + varint(7), rest, suffix)
    refuse(IAVL_SPEC, replace(IAVL_PROOF, path=(step,)), "inner_nodes_have_one_place")


@pytest.mark.parametrize(
    ("prefix", "predicate"),
    [
        pytest.param(varint(0) + varint(2) + varint(7), "leaf_prefix_is_exact", id="size two"),
        pytest.param(varint(0) + varint(0) + varint(7), "leaf_prefix_is_exact", id="size zero"),
        pytest.param(varint(1) + varint(1) + varint(7), "leaf_conforms_to_spec", id="height one"),
        pytest.param(varint(0) + varint(1) + varint(7) + b"\0", "leaf_conforms_to_spec", id="a byte after the version"),
        pytest.param(varint(0) + varint(1), "leaf_conforms_to_spec", id="no version"),
        pytest.param(varint(0) + varint(1) + b"\x01", "leaf_conforms_to_spec", id="negative version"),
    ],
)
def test_attack_B6_iavl_leaf_header(prefix, predicate):
    accept(IAVL_TREE, IAVL_PROOF.key)
    refuse(IAVL_SPEC, with_leaf(IAVL_PROOF, prefix=prefix), predicate)


@KINDS
@pytest.mark.parametrize("length", [1, 31, 34, 63, 65, 98])
def test_attack_B7_inner_suffix_is_not_whole_children(tree, length):
    accept(tree, tree.keys[0])
    proof = with_step(tree.existence(tree.keys[0]), 0, suffix=bytes(length))
    refuse(tree.spec, proof, "inner_nodes_conform_to_spec")


@KINDS
def test_attack_B7_inner_suffix_longer_than_all_siblings(tree):
    accept(tree, tree.keys[0])
    size = tree.spec.inner_spec.child_size
    proof = with_step(tree.existence(tree.keys[0]), 0, suffix=b"\x20" * (2 * size))
    refuse(tree.spec, proof, "inner_nodes_have_one_place")


@KINDS
def test_attack_B8_inner_prefix_begins_like_a_leaf(tree):
    accept(tree, tree.keys[0])
    proof = tree.existence(tree.keys[0])
    prefix = proof.path[0].prefix
    refuse(tree.spec, with_step(proof, 0, prefix=b"\0" + prefix[1:]), "inner_nodes_conform_to_spec")


@pytest.mark.parametrize("kind", [TendermintTree, SparseTree])
@pytest.mark.parametrize("first", [2, 3, 0x80, 0xFF])
def test_attack_B8_foreign_inner_prefix(kind, first):
    tree = kind(items(5))
    accept(tree, tree.keys[0])
    proof = tree.existence(tree.keys[0])
    prefix = bytes([first]) + proof.path[0].prefix[1:]
    refuse(tree.spec, with_step(proof, 0, prefix=prefix), "inner_nodes_have_one_place")


@KINDS
def test_attack_B9_no_step_against_a_root_of_many_leaves(tree):
    accept(tree, tree.keys[0])
    refuse(tree.spec, replace(tree.existence(tree.keys[0]), path=()), "root_matches", tree.root)


@pytest.mark.parametrize(("kind", "deepest"), [("iavl", 128), ("tendermint", 128), ("smt", 256)])
def test_attack_B9_depth_bound(kind, deepest):
    tree = TREES[kind](items(1))
    key = tree.keys[0]
    if kind == "iavl":
        steps = tuple(iavl_step(varint(layer) + varint(2) + varint(7)) for layer in range(1, deepest + 1))
    else:
        steps = (InnerOp(HashOp.SHA256, b"\1", HASH),) * deepest
    deep = replace(tree.existence(key), path=steps)
    ics23.verify_membership(tree.spec, deep, ics23.calculate_root(deep), key, tree.items[key])
    refuse(tree.spec, replace(deep, path=(*steps, steps[-1])), "depth_within_spec")


@KINDS
def test_attack_B9_ten_thousand_steps_fail_fast(tree):
    proof = tree.existence(tree.keys[0])
    accept(tree, tree.keys[0])
    long = replace(proof, path=proof.path[:1] * 10_000)
    started = time.thread_time()
    refuse(tree.spec, long, "depth_within_spec", tree.root)
    encoded = ics23.encode_merkle_proof((long,))
    with pytest.raises(MalformedInput):
        ics23.verify_chained((tree.spec,), encoded, tree.root, (proof.key,), proof.value)
    assert time.thread_time() - started < 1


@KINDS
def test_attack_B10_empty_key_and_value(tree):
    key = tree.keys[0]
    accept(tree, key)
    proof = tree.existence(key)
    for forged in (replace(proof, key=b""), replace(proof, value=b"")):
        with pytest.raises(VerificationError):
            ics23.verify_membership(tree.spec, forged, tree.root, forged.key, forged.value)


@KINDS
def test_attack_B10_right_value_of_another_key(tree):
    key, other = tree.keys[0], tree.keys[1]
    accept(tree, key)
    proof = tree.existence(key)
    with pytest.raises(PredicateFailed) as caught:
        ics23.verify_membership(tree.spec, proof, tree.root, other, tree.items[key])
    assert (caught.value.predicate, caught.value.got, caught.value.expected) == ("key_matches", key, other)
    with pytest.raises(PredicateFailed) as caught:
        ics23.verify_membership(tree.spec, proof, tree.root, key, tree.items[other])
    assert caught.value.predicate == "value_matches"
    refuse(tree.spec, replace(proof, key=other), "root_matches", tree.root)
    refuse(tree.spec, replace(proof, value=b"forged"), "root_matches", tree.root)


@KINDS
def test_attack_B11_wrong_root(tree):
    key = tree.keys[0]
    accept(tree, key)
    proof = tree.existence(key)
    for root in (digest(b"another"), tree.root[::-1]):
        refuse(tree.spec, proof, "root_matches", root)
    for root in (b"", tree.root[:31], tree.root + b"\0", bytes(32), tree.root * 3):
        refuse(tree.spec, proof, "root_is_well_formed", root)


@KINDS
def test_attack_A_zero_root_is_trusted(tree):
    """Nomad: an uninitialised root must never verify anything, present or absent."""
    key = tree.keys[0]
    accept(tree, key)
    ics23.verify_non_membership(tree.spec, tree.non_existence(b"key/z"), tree.root, b"key/z")
    for root in (bytes(32), b""):
        with pytest.raises(PredicateFailed) as caught:
            ics23.verify_membership(tree.spec, tree.existence(key), root, key, tree.items[key])
        assert caught.value.predicate == "root_is_well_formed"
        with pytest.raises(PredicateFailed) as caught:
            ics23.verify_non_membership(tree.spec, tree.non_existence(b"key/z"), root, b"key/z")
        assert caught.value.predicate == "root_is_well_formed"
