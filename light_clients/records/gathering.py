"""One multiproof of many ICS-23 proofs under one root, so that any node of a hub serves them and none needs a door for it.

What is made here is only as true as the proofs: whoever uses it judges it (`claims_are_proven`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs.ics23 import ExistenceProof, NonExistenceProof, decode_merkle_proof
from hutong.light_clients.records.multiproof import (
    EMPTY,
    MAX_CLAIMS,
    MAX_DEPTH,
    Claim,
    Multiproof,
    claimed_terminal,
    claims_are_proven,
    inner_hash,
    leaf_hash,
    neighbour_terminal,
    path_bit,
    shared_bits,
    void_terminal,
)

_INNER_PREFIX = b"\x01"
_Place = tuple[int, int]
"""Depth, and the bits of the path down to it."""


class ShownKey(NamedTuple):
    """A key of the hub's state with a proof of what it holds, or that it holds nothing."""

    key: bytes
    proof: ExistenceProof | NonExistenceProof


class _Terminal(NamedTuple):
    path: bytes
    depth: int
    packed: bytes


@dataclass(slots=True)
class _Gathered:
    nodes: dict[_Place, bytes] = field(default_factory=dict)
    terminals: dict[_Place, _Terminal] = field(default_factory=dict)
    packed: bytearray = field(default_factory=bytearray)
    siblings: list[bytes] = field(default_factory=list)

    def take(self, proof: ExistenceProof) -> tuple[bytes, int]:
        """Notes every node on and beside the proof's path; the leaf's path and depth."""
        path, depth = sha256(proof.key), len(proof.path)
        if depth > MAX_DEPTH:
            raise MalformedInput("proof.path", f"more than {MAX_DEPTH} steps", got=depth)
        node = leaf_hash(path, sha256(proof.value))
        self._note(path, depth, node)
        for below, step in zip(range(depth, 0, -1), proof.path, strict=True):
            is_right = path_bit(path, below - 1)
            sibling = step.prefix[len(_INNER_PREFIX) :] if is_right else step.suffix
            if len(sibling) != len(EMPTY):
                raise PredicateFailed("key_is_at_its_place", "a step of the proof goes another way than the key")
            self.nodes[below, _bits(path, below) ^ 1] = sibling
            node = inner_hash(sibling, node) if is_right else inner_hash(node, sibling)
            self._note(path, below - 1, node)
        return path, depth

    def _note(self, path: bytes, depth: int, node: bytes) -> None:
        if self.nodes.setdefault((depth, _bits(path, depth)), node) != node:
            raise PredicateFailed("proofs_have_one_root", "two proofs differ in a node", got=depth)

    def end(self, path: bytes, depth: int, packed: bytes) -> None:
        """A terminal; where a leaf is claimed and is a neighbour too, it is claimed."""
        place = (depth, _bits(path, depth))
        if place not in self.terminals or packed == claimed_terminal(depth):
            self.terminals[place] = _Terminal(path, depth, packed)

    def walk(self, depth: int, bits: int, below: list[_Terminal]) -> None:
        """Packs what is below a node, in the order in which a verifier reads it."""
        if len(below) == 1 and below[0].depth == depth:
            self.packed += below[0].packed
            return
        if any(terminal.depth <= depth for terminal in below):
            raise PredicateFailed("proofs_have_one_root", "a leaf of one proof lies on the path of another", got=depth)
        for side in (0, 1):
            part = [terminal for terminal in below if path_bit(terminal.path, depth) == side]
            if part:
                self.walk(depth + 1, bits << 1 | side, part)
        for side in (0, 1):
            if all(path_bit(terminal.path, depth) != side for terminal in below):
                self.siblings.append(self.nodes[depth + 1, bits << 1 | side])


def _bits(path: bytes, depth: int) -> int:
    return int.from_bytes(path, "big") >> (8 * len(path) - depth)


def _end_of_absence(gathered: _Gathered, key: bytes, proof: NonExistenceProof) -> None:
    """The nearer neighbour's leaf is where the key's path ends; or the path leaves it, into nothing."""
    path = sha256(key)
    neighbours = [side for side in (proof.left, proof.right) if side is not None]
    if not neighbours:
        raise MalformedInput("proof", "no neighbour")
    taken = [(*gathered.take(side), side) for side in neighbours]
    nearest, depth, side = max(taken, key=lambda entry: shared_bits(path, entry[0]))
    shared = shared_bits(path, nearest)
    if shared >= depth:
        gathered.end(nearest, depth, neighbour_terminal(depth, nearest, sha256(side.value)))
    else:
        gathered.end(path, shared + 1, void_terminal(shared + 1))


def gather(shown: Iterable[ShownKey]) -> tuple[tuple[Claim, ...], Multiproof]:
    """The claims of all proofs, ascending by H(key), and one multiproof of them.

    Raises:
        MalformedInput: no key, more than `MAX_CLAIMS`, one twice, or a proof that is out of bounds.
        PredicateFailed: the proofs are not of one root, or not of the keys that they are said to be of.
    """
    entries = list(shown)
    if not 1 <= len(entries) <= MAX_CLAIMS or len({entry.key for entry in entries}) != len(entries):
        raise MalformedInput("claims", f"1 to {MAX_CLAIMS} keys, none twice", got=len(entries))
    gathered = _Gathered()
    claims = []
    for key, proof in entries:
        if isinstance(proof, NonExistenceProof):
            claims.append(Claim(key))
            _end_of_absence(gathered, key, proof)
            continue
        if proof.key != key:
            raise PredicateFailed("key_matches", "the proof is of another key", proof.key, key)
        claims.append(Claim(key, proof.value))
        path, depth = gathered.take(proof)
        gathered.end(path, depth, claimed_terminal(depth))
    gathered.walk(0, 0, sorted(gathered.terminals.values()))
    claims.sort(key=lambda claim: claim.path)
    return tuple(claims), Multiproof(bytes(gathered.packed), tuple(gathered.siblings))


def gather_under(root: bytes, keys: Sequence[bytes], proofs: Sequence[bytes]) -> tuple[tuple[Claim, ...], Multiproof]:
    """As `gather`, of encoded `MerkleProof`s of a hub in the order of `keys`, and judged under the root.

    Raises:
        MalformedInput: as `gather`, or a proof that is not one of a single tree.
        PredicateFailed: as `gather`, or what `claims_are_proven` refuses.
    """
    shown = []
    for key, raw in zip(keys, proofs, strict=True):
        layers = decode_merkle_proof(raw)
        if len(layers) != 1:
            raise MalformedInput("proof", "layers of a proof of the hub's one tree", len(layers), 1)
        shown.append(ShownKey(key, layers[0]))
    claims, multiproof = gather(shown)
    claims_are_proven(root, claims, multiproof)
    return claims, multiproof
