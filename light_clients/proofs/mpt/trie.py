"""The walk through a hexary Merkle-Patricia trie along one key (Ethereum yellow paper, appendix D).

A proof is the list of hashed nodes from the root down, in order, each used exactly once: extra, repeated and reordered
nodes are refused (docs/spec/strictness.md M1). Nodes shorter than 32 bytes stand inside their parent and nowhere else.
"""

from collections.abc import Sequence
from typing import Protocol

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs.mpt.rlp import RlpItem, decode_rlp, encoded_size

EMPTY_TRIE_ROOT = keccak256(b"\x80")
EMPTY_NODE = b"\x80"
MAX_NODES = 65
"""64 nibbles of a hashed key and the leaf."""
MAX_NODE_BYTES = 1024
"""A full branch of hashes has 532 bytes, an account leaf under 160."""

_BRANCH_ITEMS = 17
_GRAMMAR = "node_is_well_formed"
_NIBBLE_OF_DIGIT = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


def nibbles_of(key: bytes) -> bytes:
    """One byte a nibble, high one first: twice as many as the key has bytes."""
    return key.hex().encode().translate(_NIBBLE_OF_DIGIT)


def _decode_path(encoded: RlpItem) -> tuple[bytes, bool]:
    """Nibbles of a hex-prefix encoded path, and whether it ends in a leaf."""
    if not isinstance(encoded, bytes) or not encoded:
        raise PredicateFailed(_GRAMMAR, "a node's path is a non-empty string")
    flag = encoded[0] >> 4
    if flag > 3:
        raise PredicateFailed(_GRAMMAR, "unknown flag of a path", got=encoded)
    nibbles = nibbles_of(encoded)
    if flag & 1:
        return nibbles[1:], flag >= 2
    if nibbles[1]:
        raise PredicateFailed(_GRAMMAR, "padding nibble of an even path is not zero", got=encoded)
    return nibbles[2:], flag >= 2


def _check_child(child: RlpItem) -> None:
    if isinstance(child, bytes):
        if len(child) != HASH_BYTES:
            raise PredicateFailed(_GRAMMAR, "a reference to a child is a 32-byte hash", got=child)
    elif not child or encoded_size(child) >= HASH_BYTES:
        raise PredicateFailed(_GRAMMAR, "an embedded child is empty, or has 32 bytes or more")


def _branch_child(node: tuple[RlpItem, ...], nibble: int, *, fixed_length_keys: bool) -> RlpItem | None:
    """The child that a branch has for `nibble`; None where it has none."""
    if not isinstance(node[16], bytes):
        raise PredicateFailed(_GRAMMAR, "the value of a branch is a string")
    if fixed_length_keys and node[16]:
        raise PredicateFailed(_GRAMMAR, "a branch holds a value where all keys have one length", got=node[16])
    occupied = 0
    for child in node[:16]:
        if child != b"":
            _check_child(child)
            occupied += 1
    if occupied + bool(node[16]) < 2:
        raise PredicateFailed(_GRAMMAR, "a branch has fewer than two entries", got=occupied)
    return node[nibble] or None


class NodeSource(Protocol):
    """Where a walk finds the node that a hash refers to."""

    def resolve(self, reference: RlpItem, *, is_root: bool) -> tuple[RlpItem, ...]:
        """The node that a reference names: the embedded list itself, or the node with that hash.

        Raises:
            MalformedInput, PredicateFailed: there is none, or it is not well-formed.
        """


def decode_node(raw: bytes, field: str, *, is_root: bool) -> tuple[RlpItem, ...]:
    """A hashed node as a list of items; `field` names it in errors. Its hash is the caller's to compare.

    Raises:
        MalformedInput: longer than `MAX_NODE_BYTES`, or not strict RLP.
        PredicateFailed: `node_is_well_formed`: so short that it would stand inside its parent, or not a list.
    """
    if len(raw) > MAX_NODE_BYTES:
        raise MalformedInput(field, f"more than {MAX_NODE_BYTES} bytes", got=len(raw))
    if not is_root and len(raw) < HASH_BYTES:
        raise PredicateFailed(_GRAMMAR, "a node shorter than 32 bytes is referred to by hash", got=raw)
    node = decode_rlp(raw, field)
    if isinstance(node, bytes):
        raise PredicateFailed(_GRAMMAR, "a node is a list", got=node)
    return node


class _Nodes:
    """The proof's nodes, handed out in order against the hash that refers to each."""

    def __init__(self, nodes: Sequence[bytes]) -> None:
        self._nodes = nodes
        self._used = 0

    def resolve(self, reference: RlpItem, *, is_root: bool) -> tuple[RlpItem, ...]:
        """The embedded list itself, or the next node if it has that hash."""
        if not isinstance(reference, bytes):
            return reference
        if self._used == len(self._nodes):
            raise PredicateFailed("path_is_complete", "the proof stops before the key's place", expected=reference)
        index, raw = self._used, self._nodes[self._used]
        if len(raw) > MAX_NODE_BYTES:
            raise MalformedInput(f"proof.nodes[{index}]", f"more than {MAX_NODE_BYTES} bytes", got=len(raw))
        digest = keccak256(raw)
        if digest != reference:
            raise PredicateFailed("node_hash_matches", f"hash of node {index}", got=digest, expected=reference)
        node = decode_node(raw, f"proof.nodes[{index}]", is_root=is_root)
        self._used += 1
        return node

    def check_all_used(self) -> None:
        if self._used != len(self._nodes):
            raise PredicateFailed("no_unused_nodes", "nodes in the proof", got=len(self._nodes), expected=self._used)


def walk(root: bytes, key: bytes, nodes: Sequence[bytes], *, fixed_length_keys: bool = True) -> bytes | None:
    """The value that the trie of `root` holds under `key`, None if its absence is proven.

    `key` is hashed already, where the trie hashes keys.

    Args:
        nodes: RLP nodes from the root down. The empty trie takes no node, or the one node `80`.
        fixed_length_keys: all keys of the trie have the length of `key`, as in state and storage tries; then no branch
            holds a value and a leaf's path ends where the key ends.

    Raises:
        MalformedInput, PredicateFailed: `root_is_well_formed`, `node_hash_matches`, `node_is_well_formed`,
            `path_is_complete` or `no_unused_nodes`.
    """
    check_root(root)
    if len(nodes) > MAX_NODES:
        raise MalformedInput("proof.nodes", f"more than {MAX_NODES} nodes", got=len(nodes))
    if root == EMPTY_TRIE_ROOT:
        if len(nodes) > 1 or (nodes and nodes[0] != EMPTY_NODE):
            raise PredicateFailed("no_unused_nodes", "the empty trie has no nodes", got=len(nodes), expected=0)
        return None
    proof = _Nodes(nodes)
    value = descend(proof, root, nibbles_of(key), fixed_length_keys=fixed_length_keys)
    proof.check_all_used()
    return value


def check_root(root: bytes) -> None:
    """The root that a walk begins at can be one.

    Raises:
        PredicateFailed: `root_is_well_formed`.
    """
    if len(root) != HASH_BYTES or not any(root):
        raise PredicateFailed("root_is_well_formed", "the trusted root is 32 bytes and not all zero", got=root)


def descend(proof: NodeSource, root: bytes, path: bytes, *, fixed_length_keys: bool) -> bytes | None:
    """The value at the end of `path` (nibbles) in the trie of `root`, which is not the empty one; None where it has none.

    Raises:
        MalformedInput, PredicateFailed: as `walk`; whether every node was used is the caller's to ask.
    """
    reference: RlpItem = root
    position = 0
    after_extension = False
    is_root = True
    while True:
        node = proof.resolve(reference, is_root=is_root)
        is_root = False
        if len(node) == _BRANCH_ITEMS:
            after_extension = False
            if position == len(path):
                return _branch_value(node, fixed_length_keys=fixed_length_keys)
            child = _branch_child(node, path[position], fixed_length_keys=fixed_length_keys)
            if child is None:
                return None
            reference = child
            position += 1
            continue
        if len(node) != 2:
            raise PredicateFailed(_GRAMMAR, "a node has 2 or 17 items", got=len(node))
        if after_extension:
            raise PredicateFailed(_GRAMMAR, "an extension leads to a branch, nothing else")
        segment, is_leaf = _decode_path(node[0])
        rest = path[position:]
        if is_leaf:
            value = node[1]
            if not isinstance(value, bytes) or not value:
                raise PredicateFailed(_GRAMMAR, "a leaf's value is a non-empty string")
            if fixed_length_keys and len(segment) != len(rest):
                raise PredicateFailed(_GRAMMAR, "a leaf's path does not end with the key", len(segment), len(rest))
            return value if segment == rest else None
        if not segment:
            raise PredicateFailed(_GRAMMAR, "an extension has an empty path")
        if fixed_length_keys and len(segment) >= len(rest):
            raise PredicateFailed(_GRAMMAR, "an extension reaches beyond the key", len(segment), len(rest))
        _check_child(node[1])
        if not rest.startswith(segment):
            return None
        reference = node[1]
        position += len(segment)
        after_extension = True


def _branch_value(node: tuple[RlpItem, ...], *, fixed_length_keys: bool) -> bytes | None:
    """The value of a key that ends at a branch."""
    value = node[16]
    if fixed_length_keys:
        raise PredicateFailed(_GRAMMAR, "a branch lies below the end of the key")
    if not isinstance(value, bytes):
        raise PredicateFailed(_GRAMMAR, "the value of a branch is a string")
    return value or None
