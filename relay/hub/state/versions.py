"""Versions of the state in one database: tree nodes by hash, a root per version, and the newest version flat.

The first hub keeps every version. A commit is a list of writes, so that the node lands it in the same database
transaction as the block that caused it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from relay.hub.state.proofs import merkle_proof
from relay.hub.state.store import KeyValueReader, OrderedReader, StateDamaged, Write
from relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from relay.hub.state.view import StateView

_NODE = b"n"
_FLAT = b"f"
_ROOT = b"r"
_LATEST = b"l"


@dataclass(frozen=True, slots=True)
class _Nodes:
    store: KeyValueReader

    def get(self, key: bytes) -> bytes | None:
        return self.store.get(_NODE + key)


@dataclass(frozen=True, slots=True)
class _Flat:
    store: OrderedReader

    def get(self, key: bytes) -> bytes | None:
        return self.store.get(_FLAT + key)

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        return self._inside(self.store.next(_FLAT + key))

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        return self._inside(self.store.previous(_FLAT + key))

    @staticmethod
    def _inside(row: tuple[bytes, bytes] | None) -> tuple[bytes, bytes] | None:
        return (row[0][1:], row[1]) if row is not None and row[0].startswith(_FLAT) else None


@dataclass(frozen=True, slots=True)
class _AtRoot:
    tree: SparseMerkleTree
    root: bytes

    def get(self, key: bytes) -> bytes | None:
        return self.tree.get(self.root, key)


class VersionedState:
    """All versions over one ordered store; version n is the state after block n, version 0 the genesis state."""

    def __init__(self, store: OrderedReader) -> None:
        self._store = store
        self._flat = _Flat(store)
        self.tree = SparseMerkleTree(_Nodes(store))

    def latest_version(self) -> int | None:
        """None before genesis."""
        raw = self._store.get(_LATEST)
        return None if raw is None else int.from_bytes(raw, "big")

    def root(self, version: int) -> bytes | None:
        """The app hash after block `version`, or None where that version is not stored."""
        return self._store.get(_ROOT + version.to_bytes(8, "big"))

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

    def commit(self, version: int, changes: Mapping[bytes, bytes | None]) -> tuple[bytes, list[Write]]:
        """The root of the newest version plus `changes`, and the writes that make it version `version`."""
        latest = self.latest_version()
        base = EMPTY_ROOT if latest is None else self.require_root(latest)
        if version != (0 if latest is None else latest + 1):
            raise ValueError(f"version {version} cannot follow {latest}")
        root, nodes = self.tree.update(base, changes)
        writes = [Write(_NODE + node_hash, node) for node_hash, node in sorted(nodes.items())]
        writes += [Write(_FLAT + key, value) for key, value in sorted(changes.items())]
        writes += [
            Write(_ROOT + version.to_bytes(8, "big"), root),
            Write(_LATEST, version.to_bytes(8, "big")),
        ]
        return root, writes

    def get_with_proof(self, version: int, key: bytes) -> tuple[bytes | None, bytes]:
        """Value (or None) and its `MerkleProof` under the root of `version`."""
        root = self.require_root(version)
        return self.tree.get(root, key), merkle_proof(self.tree, root, key)
