"""Versions of the state in one database: tree nodes by hash, a root per version, and the newest version flat.

The first hub keeps every version. A commit goes into the batch that carries the block which caused it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from relay.evm.database import KeyValueReader, KeyValueWriter, Table
from relay.hub.state.proofs import merkle_proof
from relay.hub.state.store import StateDamaged
from relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from relay.hub.state.view import StateView

_NODES = b"n"
_FLAT = b"f"
_ROOTS = b"r"
_LATEST = b"l"


@dataclass(frozen=True, slots=True)
class _AtRoot:
    tree: SparseMerkleTree
    root: bytes

    def get(self, key: bytes) -> bytes | None:
        return self.tree.get(self.root, key)


class VersionedState:
    """All versions over one ordered store; version n is the state after block n, version 0 the genesis state."""

    def __init__(self, store: KeyValueReader) -> None:
        self._store = store
        self._flat = Table(store, _FLAT)
        self.tree = SparseMerkleTree(Table(store, _NODES))

    def latest_version(self) -> int | None:
        """None before genesis."""
        raw = self._store.get(_LATEST)
        return None if raw is None else int.from_bytes(raw, "big")

    def root(self, version: int) -> bytes | None:
        """The app hash after block `version`, or None where that version is not stored."""
        return self._store.get(_ROOTS + version.to_bytes(8, "big"))

    def require_root(self, version: int) -> bytes:
        """As `root`, for a version that must be there."""
        root = self.root(version)
        if root is None:
            raise StateDamaged(f"the state has no version {version}")
        return root

    def view(self) -> StateView:
        """A writable view of the newest version, with ordered reads."""
        return StateView(self._flat, self._flat)

    def view_at(self, version: int) -> StateView | None:
        """A view of a stored version, or None; ordered reads only at the newest."""
        if version == self.latest_version():
            return self.view()
        root = self.root(version)
        return None if root is None else StateView(_AtRoot(self.tree, root))

    def commit(self, batch: KeyValueWriter, version: int, changes: Mapping[bytes, bytes | None]) -> bytes:
        """Write the newest version plus `changes` as version `version`, and return its root."""
        latest = self.latest_version()
        base = EMPTY_ROOT if latest is None else self.require_root(latest)
        if version != (0 if latest is None else latest + 1):
            raise ValueError(f"version {version} cannot follow {latest}")
        root, nodes = self.tree.update(base, changes)
        for node_hash, node in nodes.items():
            batch.put(_NODES + node_hash, node)
        for key, value in changes.items():
            if value is None:
                batch.delete(_FLAT + key)
            else:
                batch.put(_FLAT + key, value)
        batch.put(_ROOTS + version.to_bytes(8, "big"), root)
        batch.put(_LATEST, version.to_bytes(8, "big"))
        return root

    def get_with_proof(self, version: int, key: bytes) -> tuple[bytes | None, bytes]:
        """Value (or None) and its `MerkleProof` under the root of `version`."""
        root = self.require_root(version)
        return self.tree.get(root, key), merkle_proof(self.tree, root, key)
