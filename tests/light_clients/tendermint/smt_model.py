"""A sparse Merkle tree as protocol-facts section 10 words it, rebuilt for each proof: slow, short, and not the hub's."""

from collections.abc import Mapping
from hashlib import sha256

from hutong.light_clients.proofs.ics23 import (
    SMT_SPEC,
    ExistenceProof,
    InnerOp,
    NonExistenceProof,
    encode_merkle_proof,
)

EMPTY = bytes(32)


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()


def _bit(key_hash: bytes, depth: int) -> int:
    return key_hash[depth // 8] >> (7 - depth % 8) & 1


def node(leaves: list[tuple[bytes, bytes]], depth: int) -> bytes:
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        key_hash, value_hash = leaves[0]
        return _hash(b"\x00" + key_hash + value_hash)
    left = [leaf for leaf in leaves if not _bit(leaf[0], depth)]
    right = [leaf for leaf in leaves if _bit(leaf[0], depth)]
    return _hash(b"\x01" + node(left, depth + 1) + node(right, depth + 1))


def leaves_of(state: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return sorted((_hash(key), _hash(value)) for key, value in state.items())


def root(state: Mapping[bytes, bytes]) -> bytes:
    return node(leaves_of(state), 0)


def existence(state: Mapping[bytes, bytes], key: bytes) -> ExistenceProof:
    leaves, wanted, depth = leaves_of(state), _hash(key), 0
    path: list[InnerOp] = []
    while len(leaves) > 1:
        sides = (
            [leaf for leaf in leaves if not _bit(leaf[0], depth)],
            [leaf for leaf in leaves if _bit(leaf[0], depth)],
        )
        side = _bit(wanted, depth)
        sibling = node(sides[1 - side], depth + 1)
        path.append(InnerOp(1, b"\x01" + sibling, b"") if side else InnerOp(1, b"\x01", sibling))
        leaves, depth = sides[side], depth + 1
    return ExistenceProof(key, state[key], SMT_SPEC.leaf_spec, tuple(reversed(path)))


def absence(state: Mapping[bytes, bytes], key: bytes) -> NonExistenceProof:
    by_hash = {_hash(known): known for known in state}
    below = [h for h in by_hash if h < _hash(key)]
    above = [h for h in by_hash if h > _hash(key)]
    return NonExistenceProof(
        key,
        existence(state, by_hash[max(below)]) if below else None,
        existence(state, by_hash[min(above)]) if above else None,
    )


def merkle_proof(state: Mapping[bytes, bytes], key: bytes) -> bytes:
    return encode_merkle_proof((existence(state, key) if key in state else absence(state, key),))
