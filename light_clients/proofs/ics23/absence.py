"""One non-existence proof before its rules: both neighbours proven, then the gap between them (cosmos/ics23 `go/proof.go`)."""

from collections.abc import Iterator

from light_clients.interface import Check, PredicateFailed
from light_clients.proofs.ics23.claim import PROOF_SOURCE, STRICT_SOURCE, ExistenceClaim, LastProven, Rule, as_checks
from light_clients.proofs.ics23.neighbours import are_neighbours, is_left_most, is_right_most
from light_clients.proofs.ics23.operations import apply_prehash
from light_clients.proofs.ics23.types import NonExistenceProof, ProofSpec


def comparison_key(spec: ProofSpec, key: bytes) -> bytes:
    """The form in which the tree orders keys: hashed where the spec says so (SMT)."""
    return apply_prehash(spec.leaf_spec.prehash_key, key) if spec.prehash_key_before_comparison else key


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


class AbsenceClaim:
    """`key` holds nothing in the tree of `root`, as `proof` has it; see `ExistenceClaim`.

    `nodes`: where the first neighbour's proof leads, for a caller that has asked before. The second neighbour is judged up to
    where it joins the first one.
    """

    __slots__ = ("key", "label", "last", "nodes", "proof", "root", "spec")

    def __init__(
        self,
        spec: ProofSpec,
        proof: NonExistenceProof,
        root: bytes,
        key: bytes,
        label: str = "",
        nodes: list[bytes] | None = None,
        last: LastProven | None = None,
    ) -> None:
        self.spec, self.proof, self.root, self.key = spec, proof, root, key
        self.label, self.nodes, self.last = label, nodes, last or LastProven()

    def _neighbours(self) -> Iterator[ExistenceClaim]:
        nodes = self.nodes
        for side, proof in (("left.", self.proof.left), ("right.", self.proof.right)):
            if proof is not None:
                yield ExistenceClaim(
                    self.spec, proof, self.root, proof.key, proof.value, self.label + side, self.last, nodes
                )
                nodes = None

    def run(self) -> None:
        """Every rule in order; the first that does not hold leaves as it was raised."""
        for rule in _RULES_OF_PROOF:
            rule.judge(self)
        for neighbour in self._neighbours():
            neighbour.run()
        for rule in _RULES_OF_GAP:
            rule.judge(self)

    def checks(self) -> Iterator[Check]:
        """The same rules one by one."""
        yield from as_checks(_RULES_OF_PROOF, self)
        for neighbour in self._neighbours():
            yield from neighbour.checks()
        yield from as_checks(_RULES_OF_GAP, self)


_RULES_OF_PROOF: tuple[Rule[AbsenceClaim], ...] = (
    Rule("has_neighbour", PROOF_SOURCE, lambda claim: _has_neighbour(claim.proof)),
    Rule("proof_names_key", STRICT_SOURCE, lambda claim: _proof_names_key(claim.spec, claim.proof, claim.key)),
)
_RULES_OF_GAP: tuple[Rule[AbsenceClaim], ...] = (
    Rule("key_lies_between", PROOF_SOURCE, lambda claim: _key_lies_between(claim.spec, claim.proof, claim.key)),
    Rule("nothing_between", PROOF_SOURCE, lambda claim: _nothing_between(claim.spec, claim.proof)),
)
