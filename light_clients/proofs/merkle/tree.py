"""RFC 6962 Merkle trees over SHA-256 as CometBFT builds them (cometbft `crypto/merkle/tree.go`, `hash.go`).

Leaves and inner nodes have different first bytes, so neither can stand for the other; the left subtree holds the largest
power of two of leaves below their number, which is the same as pairing level by level and promoting a lone last node.
"""

from collections.abc import Sequence
from hashlib import sha256 as _sha256

from hutong.light_clients.crypto import sha256

_LEAF = b"\x00"
_INNER = b"\x01"

EMPTY_ROOT = sha256(b"")
"""Root of no items."""


def leaf_hash(item: bytes) -> bytes:
    """32 bytes: SHA-256 of 00 and the item."""
    return sha256(_LEAF + item)


def inner_hash(left: bytes, right: bytes) -> bytes:
    """32 bytes: SHA-256 of 01 and both children, which are 32 bytes each."""
    return sha256(_INNER + left + right)


def levels(items: Sequence[bytes]) -> list[list[bytes]]:
    """Node hashes, leaves first, root level last; a lone last node stands again on the level above.

    Of no items there is one empty level, which has no root.
    """
    return levels_of_leaves([leaf_hash(item) for item in items])


def levels_of_leaves(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """`levels` where the items are gone, or too many to hold, and their leaf hashes are kept."""
    level = list(leaf_hashes)
    built = [level]
    while len(level) > 1:
        # `inner_hash`, written out: its calls cost as much as the hash.
        paired = [_sha256(_INNER + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = paired if len(level) % 2 == 0 else [*paired, level[-1]]
        built.append(level)
    return built


def root(items: Sequence[bytes]) -> bytes:
    """The 32-byte root; of no items it is the hash of nothing."""
    return root_of_leaves([_sha256(_LEAF + item).digest() for item in items])


def root_of_leaves(leaf_hashes: Sequence[bytes]) -> bytes:
    """`root` of the items with these leaf hashes, 32 bytes each."""
    return levels_of_leaves(leaf_hashes)[-1][0] if leaf_hashes else EMPTY_ROOT
