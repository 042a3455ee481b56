"""The tree over a list's statuses whose root the hub's list record holds (docs/spec/identity-status.md): format, root, paths.

Leaves are the 32-byte chunks themselves and a parent is SHA-256 of its two children, as SSZ merkleizes a byte vector. Nothing in
a node tells a leaf from a parent: how deep leaves stand follows from the width and size that the record says, never from the
proof, so that a node cannot be shown as a chunk, nor a chunk as a node.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import rule
from hutong.light_clients.proofs.ssz.roots import CHUNK_BYTES, ZERO_HASHES, bytes_root, hash_pair
from hutong.relay.services.identity.rules.status.statuses import Statuses
from hutong.relay.services.identity.rules.status.widths import checked_width

SPEC: Final = "docs/spec/identity-status.md"
CHUNK_BITS: Final = CHUNK_BYTES * 8
MAX_LIST_SIZE: Final = 2**20
"""Statuses of one list on the hub: at 8 bits the tree has 2^15 chunks."""
_PROOF_TYPES: Final = ["(uint8,bytes32,bytes32[])"]
_VERSION: Final = 1
MAX_CHUNK_PROOF_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class TreeShape:
    """What a list record says of its list: bits of a status, and how many statuses, a power of two of at least one chunk."""

    bits: int
    size: int

    def __post_init__(self) -> None:
        checked_width(self.bits, "list.bits")
        fewest = CHUNK_BITS // self.bits
        if type(self.size) is not int or not fewest <= self.size <= MAX_LIST_SIZE or self.size.bit_count() != 1:
            raise MalformedInput(
                "list.size", "is not a power of two within its bounds", got=self.size, expected=(fewest, MAX_LIST_SIZE)
            )

    @property
    def chunks(self) -> int:
        """A power of two: no tree has padding."""
        return self.size * self.bits // CHUNK_BITS

    @property
    def depth(self) -> int:
        """Hashes from a chunk up to the root, 0 where the list is one chunk."""
        return self.chunks.bit_length() - 1

    def chunk_of(self, index: int) -> int:
        """The number of the chunk in which the status of `index` stands.

        Raises:
            PredicateFailed: see `index_is_below_size`.
        """
        index_is_below_size(self, index)
        return index * self.bits // CHUNK_BITS


@dataclass(frozen=True, slots=True)
class ChunkProof:
    """A chunk, and the siblings on its way up, the lowest first. Its number is the verifier's to know."""

    chunk: bytes
    siblings: tuple[bytes, ...]


@rule(SPEC)
def index_is_below_size(shape: TreeShape, index: int) -> None:
    """The record's list has a status of this index.

    Raises:
        PredicateFailed: it does not, or the index is negative.
    """
    if not 0 <= index < shape.size:
        raise PredicateFailed("index_is_below_size", "the list has no such index", got=index, expected=shape.size)


@rule(SPEC)
def path_has_the_trees_depth(shape: TreeShape, proof: ChunkProof) -> None:
    """A node of a level above passes for a chunk under a shorter path, so the length is the record's.

    Raises:
        PredicateFailed: more or fewer siblings than levels.
    """
    if len(proof.siblings) != shape.depth:
        raise PredicateFailed(
            "path_has_the_trees_depth", "another depth", got=len(proof.siblings), expected=shape.depth
        )


@rule(SPEC)
def chunk_stands_under_root(root: bytes, number: int, proof: ChunkProof) -> None:
    """The chunk is the one of that number: each bit of the number says on which side the sibling stands.

    Raises:
        PredicateFailed: the path leads to another root.
    """
    node = proof.chunk
    for height, sibling in enumerate(proof.siblings):
        node = hash_pair(sibling, node) if number >> height & 1 else hash_pair(node, sibling)
    if node != root:
        raise PredicateFailed("chunk_stands_under_root", "the path leads to another root", got=node, expected=root)


def list_root(shape: TreeShape, octets: bytes) -> bytes:
    """The root over all statuses of a list.

    Raises:
        MalformedInput: not as many bytes as the shape has.
    """
    if len(octets) != shape.chunks * CHUNK_BYTES:
        raise MalformedInput("list", "bytes of another size", got=len(octets), expected=shape.chunks * CHUNK_BYTES)
    return bytes_root(octets)


def root_of_statuses(statuses: Statuses) -> bytes:
    """`list_root` of a decoded Status List Token, whose size is a list's on the hub.

    Raises:
        MalformedInput: its size is none that a list on the hub can have.
    """
    return list_root(TreeShape(statuses.bits, statuses.size), statuses.octets)


def empty_root(shape: TreeShape) -> bytes:
    """The root of a list in which every status is 0, as it is opened."""
    return ZERO_HASHES[shape.depth]


def layers_of(shape: TreeShape, octets: bytes) -> tuple[tuple[bytes, ...], ...]:
    """Every node by height, chunks first and the root last; for who makes proofs.

    Raises:
        MalformedInput: see `list_root`.
    """
    if len(octets) != shape.chunks * CHUNK_BYTES:
        raise MalformedInput("list", "bytes of another size", got=len(octets), expected=shape.chunks * CHUNK_BYTES)
    layers = [tuple(octets[at : at + CHUNK_BYTES] for at in range(0, len(octets), CHUNK_BYTES))]
    while len(layers[-1]) > 1:
        below = layers[-1]
        layers.append(tuple(hash_pair(below[at], below[at + 1]) for at in range(0, len(below), 2)))
    return tuple(layers)


def prove_chunk(layers: Sequence[Sequence[bytes]], number: int) -> ChunkProof:
    """The proof of chunk `number` out of `layers_of`."""
    siblings = tuple(layer[number >> height ^ 1] for height, layer in enumerate(layers[:-1]))
    return ChunkProof(layers[0][number], siblings)


def status_in_chunk(shape: TreeShape, chunk: bytes, index: int) -> int:
    """The status of `index`, which stands in `chunk`; see `TreeShape.chunk_of`."""
    bit = index * shape.bits % CHUNK_BITS
    return chunk[bit // 8] >> bit % 8 & (1 << shape.bits) - 1


def encode_chunk_proof(proof: ChunkProof) -> bytes:
    """`abi.encode((uint8 version, bytes32 chunk, bytes32[] siblings))`, version 1."""
    return encode_abi(_PROOF_TYPES, [(_VERSION, proof.chunk, list(proof.siblings))])


def decode_chunk_proof(data: bytes) -> ChunkProof:
    """Inverse of `encode_chunk_proof`.

    Raises:
        MalformedInput: longer than `MAX_CHUNK_PROOF_BYTES`, not in canonical ABI encoding, or of another version.
    """
    ((version, chunk, siblings),) = decode_canonical(_PROOF_TYPES, data, "chunk_proof", MAX_CHUNK_PROOF_BYTES)
    if version != _VERSION:
        raise MalformedInput("chunk_proof.version", "unknown", got=version, expected=_VERSION)
    return ChunkProof(bytes(chunk), tuple(bytes(sibling) for sibling in siblings))
