"""Merkle branches at generalized indices (consensus-specs ssz/merkle-proofs.md; altair sync-protocol.md).

A generalized index names a node of a type's tree: 1 is the root, 2n and 2n + 1 the children of n. The verifier knows it from
the fork, so a branch of another length, or one for another field, can never fit.
"""

from collections.abc import Sequence
from hashlib import sha256

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs.ssz.roots import CHUNK_BYTES, ZERO_CHUNK

MAX_BRANCH_NODES = 64
"""More than any field of a beacon state or block needs."""


def depth_of(generalized_index: int) -> int:
    """Nodes that a branch to it has (floorlog2)."""
    return generalized_index.bit_length() - 1


def root_of_branch(leaf: bytes, branch: Sequence[bytes], generalized_index: int) -> bytes:
    """The root that `branch`, from the leaf's sibling upward, leads to.

    Raises:
        MalformedInput: the branch has not exactly the length of the index, or a node or the leaf has not 32 bytes.
    """
    depth = depth_of(generalized_index)
    if len(branch) != depth:
        raise MalformedInput("branch", "number of nodes", got=len(branch), expected=depth)
    if len(leaf) != CHUNK_BYTES or any(len(node) != CHUNK_BYTES for node in branch):
        raise MalformedInput("branch", "leaf and nodes have 32 bytes")
    value, index = leaf, generalized_index
    for node in branch:
        value = sha256(node + value if index & 1 else value + node).digest()
        index >>= 1
    return value


def branch_holds(leaf: bytes, branch: Sequence[bytes], generalized_index: int, root: bytes) -> bool:
    """Whether the leaf stands at the index under `root`.

    Raises:
        MalformedInput: as `root_of_branch`; another root is False.
    """
    return root_of_branch(leaf, branch, generalized_index) == root


def verify_branch(
    leaf: bytes, branch: Sequence[bytes], generalized_index: int, root: bytes, predicate: str = "branch_holds"
) -> None:
    """The leaf stands at the index under `root`; `predicate` is the rule in whose name is refused.

    Raises:
        PredicateFailed: it does not.
        MalformedInput: as `root_of_branch`.
    """
    got = root_of_branch(leaf, branch, generalized_index)
    if got != root:
        raise PredicateFailed(
            predicate, f"the branch at generalized index {generalized_index} leads elsewhere", got, root
        )


def verify_normalized_branch(
    leaf: bytes, branch: Sequence[bytes], generalized_index: int, root: bytes, predicate: str = "branch_holds"
) -> None:
    """As `verify_branch`, where a container of a later fork has room for more nodes than the index has levels.

    The nodes in front must then be zero (is_valid_normalized_merkle_branch of the Electra sync protocol).

    Raises:
        PredicateFailed: a node in front is not zero, or the branch leads elsewhere.
        MalformedInput: too few nodes, more than `MAX_BRANCH_NODES`, or one that is not 32 bytes.
    """
    extra = len(branch) - depth_of(generalized_index)
    if extra < 0 or len(branch) > MAX_BRANCH_NODES:
        raise MalformedInput("branch", "number of nodes", got=len(branch), expected=depth_of(generalized_index))
    if any(node != ZERO_CHUNK for node in branch[:extra]):
        raise PredicateFailed(predicate, "a node before the branch of an earlier fork is not zero", got=branch[0])
    verify_branch(leaf, branch[extra:], generalized_index, root, predicate)
