"""The hub's state: a versioned sparse Merkle tree whose root is the app hash (docs/spec/hub-state.md)."""

from relay.hub.state.keys import GENESIS_KEY, RESERVED_PREFIXES
from relay.hub.state.proofs import commitment_proof, merkle_proof, prove_existence, prove_nonexistence
from relay.hub.state.store import OrderedReader, StateDamaged, ValueReader
from relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from relay.hub.state.versions import VersionedState
from relay.hub.state.view import StateView

__all__ = [
    "EMPTY_ROOT",
    "GENESIS_KEY",
    "RESERVED_PREFIXES",
    "OrderedReader",
    "SparseMerkleTree",
    "StateDamaged",
    "StateView",
    "ValueReader",
    "VersionedState",
    "commitment_proof",
    "merkle_proof",
    "prove_existence",
    "prove_nonexistence",
]
