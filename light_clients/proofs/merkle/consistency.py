"""Consistency proofs (RFC 6962, 2.1.2): the tree of `first` leaves is the beginning of the tree of `second` leaves.

Trees that grow only at their end have the same complete subtrees ever after, so a few of them rebuild both roots.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import VERIFY, Judge, PredicateFailed, rule
from hutong.light_clients.proofs.merkle.proof import MAX_TOTAL
from hutong.light_clients.proofs.merkle.tree import EMPTY_ROOT, inner_hash, root_of_leaves

_SOURCE = "RFC 6962, section 2.1.2; RFC 9162, section 2.1.4.2"


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """`nodes` are the subtree roots in the order of RFC 6962, lowest first."""

    first: int
    second: int
    nodes: tuple[bytes, ...]


def prove_consistency(leaf_hashes: Sequence[bytes], first: int) -> ConsistencyProof:
    """That the first `first` of these leaves are the tree that once was; for provers, which hold every leaf hash.

    Raises:
        IndexError: there are not so many leaves.
    """
    if not 0 <= first <= len(leaf_hashes):
        raise IndexError(first)
    nodes = _subproof(leaf_hashes, first, is_whole=True) if 0 < first < len(leaf_hashes) else []
    return ConsistencyProof(first, len(leaf_hashes), tuple(nodes))


def _subproof(leaf_hashes: Sequence[bytes], first: int, *, is_whole: bool) -> list[bytes]:
    count = len(leaf_hashes)
    if first == count:
        return [] if is_whole else [root_of_leaves(leaf_hashes)]
    split = 1 << (count - 1).bit_length() - 1
    if first <= split:
        nodes = _subproof(leaf_hashes[:split], first, is_whole=is_whole)
        return [*nodes, root_of_leaves(leaf_hashes[split:])]
    nodes = _subproof(leaf_hashes[split:], first - split, is_whole=False)
    return [*nodes, root_of_leaves(leaf_hashes[:split])]


@rule(_SOURCE)
def sizes_ascend(proof: ConsistencyProof) -> None:
    """The tree that is to be the beginning is not the larger one.

    Raises:
        PredicateFailed: it is, or a size is negative or above `MAX_TOTAL`.
    """
    if not 0 <= proof.first <= proof.second <= MAX_TOTAL:
        raise PredicateFailed(
            "sizes_ascend", "the first tree is not the smaller one", proof.first, f"<= {proof.second}"
        )


@rule(_SOURCE)
def nodes_are_hashes(proof: ConsistencyProof) -> None:
    """At most 64 nodes, each of 32 bytes.

    Raises:
        PredicateFailed: too many, or one of another length.
    """
    # A path of 63 levels has at most one node a level, and one where it starts.
    if len(proof.nodes) > 64 or any(len(node) != HASH_BYTES for node in proof.nodes):
        raise PredicateFailed("nodes_are_hashes", "a proof has at most 64 nodes of 32 bytes", got=len(proof.nodes))


def roots_of(proof: ConsistencyProof, first_root: bytes) -> tuple[bytes, bytes]:
    """The two roots that the proof's nodes lead to.

    Raises:
        PredicateFailed: too few nodes or too many.
    """
    name = "proof_has_its_length"
    if proof.first in (0, proof.second):
        if proof.nodes:
            raise PredicateFailed(
                name, "nothing is to be proven, and there are nodes", got=len(proof.nodes), expected=0
            )
        return (EMPTY_ROOT if proof.first == 0 else first_root), first_root
    nodes = list(proof.nodes)
    # A first tree that is one complete subtree stands for itself.
    if proof.first & (proof.first - 1) == 0:
        nodes.insert(0, first_root)
    if not nodes:
        raise PredicateFailed(name, "there are no nodes")
    place, last = proof.first - 1, proof.second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise PredicateFailed(name, "there are more nodes than levels", got=len(proof.nodes))
        if place & 1 or place == last:
            old, new = inner_hash(node, old), inner_hash(node, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = inner_hash(new, node)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise PredicateFailed(name, "there are fewer nodes than levels", got=len(proof.nodes))
    return old, new


@rule(_SOURCE)
def first_root_matches(proof: ConsistencyProof, first_root: bytes) -> bytes:
    """The nodes lead to the first root. Returns the second root that they lead to.

    Raises:
        PredicateFailed: another first root, or `proof_has_its_length`.
    """
    old, new = roots_of(proof, first_root)
    if old != first_root:
        raise PredicateFailed("first_root_matches", "the nodes lead to another first root", old, first_root)
    return new


@rule(_SOURCE)
def second_root_matches(proof: ConsistencyProof, found: bytes, second_root: bytes) -> None:
    """`found`, where the nodes lead, is the second root. With an empty first tree nothing is judged.

    Raises:
        PredicateFailed: another second root.
    """
    # Nothing was in the first tree, so every second tree begins with it.
    if proof.first > 0 and found != second_root:
        raise PredicateFailed("second_root_matches", "the nodes lead to another second root", found, second_root)


def judge_consistency(judge: Judge, proof: ConsistencyProof, first_root: bytes, second_root: bytes) -> None:
    """Every rule of `verify_consistency`, in order.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(sizes_ascend, proof)
    judge(nodes_are_hashes, proof)
    found = judge(first_root_matches, proof, first_root)
    judge(second_root_matches, proof, found, second_root)


def verify_consistency(proof: ConsistencyProof, first_root: bytes, second_root: bytes) -> None:
    """The `proof.first` leaves under `first_root` begin the `proof.second` under `second_root`.

    Both roots must be believed already: with `first` 0 the second one is not even read.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge_consistency(VERIFY, proof, first_root, second_root)
