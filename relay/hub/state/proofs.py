"""ICS-23 proofs from the state tree, as a stock 07-tendermint client with proof specs [SMT] reads them."""

from hashlib import sha256

from hutong.light_clients.protobuf import ics23_pb2
from hutong.relay.hub.state.tree import EMPTY_ROOT, Leaf, SparseMerkleTree, Step

_LEAF_OP = ics23_pb2.LeafOp(
    hash=ics23_pb2.SHA256,
    prehash_key=ics23_pb2.SHA256,
    prehash_value=ics23_pb2.SHA256,
    length=ics23_pb2.NO_PREFIX,
    prefix=b"\x00",
)


def _existence(leaf: Leaf, steps: list[Step]) -> ics23_pb2.ExistenceProof:
    path = [
        ics23_pb2.InnerOp(hash=ics23_pb2.SHA256, prefix=b"\x01" + step.sibling)
        if step.went_right
        else ics23_pb2.InnerOp(hash=ics23_pb2.SHA256, prefix=b"\x01", suffix=step.sibling)
        for step in reversed(steps)
    ]
    return ics23_pb2.ExistenceProof(key=leaf.key, value=leaf.value, leaf=_LEAF_OP, path=path)


def prove_existence(tree: SparseMerkleTree, root: bytes, key: bytes) -> ics23_pb2.ExistenceProof | None:
    """Existence of `key` under `root`, or None where it is absent.

    Raises:
        StateDamaged: a node of the tree is missing.
    """
    steps, leaf = tree.descend(root, sha256(key).digest())
    return None if leaf is None or leaf.key != key else _existence(leaf, steps)


def prove_nonexistence(tree: SparseMerkleTree, root: bytes, key: bytes) -> ics23_pb2.NonExistenceProof | None:
    """Absence of `key` under `root` by its neighbours in the order of key hashes, or None where it is present.

    As in ics23's own SMT vectors, `key` inside the proof is already hashed.

    Raises:
        ValueError: the tree is empty, which ICS-23 cannot prove anything about.
        StateDamaged: a node of the tree is missing.
    """
    if root == EMPTY_ROOT:
        raise ValueError("an empty tree cannot prove absence")
    key_hash = sha256(key).digest()
    steps, met = tree.descend(root, key_hash)
    if met is not None and met.key == key:
        return None
    left = right = None
    if met is not None:
        left, right = (met, None) if met.key_hash < key_hash else (None, met)
    for step in reversed(steps):
        if step.sibling == EMPTY_ROOT:
            continue
        if step.went_right and left is None:
            left = tree.outermost(step.sibling, rightmost=True)
        if not step.went_right and right is None:
            right = tree.outermost(step.sibling, rightmost=False)
    proof = ics23_pb2.NonExistenceProof(key=key_hash)
    if left is not None:
        proof.left.CopyFrom(_existence(left, tree.descend(root, left.key_hash)[0]))
    if right is not None:
        proof.right.CopyFrom(_existence(right, tree.descend(root, right.key_hash)[0]))
    return proof


def commitment_proof(tree: SparseMerkleTree, root: bytes, key: bytes) -> ics23_pb2.CommitmentProof:
    """Existence or absence, whichever is true.

    Raises:
        ValueError, StateDamaged: as `prove_nonexistence`.
    """
    existence = prove_existence(tree, root, key)
    if existence is not None:
        return ics23_pb2.CommitmentProof(exist=existence)
    return ics23_pb2.CommitmentProof(nonexist=prove_nonexistence(tree, root, key))


def merkle_proof(tree: SparseMerkleTree, root: bytes, key: bytes) -> bytes:
    """The `MerkleProof` bytes that a packet message carries: one proof, for the path `[key]`.

    Raises:
        ValueError, StateDamaged: as `prove_nonexistence`.
    """
    return ics23_pb2.MerkleProof(proofs=[commitment_proof(tree, root, key)]).SerializeToString(deterministic=True)
