"""Existence, non-existence and chained verification as lists of checks (cosmos/ics23 `go/proof.go`, ibc-go `23-commitment`)."""

from collections.abc import Iterator, Sequence
from functools import partial

from light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Check,
    MalformedInput,
    PredicateFailed,
    VerificationError,
)
from light_clients.proofs.ics23.absence import AbsenceClaim, comparison_key
from light_clients.proofs.ics23.claim import (
    REFERENCE_SHAPE_RULES,
    ExistenceClaim,
    LastProven,
    Step,
    as_checks,
    checks_of,
    run_steps,
)
from light_clients.proofs.ics23.codec import MAX_BATCH_ENTRIES, decode_commitment_proof, decode_merkle_proof
from light_clients.proofs.ics23.operations import apply_leaf, nodes_above
from light_clients.proofs.ics23.types import BatchProof, CommitmentProof, ExistenceProof, NonExistenceProof, ProofSpec

_BATCH_SOURCE = "ics23 go/ics23.go"
_CHAIN_SOURCE = "ibc-go 23-commitment/types/merkle.go"


def reference_shape_checks(spec: ProofSpec, proof: ExistenceProof, label: str = "") -> Iterator[Check]:
    """The rules of a spec as the reference has them, without our stricter ones (ics23 `CheckAgainstSpec`)."""
    return as_checks(REFERENCE_SHAPE_RULES, ExistenceClaim(spec, proof, b"", proof.key, proof.value, label))


def existence_checks(
    spec: ProofSpec, proof: ExistenceProof, root: bytes, key: bytes, value: bytes, label: str = ""
) -> Iterator[Check]:
    """Every predicate of `verify_membership`, in order; `label` goes before each name."""
    return ExistenceClaim(spec, proof, root, key, value, label).checks()


def non_existence_checks(
    spec: ProofSpec, proof: NonExistenceProof, root: bytes, key: bytes, label: str = ""
) -> Iterator[Check]:
    """Every predicate of `verify_non_membership`, in order: both neighbours proven, then the gap between them.

    To be read in order and not past the first failure, as `run_checks` and `audit_checks` do.
    """
    return AbsenceClaim(spec, proof, root, key, label).checks()


def verify_membership(spec: ProofSpec, proof: ExistenceProof, root: bytes, key: bytes, value: bytes) -> None:
    """`key` holds `value` in the tree of `root`."""
    ExistenceClaim(spec, proof, root, key, value).run()


def verify_non_membership(spec: ProofSpec, proof: NonExistenceProof, root: bytes, key: bytes) -> None:
    """`key` holds nothing in the tree of `root`."""
    AbsenceClaim(spec, proof, root, key).run()


def _path_is_well_formed(specs: Sequence[ProofSpec], path: tuple[bytes, ...]) -> None:
    if not specs or len(path) != len(specs):
        raise PredicateFailed("path_has_one_key_a_tree", "path elements", got=len(path), expected=len(specs))
    for element in path:
        if not 0 < len(element) <= MAX_PATH_ELEMENT_BYTES:
            raise MalformedInput("path", f"elements have 1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=element)


def _nodes_of(proof: ExistenceProof | NonExistenceProof) -> list[bytes]:
    """Where the first proof leads; its root is believed only once the tree above has proven it as a value."""
    first = proof if isinstance(proof, ExistenceProof) else proof.left if proof.left is not None else proof.right
    if first is None:
        raise PredicateFailed("has_neighbour", "neither a left nor a right neighbour: an empty tree proves no absence")
    return nodes_above(apply_leaf(first.leaf, first.key, first.value), first.path)


def _failing(name: str, source: str, error: VerificationError) -> Check:
    def run() -> None:
        raise error

    return Check(name, source, run)


def chained_steps(
    specs: Sequence[ProofSpec], proof: bytes, root: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Step]:
    """Every predicate of `verify_chained`, in order; trees are counted from the leaf store (`tree_0`) to the root.

    Later steps are built from what the earlier ones accepted, so the iterator must be read in order and not past the
    first failure, as `run_steps` does.
    """
    if value is not None and not value:
        yield _failing(
            "value_matches", _CHAIN_SOURCE, PredicateFailed("value_matches", "an empty value is never stored")
        )
        return
    yield Check("path_has_one_key_a_tree", _CHAIN_SOURCE, partial(_path_is_well_formed, specs, path))
    proofs: tuple[ExistenceProof | NonExistenceProof, ...] = ()
    try:
        proofs = decode_merkle_proof(proof)
        if len(proofs) != len(specs):
            raise PredicateFailed("proof_has_one_proof_a_tree", "proofs", got=len(proofs), expected=len(specs))
    except VerificationError as error:
        yield _failing("proof_has_one_proof_a_tree", _CHAIN_SOURCE, error)
        return
    yield Check("proof_has_one_proof_a_tree", _CHAIN_SOURCE, lambda: None)
    last = len(specs) - 1
    proven_value = value
    for level, (spec, tree_proof, key) in enumerate(zip(specs, proofs, reversed(path), strict=True)):
        label = f"tree_{level}."
        kind_error = _kind_error(tree_proof, absent=proven_value is None)
        if kind_error is not None:
            yield _failing(f"{label}proof_is_of_right_kind", _CHAIN_SOURCE, kind_error)
            return
        tree_root, nodes = root, None
        if level < last:
            try:
                nodes = _nodes_of(tree_proof)
            except VerificationError as error:
                yield _failing(f"{label}root_matches", _CHAIN_SOURCE, error)
                return
            tree_root = nodes[-1]
        if isinstance(tree_proof, ExistenceProof):
            yield ExistenceClaim(spec, tree_proof, tree_root, key, proven_value or b"", label, nodes=nodes)
        else:
            yield AbsenceClaim(spec, tree_proof, tree_root, key, label, nodes)
        proven_value = tree_root


def chained_checks(
    specs: Sequence[ProofSpec], proof: bytes, root: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Check]:
    """`chained_steps`, every rule of each as a check of its own, for `audit_checks`."""
    return checks_of(chained_steps(specs, proof, root, path, value))


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
    run_steps(chained_steps(specs, proof, root, path, value))


def _entries_by_key(batch: CommitmentProof) -> tuple[dict[bytes, ExistenceProof], dict[bytes, NonExistenceProof]]:
    """Existence and absence proofs by the key that each names; the first of one key stands, as in the reference."""
    present: dict[bytes, ExistenceProof] = {}
    absent: dict[bytes, NonExistenceProof] = {}
    for entry in batch.entries if isinstance(batch, BatchProof) else (batch,):
        if isinstance(entry, ExistenceProof):
            present.setdefault(entry.key, entry)
        else:
            absent.setdefault(entry.key, entry)
    return present, absent


def _no_entry(key: bytes) -> None:
    raise PredicateFailed("batch_holds_key", "the batch has no proof of the key", expected=key)


def _batch_is_well_formed(items: Sequence[tuple[bytes, bytes | None]]) -> None:
    if not 0 < len(items) <= MAX_BATCH_ENTRIES:
        raise MalformedInput("items", f"1 to {MAX_BATCH_ENTRIES} are asked of a batch", got=len(items))
    for key, value in items:
        if not 0 < len(key) <= MAX_PATH_ELEMENT_BYTES:
            raise MalformedInput("path", f"elements have 1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=key)
        if value is not None and not value:
            raise PredicateFailed("value_matches", "an empty value is never stored")


def batch_steps(
    spec: ProofSpec, proof: bytes, root: bytes, items: Sequence[tuple[bytes, bytes | None]]
) -> Iterator[Step]:
    """Every predicate of `verify_batch`, in order, labelled by the item's place; to be read as `chained_steps`."""
    yield Check("items_are_well_formed", _BATCH_SOURCE, partial(_batch_is_well_formed, items))
    try:
        present, absent = _entries_by_key(decode_commitment_proof(proof))
    except VerificationError as error:
        yield _failing("batch_well_formed", _BATCH_SOURCE, error)
        return
    yield Check("batch_well_formed", _BATCH_SOURCE, lambda: None)
    last = LastProven()
    for place, (key, value) in enumerate(items):
        label = f"item_{place}."
        entry = present.get(key)
        if value is not None and entry is not None:
            yield ExistenceClaim(spec, entry, root, key, value, label, last)
            continue
        gap = absent.get(key)
        if value is None and gap is None:
            try:
                gap = absent.get(comparison_key(spec, key))
            except VerificationError as error:
                yield _failing(f"{label}batch_holds_key", _BATCH_SOURCE, error)
                return
        if value is not None or gap is None:
            yield Check(f"{label}batch_holds_key", _BATCH_SOURCE, partial(_no_entry, key))
            return
        yield AbsenceClaim(spec, gap, root, key, label, last=last)


def batch_checks(
    spec: ProofSpec, proof: bytes, root: bytes, items: Sequence[tuple[bytes, bytes | None]]
) -> Iterator[Check]:
    """`batch_steps`, every rule of each as a check of its own, for `audit_checks`."""
    return checks_of(batch_steps(spec, proof, root, items))


def verify_batch(spec: ProofSpec, proof: bytes, root: bytes, items: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Many keys of one tree by one proof: each item is a key and its value, or None for absence (ics23 `go/ics23.go`).

    Every proof in it keeps the rules that it would keep alone, so no item is believed that would not be with a proof of its
    own. What two of them share on their way to the root is judged and hashed once: items in the tree's order cost least.

    Args:
        proof: CommitmentProof bytes, a batch, compressed or not; a single proof is a batch of one.
        items: at most `MAX_BATCH_ENTRIES`. Entries of the proof that no item asks for are not read.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule of the first item that does not hold.
    """
    run_steps(batch_steps(spec, proof, root, items))
