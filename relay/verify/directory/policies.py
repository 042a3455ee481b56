"""Policies in files: what `hutong directory policy` reads, and what it found."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from hutong.light_clients.interface import CheckVerdict, MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.light_clients.interface.judge import audit
from hutong.relay.services.directory.rules.policy.constraint import Composite, Condition, Constraint
from hutong.relay.services.directory.rules.policy.deciding import DecisionReport, Request, why_not
from hutong.relay.services.directory.rules.policy.policy import Policy, PolicyRule, RuleKind, foreign_terms
from hutong.relay.services.directory.rules.policy.reading import MAX_POLICY_BYTES, read_policy
from hutong.relay.services.directory.rules.policy.refining import judge_refinement
from hutong.relay.services.directory.rules.policy.values import NameTree, read_duration_ns, read_name, read_value
from hutong.relay.services.directory.rules.policy.vocabulary import Domain, Enforcement
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns
from hutong.relay.verify.inputs import UnusableInput, read_file

MAX_REQUEST_BYTES: Final = 64 * 1024
MAX_TREES_BYTES: Final = 1024 * 1024
MAX_LISTED: Final = 64
Trees = Mapping[str, NameTree]


def read_policy_file(path: Path) -> Policy:
    """A policy of the profile.

    Raises:
        UnusableInput: the file cannot be read, or holds none.
    """
    try:
        return read_policy(read_file(path, MAX_POLICY_BYTES))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def read_trees_file(path: Path | None) -> Trees:
    """Hierarchies by operand: `{"purpose": {"urn:a": null, "urn:b": "urn:a"}, "spatial": {…}}`; without a file none.

    Raises:
        UnusableInput: the file cannot be read, or holds something else.
    """
    if path is None:
        return {}
    try:
        document = Document.parse(read_file(path, MAX_TREES_BYTES), "hierarchies", MAX_TREES_BYTES).value
        if not isinstance(document, dict) or not all(isinstance(one, dict) for one in document.values()):
            raise MalformedInput("hierarchies", "is not an object of objects")
        return {name: NameTree(above) for name, above in document.items()}
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def read_request_file(path: Path) -> Request:
    """A request: `party`, `action`, `target`, and what else is known (docs/spec/directory-policy.md).

    Raises:
        UnusableInput: the file cannot be read, or holds something else.
    """
    try:
        return _request(Document.parse(read_file(path, MAX_REQUEST_BYTES), "request", MAX_REQUEST_BYTES).value)
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


_READ: Final[Mapping[str, tuple[str, Any]]] = {
    "party": ("party", read_name),
    "action": ("action", read_name),
    "target": ("target", read_name),
    "purpose": ("purpose", read_name),
    "spatial": ("spatial", read_name),
    "language": ("language", read_name),
    "time": ("time_ns", parse_instant_ns),
    "usedBefore": ("used_before", lambda value, path: read_value(Domain.COUNT, value, path)),
    "sinceAgreement": ("since_agreement_ns", read_duration_ns),
    "sinceLastUse": ("since_last_use_ns", read_duration_ns),
}
"""Member of the file, member of the request, and what reads it."""
_TEXTS: Final = ("time", "sinceAgreement", "sinceLastUse")


def _request(value: object) -> Request:
    if not isinstance(value, dict):
        raise MalformedInput("request", "is not an object", got=value)
    known: dict[str, Any] = {}
    for name, member in value.items():
        path = f"request.{name[:64]}"
        if name in _READ:
            if name in _TEXTS and not isinstance(member, str):
                raise MalformedInput(path, "is not a text", got=member)
            known[_READ[name][0]] = _READ[name][1](member, path)
        elif name in ("within", "breached") and isinstance(member, list) and len(member) <= MAX_LISTED:
            known[name] = frozenset(str(one) for one in member)
        elif name == "held" and isinstance(member, dict) and len(member) <= MAX_LISTED:
            known[name] = {unit: Fraction(str(read_value(Domain.DECIMAL, one, path))) for unit, one in member.items()}
        elif name == "revoked" and isinstance(member, bool):
            known[name] = member
        else:
            raise MalformedInput(path, "is not a member of a request, or of another form", got=member)
    for name in ("party", "action", "target"):
        if name not in known:
            raise MalformedInput(f"request.{name}", "a request has one")
    return Request(**known)


@dataclass(frozen=True, slots=True)
class Term:
    """One line of what a policy says: a rule, a condition or a duty, and who sees to it that it is kept."""

    kind: str
    says: str
    enforcement: Enforcement
    reason: str | None = None
    """Why it has no meaning; None where it has one."""


def terms_of(policy: Policy) -> tuple[Term, ...]:
    """Every rule with its conditions and duties, in the order of the canonical form."""
    found: list[Term] = []
    for kind, rules in ((RuleKind.PERMISSION, policy.permissions), (RuleKind.PROHIBITION, policy.prohibitions)):
        for one in rules:
            found += _terms(kind, one)
    found += [Term("obligation", duty.said, duty.enforcement) for duty in policy.obligations]
    return tuple(found)


def _terms(kind: RuleKind, one: PolicyRule) -> list[Term]:
    conditions = [Term("constraint", each.said, _enforcement(each), _reason(each)) for each in one.conditions]
    duties = [Term("duty", duty.said, duty.enforcement) for duty in one.duties]
    return [Term(kind.value, one.action, Enforcement.BEFORE), *conditions, *duties]


def _enforcement(condition: Condition) -> Enforcement:
    if isinstance(condition, Constraint):
        return condition.operand.enforcement
    if isinstance(condition, Composite):
        return max((_enforcement(part) for part in condition.parts), key=list(Enforcement).index)
    return Enforcement.PROMISED


def _reason(condition: Condition) -> str | None:
    if isinstance(condition, Composite):
        return next((reason for part in condition.parts if (reason := _reason(part)) is not None), None)
    return None if isinstance(condition, Constraint) else condition.reason


def unenforceable(policy: Policy) -> str | None:
    """Why a permission of the policy permits nothing: a word that is not of the profile; None where there is none."""
    for one in policy.permissions:
        for foreign in foreign_terms(one):
            return f"{foreign.reason}: {foreign.written}"
    return None


def compare(offer: Policy, agreement: Policy, trees: Trees) -> tuple[CheckVerdict, ...]:
    """Every rule of a refinement, in order; the last one did not hold where the agreement is refused."""
    return audit(judge_refinement, agreement, offer, trees)


def decision_fields(report: DecisionReport) -> dict[str, Any]:
    """As `--json` shows a decision."""
    return {
        "permitted": report.permitted,
        "reason": None if report.permitted else why_not(report),
        "rules": [
            {
                "kind": one.kind.value,
                "active": one.active.value,
                "premises": [
                    {
                        "what": premise.what,
                        "enforcement": premise.enforcement.value,
                        "value": premise.value,
                        "truth": premise.truth.value,
                    }
                    for premise in one.premises
                ],
            }
            for one in report.rules
        ],
    }


def policy_fields(policy: Policy) -> dict[str, Any]:
    """As `--json` shows a policy."""
    terms = [
        {field.name: getattr(term, field.name) for field in fields(term)} | {"enforcement": term.enforcement.value}
        for term in terms_of(policy)
    ]
    return {
        "type": policy.type.value,
        "hash": policy.hash.hex(),
        "unenforceable": unenforceable(policy),
        "terms": terms,
        "canonical": policy.canonical.decode(),
    }
