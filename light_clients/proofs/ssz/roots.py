"""Merkleization of SSZ values (consensus-specs ssz/simple-serialize.md, "Merkleization").

Leaves and inner nodes are not told apart by a tag: what is a leaf follows from the type alone. So a shape is always fixed by
the caller, and a depth never taken from the proof.
"""

from collections.abc import Sequence
from hashlib import sha256

CHUNK_BYTES = 32
ZERO_CHUNK = bytes(CHUNK_BYTES)


def hash_pair(left: bytes, right: bytes) -> bytes:
    """The parent of two nodes."""
    return sha256(left + right).digest()


def _zero_hashes(depth: int) -> tuple[bytes, ...]:
    hashes = [ZERO_CHUNK]
    for _ in range(depth):
        hashes.append(hash_pair(hashes[-1], hashes[-1]))
    return tuple(hashes)


ZERO_HASHES = _zero_hashes(40)
"""By height: the root of a subtree of zero chunks. 40 levels are those of a validator registry."""


def merkle_root(chunks: Sequence[bytes], limit: int | None = None) -> bytes:
    """Root over chunks of 32 bytes, padded with zero chunks to the power of two that holds `limit` (or their number).

    Raises:
        ValueError: more chunks than `limit`; shapes are the caller's, so this is a bug of it.
    """
    count = len(chunks)
    width = count if limit is None else limit
    if count > width:
        raise ValueError(f"{count} chunks do not fit {width}")
    depth = max(width - 1, 0).bit_length()
    if not count:
        return ZERO_HASHES[depth]
    layer = list(chunks)
    for height in range(depth):
        if len(layer) & 1:
            layer.append(ZERO_HASHES[height])
        layer = [sha256(layer[at] + layer[at + 1]).digest() for at in range(0, len(layer), 2)]
    return layer[0]


def container_root(fields: Sequence[bytes]) -> bytes:
    """Root of a container, given the roots of its fields in order, 32 bytes each."""
    return merkle_root(fields)


def bytes_root(data: bytes, limit_bytes: int | None = None) -> bytes:
    """Root of a byte vector, or of a byte list's content within `limit_bytes` (mix its length in afterwards).

    Raises:
        ValueError: more bytes than the limit's chunks hold; shapes are the caller's, so this is a bug of it.
    """
    chunks = [data[at : at + CHUNK_BYTES].ljust(CHUNK_BYTES, b"\0") for at in range(0, len(data), CHUNK_BYTES)]
    limit = None if limit_bytes is None else -(-limit_bytes // CHUNK_BYTES)
    return merkle_root(chunks, limit)


def mix_in_length(root: bytes, length: int) -> bytes:
    """Root of a list: of its content, and how many items there are (not chunks)."""
    return hash_pair(root, length.to_bytes(CHUNK_BYTES, "little"))


def uint64_chunk(value: int) -> bytes:
    """A uint64 as a leaf, little-endian; OverflowError for any other number is a bug of the caller."""
    return value.to_bytes(8, "little") + bytes(24)


def uint256_chunk(value: int) -> bytes:
    """A uint256 as a leaf, little-endian; OverflowError for any other number is a bug of the caller."""
    return value.to_bytes(CHUNK_BYTES, "little")
