"""The tree of a shard, whose root is all that the hub keeps: appends by its right edge, changes by a shared multiproof.

2^20 leaves, so that a path always has 20 nodes; a parent is SHA-256 of its children, and what is not taken yet is a leaf of
zeros. The depth is the format's, never the proof's: a node of another level cannot be shown as a leaf.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.light_clients.proofs.ssz.roots import ZERO_HASHES, hash_pair
from hutong.relay.services.identity.rules.persons.person import SPEC
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES

DEPTH: Final = 20
EMPTY_ROOT: Final = ZERO_HASHES[DEPTH]
MAX_SIBLINGS: Final = 4_096
"""Of one multiproof: a transaction cannot hold more."""


@dataclass(frozen=True, slots=True)
class LeafChange:
    """One leaf before and after."""

    index: int
    before: bytes
    after: bytes


@rule(SPEC)
def nodes_are_whole(nodes: Sequence[bytes], most: int) -> None:
    """A list of nodes of 32 bytes each, no more than can be used.

    Raises:
        PredicateFailed: too many, or of another length.
    """
    if len(nodes) > most or any(len(node) != HASH_BYTES for node in nodes):
        raise PredicateFailed("nodes_are_whole", "32 bytes each, at most so many", got=len(nodes), expected=most)


@rule(SPEC)
def edge_leads_to_root(root: bytes, count: int, edge: Sequence[bytes]) -> None:
    """The nodes left of leaf `count` are those of the tree that has this root, with nothing right of them.

    Args:
        edge: by level from the leaves up, one where `count` has a bit.

    Raises:
        PredicateFailed: another number of nodes, or they lead to another root.
    """
    if len(edge) != count.bit_count():
        raise PredicateFailed(
            "edge_leads_to_root", "another number of nodes", got=len(edge), expected=count.bit_count()
        )
    found = root_of_edge(count, edge)
    if found != root:
        raise PredicateFailed("edge_leads_to_root", "the edge is of another tree", got=found, expected=root)


def root_of_edge(count: int, edge: Sequence[bytes]) -> bytes:
    """The root of a tree of `count` leaves by the nodes left of the next one; see `edge_leads_to_root`."""
    if count == MAX_LEAVES:
        return edge[0]
    node, used = ZERO_HASHES[0], 0
    for height in range(DEPTH):
        if count >> height & 1:
            node = hash_pair(edge[used], node)
            used += 1
        else:
            node = hash_pair(node, ZERO_HASHES[height])
    return node


def append_leaves(count: int, edge: Sequence[bytes], leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The edge after `leaves` were appended to a tree of `count`; that they fit was asked before."""
    layer, used = list(leaves), 0
    grown: list[bytes] = []
    for height in range(DEPTH + 1):
        if count >> height & 1:
            layer.insert(0, edge[used])
            used += 1
        # The layer begins at an even number now, so that an odd rest is the node left of what comes next.
        if len(layer) & 1:
            grown.append(layer.pop())
        layer = [sha256(layer[at] + layer[at + 1]).digest() for at in range(0, len(layer), 2)]
    return tuple(grown)


@rule(SPEC)
def changes_ascend(count: int, changes: Sequence[LeafChange]) -> None:
    """At least one change, each of another leaf that was appended, in the one order.

    Raises:
        PredicateFailed: none, or an index at or after the end or that does not ascend.
    """
    if not changes:
        raise PredicateFailed("changes_ascend", "nothing changes")
    last = -1
    for change in changes:
        if not last < change.index < count:
            raise PredicateFailed("changes_ascend", "an index out of order or range", change.index, (last, count))
        last = change.index


@rule(SPEC)
def changes_lead_from_root(root: bytes, changes: Sequence[LeafChange], siblings: Sequence[bytes]) -> bytes:
    """The new root, if the leaves before stand under the present one, with every sibling used.

    Args:
        siblings: what cannot be computed from the leaves, by level from the leaves up, left to right.

    Raises:
        PredicateFailed: too few or too many siblings, or they lead to another root.
    """
    level = [(change.index, change.before, change.after) for change in changes]
    used, given = 0, len(siblings)
    for _ in range(DEPTH):
        parents: list[tuple[int, bytes, bytes]] = []
        at, end = 0, len(level)
        while at < end:
            number, before, after = level[at]
            at += 1
            if not number & 1 and at < end and level[at][0] == number + 1:
                _, right_before, right_after = level[at]
                at += 1
                pair = before + right_before, after + right_after
            elif used == given:
                raise PredicateFailed("changes_lead_from_root", "a sibling is missing", got=given)
            else:
                sibling = siblings[used]
                used += 1
                pair = (sibling + before, sibling + after) if number & 1 else (before + sibling, after + sibling)
            parents.append((number >> 1, sha256(pair[0]).digest(), sha256(pair[1]).digest()))
        level = parents
    if used != given:
        raise PredicateFailed("changes_lead_from_root", "siblings are left over", got=given, expected=used)
    _, found, following = level[0]
    if found != root:
        raise PredicateFailed("changes_lead_from_root", "the leaves before are not the shard's", found, root)
    return following


@rule(SPEC)
def leaf_stands_under_root(root: bytes, index: int, leaf: bytes, path: Sequence[bytes]) -> None:
    """The leaf is the one of that index: each bit of the index says on which side the sibling stands.

    Raises:
        PredicateFailed: another number of nodes than 20, or the path leads to another root.
    """
    if len(path) != DEPTH:
        raise PredicateFailed("leaf_stands_under_root", "another depth", got=len(path), expected=DEPTH)
    node = leaf
    for height, sibling in enumerate(path):
        node = hash_pair(sibling, node) if index >> height & 1 else hash_pair(node, sibling)
    if node != root:
        raise PredicateFailed("leaf_stands_under_root", "the path leads to another root", got=node, expected=root)
