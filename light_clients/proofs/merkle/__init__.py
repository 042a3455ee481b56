"""RFC 6962 Merkle trees and inclusion proofs as CometBFT uses them."""

from light_clients.proofs.merkle.proof import MerkleProof, checks, prove, root_of, verify
from light_clients.proofs.merkle.tree import EMPTY_ROOT, inner_hash, leaf_hash, root

__all__ = ["EMPTY_ROOT", "MerkleProof", "checks", "inner_hash", "leaf_hash", "prove", "root", "root_of", "verify"]
