"""Trees of the hub's state in memory, whole ones and those of a million keys as the paths to a few see them."""

from hashlib import sha256

from hutong.relay.hub.state.tree import EMPTY_ROOT, Inner, Leaf, SparseMerkleTree, bit, encode_node


def tree_of(content):
    """The tree of these keys, and its root."""
    root, nodes = SparseMerkleTree({}).update(EMPTY_ROOT, content)
    return SparseMerkleTree(nodes), root


def deep_tree_of(content, depth):
    """A tree in which every key of `content` lies at `depth` at least: beside their paths are hashes of what is not kept.

    Keys of a tree of n others lie 1.3 deeper than log2(n) on average, as hashes spread them.
    """
    nodes = {}

    def node(leaves, level, label):
        if not leaves:
            return sha256(b"not kept " + label.encode()).digest()
        made = leaves[0]
        if len(leaves) > 1 or level < depth:
            sides = ([leaf for leaf in leaves if bit(leaf.key_hash, level) == side] for side in (0, 1))
            made = Inner(*(node(part, level + 1, f"{label}{side}") for side, part in enumerate(sides)))
        nodes[made.hash()] = encode_node(made)
        return made.hash()

    root = node([Leaf.of(key, value) for key, value in content.items()], 0, "")
    return SparseMerkleTree(nodes), root
