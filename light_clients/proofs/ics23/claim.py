"""One existence proof before its rules: what it claims, the rules in their order, and what it shares with the proof before it.

Proofs under one root meet on their way up; the steps that a path shares with one that kept every rule were judged and hashed
there, so only those below are judged and hashed again.
"""

from typing import NamedTuple

from hutong.light_clients.interface import Judge, rule
from hutong.light_clients.proofs.ics23 import predicates
from hutong.light_clients.proofs.ics23.neighbours import unshared_steps
from hutong.light_clients.proofs.ics23.operations import apply_leaf, nodes_above
from hutong.light_clients.proofs.ics23.predicates import OPS_SOURCE, PROOF_SOURCE, STRICT_SOURCE
from hutong.light_clients.proofs.ics23.standard_form import has_standard_form
from hutong.light_clients.proofs.ics23.types import ExistenceProof, InnerOp, LeafOp, ProofSpec


class Proven(NamedTuple):
    """What a proof that kept every rule leaves.

    Its leaf op, its path, and its nodes: the leaf's and then each step's.
    """

    leaf: LeafOp
    path: tuple[InnerOp, ...]
    nodes: list[bytes]


class ExistenceClaim:
    """`key` holds `value` in the tree of `root`, as `proof` has it.

    `before` is the last proof of the same spec and root that kept every rule. `nodes`: where the proof leads, for a
    caller that has asked before (`ExistenceClaim.nodes`).
    """

    __slots__ = (
        "_has_standard_nodes",
        "_nodes",
        "before",
        "key",
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
        before: Proven | None = None,
        nodes: list[bytes] | None = None,
    ) -> None:
        self.spec, self.proof, self.root, self.key, self.value = spec, proof, root, key, value
        self.before = before
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
        """The leaf, and the node that each step leads to; the last one is the root. Proves nothing by itself.

        Raises:
            MalformedInput: an empty key or value, or a length that the leaf op does not take.
            UnsupportedOperation: a hash or length op that is not offered.
        """
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


@rule(OPS_SOURCE)
def leaf_conforms_to_spec(claim: ExistenceClaim) -> None:
    """See `predicates.leaf_conforms_to_spec`; a leaf op is judged once.

    Raises:
        PredicateFailed: it is not the spec's leaf.
    """
    if not claim.leaf_is_as_before:
        predicates.leaf_conforms_to_spec(claim.proof, claim.spec)


@rule(OPS_SOURCE)
def inner_nodes_conform_to_spec(claim: ExistenceClaim) -> None:
    """See `predicates.inner_nodes_conform_to_spec`, which reads paths that do not have the standard form.

    Raises:
        PredicateFailed: the first inner node that is not the spec's.
    """
    if not claim.has_standard_nodes:
        predicates.inner_nodes_conform_to_spec(claim.proof, claim.spec)


@rule(STRICT_SOURCE)
def leaf_prefix_is_exact(claim: ExistenceClaim) -> None:
    """See `predicates.leaf_prefix_is_exact`; a leaf op is judged once.

    Raises:
        PredicateFailed: a prefix with room for something else.
    """
    if not claim.leaf_is_as_before:
        predicates.leaf_prefix_is_exact(claim.proof, claim.spec)


@rule(STRICT_SOURCE)
def inner_nodes_have_one_place(claim: ExistenceClaim) -> None:
    """See `predicates.inner_nodes_have_one_place`, which reads paths that do not have the standard form.

    Raises:
        PredicateFailed: the first inner node that leaves no single place.
    """
    if not claim.has_standard_nodes:
        predicates.inner_nodes_have_one_place(claim.proof, claim.spec)


@rule(PROOF_SOURCE)
def root_matches(claim: ExistenceClaim) -> list[bytes]:
    """The path leads to the trusted root. Returns the nodes on the way.

    Raises:
        PredicateFailed: it leads elsewhere.
        MalformedInput, UnsupportedOperation: as `ExistenceClaim.nodes`.
    """
    nodes = claim.nodes()
    predicates.root_matches(claim.spec, nodes[-1], claim.root)
    return nodes


def judge_reference_shape(judge: Judge, claim: ExistenceClaim) -> None:
    """The rules of a spec as the reference has them, without our stricter ones (ics23 `CheckAgainstSpec`).

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(leaf_conforms_to_spec, claim)
    judge(predicates.depth_within_spec, claim.proof, claim.spec)
    judge(inner_nodes_conform_to_spec, claim)


def judge_existence(judge: Judge, claim: ExistenceClaim) -> Proven:
    """Every rule in order. Returns what the next proof under this root is read up to, where it joins this one.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge(predicates.root_is_well_formed, claim.spec, claim.root)
    judge_reference_shape(judge, claim)
    judge(leaf_prefix_is_exact, claim)
    judge(inner_nodes_have_one_place, claim)
    judge(predicates.key_matches, claim.proof, claim.key)
    judge(predicates.value_matches, claim.proof, claim.value)
    nodes = judge(root_matches, claim)
    return Proven(claim.proof.leaf, claim.proof.path, nodes)
