"""Range proofs: leaves `first` to `first + count - 1` of a tree, all of them (RFC 6962, 2.1, for several leaves at once).

The nodes are the roots of the largest subtrees outside of the range, from the left to the right, so that (first, count, total) fix how many
there are and where each belongs. Nothing between two shown leaves can have been left out.

The total has to be believed as the root is: a root does not say how many leaves are under it, so a proof with another total may lead to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.proofs.merkle.proof import MAX_TOTAL
from hutong.light_clients.proofs.merkle.tree import inner_hash, leaf_hash, root_of_leaves

_SOURCE = "RFC 6962 §2.1"


@dataclass(frozen=True, slots=True)
class RangeProof:
    """`nodes` are 32 bytes each; `total` is how many leaves the tree has."""

    total: int
    first: int
    count: int
    nodes: tuple[bytes, ...]


def prove_range(leaf_hashes: Sequence[bytes], first: int, count: int) -> RangeProof:
    """For provers.

    Args:
        leaf_hashes: of all leaves, 32 bytes each.

    Raises:
        IndexError: there are no such leaves, or `count` is below 1.
    """
    total = len(leaf_hashes)
    if not (first >= 0 and count >= 1 and first + count <= total):
        raise IndexError((first, count))
    nodes = [root_of_leaves(leaf_hashes[at : at + size]) for at, size in _outside(0, total, first, first + count)]
    return RangeProof(total, first, count, tuple(nodes))


def prove_range_in(levels: Sequence[Sequence[bytes]], first: int, count: int) -> RangeProof:
    """`prove_range` for provers that keep all levels of the tree, as `levels_of_leaves` gives them: a look-up a node, and no hash.

    Raises:
        IndexError: there are no such leaves, or `count` is below 1.
    """
    total = len(levels[0])
    if not (first >= 0 and count >= 1 and first + count <= total):
        raise IndexError((first, count))
    nodes = []
    for at, size in _outside(0, total, first, first + count):
        # subtrees begin at a multiple of the power of two that holds them, and a lone last node stands on the level above as well
        height = (size - 1).bit_length()
        nodes.append(levels[height][at >> height])
    return RangeProof(total, first, count, tuple(nodes))


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _outside(at: int, size: int, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest subtrees of the one from `at` that have no leaf of the range: their first leaf and their size."""
    if end <= at or at + size <= first:
        yield at, size
    elif not (first <= at and at + size <= end):
        left = _split(size)
        yield from _outside(at, left, first, end)
        yield from _outside(at + left, size - left, first, end)


@rule(_SOURCE)
def range_within_total(proof: RangeProof) -> None:
    """The range has a leaf, and the tree has all of its leaves.

    Raises:
        PredicateFailed: it does not.
    """
    if not (proof.first >= 0 and proof.count >= 1 and proof.first + proof.count <= proof.total <= MAX_TOTAL):
        raise PredicateFailed(
            "range_within_total", "the tree has no such leaves", (proof.first, proof.count), f"within {proof.total}"
        )


@rule(_SOURCE)
def range_has_its_nodes(proof: RangeProof) -> None:
    """One hash for each subtree outside of the range, and no more.

    Raises:
        PredicateFailed: another number, or a node that is not 32 bytes.
    """
    expected = sum(1 for _ in _outside(0, proof.total, proof.first, proof.first + proof.count))
    if len(proof.nodes) != expected:
        raise PredicateFailed("range_has_its_nodes", "number of nodes", got=len(proof.nodes), expected=expected)
    for node in proof.nodes:
        if len(node) != HASH_BYTES:
            raise PredicateFailed("range_has_its_nodes", "a node is 32 bytes", got=node)


@rule(_SOURCE)
def range_is_under_root(proof: RangeProof, root: bytes, items: Sequence[bytes]) -> None:
    """The items, as leaves of the range, and the nodes lead to the root.

    Raises:
        PredicateFailed: another number of items, or another root.
    """
    if len(items) != proof.count:
        raise PredicateFailed("range_is_under_root", "number of items", got=len(items), expected=proof.count)
    computed = _root(iter(proof.nodes), [leaf_hash(item) for item in items], 0, proof.total, proof.first)
    if computed != root:
        raise PredicateFailed("range_is_under_root", "the range leads to another root", got=computed, expected=root)


def _root(nodes: Iterator[bytes], leaves: Sequence[bytes], at: int, size: int, first: int) -> bytes:
    end = first + len(leaves)
    if end <= at or at + size <= first:
        return next(nodes)
    if first <= at and at + size <= end:
        return root_of_leaves(leaves[at - first : at - first + size])
    left = _split(size)
    before = _root(nodes, leaves, at, left, first)
    return inner_hash(before, _root(nodes, leaves, at + left, size - left, first))


def judge_range(judge: Judge, proof: RangeProof, root: bytes, items: Sequence[bytes]) -> None:
    """Every rule, in order: `items` are the leaves of the range, all of them. `root` and `proof.total` must be believed already.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(range_within_total, proof)
    judge(range_has_its_nodes, proof)
    judge(range_is_under_root, proof, root, items)
