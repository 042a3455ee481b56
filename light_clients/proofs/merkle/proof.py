"""Inclusion proofs that are bound to a position: (index, total) fix the length and the sides of the path.

A path that fits several positions (the alias of a lone promoted leaf) would let one leaf stand for many, so the only
accepted length is the canonical one (cometbft `crypto/merkle/proof.go`, `computeHashFromAunts`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import VERIFY, Judge, PredicateFailed, rule
from hutong.light_clients.proofs.merkle.tree import inner_hash, leaf_hash, levels_of_leaves

MAX_TOTAL = 2**63 - 1
"""CometBFT's int64; its own bound of 100 aunts follows, since a path of this width has at most 63."""

_SOURCE = "cometbft crypto/merkle/proof.go"


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """`aunts` are the sibling hashes from the leaf up; a level where the node is lone has none."""

    total: int
    index: int
    leaf_hash: bytes
    aunts: tuple[bytes, ...]


def prove(items: Sequence[bytes], index: int) -> MerkleProof:
    """Proof of `items[index]`, for provers.

    Raises:
        IndexError: there is no such item.
    """
    return prove_leaf([leaf_hash(item) for item in items], index)


def prove_leaf(leaf_hashes: Sequence[bytes], index: int) -> MerkleProof:
    """`prove` of the items with these leaf hashes, 32 bytes each.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaf_hashes):
        raise IndexError(index)
    built = levels_of_leaves(leaf_hashes)
    aunts = []
    position = index
    for level in built[:-1]:
        sibling = position ^ 1
        if sibling < len(level):
            aunts.append(level[sibling])
        position //= 2
    return MerkleProof(len(leaf_hashes), index, built[0][index], tuple(aunts))


def _sides(index: int, total: int) -> Iterator[bool]:
    """For each aunt of the canonical path, leaf first: whether it stands on the left."""
    width = total
    while width > 1:
        if index % 2 == 1:
            yield True
        elif index + 1 < width:
            yield False
        index //= 2
        width = (width + 1) // 2


def path_length(index: int, total: int) -> int:
    """Aunts on the only path of leaf `index` of `total`."""
    return sum(1 for _ in _sides(index, total))


def root_of(proof: MerkleProof) -> bytes:
    """The root that the path leads to, for a proof of canonical shape (`path_is_canonical`).

    Raises:
        ValueError: another number of aunts; a bug of the caller.
    """
    node = proof.leaf_hash
    for aunt, aunt_is_left in zip(proof.aunts, _sides(proof.index, proof.total), strict=True):
        node = inner_hash(aunt, node) if aunt_is_left else inner_hash(node, aunt)
    return node


@rule(_SOURCE)
def index_within_total(proof: MerkleProof) -> None:
    """The position is one that a tree of that many leaves has.

    Raises:
        PredicateFailed: no leaves, more than `MAX_TOTAL`, or an index outside.
    """
    if not 0 < proof.total <= MAX_TOTAL:
        raise PredicateFailed("index_within_total", "the tree has no leaves or too many", got=proof.total)
    if not 0 <= proof.index < proof.total:
        raise PredicateFailed(
            "index_within_total", "no leaf has this index", got=proof.index, expected=f"< {proof.total}"
        )


@rule(_SOURCE)
def path_is_canonical(proof: MerkleProof) -> None:
    """As many aunts as the position's only path has, each a hash.

    Raises:
        PredicateFailed: another number, or an aunt that is not 32 bytes.
    """
    expected = path_length(proof.index, proof.total)
    if len(proof.aunts) != expected:
        raise PredicateFailed("path_is_canonical", "number of aunts", got=len(proof.aunts), expected=expected)
    for aunt in proof.aunts:
        if len(aunt) != HASH_BYTES:
            raise PredicateFailed("path_is_canonical", "an aunt is 32 bytes", got=aunt)


@rule(_SOURCE)
def leaf_matches(proof: MerkleProof, item: bytes) -> None:
    """The proof is of this item, which is hashed here with the prefix of leaves.

    Raises:
        PredicateFailed: another leaf hash.
    """
    expected = leaf_hash(item)
    if proof.leaf_hash != expected:
        raise PredicateFailed("leaf_matches", "the proof is of another item", got=proof.leaf_hash, expected=expected)


@rule(_SOURCE)
def root_matches(proof: MerkleProof, root: bytes) -> None:
    """The path leads to the trusted root.

    Raises:
        PredicateFailed: it leads elsewhere.
    """
    computed = root_of(proof)
    if computed != root:
        raise PredicateFailed("root_matches", "the path leads to another root", got=computed, expected=root)


def judge_inclusion(judge: Judge, proof: MerkleProof, root: bytes, item: bytes) -> None:
    """Every rule of `verify`, in order.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(index_within_total, proof)
    judge(path_is_canonical, proof)
    judge(leaf_matches, proof, item)
    judge(root_matches, proof, root)


def verify(proof: MerkleProof, root: bytes, item: bytes) -> None:
    """`item` is leaf `proof.index` of the `proof.total` leaves under `root`.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge_inclusion(VERIFY, proof, root, item)
