"""Many paths through Merkle-Patricia tries over one set of nodes, each found by its hash.

A node may serve many paths and stands in the set once. The set ascends by hash and every node is used, so that one
proof has one form (docs/spec/records.md). The steps of a walk are those of `trie`.
"""

from collections.abc import Sequence

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.light_clients.proofs.mpt.account import (
    ADDRESS_BYTES,
    EIP1186_SOURCE,
    WORD_BYTES,
    Account,
    decode_account,
    decode_word,
)
from hutong.light_clients.proofs.mpt.rlp import RlpItem
from hutong.light_clients.proofs.mpt.trie import EMPTY_TRIE_ROOT, check_root, decode_node, descend, nibbles_of

MAX_SET_NODES = 4_096
"""Nodes of 32 bytes and more in a transaction of 128 KiB are fewer."""


class NodeSet:
    """The nodes of a proof by hash. It remembers which of them a walk has asked for."""

    def __init__(self, nodes: Sequence[bytes]) -> None:
        """Hashes every node; each is decoded when a walk first comes to it.

        Raises:
            MalformedInput: there are more than `MAX_SET_NODES`, or they do not ascend by hash, each once.
        """
        if len(nodes) > MAX_SET_NODES:
            raise MalformedInput("nodes", f"more than {MAX_SET_NODES} nodes", got=len(nodes))
        self._raw: dict[bytes, tuple[int, bytes]] = {}
        last = b""
        for index, node in enumerate(nodes):
            digest = keccak256(node)
            if digest <= last:
                raise MalformedInput(f"nodes[{index}]", "must ascend by hash, each node once", got=digest)
            self._raw[digest] = (index, node)
            last = digest
        self._decoded: dict[bytes, tuple[RlpItem, ...]] = {}

    def resolve(self, reference: RlpItem, *, is_root: bool) -> tuple[RlpItem, ...]:
        """The embedded list itself, or the node with that hash, which counts as used from now on.

        Raises:
            PredicateFailed: `path_is_complete`: no node has it; `node_is_well_formed`.
            MalformedInput: the node is not strict RLP, or too long.
        """
        if not isinstance(reference, bytes):
            return reference
        known = self._decoded.get(reference)
        if known is not None:
            return known
        found = self._raw.get(reference)
        if found is None:
            raise PredicateFailed("path_is_complete", "the nodes lack one on the way to a place", expected=reference)
        index, raw = found
        node = decode_node(raw, f"nodes[{index}]", is_root=is_root)
        self._decoded[reference] = node
        return node

    def walk(self, root: bytes, key: bytes) -> bytes | None:
        """The value under a hashed key of 32 bytes in the trie of `root`; None where its absence is shown.

        The empty trie needs no node.

        Raises:
            MalformedInput, PredicateFailed: as `trie.walk`, but for the order of nodes and nodes that are not used.
        """
        check_root(root)
        if root == EMPTY_TRIE_ROOT:
            return None
        return descend(self, root, nibbles_of(key), fixed_length_keys=True)

    @property
    def unused(self) -> tuple[int, ...]:
        """Which nodes, by their place in the proof, no walk has asked for so far."""
        return tuple(index for digest, (index, _) in self._raw.items() if digest not in self._decoded)


@rule(EIP1186_SOURCE)
def account_proven(nodes: NodeSet, state_root: bytes, address: bytes) -> Account | None:
    """The account of a 20-byte `address`, or None where its absence is shown.

    Raises:
        MalformedInput, PredicateFailed: the nodes do not lead to its place, or the leaf is not an account.
    """
    if len(address) != ADDRESS_BYTES:
        raise MalformedInput("address", f"must be {ADDRESS_BYTES} bytes", got=address)
    leaf = nodes.walk(state_root, keccak256(address))
    return None if leaf is None else decode_account(leaf)


@rule(EIP1186_SOURCE)
def slot_proven(nodes: NodeSet, storage_root: bytes, slot: bytes) -> bytes | None:
    """The 32-byte word in the 32-byte `slot`, or None where it holds nothing, which is zero.

    Raises:
        MalformedInput, PredicateFailed: the nodes do not lead to its place, or the leaf is not a word.
    """
    if len(slot) != WORD_BYTES:
        raise MalformedInput("slot", f"must be {WORD_BYTES} bytes", got=slot)
    leaf = nodes.walk(storage_root, keccak256(slot))
    return None if leaf is None else decode_word(leaf)


@rule("docs/spec/records.md")
def every_node_used(nodes: NodeSet) -> None:
    """Each node is on the way to one of the places that were asked for.

    Raises:
        PredicateFailed: the first that is not, by its place in the proof.
    """
    unused = nodes.unused
    if unused:
        raise PredicateFailed("every_node_used", "a node that no place needs", got=unused[0])
