"""The tree of a stream of leaves in path order: root and nodes with the memory of one path."""

from collections.abc import Generator, Iterator

from hutong.relay.hub.state.tree import EMPTY_ROOT, Inner, Leaf, bit, encode_node


class LeavesOutOfOrder(ValueError):
    """The leaf's key hash is not above that of the leaf before it."""


class StreamedTree:
    """`add` and `finish` yield finished nodes as (hash, storage form); after `finish` has been drained, `root` is known.

    A leaf stays open until its successor shows how deep it lies. `_waiting` holds, top last, the finished left subtrees
    on the way down to it, with the depth of the inner node that each is the left child of.
    """

    def __init__(self) -> None:
        self.root = EMPTY_ROOT
        self._open: Leaf | None = None
        self._shared_before = -1
        self._waiting: list[tuple[int, bytes]] = []

    def add(self, leaf: Leaf) -> Iterator[tuple[bytes, bytes]]:
        """Take the next leaf; yields the nodes that it finishes.

        Raises:
            LeavesOutOfOrder: its key hash is not above the last one's.
        """
        last = self._open
        if last is not None:
            if leaf.key_hash <= last.key_hash:
                raise LeavesOutOfOrder(f"{leaf.key_hash.hex()} follows {last.key_hash.hex()}")
            shared = _shared_bits(last.key_hash, leaf.key_hash)
            left = yield from self._close(last, shared)
            self._waiting.append((shared, left))
            self._shared_before = shared
        self._open = leaf

    def finish(self) -> Iterator[tuple[bytes, bytes]]:
        """Yields the nodes that are still open, up to the root.

        Once drained `root` is known; of no leaves it is EMPTY_ROOT.
        """
        if self._open is not None:
            self.root = yield from self._close(self._open, -1)
            self._open = None

    def _close(self, leaf: Leaf, shared: int) -> Generator[tuple[bytes, bytes], None, bytes]:
        """Finish everything below depth `shared` + 1 that `leaf` is the last of, and return that subtree's hash."""
        subtree = leaf.hash()
        yield subtree, encode_node(leaf)
        for depth in range(max(self._shared_before, shared), shared, -1):
            if not bit(leaf.key_hash, depth):
                inner = Inner(subtree, EMPTY_ROOT)
            elif self._waiting and self._waiting[-1][0] == depth:
                inner = Inner(self._waiting.pop()[1], subtree)
            else:
                inner = Inner(EMPTY_ROOT, subtree)
            subtree = inner.hash()
            yield subtree, encode_node(inner)
        return subtree


def _shared_bits(first: bytes, second: bytes) -> int:
    return 256 - (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_length()
