"""Merkle paths of transactions and receipts, as both generations build their trees.

Generation 2 (FISCO-BCOS v2.9.1 libdevcore/TrieHash2.cpp, from chain version 2.2 on): sixteen children a node. A leaf is
the RLP of its index followed by the 32-byte hash, an inner node the hash of its children one after the other, and the
root the hash of the top. The index inside the leaf fixes the place at every level, and every sibling's place beside it.

Generation 3 (v3.16 bcos-crypto/merkle/Merkle.h): two children a node, bare hashes as leaves, an odd node hashed alone;
the root of a lone leaf is the leaf. Neither a count nor an index is hashed, so a path shows that a hash is in the tree
and where it would be; the number of leaves stays unknown.
"""

from itertools import chain

from rlp.codec import encode_raw

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos import suite
from hutong.light_clients.fisco_bcos.types import CryptoSuite, MerkleStep
from hutong.light_clients.interface import MalformedInput, PredicateFailed

V2_WIDTH = 16
V3_WIDTH = 2
MAX_INDEX = 2**32 - 1
MAX_STEPS = 33
"""2^32 leaves in the narrow tree, and the root's own step in the wide one."""


def leaf_v2(index: int, leaf_hash: bytes) -> bytes:
    """A leaf's bytes: the RLP of its index, then its hash; `leaf_hash` has 32 bytes."""
    prefix: bytes = encode_raw(index.to_bytes((index.bit_length() + 7) // 8, "big"))
    return prefix + leaf_hash


def check_steps(steps: tuple[MerkleStep, ...], width: int, field: str) -> None:
    """Bounds before anything is hashed: 1 to MAX_STEPS steps, `width` children each.

    Raises:
        MalformedInput: out of bounds; `field` names the list.
    """
    if not 0 < len(steps) <= MAX_STEPS:
        raise MalformedInput(field, f"must be 1 to {MAX_STEPS} steps", got=len(steps))
    for number, step in enumerate(steps):
        if len(step.left) + len(step.right) >= width:
            raise MalformedInput(
                f"{field}[{number}]", f"more than {width - 1} siblings", got=len(step.left) + len(step.right)
            )


def verify_v2(
    crypto_suite: CryptoSuite, root: bytes, index: int, leaf_hash: bytes, steps: tuple[MerkleStep, ...], name: str
) -> None:
    """The leaf of `index` is `leaf_hash` in the tree of `root`. The last step has no siblings: it hashes the top.

    Raises:
        MalformedInput: steps out of bounds.
        PredicateFailed: under `name`: a sibling that cannot stand there, or another root.
        UnsupportedOperation: the suite is not installed.
    """
    check_steps(steps, V2_WIDTH, "proof.steps")
    if not any(root):
        raise PredicateFailed(name, "the root is not set", got=root)
    if not 0 <= index <= MAX_INDEX:
        raise MalformedInput("proof.transaction_index", f"must be 0 to {MAX_INDEX}", got=index)
    node, place = leaf_v2(index, leaf_hash), index
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        if last and (place or step.left or step.right):
            raise PredicateFailed(name, "the path ends below the root", got=place)
        left, right = place % V2_WIDTH, len(step.right)
        if len(step.left) != left:
            raise PredicateFailed(name, f"step {number} has siblings of another place", len(step.left), left)
        first = place - left
        for sibling_place, sibling in chain(
            zip(range(first, place), step.left, strict=True),
            zip(range(place + 1, place + 1 + right), step.right, strict=True),
        ):
            if not _stands_at(sibling, sibling_place, is_leaf=number == 0):
                raise PredicateFailed(name, f"step {number} has a sibling that is no node of this place", got=sibling)
        node = suite.digest(crypto_suite, b"".join((*step.left, node, *step.right)))
        place //= V2_WIDTH
    _root_matches(node, root, name)


def _stands_at(sibling: bytes, place: int, *, is_leaf: bool) -> bool:
    if not is_leaf:
        return len(sibling) == HASH_BYTES
    prefix = leaf_v2(place, b"")
    return len(sibling) == len(prefix) + HASH_BYTES and sibling.startswith(prefix)


def verify_v3(
    crypto_suite: CryptoSuite, root: bytes, leaf_hash: bytes, steps: tuple[MerkleStep, ...], name: str
) -> int:
    """`leaf_hash` is in the tree of `root`; returns the place that the path says.

    No steps: the tree has this leaf alone.

    Raises:
        MalformedInput: steps out of bounds, or a sibling that is no hash.
        PredicateFailed: under `name`: another root, or one that is not set.
        UnsupportedOperation: the suite is not installed.
    """
    if steps:
        check_steps(steps, V3_WIDTH, "proof.steps")
    if not any(root):
        raise PredicateFailed(name, "the root is not set", got=root)
    node, place = leaf_hash, 0
    for number, step in enumerate(steps):
        if any(len(sibling) != HASH_BYTES for sibling in (*step.left, *step.right)):
            raise MalformedInput(f"proof.steps[{number}]", f"a sibling has {HASH_BYTES} bytes")
        node = suite.digest(crypto_suite, b"".join((*step.left, node, *step.right)))
        place |= len(step.left) << number
    _root_matches(node, root, name)
    return place


def _root_matches(got: bytes, root: bytes, name: str) -> None:
    if got != root:
        raise PredicateFailed(name, "the path leads to another root", got=got, expected=root)
