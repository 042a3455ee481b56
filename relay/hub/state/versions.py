"""Versions of the state in one database: tree nodes by hash, a root per version, and every value by key and version.

Version n is the state after block n, version 0 the genesis state. Old versions go where the node prunes. A commit goes into
the batch that carries the block which caused it, so that both reach the disk or neither.
"""

from collections.abc import Mapping

from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable
from hutong.relay.hub.state.proofs import merkle_proof
from hutong.relay.hub.state.stale import forget_stale, mark_needed, mark_stale, take_stale
from hutong.relay.hub.state.store import StateDamaged
from hutong.relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from hutong.relay.hub.state.view import StateView

_NODES = b"n"
_VALUES = b"v"
_ROOTS = b"r"
_LATEST = b"l"
STALE_TABLE = b"p"
"""Rows for pruning (`stale`)."""
_DELETED = b"\x00"
_PRESENT = b"\x01"
_END = b"\x00\x00"
_AFTER_VERSIONS = b"\xff" * 9


def escaped(key: bytes) -> bytes:
    """`key` with an end mark, in the same order as the keys themselves: 00 becomes 00 ff, the end is 00 00."""
    return key.replace(b"\x00", b"\x00\xff") + _END


def unescaped(row: bytes) -> bytes:
    """The key of a row `escaped(key) ‖ BE8(version)`."""
    return row[: -len(_END) - 8].replace(b"\x00\xff", b"\x00")


def node_row(node_hash: bytes) -> bytes:
    """Where a tree node is, in its storage form."""
    return _NODES + node_hash


def value_row(key: bytes, value: bytes, version: int) -> tuple[bytes, bytes]:
    """The row of a value that `key` has from `version` on."""
    return _VALUES + escaped(key) + version.to_bytes(8, "big"), _PRESENT + value


def deletion_row(key: bytes, version: int) -> tuple[bytes, bytes]:
    """The row that says that `key` has no value from `version` on."""
    return _VALUES + escaped(key) + version.to_bytes(8, "big"), _DELETED


def version_rows(version: int, root: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """What makes `version` the newest one; written after everything below its root."""
    suffix = version.to_bytes(8, "big")
    return (_ROOTS + suffix, root), (_LATEST, suffix)


def prune_version(batch: KeyValueWriter, table: bytes, version: int) -> int:
    """Take the oldest version out, which is not the newest: its root, and what the next one no longer needs.

    Counts rows.

    `table` is where the state is in `batch`. That the version is the oldest is not checked.
    """
    rows = WritableTable(batch, table)
    doomed = take_stale(rows, STALE_TABLE, version + 1)
    for row in doomed:
        rows.delete(row)
    rows.delete(_ROOTS + version.to_bytes(8, "big"))
    return len(doomed) + 1


def forget_versions(batch: KeyValueWriter, state: Table, table: bytes, newest: int, target: int) -> None:
    """Make `target` the newest version again. `state` is what is stored.

    Nodes stay: an older version may have the same.

    Looks at every value row, since values are found by key, so it may take long.
    """
    rows = WritableTable(batch, table)
    for version in range(target + 1, newest + 1):
        forget_stale(rows, STALE_TABLE, version)
        rows.delete(_ROOTS + version.to_bytes(8, "big"))
    for row, _ in state.items(_VALUES, bytes([_VALUES[0] + 1])):
        if int.from_bytes(row[-8:], "big") > target:
            rows.delete(row)
    rows.put(_LATEST, target.to_bytes(8, "big"))


class ValuesAtVersion:
    """All rows as of one version. A committed version never changes, so reads need no lock against new blocks."""

    def __init__(self, values: Table, version: int) -> None:
        self._values = values
        self._after = (version + 1).to_bytes(8, "big")

    def get(self, key: bytes) -> bytes | None:
        """The value at this version, or None."""
        return self._newest(escaped(key))

    def _newest(self, prefix: bytes) -> bytes | None:
        row = self._values.previous(prefix + self._after)
        if row is None or len(row[0]) != len(prefix) + 8 or not row[0].startswith(prefix):
            return None
        return row[1][1:] if row[1][:1] == _PRESENT else None

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the smallest key strictly above `key`; None at the end.

        Deleted keys on the way are looked at one by one.
        """
        row = self._values.next(escaped(key) + _AFTER_VERSIONS if key else b"")
        while row is not None:
            prefix = row[0][:-8]
            value = self._newest(prefix)
            if value is not None:
                return unescaped(row[0]), value
            row = self._values.next(prefix + _AFTER_VERSIONS)
        return None

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the greatest key strictly below `key`; None at the beginning."""
        row = self._values.previous(escaped(key))
        while row is not None:
            prefix = row[0][:-8]
            value = self._newest(prefix)
            if value is not None:
                return unescaped(row[0]), value
            row = self._values.previous(prefix)
        return None


class VersionedState:
    """All versions over one table of the database."""

    def __init__(self, store: KeyValueReader) -> None:
        self._store = store
        self._values = Table(store, _VALUES)
        self.tree = SparseMerkleTree(Table(store, _NODES))

    def latest_version(self) -> int | None:
        """The height of the newest block whose state is stored; None before genesis."""
        raw = self._store.get(_LATEST)
        return None if raw is None else int.from_bytes(raw, "big")

    def root(self, version: int) -> bytes | None:
        """The app hash after block `version`, or None where that version is not stored."""
        return self._store.get(_ROOTS + version.to_bytes(8, "big"))

    def require_root(self, version: int) -> bytes:
        """As `root`, for a version that must be there.

        Raises:
            StateDamaged: it is not.
        """
        root = self.root(version)
        if root is None:
            raise StateDamaged(f"the state has no version {version}")
        return root

    def view_at(self, version: int) -> StateView:
        """A view of a stored version, with an overlay of its own. Before genesis, version 0 is the empty state.

        Whether the version is stored is not checked: a view of a pruned one lacks values that were superseded since.
        """
        return StateView(ValuesAtVersion(self._values, version))

    def commit(self, batch: KeyValueWriter, version: int, changes: Mapping[bytes, bytes | None]) -> bytes:
        """Write the newest version plus `changes` (None deletes) as version `version`, and return its root.

        Raises:
            ValueError: the version does not follow the newest, or a key or value is out of bounds.
            StateDamaged: a node on the way is missing.
        """
        latest = self.latest_version()
        base = EMPTY_ROOT if latest is None else self.require_root(latest)
        if version != (0 if latest is None else latest + 1):
            raise ValueError(f"version {version} cannot follow {latest}")
        root, nodes, gone = self.tree.replace(base, changes)
        for node_hash, node in nodes.items():
            batch.put(node_row(node_hash), node)
            mark_needed(batch, STALE_TABLE, node_row(node_hash))
        suffix = version.to_bytes(8, "big")
        superseded: list[bytes] = []
        for key, value in changes.items():
            prefix = escaped(key)
            before = self._values.previous(prefix + suffix)
            if before is not None and before[0][:-8] == prefix:
                superseded.append(_VALUES + before[0])
            row = _VALUES + prefix + suffix
            batch.put(row, _DELETED if value is None else _PRESENT + value)
            if value is None:
                superseded.append(row)  # without an older row it says nothing
        mark_stale(batch, STALE_TABLE, version, (node_row(one) for one in gone), superseded)
        for row, content in version_rows(version, root):
            batch.put(row, content)
        return root

    def oldest_version(self) -> int | None:
        """The first that is stored; all up to the newest are, but for a restored node's genesis.

        None before genesis.
        """
        row = Table(self._store, _ROOTS).next(b"")
        return None if row is None else int.from_bytes(row[0], "big")

    def get_with_proof(self, version: int, key: bytes) -> tuple[bytes | None, bytes]:
        """Value (or None) and its `MerkleProof` under the root of `version`.

        Raises:
            StateDamaged: the version is not stored, or a node of it.
        """
        root = self.require_root(version)
        return self.tree.get(root, key), merkle_proof(self.tree, root, key)
