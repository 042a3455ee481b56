"""One proof of many keys under one root, with shared nodes said once (docs/spec/records.md)."""

from collections.abc import Collection
from hashlib import sha256

from hutong.light_clients.records.multiproof import (
    MAX_CLAIMS,
    Claim,
    Multiproof,
    claimed_terminal,
    neighbour_terminal,
    void_terminal,
)
from hutong.relay.hub.state.tree import EMPTY_ROOT, Leaf, SparseMerkleTree, bit

_HashedKey = tuple[bytes, bytes]
"""H(key) and key."""


class _Making:
    """Walks the tree once and notes what a verifier needs, in the order in which it needs it."""

    def __init__(self, tree: SparseMerkleTree) -> None:
        self._tree = tree
        self.terminals = bytearray()
        self.siblings: list[bytes] = []
        self.values: dict[bytes, bytes] = {}

    def walk(self, node_hash: bytes, depth: int, wanted: list[_HashedKey]) -> None:
        if node_hash == EMPTY_ROOT:
            self.terminals += void_terminal(depth)
            return
        node = self._tree.node(node_hash)
        if isinstance(node, Leaf):
            if any(key == node.key for _, key in wanted):
                self.values[node.key] = node.value
                self.terminals += claimed_terminal(depth)
            else:
                self.terminals += neighbour_terminal(depth, node.key_hash, sha256(node.value).digest())
            return
        left = [key for key in wanted if not bit(key[0], depth)]
        right = [key for key in wanted if bit(key[0], depth)]
        # a sibling is needed once the subtree beside it is known, so it follows that subtree
        if left:
            self.walk(node.left, depth + 1, left)
        if right:
            self.walk(node.right, depth + 1, right)
        if not left:
            self.siblings.append(node.left)
        if not right:
            self.siblings.append(node.right)


def prove_many(tree: SparseMerkleTree, root: bytes, keys: Collection[bytes]) -> tuple[tuple[Claim, ...], Multiproof]:
    """What each of `keys` holds under `root`, in the order of their hashes, and the proof of all of it.

    Raises:
        ValueError: no key, more than `MAX_CLAIMS`, one twice, or an empty tree, under which nothing is proven.
        StateDamaged: a node of the tree is missing.
    """
    if not 1 <= len(keys) <= MAX_CLAIMS or len(set(keys)) != len(keys):
        raise ValueError(f"a multiproof is of 1 to {MAX_CLAIMS} keys, none twice")
    if root == EMPTY_ROOT:
        raise ValueError("an empty tree cannot prove absence")
    wanted = sorted((sha256(key).digest(), key) for key in keys)
    making = _Making(tree)
    making.walk(root, 0, wanted)
    claims = tuple(Claim(key, making.values.get(key, b"")) for _, key in wanted)
    return claims, Multiproof(bytes(making.terminals), tuple(making.siblings))
