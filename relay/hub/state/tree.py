"""A sparse Merkle tree over SHA-256 key hashes, with the hashing of ICS-23's SMT spec.

Source: cosmos/ics23 `go/proof.go` (SmtSpec). leaf = H(00 ‖ H(key) ‖ H(value)), inner = H(01 ‖ left ‖ right), an empty
subtree is 32 zero bytes, and a lone leaf rises to the highest node below which it is alone.

Nodes are content-addressed and never changed, so every root ever committed stays readable until nodes are pruned.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from hutong.relay.hub.state.keys import MAX_KEY_BYTES, MAX_VALUE_BYTES
from hutong.relay.hub.state.store import StateDamaged, ValueReader

EMPTY_ROOT = bytes(32)
DEPTH = 256
_LEAF = b"\x00"
_INNER = b"\x01"
_NODE_CACHE_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Leaf:
    """A key with its value; `key_hash` is its place in the tree."""

    key: bytes
    value: bytes
    key_hash: bytes

    @classmethod
    def of(cls, key: bytes, value: bytes) -> "Leaf":
        """A leaf with its place, SHA-256 of the key."""
        return cls(key, value, sha256(key).digest())

    def hash(self) -> bytes:
        """H(00 ‖ H(key) ‖ H(value)), 32 bytes."""
        return sha256(_LEAF + self.key_hash + sha256(self.value).digest()).digest()


@dataclass(frozen=True, slots=True)
class Inner:
    """Two subtrees by hash, of which at most one is empty."""

    left: bytes
    right: bytes

    def hash(self) -> bytes:
        """H(01 ‖ left ‖ right), 32 bytes."""
        return sha256(_INNER + self.left + self.right).digest()


Node = Leaf | Inner


def encode_node(node: Node) -> bytes:
    """Storage form: `01 left right`, or `00 len(key) as 2 bytes, key, value`."""
    if isinstance(node, Inner):
        return _INNER + node.left + node.right
    return _LEAF + len(node.key).to_bytes(2, "big") + node.key + node.value


def decode_node(data: bytes) -> Node:
    """Inverse of `encode_node`; that the node has the hash it was found by is for the caller to check.

    Raises:
        StateDamaged: the bytes are not in storage form.
    """
    if data[:1] == _INNER and len(data) == 65:
        return Inner(data[1:33], data[33:])
    if data[:1] == _LEAF and len(data) >= 3:
        end = 3 + int.from_bytes(data[1:3], "big")
        return Leaf.of(data[3:end], data[end:])
    raise StateDamaged("a tree node is not in storage form")


def bit(key_hash: bytes, depth: int) -> int:
    """0 goes left, 1 goes right; the most significant bit is at depth 0."""
    return key_hash[depth >> 3] >> (7 - (depth & 7)) & 1


@dataclass(frozen=True, slots=True)
class Step:
    """One inner node on the way down: the sibling that was not taken, and whether we went right."""

    sibling: bytes
    went_right: bool


class SparseMerkleTree:
    """Reads and updates over a store of nodes. `update` returns new nodes and writes nothing."""

    def __init__(self, nodes: ValueReader, *, cached_nodes: int = _NODE_CACHE_LIMIT) -> None:
        self._nodes = nodes
        self._cache: dict[bytes, Node] = {}
        self._cached_nodes = cached_nodes

    def node(self, node_hash: bytes) -> Node:
        """Load a node that must exist; its content is checked against its hash.

        Raises:
            StateDamaged: it is missing, or has other content.
        """
        cached = self._cache.get(node_hash)
        if cached is not None:
            return cached
        data = self._nodes.get(node_hash)
        if data is None:
            raise StateDamaged(f"tree node {node_hash.hex()} is missing")
        node = decode_node(data)
        if node.hash() != node_hash:
            raise StateDamaged(f"tree node {node_hash.hex()} has other content")
        self._remember(node_hash, node)
        return node

    def _remember(self, node_hash: bytes, node: Node) -> None:
        if self._cached_nodes == 0:
            return
        if len(self._cache) >= self._cached_nodes:
            self._cache.clear()
        self._cache[node_hash] = node

    def descend(self, root: bytes, key_hash: bytes) -> tuple[list[Step], Leaf | None]:
        """Steps from the root towards `key_hash`, and the leaf met there (of this key or of another), if any.

        Raises:
            StateDamaged: as `node`.
        """
        steps: list[Step] = []
        node_hash = root
        while node_hash != EMPTY_ROOT:
            node = self.node(node_hash)
            if isinstance(node, Leaf):
                return steps, node
            if bit(key_hash, len(steps)):
                steps.append(Step(node.left, went_right=True))
                node_hash = node.right
            else:
                steps.append(Step(node.right, went_right=False))
                node_hash = node.left
        return steps, None

    def get(self, root: bytes, key: bytes) -> bytes | None:
        """The value of `key` under `root`, None where it is absent.

        Raises:
            StateDamaged: as `node`.
        """
        _, leaf = self.descend(root, sha256(key).digest())
        return leaf.value if leaf is not None and leaf.key == key else None

    def leaves(self, root: bytes) -> Iterator[Leaf]:
        """Every leaf in the order of key hashes, loaded as it is yielded.

        Raises:
            StateDamaged: as `node`.
        """
        stack = [root]
        while stack:
            node_hash = stack.pop()
            if node_hash == EMPTY_ROOT:
                continue
            node = self.node(node_hash)
            if isinstance(node, Leaf):
                yield node
            else:
                stack += (node.right, node.left)

    def outermost(self, subtree: bytes, *, rightmost: bool) -> Leaf:
        """The last or first leaf of a subtree that is not empty.

        Raises:
            StateDamaged: as `node`.
        """
        node = self.node(subtree)
        while isinstance(node, Inner):
            first, second = (node.right, node.left) if rightmost else (node.left, node.right)
            node = self.node(first if first != EMPTY_ROOT else second)
        return node

    def update(self, root: bytes, changes: Mapping[bytes, bytes | None]) -> tuple[bytes, dict[bytes, bytes]]:
        """Apply `changes` (None deletes) to the tree under `root`; nothing is written.

        Returns:
            The new root, and the encoded new nodes by hash.

        Raises:
            ValueError, StateDamaged: as `replace`.
        """
        new_root, encoded, _ = self.replace(root, changes)
        return new_root, encoded

    def replace(
        self, root: bytes, changes: Mapping[bytes, bytes | None]
    ) -> tuple[bytes, dict[bytes, bytes], list[bytes]]:
        """As `update`, and the hashes of the nodes that the new tree no longer has.

        A leaf's hash holds its place, so within one tree no node stands twice.

        Raises:
            ValueError: an empty key or value, which ICS-23 cannot prove, or one over its bound.
            StateDamaged: a node on the way is missing.
        """
        leaves: list[tuple[bytes, Leaf | None]] = []
        for key, value in changes.items():
            if not 0 < len(key) <= MAX_KEY_BYTES:
                raise ValueError(f"a state key has 1 to {MAX_KEY_BYTES} bytes, not {len(key)}")
            if value is not None and not 0 < len(value) <= MAX_VALUE_BYTES:
                raise ValueError(f"a state value has 1 to {MAX_VALUE_BYTES} bytes, not {len(value)}")
            key_hash = sha256(key).digest()
            leaves.append((key_hash, None if value is None else Leaf(key, value, key_hash)))
        leaves.sort(key=lambda item: item[0])
        fresh: dict[bytes, Node] = {}
        visited: dict[bytes, None] = {}
        new_root = self._apply(root, 0, leaves, fresh, visited)
        encoded = {}
        for node_hash in self._reachable(new_root, fresh):
            encoded[node_hash] = encode_node(fresh[node_hash])
            self._remember(node_hash, fresh[node_hash])
        return new_root, encoded, [node_hash for node_hash in visited if node_hash not in encoded]

    @staticmethod
    def _reachable(root: bytes, fresh: Mapping[bytes, Node]) -> Iterable[bytes]:
        stack, seen = [root], set[bytes]()
        while stack:
            node_hash = stack.pop()
            node = fresh.get(node_hash)
            if node is None or node_hash in seen:
                continue
            seen.add(node_hash)
            yield node_hash
            if isinstance(node, Inner):
                stack += (node.left, node.right)

    def _apply(
        self,
        node_hash: bytes,
        depth: int,
        changes: list[tuple[bytes, Leaf | None]],
        fresh: dict[bytes, Node],
        visited: dict[bytes, None],
    ) -> bytes:
        if not changes:
            return node_hash
        node = None
        if node_hash != EMPTY_ROOT:
            visited[node_hash] = None
            node = self._load(node_hash, fresh)
        if isinstance(node, Inner):
            left, right = node.left, node.right
        else:
            if node is not None and all(key_hash != node.key_hash for key_hash, _ in changes):
                changes = sorted([*changes, (node.key_hash, node)], key=lambda item: item[0])
            kept = [leaf for _, leaf in changes if leaf is not None]
            if len(kept) <= 1:
                return self._add(kept[0], fresh) if kept else EMPTY_ROOT
            left = right = EMPTY_ROOT
        middle = next((i for i, (key_hash, _) in enumerate(changes) if bit(key_hash, depth)), len(changes))
        left = self._apply(left, depth + 1, changes[:middle], fresh, visited)
        right = self._apply(right, depth + 1, changes[middle:], fresh, visited)
        return self._join(left, right, fresh)

    def _load(self, node_hash: bytes, fresh: Mapping[bytes, Node]) -> Node:
        node = fresh.get(node_hash)
        return self.node(node_hash) if node is None else node

    def _join(self, left: bytes, right: bytes, fresh: dict[bytes, Node]) -> bytes:
        for alone, other in ((left, right), (right, left)):
            if other == EMPTY_ROOT and (alone == EMPTY_ROOT or isinstance(self._load(alone, fresh), Leaf)):
                return alone
        return self._add(Inner(left, right), fresh)

    @staticmethod
    def _add(node: Node, fresh: dict[bytes, Node]) -> bytes:
        node_hash = node.hash()
        fresh[node_hash] = node
        return node_hash
