"""A shard's tree beside one that works out every node anew: appends by the edge, changes by shared siblings, and what lies."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.identity.rules.persons.shard_tree import (
    EMPTY_ROOT,
    MAX_SIBLINGS,
    LeafChange,
    append_leaves,
    changes_ascend,
    changes_lead_from_root,
    edge_leads_to_root,
    leaf_stands_under_root,
    nodes_are_whole,
    root_of_edge,
)
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES
from tests.relay.services.identity.rules.persons.people import DEPTH, Tree, refused_by

LEAVES = [sha256(b"leaf %d" % number).digest() for number in range(40)]


def other(node: bytes) -> bytes:
    return bytes([node[0] ^ 1]) + node[1:]


@settings(max_examples=12)
@given(st.integers(0, 20), st.integers(1, 20))
def test_appended_edge_and_root_are_those_of_all_leaves(before, more):
    old, new = Tree(LEAVES[:before]), Tree(LEAVES[: before + more])
    edge_leads_to_root(old.root(), before, old.edge())
    grown = append_leaves(before, old.edge(), LEAVES[before : before + more])
    assert list(grown) == new.edge()
    assert root_of_edge(before + more, grown) == new.root()


def test_a_shard_fills_to_its_last_leaf():
    """By nodes that stand for whole subtrees: nobody hashes a million leaves here."""
    edge = [sha256(b"node %d" % height).digest() for height in range(DEPTH)]
    grown = append_leaves(MAX_LEAVES - 1, edge, [LEAVES[0]])
    node = LEAVES[0]
    for left in edge:
        node = sha256(left + node).digest()
    assert grown == (node,) and root_of_edge(MAX_LEAVES, grown) == node
    edge_leads_to_root(node, MAX_LEAVES, grown)
    assert root_of_edge(0, ()) == EMPTY_ROOT == Tree([]).root()


@settings(max_examples=12)
@given(st.integers(1, 33), st.data())
def test_changes_give_the_root_of_all_leaves_after_them(count, data):
    indices = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=8)))
    tree = Tree(LEAVES[:count])
    changes = [LeafChange(index, tree.leaves[index], other(tree.leaves[index])) for index in indices]
    changes_ascend(count, changes)
    after = list(tree.leaves)
    for change in changes:
        after[change.index] = change.after
    assert changes_lead_from_root(tree.root(), changes, tree.siblings(indices)) == Tree(after).root()
    for index in indices:
        leaf_stands_under_root(tree.root(), index, tree.leaves[index], tree.path(index))


def test_attack_N92_an_append_names_the_edge_that_stands():
    tree, count = Tree(LEAVES[:11]), 11
    root, edge = tree.root(), tree.edge()
    edge_leads_to_root(root, count, edge)
    lies = [
        (root, count, edge[:-1]),
        (root, count, [*edge, edge[-1]]),
        (root, count, [other(edge[0]), *edge[1:]]),
        (root, count, [*edge[:-1], other(edge[-1])]),
        (root, count, edge[::-1]),
        (root, 13, edge),
        (root, 19, Tree(LEAVES[:19]).edge()),
        (EMPTY_ROOT, count, edge),
        (root, 0, ()),
        (other(root), count, edge),
    ]
    for number, (asked, counted, shown) in enumerate(lies):
        assert refused_by(edge_leads_to_root, asked, counted, shown) == "edge_leads_to_root", number
    for nodes in ([edge[0][:-1]], [edge[0] + b"\0"], [edge[0]] * 21):
        assert refused_by(nodes_are_whole, nodes, DEPTH) == "nodes_are_whole"
    nodes_are_whole([edge[0]] * MAX_SIBLINGS, MAX_SIBLINGS)


def test_attack_N93_a_shared_proof_uses_every_sibling_once():
    tree, indices = Tree(LEAVES[:13]), [2, 3, 8]
    root, siblings = tree.root(), tree.siblings(indices)
    changes = [LeafChange(index, tree.leaves[index], LEAVES[30]) for index in indices]
    assert changes_lead_from_root(root, changes, siblings)
    false_leaf = [changes[0], LeafChange(3, LEAVES[20], LEAVES[30]), changes[2]]
    moved = [changes[0], changes[1], LeafChange(9, tree.leaves[8], LEAVES[30])]
    lies = [
        (root, changes, siblings[:-1]),
        (root, changes, [*siblings, siblings[-1]]),
        (root, changes, siblings[::-1]),
        (root, changes, [other(siblings[0]), *siblings[1:]]),
        (root, changes, [*siblings[:-1], other(siblings[-1])]),
        (root, changes, []),
        (root, false_leaf, siblings),
        (root, moved, siblings),
        (other(root), changes, siblings),
        (root, changes[:1], siblings),
        # an inner node as a leaf: its path is two short
        (root, [LeafChange(0, tree.levels()[2][0], LEAVES[30])], tree.path(0)[2:]),
    ]
    for number, (asked, said, shown) in enumerate(lies):
        assert refused_by(changes_lead_from_root, asked, said, shown) == "changes_lead_from_root", number
    assert (
        refused_by(leaf_stands_under_root, root, 0, tree.levels()[2][0], tree.path(0)[2:]) == "leaf_stands_under_root"
    )
    assert refused_by(leaf_stands_under_root, root, 1, tree.leaves[0], tree.path(0)) == "leaf_stands_under_root"


def test_attack_N96_one_leaf_changes_once_in_a_batch():
    change = LeafChange(3, LEAVES[3], LEAVES[30])
    changes_ascend(4, [change])
    for count, changes in (
        (4, []),
        (4, [change, change]),
        (4, [change, LeafChange(2, LEAVES[2], LEAVES[30])]),
        (3, [change]),
        (4, [LeafChange(-1, LEAVES[3], LEAVES[30])]),
    ):
        with pytest.raises(PredicateFailed, match="changes_ascend"):
            changes_ascend(count, changes)
