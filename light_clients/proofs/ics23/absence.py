"""One non-existence proof before its rules: both neighbours proven, then the gap between them (cosmos/ics23 `go/proof.go`)."""

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.proofs.ics23.claim import ExistenceClaim, Proven, judge_existence
from hutong.light_clients.proofs.ics23.neighbours import are_neighbours, is_left_most, is_right_most
from hutong.light_clients.proofs.ics23.operations import apply_prehash
from hutong.light_clients.proofs.ics23.predicates import PROOF_SOURCE, STRICT_SOURCE
from hutong.light_clients.proofs.ics23.types import NonExistenceProof, ProofSpec


def comparison_key(spec: ProofSpec, key: bytes) -> bytes:
    """The form in which the tree orders keys: hashed where the spec says so (SMT).

    Raises:
        UnsupportedOperation: a hash op that is not offered.
    """
    return apply_prehash(spec.leaf_spec.prehash_key, key) if spec.prehash_key_before_comparison else key


@rule(STRICT_SOURCE)
def proof_names_key(spec: ProofSpec, proof: NonExistenceProof, key: bytes) -> None:
    """The proof says of itself that it is of this key.

    Raises:
        PredicateFailed: it is of another one, or `key` is empty.
        UnsupportedOperation: as `comparison_key`.
    """
    if not key:
        raise PredicateFailed("proof_names_key", "the empty key can be neither present nor absent")
    # SMT provers write the hashed key (docs/spec/strictness.md I6); the reference does not look at the field at all.
    if proof.key not in (key, comparison_key(spec, key)):
        raise PredicateFailed("proof_names_key", "the proof is of another key", got=proof.key, expected=key)


@rule(PROOF_SOURCE)
def has_neighbour(proof: NonExistenceProof) -> None:
    """At least one neighbour is shown.

    Raises:
        PredicateFailed: neither is: an empty tree proves no absence.
    """
    if proof.left is None and proof.right is None:
        raise PredicateFailed("has_neighbour", "neither a left nor a right neighbour: an empty tree proves no absence")


@rule(PROOF_SOURCE)
def key_lies_between(spec: ProofSpec, proof: NonExistenceProof, key: bytes) -> None:
    """In the tree's order the key comes after the left neighbour and before the right one.

    Raises:
        PredicateFailed: equal to one of them, or outside.
        UnsupportedOperation: as `comparison_key`.
    """
    wanted = comparison_key(spec, key)
    if proof.left is not None and not comparison_key(spec, proof.left.key) < wanted:
        raise PredicateFailed("key_lies_between", "the key is not right of the left neighbour", key, proof.left.key)
    if proof.right is not None and not wanted < comparison_key(spec, proof.right.key):
        raise PredicateFailed("key_lies_between", "the key is not left of the right neighbour", key, proof.right.key)


@rule(PROOF_SOURCE)
def nothing_between(spec: ProofSpec, proof: NonExistenceProof) -> None:
    """No leaf can lie between the neighbours, or beyond the only one.

    Raises:
        PredicateFailed: their paths leave room.
    """
    inner = spec.inner_spec
    if proof.left is not None and proof.right is not None:
        if not are_neighbours(inner, proof.left.path, proof.right.path):
            raise PredicateFailed("nothing_between", "left and right are not next to each other")
    elif proof.right is not None:
        if not is_left_most(inner, proof.right.path):
            raise PredicateFailed("nothing_between", "without a left neighbour the right one must be the first leaf")
    elif proof.left is not None and not is_right_most(inner, proof.left.path):
        raise PredicateFailed("nothing_between", "without a right neighbour the left one must be the last leaf")


def judge_absence(
    judge: Judge,
    spec: ProofSpec,
    proof: NonExistenceProof,
    root: bytes,
    key: bytes,
    before: Proven | None = None,
    nodes: list[bytes] | None = None,
) -> Proven | None:
    """Every rule in order that `key` holds nothing in the tree of `root`: both neighbours, then the gap between them.

    `before` and the answer are as in `judge_existence`; the second neighbour is read up to where it joins the first
    one. `nodes`: where the first neighbour's proof leads, for a caller that has asked before.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge(has_neighbour, proof)
    judge(proof_names_key, spec, proof, key)
    for side, neighbour in (("left.", proof.left), ("right.", proof.right)):
        if neighbour is not None:
            claim = ExistenceClaim(spec, neighbour, root, neighbour.key, neighbour.value, before, nodes)
            before = judge_existence(judge.under(side), claim)
            nodes = None
    judge(key_lies_between, spec, proof, key)
    judge(nothing_between, spec, proof)
    return before
