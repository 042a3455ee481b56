"""The transaction tree: branches, partial trees, and the attacks that its shape invites."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.bitcoin import MerkleBranch, PartialMerkleTree, decode_transaction
from hutong.light_clients.bitcoin.merkle import (
    MAX_BRANCH_STEPS,
    branch_root,
    coinbase_sets_depth,
    included,
    merkle_branch,
    merkle_levels,
    merkle_root,
    not_ambiguous,
    partial_tree,
    partial_tree_matches,
)
from hutong.light_clients.bitcoin.types import TransactionOutput, hash256
from hutong.light_clients.bitcoin.wire import MAX_BLOCK_TRANSACTIONS
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from tests.light_clients.bitcoin.bitcoin_chain import STRANGER, coinbase, payment, spending, transaction

FUZZ = settings(max_examples=100, deadline=None)


def leaves(count: int) -> list[bytes]:
    return [hash256(n.to_bytes(4, "big")) for n in range(count)]


def refused(predicate: str, attempt) -> PredicateFailed:
    with pytest.raises(PredicateFailed) as caught:
        attempt()
    assert caught.value.predicate == predicate, caught.value
    return caught.value


def test_root_of_small_blocks():
    (a,), (b, c) = leaves(1), leaves(3)[1:]
    assert merkle_root([a]) == a
    assert merkle_root([a, b]) == hash256(a + b)
    assert merkle_root([a, b, c]) == hash256(hash256(a + b) + hash256(c + c))
    with pytest.raises(MalformedInput):
        merkle_root([])


@FUZZ
@given(st.integers(1, 70), st.data())
def test_branches_lead_to_the_root_from_their_own_place_only(count, data):
    txids = leaves(count)
    index = data.draw(st.integers(0, count - 1))
    branch, root = merkle_branch(txids, index), merkle_root(txids)
    assert branch_root(txids[index], branch) == root
    steps = len(branch.siblings)
    for other in range(1 << steps):
        if other != index:
            try:
                assert branch_root(txids[index], replace(branch, index=other)) != root, "a leaf at two places"
            except PredicateFailed as error:
                assert error.predicate == "no_node_repeated"
    with pytest.raises(IndexError):
        merkle_branch(txids, count)


@FUZZ
@given(st.integers(1, 70), st.data())
def test_partial_trees_show_what_was_matched(count, data):
    txids = leaves(count)
    matched = data.draw(st.frozensets(st.integers(0, count - 1), max_size=6))
    tree, root = partial_tree(txids, matched), merkle_root(txids)
    padded = replace(tree, flags=tree.flags + (False,) * (-len(tree.flags) % 8))
    for shown in (tree, padded):
        assert partial_tree_matches(shown, root) == {index: txids[index] for index in matched}


@FUZZ
@given(st.integers(1, 40), st.data())
def test_attack_H_bitcoin_damaged_partial_trees_show_nothing_new(count, data):
    txids = leaves(count)
    matched = data.draw(st.frozensets(st.integers(0, count - 1), max_size=4))
    tree, root = partial_tree(txids, matched), merkle_root(txids)
    kind = data.draw(st.sampled_from(["flag", "hash", "count", "drop", "extra", "swap"]))
    hashes, flags = list(tree.hashes), list(tree.flags)
    total = tree.transactions
    at = data.draw(st.integers(0, 200))
    if kind == "flag":
        flags[at % len(flags)] ^= True
    elif kind == "hash":
        hashes[at % len(hashes)] = hash256(b"other")
    elif kind == "count":
        total = data.draw(st.integers(0, MAX_BLOCK_TRANSACTIONS + 2))
    elif kind == "drop":
        del hashes[at % len(hashes)]
    elif kind == "extra":
        hashes.insert(at % (len(hashes) + 1), hash256(b"extra"))
    else:
        hashes.reverse()
    try:
        found = partial_tree_matches(PartialMerkleTree(total, tuple(hashes), tuple(flags)), root)
    except PredicateFailed:
        return
    leaf_hashes = set(txids) if total == count else {node for level in merkle_levels(txids) for node in level}
    assert set(found.values()) <= leaf_hashes


@FUZZ
@given(
    st.integers(0, 40), st.lists(st.binary(min_size=32, max_size=32), max_size=12), st.lists(st.booleans(), max_size=60)
)
def test_attack_H_bitcoin_any_partial_tree_ends_in_matches_or_a_predicate(count, hashes, flags):
    tree = PartialMerkleTree(count, tuple(hashes), tuple(flags))
    with pytest.raises(PredicateFailed):
        partial_tree_matches(tree, hash256(b"a root that nobody has leaves for"))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"transactions": 0}, "1 to 16666"),
        ({"transactions": MAX_BLOCK_TRANSACTIONS + 1}, "1 to 16666"),
        ({"transactions": 2**32 - 1}, "1 to 16666"),
        ({"transactions": 2}, "more hashes than transactions"),
        ({"flags": (True,)}, "fewer flags than hashes"),
        ({"flags": ()}, "fewer flags than hashes"),
        ({"hashes": leaves(2)}, "hashes end too early"),
        ({"hashes": leaves(5)}, "not every hash is used"),
        ({"flags": (True, True, True, False, False, False, False, True)}, "not every flag is used"),
        ({"flags": (True, True, True, False, False) + (False,) * 11}, "not every flag is used"),
    ],
)
def test_partial_trees_out_of_form_are_named(changed, reason):
    """A tree over seven leaves that matches the first: root, left, left-left, leaf, leaf, right, right."""
    txids = leaves(7)
    tree = partial_tree(txids, frozenset({0}))
    partial_tree_matches(tree, merkle_root(txids))
    if "hashes" in changed:
        kept = {2: tree.hashes[:-1], 5: (*tree.hashes, hash256(b"more"))}[len(changed["hashes"])]
        changed = {"hashes": kept}
        if len(kept) > len(tree.hashes):
            changed["flags"] = (*tree.flags, False)
    error = refused(
        "partial_tree_well_formed", lambda: partial_tree_matches(replace(tree, **changed), merkle_root(txids))
    )
    assert reason in str(error)


def test_attack_B9_bitcoin_branch_of_no_the_most_one_more_and_ten_thousand_steps():
    leaf = hash256(b"leaf")
    assert branch_root(leaf, MerkleBranch(0, ())) == leaf
    txids = leaves(3)
    assert branch_root(txids[0], MerkleBranch(0, ())) != merkle_root(txids)
    most = tuple(leaves(MAX_BRANCH_STEPS))
    branch_root(leaf, MerkleBranch(2**MAX_BRANCH_STEPS - 1, most))
    for steps in (MAX_BRANCH_STEPS + 1, 10_000):
        error = refused("branch_fits_a_block", lambda steps=steps: branch_root(leaf, MerkleBranch(0, (leaf,) * steps)))
        assert error.got == steps


def test_attack_B45_bitcoin_position_outside_the_tree():
    txids = leaves(6)
    branch = merkle_branch(txids, 5)
    assert branch_root(txids[5], branch) == merkle_root(txids)
    for index in (8 + 5, 16 + 5, 2**32 - 1):
        error = refused("branch_fits_a_block", lambda index=index: branch_root(txids[5], replace(branch, index=index)))
        assert (error.got, error.expected) == (index, "< 8")
    assert branch_root(txids[5], replace(branch, index=4)) != merkle_root(txids)


@pytest.mark.parametrize("count", [1, 3, 5, 6, 7, 11])
def test_attack_B45_bitcoin_last_leaf_of_an_odd_level_stands_at_one_place(count):
    """CVE-2012-2459: the tree repeats a last lone node, so that its leaves would stand at a second place as well."""
    txids = leaves(count)
    root, last = merkle_root(txids), count - 1
    branch = merkle_branch(txids, last)
    assert branch_root(txids[last], branch) == root
    for step in range(len(branch.siblings)):
        alias = last ^ 1 << step
        if alias > last:
            try:
                assert branch_root(txids[last], MerkleBranch(alias, branch.siblings)) != root
            except PredicateFailed as error:
                assert error.predicate == "no_node_repeated"


def test_attack_B45_bitcoin_block_with_its_tail_repeated_has_no_root_for_us():
    txids = leaves(6)
    mutated = [*txids, *txids[4:]]
    assert merkle_levels(mutated)[-1] == merkle_levels(txids)[-1], "the two lists have one root"
    merkle_root(txids)
    refused("no_node_repeated", lambda: merkle_root(mutated))
    tree = partial_tree(mutated, frozenset({6}))
    refused("no_node_repeated", lambda: partial_tree_matches(tree, merkle_root(txids)))
    partial_tree_matches(partial_tree(txids, frozenset({4})), merkle_root(txids))


def ambiguous_transaction(tail: bytes):
    """64 bytes that are a transaction, the last 27 of them free: the other half reads as a child hash."""
    made = transaction([spending(hash256(b"any"), script=b"")], [TransactionOutput(0, tail)])
    assert len(made.serialized) == 64
    return made


def test_attack_B47_bitcoin_transaction_of_64_bytes_is_refused_as_a_leaf():
    short = ambiguous_transaction(b"\x51" * 4)
    assert decode_transaction(short.serialized) == short
    error = refused("transaction_not_64_bytes", lambda: not_ambiguous(short))
    assert error.got == short.serialized
    for length in (3, 5):
        not_ambiguous(transaction([spending(hash256(b"any"))], [TransactionOutput(0, b"\x51" * length)]))


def test_attack_B47_bitcoin_leaf_below_a_64_byte_transaction_fails_at_the_coinbases_depth():
    """A block holds a 64-byte transaction whose halves an attacker calls two leaves: one level more than the coinbase has."""
    short = ambiguous_transaction(b"\x51" * 4)
    first = coinbase(9)
    txids = [first.txid, short.txid]
    root = merkle_root(txids)
    siblings = merkle_branch(txids, 0).siblings
    coinbase_sets_depth(first, siblings, root)
    left, right = short.serialized[:32], short.serialized[32:]
    below = MerkleBranch(3, (left, first.txid))
    assert branch_root(right, below) == root, "the tree alone would take the half for a leaf"

    class Claimed:
        """Whose preimage the attacker would have found."""

        txid = right
        serialized = bytes(70)

    error = refused("transaction_included", lambda: included(Claimed, below, len(siblings), root))
    assert (error.got, error.expected) == (2, 1)
    included(short, merkle_branch(txids, 1), 1, root)


def test_attack_B47_bitcoin_inner_node_is_no_coinbase():
    """The depth cannot be lied down either: an inner node has 64 bytes, and those are no coinbase."""
    first = coinbase(9)
    txids = [first.txid, *(payment(n).txid for n in range(3))]
    root = merkle_root(txids)
    coinbase_sets_depth(first, merkle_branch(txids, 0).siblings, root)
    refused("coinbase_sets_depth", lambda: coinbase_sets_depth(payment(0), merkle_branch(txids, 0).siblings, root))
    refused("coinbase_sets_depth", lambda: coinbase_sets_depth(first, (), root))
    refused(
        "coinbase_sets_depth", lambda: coinbase_sets_depth(coinbase(9, salt=1), merkle_branch(txids, 0).siblings, root)
    )


def test_wrong_root_is_named_as_nodes_show_it():
    txids = leaves(4)
    made = transaction([spending(bytes(32), 1)], [TransactionOutput(1, STRANGER)])
    error = refused("transaction_included", lambda: included(made, merkle_branch(txids, 1), 2, merkle_root(txids)))
    assert error.expected == merkle_root(txids)[::-1].hex()
