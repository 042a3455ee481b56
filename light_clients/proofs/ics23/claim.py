"""One existence proof before its rules: what it claims, their list, and what it has in common with the proof before it.

`verify` runs the list and `audit` prints it. Proofs under one root meet on their way up; the steps that a path shares with
one that kept every rule were judged and hashed there, so only those below are judged and hashed again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from light_clients.interface import Check
from light_clients.proofs.ics23 import predicates
from light_clients.proofs.ics23.neighbours import unshared_steps
from light_clients.proofs.ics23.operations import apply_leaf, nodes_above
from light_clients.proofs.ics23.standard_form import has_standard_form
from light_clients.proofs.ics23.types import ExistenceProof, InnerOp, LeafOp, ProofSpec

PROOF_SOURCE = "ics23 go/proof.go"
OPS_SOURCE = "ics23 go/ops.go"
STRICT_SOURCE = "docs/spec/strictness.md"


class Claim(Protocol):
    """What a proof is said to show; its rules are read by `run` or as `checks`, in order and not past the first failure."""

    label: str

    def run(self) -> None:
        """Every rule; the first that does not hold leaves as it was raised."""

    def checks(self) -> Iterator[Check]:
        """The same rules one by one, each with the claim's label before its name."""


ClaimT = TypeVar("ClaimT", bound=Claim)


@dataclass(frozen=True, slots=True)
class Rule(Generic[ClaimT]):
    """A predicate of a kind of claim; see `Check`."""

    name: str
    source: str
    judge: Callable[[ClaimT], object]


Step: TypeAlias = Check | Claim
"""One rule, or all those of one proof."""


def as_checks(rules: Iterable[Rule[ClaimT]], claim: ClaimT) -> Iterator[Check]:
    """`rules` of `claim`, each with the claim's label before its name."""
    for rule in rules:
        yield Check(claim.label + rule.name, rule.source, partial(_judge, rule, claim))


def _judge(rule: Rule[ClaimT], claim: ClaimT) -> None:
    rule.judge(claim)


def run_steps(steps: Iterable[Step]) -> None:
    """Run in order; the first failure leaves as it was raised."""
    for step in steps:
        step.run()


def checks_of(steps: Iterable[Step]) -> Iterator[Check]:
    """Every rule of `steps` as a check of its own, for who prints them."""
    for step in steps:
        if isinstance(step, Check):
            yield step
        else:
            yield from step.checks()


class Proven(NamedTuple):
    """What a proof that kept every rule leaves: its leaf op, its path, and its nodes, the leaf's and then each step's."""

    leaf: LeafOp
    path: tuple[InnerOp, ...]
    nodes: list[bytes]


class LastProven:
    """The last proof of one spec that kept every rule, where there is one."""

    __slots__ = ("proven",)

    def __init__(self) -> None:
        self.proven: Proven | None = None


class ExistenceClaim:
    """`key` holds `value` in the tree of `root`, as `proof` has it.

    `last` is the proof before, as it stands when the claim is made; a claim that holds takes its place. `nodes`: where the
    proof leads, for a caller that has asked before (`ExistenceClaim.nodes`).
    """

    __slots__ = (
        "_has_standard_nodes",
        "_nodes",
        "before",
        "key",
        "label",
        "last",
        "proof",
        "root",
        "spec",
        "unshared",
        "value",
    )

    def __init__(
        self,
        spec: ProofSpec,
        proof: ExistenceProof,
        root: bytes,
        key: bytes,
        value: bytes,
        label: str = "",
        last: LastProven | None = None,
        nodes: list[bytes] | None = None,
    ) -> None:
        self.spec, self.proof, self.root, self.key, self.value = spec, proof, root, key, value
        self.label = label
        self.last = last
        self.before = before = None if last is None else last.proven
        self.unshared = len(proof.path) if before is None else unshared_steps(proof.path, before.path)[0]
        self._nodes = nodes
        self._has_standard_nodes: bool | None = None

    @property
    def leaf_is_as_before(self) -> bool:
        """The very leaf op whose rules held in the proof before."""
        return self.before is not None and self.before.leaf is self.proof.leaf

    @property
    def has_standard_nodes(self) -> bool:
        """Every inner node has the form of the spec's trees, here or in the path before.

        A longer path lifts the steps that it shares to higher layers, of which IAVL asks more: then all are read.
        """
        if self._has_standard_nodes is None:
            path, before = self.proof.path, self.before
            steps = len(path) if before is None or len(path) > len(before.path) else self.unshared
            self._has_standard_nodes = has_standard_form(self.spec, path, steps)
        return self._has_standard_nodes

    def nodes(self) -> list[bytes]:
        """The leaf, and the node that each step leads to; the last one is the root. Proves nothing by itself."""
        if self._nodes is None:
            proof, before = self.proof, self.before
            nodes = nodes_above(apply_leaf(proof.leaf, proof.key, proof.value), proof.path[: self.unshared])
            if before is not None and self.unshared < len(proof.path):
                joint = len(before.path) - (len(proof.path) - self.unshared)
                if before.nodes[joint] == nodes[-1]:
                    nodes += before.nodes[joint + 1 :]
                else:
                    nodes[-1:] = nodes_above(nodes[-1], proof.path[self.unshared :])
            self._nodes = nodes
        return self._nodes

    def remember(self) -> None:
        """Every rule held: the next proof is read up to where it joins this one."""
        if self.last is not None:
            self.last.proven = Proven(self.proof.leaf, self.proof.path, self.nodes())

    def run(self) -> None:
        """Every rule in order; the first that does not hold leaves as it was raised."""
        for rule in EXISTENCE_RULES:
            rule.judge(self)

    def checks(self) -> Iterator[Check]:
        """The same rules one by one."""
        return as_checks(EXISTENCE_RULES, self)


def _leaf_conforms_to_spec(claim: ExistenceClaim) -> None:
    if not claim.leaf_is_as_before:
        predicates.leaf_conforms_to_spec(claim.proof, claim.spec)


def _leaf_prefix_is_exact(claim: ExistenceClaim) -> None:
    if not claim.leaf_is_as_before:
        predicates.leaf_prefix_is_exact(claim.proof, claim.spec)


def _inner_nodes_conform_to_spec(claim: ExistenceClaim) -> None:
    if not claim.has_standard_nodes:
        predicates.inner_nodes_conform_to_spec(claim.proof, claim.spec)


def _inner_nodes_have_one_place(claim: ExistenceClaim) -> None:
    if not claim.has_standard_nodes:
        predicates.inner_nodes_have_one_place(claim.proof, claim.spec)


def _root_matches(claim: ExistenceClaim) -> None:
    predicates.root_matches(claim.spec, claim.nodes()[-1], claim.root)
    claim.remember()


REFERENCE_SHAPE_RULES: tuple[Rule[ExistenceClaim], ...] = (
    Rule("leaf_conforms_to_spec", OPS_SOURCE, _leaf_conforms_to_spec),
    Rule("depth_within_spec", PROOF_SOURCE, lambda claim: predicates.depth_within_spec(claim.proof, claim.spec)),
    Rule("inner_nodes_conform_to_spec", OPS_SOURCE, _inner_nodes_conform_to_spec),
)
EXISTENCE_RULES: tuple[Rule[ExistenceClaim], ...] = (
    Rule("root_is_well_formed", STRICT_SOURCE, lambda claim: predicates.root_is_well_formed(claim.spec, claim.root)),
    *REFERENCE_SHAPE_RULES,
    Rule("leaf_prefix_is_exact", STRICT_SOURCE, _leaf_prefix_is_exact),
    Rule("inner_nodes_have_one_place", STRICT_SOURCE, _inner_nodes_have_one_place),
    Rule("key_matches", PROOF_SOURCE, lambda claim: predicates.key_matches(claim.proof, claim.key)),
    Rule("value_matches", PROOF_SOURCE, lambda claim: predicates.value_matches(claim.proof, claim.value)),
    Rule("root_matches", PROOF_SOURCE, _root_matches),
)
