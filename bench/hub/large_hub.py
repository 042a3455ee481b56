"""A simulated hub with as many keys as a hub of some years, whose proofs come from the hub's own state tree."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hutong.light_clients.tendermint.types import Header
from hutong.relay.hub.state.proofs import merkle_proof
from hutong.relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree
from tests.light_clients.tendermint.simulated_chain import Block, SimulatedChain


class LargeHub(SimulatedChain):
    """The tests' chain, but for its state: its tree is rebuilt from scratch for each proof, which 10⁵ keys forbid."""

    def __post_init__(self) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._tree = SparseMerkleTree(_Nodes(self._nodes))
        self._roots: list[bytes] = []
        self._changes: dict[bytes, bytes | None] = {b"hub/genesis": b"\x01" * 32}
        self._write(EMPTY_ROOT)
        super().__post_init__()

    def put(self, key: bytes, value: bytes) -> None:
        self._changes[key] = value

    def delete(self, key: bytes) -> None:
        self._changes[key] = None

    def _append(self, changes: Mapping[str, Any]) -> Block:
        block = super()._append(changes)
        self._write(self._roots[-1])
        return block

    def _write(self, root: bytes) -> None:
        root, fresh = self._tree.update(root, self._changes)
        self._nodes.update(fresh)
        self._roots.append(root)
        self._changes = {}

    def _draft(self) -> Header:
        return replace(super()._draft(), app_hash=self._roots[-1])

    def prove(self, key: bytes, height: int) -> tuple[bytes, tuple[bytes, ...], bytes | None]:
        """As of the header at `height`, which holds the root after the block before it."""
        root = self._roots[height - 1]
        return merkle_proof(self._tree, root, key), (key,), self._tree.get(root, key)


class _Nodes:
    """The tree's store."""

    def __init__(self, nodes: dict[bytes, bytes]) -> None:
        self._nodes = nodes

    def get(self, key: bytes) -> bytes | None:
        return self._nodes.get(key)
