"""The hub's state: a versioned sparse Merkle tree whose root is the app hash (docs/spec/hub-state.md)."""

from hutong.relay.hub.state.keys import GENESIS_KEY, RESERVED_PREFIXES
from hutong.relay.hub.state.proofs import commitment_proof, merkle_proof, prove_existence, prove_nonexistence
from hutong.relay.hub.state.store import OrderedReader, StateDamaged, ValueReader
from hutong.relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from hutong.relay.hub.state.versions import VersionedState
from hutong.relay.hub.state.view import StateView

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
