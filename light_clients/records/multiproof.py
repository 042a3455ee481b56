"""Many records, and absences, under one root of the hub, with the nodes that their paths share said once (docs/spec/records.md).

The tree is ICS-23's SMT: leaf = H(00 ‖ H(key) ‖ H(value)), inner = H(01 ‖ left ‖ right), an empty subtree is 32 zero bytes, and
the path of a key is H(key), most significant bit first. So a proof says no directions: a leaf that is at another place than its
key's cannot be said. The walk is that of `SmtMultiproof.sol`, step by step, and refuses by the same names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from hutong.light_clients.crypto import sha256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule

SPEC = "docs/spec/records.md"
MAX_CLAIMS = 256
MAX_SIBLINGS = 16_384
"""64 for each claim: twice as deep as a tree of four billion keys."""
MAX_DEPTH = 255
"""Two keys that share 255 bits of SHA-256 would be needed to go deeper."""
MAX_KEY_BYTES = 200
MAX_VALUE_BYTES = 524_288
EMPTY = bytes(HASH_BYTES)


class TerminalKind(IntEnum):
    """What ends a path."""

    CLAIMED = 0
    """The next claim that is present."""
    NEIGHBOUR = 1
    """A leaf that is not claimed, by H(key) and H(value): what the keys that lead to it do not have."""
    VOID = 2
    """An empty subtree."""


_HEAD_BYTES = 2
_NEIGHBOUR_BYTES = 2 * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Claim:
    """`key` holds `value`, or nothing where the value is empty: the hub stores no empty value."""

    key: bytes
    value: bytes = b""

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= MAX_KEY_BYTES:
            raise MalformedInput("claim.key", f"has 1 to {MAX_KEY_BYTES} bytes", got=len(self.key))
        if len(self.value) > MAX_VALUE_BYTES:
            raise MalformedInput("claim.value", f"has at most {MAX_VALUE_BYTES} bytes", got=len(self.value))

    @property
    def path(self) -> bytes:
        """H(key): its place in the tree."""
        return sha256(self.key)


@dataclass(frozen=True, slots=True)
class Multiproof:
    """Terminals from left to right, packed; roots of the subtrees beside their paths, in the order in which a walk up meets them.

    A terminal is its kind and its depth in one byte each; a neighbour's H(key) and H(value) follow.
    """

    terminals: bytes
    siblings: tuple[bytes, ...]

    def __post_init__(self) -> None:
        longest = MAX_CLAIMS * (_HEAD_BYTES + _NEIGHBOUR_BYTES)
        if len(self.terminals) > longest:
            raise MalformedInput("multiproof.terminals", f"more than {longest} bytes", got=len(self.terminals))
        if len(self.siblings) > MAX_SIBLINGS:
            raise MalformedInput("multiproof.siblings", f"more than {MAX_SIBLINGS}", got=len(self.siblings))
        for sibling in self.siblings:
            if len(sibling) != HASH_BYTES:
                raise MalformedInput("multiproof.siblings", f"must be {HASH_BYTES} bytes", got=sibling)


def claimed_terminal(depth: int) -> bytes:
    """The packed terminal of the next claim that is present."""
    return bytes([TerminalKind.CLAIMED, depth])


def neighbour_terminal(depth: int, path: bytes, value_hash: bytes) -> bytes:
    """The packed terminal of a leaf that is not claimed."""
    return bytes([TerminalKind.NEIGHBOUR, depth]) + path + value_hash


def void_terminal(depth: int) -> bytes:
    """The packed terminal of an empty subtree."""
    return bytes([TerminalKind.VOID, depth])


def leaf_hash(path: bytes, value_hash: bytes) -> bytes:
    """H(00 ‖ H(key) ‖ H(value))."""
    return sha256(b"\x00" + path + value_hash)


def inner_hash(left: bytes, right: bytes) -> bytes:
    """H(01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right)


def shared_bits(one: bytes, two: bytes) -> int:
    """How many leading bits two paths have in common: 0 to 256."""
    return 8 * HASH_BYTES - (int.from_bytes(one, "big") ^ int.from_bytes(two, "big")).bit_length()


def path_bit(path: bytes, depth: int) -> int:
    """0: the path goes left below the node at `depth`; 1: right."""
    return path[depth >> 3] >> (7 - (depth & 7)) & 1


class _Node(NamedTuple):
    """A node with the depth at which it is, and a path that leads through it."""

    depth: int
    path: bytes
    hash: bytes


@dataclass(slots=True)
class _Walk:
    """Where a walk stands: the next claim, the next sibling, and left children that wait for their right ones."""

    paths: list[bytes]
    value_hashes: list[bytes | None]
    proof: Multiproof
    claim: int = 0
    sibling: int = 0
    at: int = 0

    def read_terminal(self) -> _Node:
        data = self.proof.terminals
        _require(self.at + _HEAD_BYTES <= len(data), "terminal_is_whole")
        kind, depth = data[self.at], data[self.at + 1]
        self.at += _HEAD_BYTES
        _require(kind in tuple(TerminalKind), "terminal_kind_is_known")
        _require(self.claim < len(self.paths), "terminal_ends_a_claim")
        if kind == TerminalKind.CLAIMED:
            return self._claimed(depth)
        if kind == TerminalKind.VOID:
            path = self.paths[self.claim]
            self._pass_absent(path, depth)
            return _Node(depth, path, EMPTY)
        _require(self.at + _NEIGHBOUR_BYTES <= len(data), "terminal_is_whole")
        path = data[self.at : self.at + HASH_BYTES]
        value_hash = data[self.at + HASH_BYTES : self.at + _NEIGHBOUR_BYTES]
        self.at += _NEIGHBOUR_BYTES
        first = self.claim
        self._pass_absent(path, depth)
        _require(path not in self.paths[first : self.claim], "claim_is_absent")
        _require(self.claim > first, "terminal_ends_a_claim")
        return _Node(depth, path, leaf_hash(path, value_hash))

    def _claimed(self, depth: int) -> _Node:
        first = self.claim
        while self.claim < len(self.paths) and self.value_hashes[self.claim] is None:
            self.claim += 1
        _require(self.claim < len(self.paths), "terminal_ends_a_claim")
        path, value_hash = self.paths[self.claim], self.value_hashes[self.claim]
        # paths ascend, so what lies between two that begin alike begins like them
        _require(shared_bits(self.paths[first], path) >= depth, "claim_ends_at_its_place")
        self.claim += 1
        self._pass_absent(path, depth)
        return _Node(depth, path, leaf_hash(path, value_hash or EMPTY))

    def _pass_absent(self, path: bytes, depth: int) -> None:
        """Passes the claims that lead to the node at `depth` on `path`: none of them may say that it holds something there."""
        while self.claim < len(self.paths) and shared_bits(self.paths[self.claim], path) >= depth:
            _require(self.value_hashes[self.claim] is None, "claim_is_absent")
            self.claim += 1

    def climb(self, node: _Node, depth: int, waiting: list[_Node]) -> _Node:
        """The ancestor of `node` at `depth`, of left children that wait and of the proof's siblings."""
        current = node.hash
        for below in range(node.depth, depth, -1):
            if waiting and waiting[-1].depth == below:
                sibling = waiting.pop().hash
            else:
                # a missing one is found at the end, as in Solidity, where what comes after is read meanwhile
                sibling = self.proof.siblings[self.sibling] if self.sibling < len(self.proof.siblings) else EMPTY
                self.sibling += 1
            is_right = path_bit(node.path, below - 1)
            current = inner_hash(sibling, current) if is_right else inner_hash(current, sibling)
        return _Node(depth, node.path, current)


def _require(holds: bool, predicate: str) -> None:
    if not holds:
        raise PredicateFailed(predicate, "the multiproof does not hold")


@rule(SPEC)
def claims_are_proven(root: bytes, claims: Sequence[Claim], proof: Multiproof) -> None:
    """Every claim is true under `root`, and every byte of the proof is needed for that.

    Args:
        claims: 1 to `MAX_CLAIMS`, ascending by H(key).

    Raises:
        PredicateFailed: by name what does not hold; `SmtMultiproof.sol` refuses by the same one.
    """
    _require(1 <= len(claims) <= MAX_CLAIMS, "claims_are_bounded")
    paths = [claim.path for claim in claims]
    _require(all(one < two for one, two in pairwise(paths)), "claims_ascend")
    walk = _Walk(paths, [sha256(claim.value) if claim.value else None for claim in claims], proof)
    waiting: list[_Node] = []
    node: _Node | None = None
    while walk.at < len(proof.terminals):
        following = walk.read_terminal()
        if node is not None:
            shared = shared_bits(node.path, following.path)
            in_order = node.path < following.path and shared < min(node.depth, following.depth)
            _require(in_order, "terminals_ascend")
            waiting.append(walk.climb(node, shared + 1, waiting))
        node = following
    _require(walk.claim == len(paths) and node is not None, "every_claim_ends")
    assert node is not None
    top = walk.climb(node, 0, waiting)
    _require(walk.sibling == len(proof.siblings), "every_sibling_is_used")
    _require(top.hash == root, "root_matches")
