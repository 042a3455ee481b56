"""ICS-23 protobuf bytes ↔ values, canonical and bounded."""

from collections.abc import Iterable
from functools import lru_cache

from hutong.light_clients.interface import MAX_PATH_ELEMENTS, MAX_PROOF_BYTES, MalformedInput, PredicateFailed
from hutong.light_clients.proofs.ics23.specs import STANDARD_SPECS
from hutong.light_clients.proofs.ics23.types import (
    BatchProof,
    CommitmentProof,
    ExistenceProof,
    InnerOp,
    InnerSpec,
    LeafOp,
    NonExistenceProof,
    ProofSpec,
)
from hutong.light_clients.protobuf import ics23_pb2 as pb
from hutong.light_clients.protobuf.canonical import parse_canonical

MAX_PATH_STEPS = 256
"""The deepest standard tree is the SMT over 256-bit keys; longer paths fail before anything is hashed."""
MAX_BATCH_ENTRIES = 1024
MAX_SPEC_BYTES = 1024
MAX_CHILDREN = 16
MAX_CHILD_BYTES = 64


def leaf_from_message(message: pb.LeafOp) -> LeafOp:
    """The op as it stands: numbers of unknown ops are kept, and refused where they would be applied."""
    return _leaf_op(message.hash, message.prehash_key, message.prehash_value, message.length, message.prefix)


_leaf_op = lru_cache(maxsize=256)(LeafOp)
"""Trees have one, or with IAVL one a version: the same value for the same op, so that it is seen to be the same."""


def path_from_messages(messages: Iterable[pb.InnerOp]) -> tuple[InnerOp, ...]:
    """Inner ops in the order given, leaf side first; how many is the caller's to bound."""
    # Without the named tuple's own constructor, whose calls are half of a proof's decoding.
    make, cls = tuple.__new__, InnerOp
    return tuple([make(cls, (op.hash, op.prefix, op.suffix)) for op in messages])


def existence_from_message(message: pb.ExistenceProof, field: str = "proof") -> ExistenceProof:
    """A proof of existence of at most `MAX_PATH_STEPS` steps; `field` names it in errors.

    Raises:
        MalformedInput: no leaf, or too long a path.
    """
    if not message.HasField("leaf"):
        raise MalformedInput(f"{field}.leaf", "is missing")
    if len(message.path) > MAX_PATH_STEPS:
        raise MalformedInput(f"{field}.path", f"more than {MAX_PATH_STEPS} steps", got=len(message.path))
    return ExistenceProof(message.key, message.value, leaf_from_message(message.leaf), path_from_messages(message.path))


def non_existence_from_message(message: pb.NonExistenceProof, field: str = "proof") -> NonExistenceProof:
    """A proof of absence, whose neighbours may both be missing here (`has_neighbour` refuses that).

    Raises:
        MalformedInput: a neighbour has no leaf, or too long a path.
    """
    left = existence_from_message(message.left, f"{field}.left") if message.HasField("left") else None
    right = existence_from_message(message.right, f"{field}.right") if message.HasField("right") else None
    return NonExistenceProof(message.key, left, right)


def _batch_from_message(message: pb.BatchProof) -> BatchProof:
    if len(message.entries) > MAX_BATCH_ENTRIES:
        raise MalformedInput("batch", f"more than {MAX_BATCH_ENTRIES} entries", got=len(message.entries))
    entries: list[ExistenceProof | NonExistenceProof] = []
    for index, entry in enumerate(message.entries):
        field = f"batch[{index}]"
        match entry.WhichOneof("proof"):
            case "exist":
                entries.append(existence_from_message(entry.exist, field))
            case "nonexist":
                entries.append(non_existence_from_message(entry.nonexist, field))
            case _:
                raise MalformedInput(field, "holds no proof")
    return BatchProof(tuple(entries))


def _decompress_existence(
    message: pb.CompressedExistenceProof, lookup: tuple[InnerOp, ...], place: int, side: str = ""
) -> ExistenceProof:
    if not message.HasField("leaf"):
        raise MalformedInput(f"compressed[{place}]{side}.leaf", "is missing")
    indices = list(message.path)
    if len(indices) > MAX_PATH_STEPS:
        field = f"compressed[{place}]{side}.path"
        raise MalformedInput(field, f"more than {MAX_PATH_STEPS} steps", got=len(indices))
    if indices and (min(indices) < 0 or max(indices) >= len(lookup)):
        wrong = next(index for index in indices if not 0 <= index < len(lookup))
        field = f"compressed[{place}]{side}.path"
        raise MalformedInput(field, "refers to no inner op", got=wrong, expected=f"< {len(lookup)}")
    path = tuple([lookup[index] for index in indices])
    return ExistenceProof(message.key, message.value, leaf_from_message(message.leaf), path)


def decompress(message: pb.CompressedBatchProof) -> BatchProof:
    """The batch that a compressed one stands for: its paths are indices into one table of inner ops.

    Separate from verification: the IBC door refuses compressed proofs, so only tools and batches call this.

    Raises:
        MalformedInput: too many entries or steps, an entry without a proof or leaf, or an index outside the table.
    """
    if len(message.entries) > MAX_BATCH_ENTRIES:
        raise MalformedInput("compressed", f"more than {MAX_BATCH_ENTRIES} entries", got=len(message.entries))
    lookup = path_from_messages(message.lookup_inners)
    entries: list[ExistenceProof | NonExistenceProof] = []
    for place, entry in enumerate(message.entries):
        match entry.WhichOneof("proof"):
            case "exist":
                entries.append(_decompress_existence(entry.exist, lookup, place))
            case "nonexist":
                absent, left, right = entry.nonexist, None, None
                if absent.HasField("left"):
                    left = _decompress_existence(absent.left, lookup, place, ".left")
                if absent.HasField("right"):
                    right = _decompress_existence(absent.right, lookup, place, ".right")
                entries.append(NonExistenceProof(absent.key, left, right))
            case _:
                raise MalformedInput(f"compressed[{place}]", "holds no proof")
    return BatchProof(tuple(entries))


def _commitment_from_message(message: pb.CommitmentProof, field: str) -> CommitmentProof:
    match message.WhichOneof("proof"):
        case "exist":
            return existence_from_message(message.exist, field)
        case "nonexist":
            return non_existence_from_message(message.nonexist, field)
        case "batch":
            return _batch_from_message(message.batch)
        case "compressed":
            return decompress(message.compressed)
        case _:
            raise MalformedInput(field, "holds no proof")


def decode_commitment_proof(data: bytes) -> CommitmentProof:
    """A `cosmos.ics23.v1.CommitmentProof` of any kind, compressed ones decompressed.

    Raises:
        MalformedInput: not the canonical encoding, no proof in it, or a part out of bounds (named).
    """
    message = parse_canonical(pb.CommitmentProof, data, "proof", MAX_PROOF_BYTES)
    return _commitment_from_message(message, "proof")


def decode_merkle_proof(data: bytes) -> tuple[ExistenceProof | NonExistenceProof, ...]:
    """An `ibc.core.commitment.v1.MerkleProof`: one proof a tree, leaf store first.

    Raises:
        MalformedInput: not canonical, out of bounds, no proof in it.
        PredicateFailed: `proof_is_single`, for batch and compressed proofs, which IBC never uses.
    """
    message = parse_canonical(pb.MerkleProof, data, "proof", MAX_PROOF_BYTES)
    if not 0 < len(message.proofs) <= MAX_PATH_ELEMENTS:
        raise MalformedInput("proof.proofs", f"1 to {MAX_PATH_ELEMENTS} proofs", got=len(message.proofs))
    proofs: list[ExistenceProof | NonExistenceProof] = []
    for index, commitment in enumerate(message.proofs):
        field = f"proof.proofs[{index}]"
        match commitment.WhichOneof("proof"):
            case "exist":
                proofs.append(existence_from_message(commitment.exist, field))
            case "nonexist":
                proofs.append(non_existence_from_message(commitment.nonexist, field))
            case None:
                raise MalformedInput(field, "holds no proof")
            case kind:
                raise PredicateFailed("proof_is_single", "IBC takes existence and non-existence proofs only", got=kind)
    return tuple(proofs)


def _leaf_message(leaf: LeafOp) -> pb.LeafOp:
    return pb.LeafOp(
        hash=leaf.hash,  # type: ignore[arg-type]  # open enum: any number is a value
        prehash_key=leaf.prehash_key,  # type: ignore[arg-type]
        prehash_value=leaf.prehash_value,  # type: ignore[arg-type]
        length=leaf.length,  # type: ignore[arg-type]
        prefix=leaf.prefix,
    )


def _inner_message(op: InnerOp) -> pb.InnerOp:
    return pb.InnerOp(hash=op.hash, prefix=op.prefix, suffix=op.suffix)  # type: ignore[arg-type]


def _existence_message(proof: ExistenceProof) -> pb.ExistenceProof:
    return pb.ExistenceProof(
        key=proof.key, value=proof.value, leaf=_leaf_message(proof.leaf), path=map(_inner_message, proof.path)
    )


def _commitment_message(proof: ExistenceProof | NonExistenceProof) -> pb.CommitmentProof:
    if isinstance(proof, ExistenceProof):
        return pb.CommitmentProof(exist=_existence_message(proof))
    message = pb.NonExistenceProof(key=proof.key)
    if proof.left is not None:
        message.left.CopyFrom(_existence_message(proof.left))
    if proof.right is not None:
        message.right.CopyFrom(_existence_message(proof.right))
    return pb.CommitmentProof(nonexist=message)


def encode_commitment_proof(proof: ExistenceProof | NonExistenceProof) -> bytes:
    """Inverse of `decode_commitment_proof` for single proofs."""
    return _commitment_message(proof).SerializeToString(deterministic=True)


def encode_batch_proof(proofs: Iterable[ExistenceProof | NonExistenceProof]) -> bytes:
    """A CommitmentProof of all of them, compressed: each inner op stands in it once.

    More than `MAX_BATCH_ENTRIES` are not refused here, but by every decoder.
    """
    places: dict[InnerOp, int] = {}

    def compressed(proof: ExistenceProof) -> pb.CompressedExistenceProof:
        path = [places.setdefault(op, len(places)) for op in proof.path]
        return pb.CompressedExistenceProof(key=proof.key, value=proof.value, leaf=_leaf_message(proof.leaf), path=path)

    message = pb.CommitmentProof()
    batch = message.compressed
    batch.SetInParent()
    for proof in proofs:
        entry = batch.entries.add()
        if isinstance(proof, ExistenceProof):
            entry.exist.CopyFrom(compressed(proof))
            continue
        entry.nonexist.key = proof.key
        for side, neighbour in (("left", proof.left), ("right", proof.right)):
            if neighbour is not None:
                getattr(entry.nonexist, side).CopyFrom(compressed(neighbour))
    batch.lookup_inners.extend(map(_inner_message, places))
    return message.SerializeToString(deterministic=True)


def encode_merkle_proof(proofs: tuple[ExistenceProof | NonExistenceProof, ...]) -> bytes:
    """Inverse of `decode_merkle_proof`."""
    return pb.MerkleProof(proofs=map(_commitment_message, proofs)).SerializeToString(deterministic=True)


def spec_from_message(message: pb.ProofSpec) -> ProofSpec:
    """A spec as a client state carries it; a standard one is the very value of `STANDARD_SPECS`.

    The rule on prefix lengths keeps a child from hiding in a longer prefix (cosmos/ics23 `go/proof.go`).

    Raises:
        MalformedInput: a part is missing, or its numbers make no tree.
    """
    if not message.HasField("leaf_spec") or not message.HasField("inner_spec"):
        raise MalformedInput("proof_spec", "leaf or inner spec is missing")
    inner = message.inner_spec
    order = tuple(inner.child_order)
    if not 2 <= len(order) <= MAX_CHILDREN or sorted(order) != list(range(len(order))):
        raise MalformedInput("proof_spec.child_order", "is no permutation of 2 to 16 children", got=order)
    if not 0 < inner.child_size <= MAX_CHILD_BYTES:
        raise MalformedInput("proof_spec.child_size", f"1 to {MAX_CHILD_BYTES} bytes", got=inner.child_size)
    if not 0 <= inner.min_prefix_length <= inner.max_prefix_length < inner.min_prefix_length + inner.child_size:
        raise MalformedInput(
            "proof_spec.max_prefix_length",
            "must be at least the minimum and less than a child above it",
            got=inner.max_prefix_length,
        )
    if len(inner.empty_child) not in (0, inner.child_size):
        raise MalformedInput("proof_spec.empty_child", "must have the size of a child", got=inner.empty_child)
    if not 0 <= message.min_depth <= MAX_PATH_STEPS or not 0 <= message.max_depth <= MAX_PATH_STEPS:
        raise MalformedInput("proof_spec.max_depth", f"0 to {MAX_PATH_STEPS}", got=message.max_depth)
    spec = ProofSpec(
        leaf_from_message(message.leaf_spec),
        InnerSpec(
            order,
            inner.child_size,
            inner.min_prefix_length,
            inner.max_prefix_length,
            inner.empty_child,
            inner.hash,
        ),
        message.max_depth,
        message.min_depth,
        message.prehash_key_before_comparison,
    )
    # The standard ones are told apart by being the same value.
    return next((standard for standard in STANDARD_SPECS.values() if spec == standard), spec)


def spec_to_message(spec: ProofSpec) -> pb.ProofSpec:
    """Inverse of `spec_from_message`."""
    inner = spec.inner_spec
    return pb.ProofSpec(
        leaf_spec=_leaf_message(spec.leaf_spec),
        inner_spec=pb.InnerSpec(
            child_order=inner.child_order,
            child_size=inner.child_size,
            min_prefix_length=inner.min_prefix_length,
            max_prefix_length=inner.max_prefix_length,
            empty_child=inner.empty_child,
            hash=inner.hash,  # type: ignore[arg-type]
        ),
        max_depth=spec.max_depth,
        min_depth=spec.min_depth,
        prehash_key_before_comparison=spec.prehash_key_before_comparison,
    )


def encode_proof_spec(spec: ProofSpec) -> bytes:
    """Protobuf `cosmos.ics23.v1.ProofSpec`, canonical."""
    return spec_to_message(spec).SerializeToString(deterministic=True)


def decode_proof_spec(data: bytes) -> ProofSpec:
    """Inverse of `encode_proof_spec`, of at most `MAX_SPEC_BYTES`.

    Raises:
        MalformedInput: not the canonical encoding, or as `spec_from_message`.
    """
    return spec_from_message(parse_canonical(pb.ProofSpec, data, "proof_spec", MAX_SPEC_BYTES))
