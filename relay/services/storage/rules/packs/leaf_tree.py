"""The tree over the leaves of a masked shard, and the outboard that is kept beside it (docs/spec/storage-pack.md).

RFC 6962 over leaves of 1 KiB, of which a shard has a power of two: no level has a lone node.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import MerkleProof, prove_leaf, root_of_leaves
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES, MAX_HEIGHT

SPAN_HEIGHT: Final = 6
SPAN_BYTES: Final = LEAF_BYTES << SPAN_HEIGHT
"""64 KiB: what is hashed to answer one probe, and to judge a range that is read."""
MAX_OUTBOARD_BYTES: Final = HASH_BYTES << MAX_HEIGHT - SPAN_HEIGHT
_LEAF: Final = sha256(b"\0")

Octets = bytes | bytearray | memoryview


def leaf_hashes(octets: Octets) -> list[bytes]:
    """Of each 1 KiB, in order.

    Raises:
        MalformedInput: not a whole number of leaves, or none.
    """
    if not octets or len(octets) % LEAF_BYTES:
        raise MalformedInput("shard", "not a whole number of leaves", got=len(octets))
    view, hashes = memoryview(octets), []
    for at in range(0, len(view), LEAF_BYTES):
        # A copy of the hash that has read the prefix costs less than joining prefix and leaf.
        leaf = _LEAF.copy()
        leaf.update(view[at : at + LEAF_BYTES])
        hashes.append(leaf.digest())
    return hashes


def shard_height(size: int) -> int:
    """Of the tree over a shard of so many bytes.

    Raises:
        MalformedInput: not 1 KiB times a power of two, or more than 8 MiB.
    """
    leaves = size // LEAF_BYTES
    if size % LEAF_BYTES or leaves.bit_count() != 1 or leaves > 1 << MAX_HEIGHT:
        raise MalformedInput("shard", f"not 1 KiB times a power of two up to 2^{MAX_HEIGHT}", got=size)
    return leaves.bit_length() - 1


def outboard(shard: Octets) -> bytes:
    """The root of each span of 64 KiB, joined; of a smaller shard its root alone.

    Raises:
        MalformedInput: a size that no shard has.
    """
    shard_height(len(shard))
    view = memoryview(shard)
    spans = (view[at : at + SPAN_BYTES] for at in range(0, len(view), SPAN_BYTES))
    return b"".join(root_of_leaves(leaf_hashes(span)) for span in spans)


def span_roots(height: int, octets: bytes) -> list[bytes]:
    """The hashes of an outboard.

    Raises:
        MalformedInput: not as many as a shard of this height has.
    """
    count = 1 << max(0, height - SPAN_HEIGHT)
    if len(octets) != count * HASH_BYTES:
        raise MalformedInput("outboard", "another number of hashes", got=len(octets), expected=count * HASH_BYTES)
    return [octets[at : at + HASH_BYTES] for at in range(0, len(octets), HASH_BYTES)]


def root_of_outboard(height: int, octets: bytes) -> bytes:
    """The shard's root, 32 bytes.

    Raises:
        MalformedInput: see `span_roots`.
    """
    return root_of_leaves(span_roots(height, octets))


def shard_root(shard: Octets) -> bytes:
    """The root over all leaves of a masked shard, 32 bytes.

    Raises:
        MalformedInput: a size that no shard has.
    """
    return root_of_outboard(shard_height(len(shard)), outboard(shard))


def prove_shard_leaf(spans: Sequence[bytes], span: Octets, leaf: int) -> MerkleProof:
    """The path of leaf `leaf` of a shard, out of its outboard and the one span that holds it.

    Args:
        spans: as `span_roots` gives them.
        span: the bytes of span `leaf` // 64, or the whole shard where it is smaller.
        leaf: counted from the shard's first.

    Raises:
        MalformedInput: a span that is not a whole number of leaves.
        IndexError: the shard has no such leaf.
    """
    within = leaf_hashes(span)
    low = prove_leaf(within, leaf % len(within))
    high = prove_leaf(spans, leaf // len(within))
    return MerkleProof(len(spans) * len(within), leaf, low.leaf_hash, low.aunts + high.aunts)
