"""RFC 6962 Merkle trees, with inclusion proofs as CometBFT uses them, and consistency proofs."""

from hutong.light_clients.proofs.merkle.consistency import (
    ConsistencyProof,
    judge_consistency,
    prove_consistency,
    verify_consistency,
)
from hutong.light_clients.proofs.merkle.frontier import Frontier
from hutong.light_clients.proofs.merkle.proof import (
    MerkleProof,
    judge_inclusion,
    path_length,
    prove,
    prove_leaf,
    root_of,
    verify,
)
from hutong.light_clients.proofs.merkle.ranges import RangeProof, judge_range, prove_range, prove_range_in
from hutong.light_clients.proofs.merkle.tree import (
    EMPTY_ROOT,
    inner_hash,
    leaf_hash,
    levels_of_leaves,
    root,
    root_of_leaves,
)

__all__ = [
    "EMPTY_ROOT",
    "ConsistencyProof",
    "Frontier",
    "MerkleProof",
    "RangeProof",
    "inner_hash",
    "judge_consistency",
    "judge_inclusion",
    "judge_range",
    "leaf_hash",
    "levels_of_leaves",
    "path_length",
    "prove",
    "prove_consistency",
    "prove_leaf",
    "prove_range",
    "prove_range_in",
    "root",
    "root_of",
    "root_of_leaves",
    "verify",
    "verify_consistency",
]
