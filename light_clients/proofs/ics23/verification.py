"""Existence, non-existence and chained verification (cosmos/ics23 `go/proof.go`, ibc-go `23-commitment`)."""

from collections.abc import Sequence

from hutong.light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    VERIFY,
    Judge,
    MalformedInput,
    PredicateFailed,
    cited,
    rule,
)
from hutong.light_clients.proofs.ics23.absence import comparison_key, judge_absence
from hutong.light_clients.proofs.ics23.claim import ExistenceClaim, Proven, judge_existence
from hutong.light_clients.proofs.ics23.codec import MAX_BATCH_ENTRIES, decode_commitment_proof, decode_merkle_proof
from hutong.light_clients.proofs.ics23.operations import apply_leaf, nodes_above
from hutong.light_clients.proofs.ics23.types import (
    BatchProof,
    CommitmentProof,
    ExistenceProof,
    NonExistenceProof,
    ProofSpec,
)

_BATCH_SOURCE = "ics23 go/ics23.go"
_CHAIN_SOURCE = "ibc-go 23-commitment/types/merkle.go"


def verify_membership(spec: ProofSpec, proof: ExistenceProof, root: bytes, key: bytes, value: bytes) -> None:
    """`key` holds `value` in the tree of `root`; one tree, where IBC has a chain of them (`verify_chained`).

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge_existence(VERIFY, ExistenceClaim(spec, proof, root, key, value))


def verify_non_membership(spec: ProofSpec, proof: NonExistenceProof, root: bytes, key: bytes) -> None:
    """`key` holds nothing in the tree of `root`; one tree, where IBC has a chain of them (`verify_chained`).

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge_absence(VERIFY, spec, proof, root, key)


def _not_empty(value: bytes | None) -> None:
    if value is not None and not value:
        raise PredicateFailed("value_matches", "an empty value is never stored")


_value_is_not_empty = cited(_not_empty, _CHAIN_SOURCE, "value_matches")


@rule(_CHAIN_SOURCE)
def path_has_one_key_a_tree(specs: Sequence[ProofSpec], path: tuple[bytes, ...]) -> None:
    """As many keys as there are trees, each within its bounds.

    Raises:
        PredicateFailed: another number, or no tree.
        MalformedInput: an element that does not have 1 to `MAX_PATH_ELEMENT_BYTES` bytes.
    """
    if not specs or len(path) != len(specs):
        raise PredicateFailed("path_has_one_key_a_tree", "path elements", got=len(path), expected=len(specs))
    for element in path:
        if not 0 < len(element) <= MAX_PATH_ELEMENT_BYTES:
            raise MalformedInput("path", f"elements have 1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=element)


@rule(_CHAIN_SOURCE)
def proof_has_one_proof_a_tree(
    specs: Sequence[ProofSpec], proof: bytes
) -> tuple[ExistenceProof | NonExistenceProof, ...]:
    """Decodes as many proofs as there are trees, leaf store first.

    Raises:
        PredicateFailed: another number, or `proof_is_single` for a batch.
        MalformedInput: not the canonical encoding, or out of bounds.
    """
    proofs = decode_merkle_proof(proof)
    if len(proofs) != len(specs):
        raise PredicateFailed("proof_has_one_proof_a_tree", "proofs", got=len(proofs), expected=len(specs))
    return proofs


@rule(_CHAIN_SOURCE)
def proof_is_of_right_kind(proof: ExistenceProof | NonExistenceProof, absent: bool) -> None:
    """A proof of existence for what is stored, one of non-existence for what is not.

    Raises:
        PredicateFailed: the other kind.
    """
    if absent != isinstance(proof, NonExistenceProof):
        wanted = "non-existence" if absent else "existence"
        raise PredicateFailed("proof_is_of_right_kind", f"a proof of {wanted} is needed here", got=type(proof).__name__)


def _nodes_of(proof: ExistenceProof | NonExistenceProof) -> list[bytes]:
    """Where the first proof leads; its root is believed only once the tree above has proven it as a value."""
    first = proof if isinstance(proof, ExistenceProof) else proof.left if proof.left is not None else proof.right
    if first is None:
        raise PredicateFailed("has_neighbour", "neither a left nor a right neighbour: an empty tree proves no absence")
    return nodes_above(apply_leaf(first.leaf, first.key, first.value), first.path)


_leads_to_a_root = cited(_nodes_of, _CHAIN_SOURCE, "root_matches")


def judge_chained(
    judge: Judge,
    specs: Sequence[ProofSpec],
    proof: bytes,
    root: bytes,
    path: tuple[bytes, ...],
    value: bytes | None,
) -> None:
    """Every rule of `verify_chained`, in order; trees are counted from the leaf store (`tree_0`) to the root.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge.tacitly(_value_is_not_empty, value)
    judge(path_has_one_key_a_tree, specs, path)
    proofs = judge(proof_has_one_proof_a_tree, specs, proof)
    last = len(specs) - 1
    proven_value = value
    for level, (spec, tree_proof, key) in enumerate(zip(specs, proofs, reversed(path), strict=True)):
        of_tree = judge.under(f"tree_{level}.")
        of_tree.tacitly(proof_is_of_right_kind, tree_proof, proven_value is None)
        tree_root, nodes = root, None
        if level < last:
            nodes = of_tree.tacitly(_leads_to_a_root, tree_proof)
            tree_root = nodes[-1]
        if isinstance(tree_proof, ExistenceProof):
            claim = ExistenceClaim(spec, tree_proof, tree_root, key, proven_value or b"", nodes=nodes)
            judge_existence(of_tree, claim)
        else:
            judge_absence(of_tree, spec, tree_proof, tree_root, key, nodes=nodes)
        proven_value = tree_root


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
    judge_chained(VERIFY, specs, proof, root, path, value)


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


@rule(_BATCH_SOURCE)
def batch_well_formed(proof: bytes) -> tuple[dict[bytes, ExistenceProof], dict[bytes, NonExistenceProof]]:
    """Decodes the batch: proofs of existence and of absence, by their keys; of two of one key the first stands.

    Raises:
        MalformedInput: not the canonical encoding, or out of bounds.
    """
    return _entries_by_key(decode_commitment_proof(proof))


@rule(_BATCH_SOURCE)
def batch_holds_key(
    spec: ProofSpec, absent: dict[bytes, NonExistenceProof], key: bytes, value: bytes | None
) -> NonExistenceProof:
    """The batch's proof of absence of a key that is said to hold nothing; what holds something was looked up before.

    Raises:
        PredicateFailed: the batch has no proof of the key, or `value` is not None.
        UnsupportedOperation: as `comparison_key`.
    """
    gap = absent.get(key)
    if value is None and gap is None:
        gap = absent.get(comparison_key(spec, key))
    if value is not None or gap is None:
        raise PredicateFailed("batch_holds_key", "the batch has no proof of the key", expected=key)
    return gap


@rule(_BATCH_SOURCE)
def items_are_well_formed(items: Sequence[tuple[bytes, bytes | None]]) -> None:
    """At most `MAX_BATCH_ENTRIES` keys within their bounds, each with a value that can be stored, or None.

    Raises:
        MalformedInput: no item or too many, or a key that does not have 1 to `MAX_PATH_ELEMENT_BYTES` bytes.
        PredicateFailed: `value_matches`: an empty value.
    """
    if not 0 < len(items) <= MAX_BATCH_ENTRIES:
        raise MalformedInput("items", f"1 to {MAX_BATCH_ENTRIES} are asked of a batch", got=len(items))
    for key, value in items:
        if not 0 < len(key) <= MAX_PATH_ELEMENT_BYTES:
            raise MalformedInput("path", f"elements have 1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=key)
        if value is not None and not value:
            raise PredicateFailed("value_matches", "an empty value is never stored")


def judge_batch(
    judge: Judge, spec: ProofSpec, proof: bytes, root: bytes, items: Sequence[tuple[bytes, bytes | None]]
) -> None:
    """Every rule of `verify_batch`, in order, labelled by the item's place.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule of the first item that does not hold.
    """
    judge(items_are_well_formed, items)
    present, absent = judge(batch_well_formed, proof)
    before: Proven | None = None
    for place, (key, value) in enumerate(items):
        of_item = judge.under(f"item_{place}.")
        entry = present.get(key)
        if value is not None and entry is not None:
            before = judge_existence(of_item, ExistenceClaim(spec, entry, root, key, value, before))
        else:
            gap = of_item.tacitly(batch_holds_key, spec, absent, key, value)
            before = judge_absence(of_item, spec, gap, root, key, before)


def verify_batch(spec: ProofSpec, proof: bytes, root: bytes, items: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Many keys of one tree by one proof: each item is a key and its value, or None for absence (ics23 `go/ics23.go`).

    Every proof in it keeps the rules that it would keep alone, so no item is believed that would not be with a proof of
    its own. What two of them share on their way to the root is judged and hashed once: items in the tree's order cost
    least.

    Args:
        proof: CommitmentProof bytes, a batch, compressed or not; a single proof is a batch of one.
        items: at most `MAX_BATCH_ENTRIES`. Entries of the proof that no item asks for are not read.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule of the first item that does not hold.
    """
    judge_batch(VERIFY, spec, proof, root, items)
