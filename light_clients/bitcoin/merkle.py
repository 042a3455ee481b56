"""The Merkle tree over the transactions of a block: branches, partial trees, and what makes their proofs safe.

Two weaknesses of the tree are known. A level of odd width repeats its last node, so that one leaf would stand at two
positions and two lists of transactions have one root (CVE-2012-2459): a node that equals its left neighbour is refused
wherever it is met. And leaves are hashed like inner nodes, so that 64 bytes can be read as a transaction or as two child
hashes (BIP-draft "Merkle tree vulnerability", CVE-2017-12842): transactions of 64 bytes are refused, and the depth of the
tree is fixed by the coinbase, which is hard to make up.
"""

from collections.abc import Sequence

from hutong.light_clients.bitcoin.types import (
    MerkleBranch,
    PartialMerkleTree,
    Transaction,
    display,
    hash256,
)
from hutong.light_clients.bitcoin.wire import MAX_BLOCK_TRANSACTIONS
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput, PredicateFailed

MAX_BRANCH_STEPS = 15
"""A tree of `MAX_BLOCK_TRANSACTIONS` leaves is 15 levels high."""
AMBIGUOUS_TRANSACTION_BYTES = 2 * HASH_BYTES


def _parent(left: bytes, right: bytes) -> bytes:
    return hash256(left + right)


def merkle_levels(txids: Sequence[bytes]) -> list[list[bytes]]:
    """Every level, leaves first, the root last. `txids` are in internal byte order; nothing is said of repeated nodes.

    Raises:
        MalformedInput: there is no leaf.
    """
    if not txids:
        raise MalformedInput("transactions", "a block has at least one")
    levels = [list(txids)]
    while len(levels[-1]) > 1:
        level = levels[-1]
        levels.append([_parent(level[at], level[min(at + 1, len(level) - 1)]) for at in range(0, len(level), 2)])
    return levels


def merkle_root(txids: Sequence[bytes]) -> bytes:
    """Root over a whole block; refuses a list whose tail is repeated (CVE-2012-2459, Core's `mutated`).

    Raises:
        PredicateFailed: `no_node_repeated`.
        MalformedInput: there is no transaction.
    """
    levels = merkle_levels(txids)
    for level in levels:
        for at in range(0, len(level) - 1, 2):
            if level[at] == level[at + 1]:
                raise PredicateFailed("no_node_repeated", "two neighbours in the tree are equal", got=level[at])
    return levels[-1][0]


def merkle_branch(txids: Sequence[bytes], index: int) -> MerkleBranch:
    """The branch of the leaf at `index`, for provers.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(txids):
        raise IndexError(index)
    siblings = [level[min((index >> step) ^ 1, len(level) - 1)] for step, level in enumerate(merkle_levels(txids)[:-1])]
    return MerkleBranch(index, tuple(siblings))


def branch_root(leaf: bytes, branch: MerkleBranch) -> bytes:
    """The root that a branch leads to. The index must be within the tree, and no node repeat its left neighbour.

    Raises:
        PredicateFailed: `branch_fits_a_block` or `no_node_repeated`.
    """
    steps = len(branch.siblings)
    if steps > MAX_BRANCH_STEPS:
        raise PredicateFailed("branch_fits_a_block", f"more than {MAX_BRANCH_STEPS} steps", got=steps)
    if branch.index >> steps:
        raise PredicateFailed(
            "branch_fits_a_block", "the position is outside the tree", got=branch.index, expected=f"< {1 << steps}"
        )
    node = leaf
    for step, sibling in enumerate(branch.siblings):
        if branch.index >> step & 1:
            if sibling == node:
                raise PredicateFailed("no_node_repeated", "a node repeats its left neighbour", got=node)
            node = _parent(sibling, node)
        else:
            node = _parent(node, sibling)
    return node


def not_ambiguous(transaction: Transaction) -> None:
    """64 bytes without witness could be two child hashes; no transaction in use is that short.

    Raises:
        PredicateFailed: `transaction_not_64_bytes`.
    """
    if len(transaction.serialized) == AMBIGUOUS_TRANSACTION_BYTES:
        raise PredicateFailed(
            "transaction_not_64_bytes", "a transaction of 64 bytes reads as an inner node", got=transaction.serialized
        )


def coinbase_sets_depth(coinbase: Transaction, siblings: tuple[bytes, ...], root: bytes) -> None:
    """The first leaf is a coinbase, so `len(siblings)` is the height of the tree. All leaves stand that deep.

    Raises:
        PredicateFailed: no coinbase, one of 64 bytes, or a branch that does not lead to `root`.
    """
    name = "coinbase_sets_depth"
    if not coinbase.is_coinbase:
        raise PredicateFailed(name, "the first transaction is no coinbase", got=display(coinbase.txid))
    not_ambiguous(coinbase)
    found = branch_root(coinbase.txid, MerkleBranch(0, siblings))
    if found != root:
        raise PredicateFailed(name, "the coinbase is not in the block", got=display(found), expected=display(root))


def included(transaction: Transaction, branch: MerkleBranch, steps: int, root: bytes) -> None:
    """The transaction is a leaf of the tree with `root` and height `steps`.

    Raises:
        PredicateFailed: a branch of another length, or one that does not lead there.
    """
    name = "transaction_included"
    if len(branch.siblings) != steps:
        raise PredicateFailed(name, "not at the depth of the leaves", got=len(branch.siblings), expected=steps)
    found = branch_root(transaction.txid, branch)
    if found != root:
        raise PredicateFailed(name, "the branch leads to another root", got=display(found), expected=display(root))


def partial_tree_matches(tree: PartialMerkleTree, root: bytes) -> dict[int, bytes]:
    """Matched txids by position, after Core's rules (`CPartialMerkleTree::ExtractMatches`), one sentence each.

    Stricter: the bits that fill the last byte must be zero. The depth of the tree is what `tree.transactions` says.

    Raises:
        PredicateFailed: `partial_tree_well_formed`, `no_node_repeated` or `partial_tree_has_root`.
    """
    name = "partial_tree_well_formed"
    if not 0 < tree.transactions <= MAX_BLOCK_TRANSACTIONS:
        raise PredicateFailed(name, f"a block has 1 to {MAX_BLOCK_TRANSACTIONS} transactions", got=tree.transactions)
    if len(tree.hashes) > tree.transactions:
        raise PredicateFailed(name, "more hashes than transactions", got=len(tree.hashes), expected=tree.transactions)
    if len(tree.flags) < len(tree.hashes):
        raise PredicateFailed(name, "fewer flags than hashes", got=len(tree.flags), expected=len(tree.hashes))
    walk = _Walk(tree)
    found = walk.node((tree.transactions - 1).bit_length(), 0)
    if walk.hashes_used != len(tree.hashes):
        raise PredicateFailed(name, "not every hash is used", got=walk.hashes_used, expected=len(tree.hashes))
    if (walk.flags_used + 7) // 8 != (len(tree.flags) + 7) // 8 or any(tree.flags[walk.flags_used :]):
        raise PredicateFailed(name, "not every flag is used", got=walk.flags_used, expected=len(tree.flags))
    if found != root:
        raise PredicateFailed(
            "partial_tree_has_root", "the tree has another root", got=display(found), expected=display(root)
        )
    return walk.matches


class _Walk:
    """Depth first over a partial tree; its depth is at most 15."""

    def __init__(self, tree: PartialMerkleTree) -> None:
        self._tree = tree
        self.hashes_used = 0
        self.flags_used = 0
        self.matches: dict[int, bytes] = {}

    def node(self, height: int, position: int) -> bytes:
        flag = self._flag()
        if height == 0 or not flag:
            found = self._hash()
            if height == 0 and flag:
                self.matches[position] = found
            return found
        left = self.node(height - 1, 2 * position)
        if 2 * position + 1 >= self._width(height - 1):
            return _parent(left, left)
        right = self.node(height - 1, 2 * position + 1)
        if left == right:
            raise PredicateFailed("no_node_repeated", "a node repeats its left neighbour", got=left)
        return _parent(left, right)

    def _width(self, height: int) -> int:
        return (self._tree.transactions + (1 << height) - 1) >> height

    def _flag(self) -> bool:
        if self.flags_used >= len(self._tree.flags):
            raise PredicateFailed("partial_tree_well_formed", "flags end too early", got=self.flags_used)
        self.flags_used += 1
        return self._tree.flags[self.flags_used - 1]

    def _hash(self) -> bytes:
        if self.hashes_used >= len(self._tree.hashes):
            raise PredicateFailed("partial_tree_well_formed", "hashes end too early", got=self.hashes_used)
        self.hashes_used += 1
        return self._tree.hashes[self.hashes_used - 1]


def partial_tree(txids: Sequence[bytes], matched: frozenset[int]) -> PartialMerkleTree:
    """The partial tree that shows the leaves at `matched` (BIP37), as a node builds it.

    Raises:
        MalformedInput: `txids` is empty.
    """
    levels = merkle_levels(txids)
    hashes: list[bytes] = []
    flags: list[bool] = []

    def build(height: int, position: int) -> None:
        inside = any(position == at >> height for at in matched)
        flags.append(inside)
        if height == 0 or not inside:
            hashes.append(levels[height][position])
            return
        build(height - 1, 2 * position)
        if 2 * position + 1 < len(levels[height - 1]):
            build(height - 1, 2 * position + 1)

    build(len(levels) - 1, 0)
    return PartialMerkleTree(len(txids), tuple(hashes), tuple(flags))
