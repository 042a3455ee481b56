"""SSZ as proofs need it: hash tree roots of fixed shapes, and Merkle branches at generalized indices."""

from hutong.light_clients.proofs.ssz.branch import (
    MAX_BRANCH_NODES,
    branch_holds,
    depth_of,
    root_of_branch,
    verify_branch,
    verify_normalized_branch,
)
from hutong.light_clients.proofs.ssz.roots import (
    CHUNK_BYTES,
    ZERO_CHUNK,
    bytes_root,
    container_root,
    hash_pair,
    merkle_root,
    mix_in_length,
    uint64_chunk,
    uint256_chunk,
)

__all__ = [
    "CHUNK_BYTES",
    "MAX_BRANCH_NODES",
    "ZERO_CHUNK",
    "branch_holds",
    "bytes_root",
    "container_root",
    "depth_of",
    "hash_pair",
    "merkle_root",
    "mix_in_length",
    "root_of_branch",
    "uint64_chunk",
    "uint256_chunk",
    "verify_branch",
    "verify_normalized_branch",
]
