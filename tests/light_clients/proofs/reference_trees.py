"""Small honest provers of the three standard trees, written from their definitions, for tests to attack.

Each holds everything in memory and hashes the whole tree again when built; order is that of the spec's comparison key.
"""

from bisect import bisect_left
from dataclasses import dataclass
from hashlib import sha256

from hutong.light_clients.proofs import ics23
from hutong.light_clients.proofs.ics23 import ExistenceProof, HashOp, InnerOp, LeafOp, NonExistenceProof, ProofSpec


def digest(data):
    return sha256(data).digest()


def varint(value):
    """Zigzag varint of a number that is not negative, as IAVL writes height, size and version."""
    raw = value << 1
    out = bytearray()
    while raw >= 0x80:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    out.append(raw)
    return bytes(out)


@dataclass(frozen=True)
class Node:
    hash: bytes
    height: int
    size: int
    paths: dict[bytes, tuple[InnerOp, ...]]


class Tree:
    spec: ProofSpec

    def __init__(self, items, version=7):
        self.version = version
        self.items = dict(items)
        self.keys = sorted(self.items, key=self.order)
        self.node = self.build(self.keys, 0)
        self.root = self.node.hash

    def order(self, key):
        return ics23.comparison_key(self.spec, key)

    def leaf_op(self):
        return self.spec.leaf_spec

    def build(self, keys, depth):
        if len(keys) == 1:
            leaf = self.existence_of_leaf(keys[0])
            return Node(ics23.calculate_root(leaf), 0, 1, {keys[0]: ()})
        split = self.split(keys, depth)
        return self.join(self.build(keys[:split], depth + 1), self.build(keys[split:], depth + 1))

    def existence_of_leaf(self, key):
        return ExistenceProof(key, self.items[key], self.leaf_op(), ())

    def join(self, left, right):
        height, size = max(left.height, right.height) + 1, left.size + right.size
        left_op, right_op = self.ops(left.hash, right.hash, height, size)
        paths = {key: (*path, left_op) for key, path in left.paths.items()}
        paths |= {key: (*path, right_op) for key, path in right.paths.items()}
        return Node(digest(left_op.prefix + left.hash + left_op.suffix), height, size, paths)

    def ops(self, left, right, height, size):
        return InnerOp(HashOp.SHA256, b"\1", right), InnerOp(HashOp.SHA256, b"\1" + left, b"")

    def existence(self, key):
        return ExistenceProof(key, self.items[key], self.leaf_op(), self.node.paths[key])

    def non_existence(self, key):
        assert key not in self.items
        place = bisect_left([self.order(k) for k in self.keys], self.order(key))
        left = self.existence(self.keys[place - 1]) if place else None
        right = self.existence(self.keys[place]) if place < len(self.keys) else None
        return NonExistenceProof(key, left, right)


class TendermintTree(Tree):
    spec = ics23.TENDERMINT_SPEC

    def split(self, keys, depth):
        split = 1
        while 2 * split < len(keys):
            split *= 2
        return split


class IavlTree(Tree):
    spec = ics23.IAVL_SPEC

    def leaf_op(self):
        op = self.spec.leaf_spec
        prefix = varint(0) + varint(1) + varint(self.version)
        return LeafOp(op.hash, op.prehash_key, op.prehash_value, op.length, prefix)

    def split(self, keys, depth):
        return (len(keys) + 1) // 2

    def ops(self, left, right, height, size):
        head = varint(height) + varint(size) + varint(self.version)
        return (
            InnerOp(HashOp.SHA256, head + b"\x20", b"\x20" + right),
            InnerOp(HashOp.SHA256, head + b"\x20" + left + b"\x20", b""),
        )


class SparseTree(Tree):
    """Leaves rise to the highest node where they are alone; a lone subtree beside nothing gets a placeholder."""

    spec = ics23.SMT_SPEC

    def build(self, keys, depth):
        if not keys:
            return Node(bytes(32), 0, 0, {})
        return super().build(keys, depth)

    def split(self, keys, depth):
        return sum(1 for key in keys if not digest(key)[depth // 8] >> (7 - depth % 8) & 1)


def items(count, salt=b""):
    """`count` keys that are no prefix of each other, with values."""
    return {b"key/" + salt + b"%03d" % (2 * i): b"value %d" % i for i in range(count)}


TREES = {"iavl": IavlTree, "tendermint": TendermintTree, "smt": SparseTree}
