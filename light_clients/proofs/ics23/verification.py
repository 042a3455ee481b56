"""Existence, non-existence and chained verification as lists of checks (cosmos/ics23 `go/proof.go`, ibc-go `23-commitment`)."""

from collections.abc import Iterator, Sequence

from light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Check,
    MalformedInput,
    PredicateFailed,
    VerificationError,
    run_checks,
)
from light_clients.proofs.ics23 import predicates
from light_clients.proofs.ics23.codec import decode_merkle_proof
from light_clients.proofs.ics23.neighbours import are_neighbours, is_left_most, is_right_most
from light_clients.proofs.ics23.operations import apply_prehash, calculate_root
from light_clients.proofs.ics23.types import ExistenceProof, NonExistenceProof, ProofSpec

_PROOF_SOURCE = "ics23 go/proof.go"
_OPS_SOURCE = "ics23 go/ops.go"
_STRICT_SOURCE = "docs/spec/strictness.md"
_CHAIN_SOURCE = "ibc-go 23-commitment/types/merkle.go"


def comparison_key(spec: ProofSpec, key: bytes) -> bytes:
    """The form in which the tree orders keys: hashed where the spec says so (SMT)."""
    return apply_prehash(spec.leaf_spec.prehash_key, key) if spec.prehash_key_before_comparison else key


def reference_shape_checks(spec: ProofSpec, proof: ExistenceProof, label: str = "") -> Iterator[Check]:
    """The rules of a spec as the reference has them, without our stricter ones (ics23 `CheckAgainstSpec`)."""
    yield Check(f"{label}leaf_conforms_to_spec", _OPS_SOURCE, lambda: predicates.leaf_conforms_to_spec(proof, spec))
    yield Check(f"{label}depth_within_spec", _PROOF_SOURCE, lambda: predicates.depth_within_spec(proof, spec))
    yield Check(
        f"{label}inner_nodes_conform_to_spec", _OPS_SOURCE, lambda: predicates.inner_nodes_conform_to_spec(proof, spec)
    )


def _strict_shape_checks(spec: ProofSpec, proof: ExistenceProof, label: str) -> Iterator[Check]:
    yield Check(f"{label}leaf_prefix_is_exact", _STRICT_SOURCE, lambda: predicates.leaf_prefix_is_exact(proof, spec))
    yield Check(
        f"{label}inner_nodes_have_one_place", _STRICT_SOURCE, lambda: predicates.inner_nodes_have_one_place(proof, spec)
    )


def existence_checks(
    spec: ProofSpec, proof: ExistenceProof, root: bytes, key: bytes, value: bytes, label: str = ""
) -> Iterator[Check]:
    """Every predicate of `verify_membership`, in order; `label` goes before each name."""
    yield Check(f"{label}root_is_well_formed", _STRICT_SOURCE, lambda: predicates.root_is_well_formed(spec, root))
    yield from reference_shape_checks(spec, proof, label)
    yield from _strict_shape_checks(spec, proof, label)
    yield Check(f"{label}key_matches", _PROOF_SOURCE, lambda: predicates.key_matches(proof, key))
    yield Check(f"{label}value_matches", _PROOF_SOURCE, lambda: predicates.value_matches(proof, value))
    yield Check(f"{label}root_matches", _PROOF_SOURCE, lambda: predicates.root_matches(proof, spec, root))


def _proof_names_key(spec: ProofSpec, proof: NonExistenceProof, key: bytes) -> None:
    if not key:
        raise PredicateFailed("proof_names_key", "the empty key can be neither present nor absent")
    # SMT provers write the hashed key (docs/spec/strictness.md I6); the reference does not look at the field at all.
    if proof.key not in (key, comparison_key(spec, key)):
        raise PredicateFailed("proof_names_key", "the proof is of another key", got=proof.key, expected=key)


def _has_neighbour(proof: NonExistenceProof) -> None:
    if proof.left is None and proof.right is None:
        raise PredicateFailed("has_neighbour", "neither a left nor a right neighbour: an empty tree proves no absence")


def _key_lies_between(spec: ProofSpec, proof: NonExistenceProof, key: bytes) -> None:
    wanted = comparison_key(spec, key)
    if proof.left is not None and not comparison_key(spec, proof.left.key) < wanted:
        raise PredicateFailed("key_lies_between", "the key is not right of the left neighbour", key, proof.left.key)
    if proof.right is not None and not wanted < comparison_key(spec, proof.right.key):
        raise PredicateFailed("key_lies_between", "the key is not left of the right neighbour", key, proof.right.key)


def _nothing_between(spec: ProofSpec, proof: NonExistenceProof) -> None:
    inner = spec.inner_spec
    if proof.left is not None and proof.right is not None:
        if not are_neighbours(inner, proof.left.path, proof.right.path):
            raise PredicateFailed("nothing_between", "left and right are not next to each other")
    elif proof.right is not None:
        if not is_left_most(inner, proof.right.path):
            raise PredicateFailed("nothing_between", "without a left neighbour the right one must be the first leaf")
    elif proof.left is not None and not is_right_most(inner, proof.left.path):
        raise PredicateFailed("nothing_between", "without a right neighbour the left one must be the last leaf")


def non_existence_checks(
    spec: ProofSpec, proof: NonExistenceProof, root: bytes, key: bytes, label: str = ""
) -> Iterator[Check]:
    """Every predicate of `verify_non_membership`, in order: both neighbours proven, then the gap between them."""
    yield Check(f"{label}has_neighbour", _PROOF_SOURCE, lambda: _has_neighbour(proof))
    yield Check(f"{label}proof_names_key", _STRICT_SOURCE, lambda: _proof_names_key(spec, proof, key))
    for side, neighbour in (("left", proof.left), ("right", proof.right)):
        if neighbour is not None:
            yield from existence_checks(spec, neighbour, root, neighbour.key, neighbour.value, f"{label}{side}.")
    yield Check(f"{label}key_lies_between", _PROOF_SOURCE, lambda: _key_lies_between(spec, proof, key))
    yield Check(f"{label}nothing_between", _PROOF_SOURCE, lambda: _nothing_between(spec, proof))


def verify_membership(spec: ProofSpec, proof: ExistenceProof, root: bytes, key: bytes, value: bytes) -> None:
    """`key` holds `value` in the tree of `root`."""
    run_checks(existence_checks(spec, proof, root, key, value))


def verify_non_membership(spec: ProofSpec, proof: NonExistenceProof, root: bytes, key: bytes) -> None:
    """`key` holds nothing in the tree of `root`."""
    run_checks(non_existence_checks(spec, proof, root, key))


def _path_is_well_formed(specs: Sequence[ProofSpec], path: tuple[bytes, ...]) -> None:
    if not specs or len(path) != len(specs):
        raise PredicateFailed("path_has_one_key_a_tree", "path elements", got=len(path), expected=len(specs))
    for element in path:
        if not 0 < len(element) <= MAX_PATH_ELEMENT_BYTES:
            raise MalformedInput("path", f"elements have 1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=element)


def _sub_root(proof: ExistenceProof | NonExistenceProof) -> bytes:
    """The root that the first proof leads to; believed only once the tree above has proven it as a value."""
    if isinstance(proof, ExistenceProof):
        return calculate_root(proof)
    neighbour = proof.left if proof.left is not None else proof.right
    if neighbour is None:
        raise PredicateFailed("has_neighbour", "neither a left nor a right neighbour: an empty tree proves no absence")
    return calculate_root(neighbour)


def _failing(name: str, source: str, error: VerificationError) -> Check:
    def run() -> None:
        raise error

    return Check(name, source, run)


def chained_checks(
    specs: Sequence[ProofSpec], proof: bytes, root: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Check]:
    """Every predicate of `verify_chained`, in order; trees are counted from the leaf store (`tree_0`) to the root.

    Later checks are built from what the earlier ones accepted, so the iterator must be read in order and not past the
    first failure, as `run_checks` and `audit_checks` do.
    """
    if value is not None and not value:
        yield _failing(
            "value_matches", _CHAIN_SOURCE, PredicateFailed("value_matches", "an empty value is never stored")
        )
        return
    yield Check("path_has_one_key_a_tree", _CHAIN_SOURCE, lambda: _path_is_well_formed(specs, path))
    proofs: tuple[ExistenceProof | NonExistenceProof, ...] = ()
    try:
        proofs = decode_merkle_proof(proof)
        if len(proofs) != len(specs):
            raise PredicateFailed("proof_has_one_proof_a_tree", "proofs", got=len(proofs), expected=len(specs))
    except VerificationError as error:
        yield _failing("proof_has_one_proof_a_tree", _CHAIN_SOURCE, error)
        return
    yield Check("proof_has_one_proof_a_tree", _CHAIN_SOURCE, lambda: None)
    keys = tuple(reversed(path))
    proven_value = value
    for level, (spec, tree_proof, key) in enumerate(zip(specs, proofs, keys, strict=True)):
        label = f"tree_{level}."
        kind_error = _kind_error(tree_proof, absent=proven_value is None)
        if kind_error is not None:
            yield _failing(f"{label}proof_is_of_right_kind", _CHAIN_SOURCE, kind_error)
            return
        try:
            tree_root = root if level == len(specs) - 1 else _sub_root(tree_proof)
        except VerificationError as error:
            yield _failing(f"{label}root_matches", _CHAIN_SOURCE, error)
            return
        if isinstance(tree_proof, ExistenceProof):
            yield from existence_checks(spec, tree_proof, tree_root, key, proven_value or b"", label)
        else:
            yield from non_existence_checks(spec, tree_proof, tree_root, key, label)
        proven_value = tree_root


def _kind_error(proof: ExistenceProof | NonExistenceProof, *, absent: bool) -> PredicateFailed | None:
    if absent == isinstance(proof, NonExistenceProof):
        return None
    wanted = "non-existence" if absent else "existence"
    return PredicateFailed("proof_is_of_right_kind", f"a proof of {wanted} is needed here", got=type(proof).__name__)


def verify_chained(
    specs: Sequence[ProofSpec], proof: bytes, root: bytes, path: tuple[bytes, ...], value: bytes | None
) -> None:
    """The door for IBC: `value` under `path`, or with None its absence, at `root`.

    Args:
        specs: of the client state, leaf store first.
        proof: MerkleProof bytes, leaf store first. Batch and compressed proofs are refused.
        root: the consensus state's.
        path: root first (ICS-24 `[prefix…, key]`); absence is proven in the leaf store only, the rest is membership.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    run_checks(chained_checks(specs, proof, root, path, value))
