"""Whether a request is permitted under an agreement, and why: every premise of every rule, with the value that it was judged on.

A request has exactly one purpose, one action and one time. What is not told is unknown: it fulfils no permission, and it does not
lift a prohibition. Nothing is permitted by silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.directory.rules.policy.constraint import Axis, Condition, Constraint, Facts, Foreign, holds
from hutong.relay.services.directory.rules.policy.policy import Duty, Policy, PolicyRule, PolicyType, RuleKind
from hutong.relay.services.directory.rules.policy.truth import Truth, all_of, any_of
from hutong.relay.services.directory.rules.policy.values import NameTree, Value, shown_value
from hutong.relay.services.directory.rules.policy.vocabulary import SPEC, Enforcement, action_includes

NO_TREES: Final[Mapping[str, NameTree]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for what. Fields that are None are not known.

    `used_before` counts the uses so far; `since_agreement_ns` and `since_last_use_ns` are nanoseconds; `held` says what
    `transfer` holds for this agreement, by asset; `within` names the collections in which party and target are known to be; `breached` are the duties, as they are written, of which a breach is on
    record; `revoked` says that the agreement was.
    """

    party: str
    action: str
    target: str
    purpose: str | None = None
    time_ns: int | None = None
    used_before: int | None = None
    since_agreement_ns: int | None = None
    since_last_use_ns: int | None = None
    spatial: str | None = None
    language: str | None = None
    held: Mapping[str, Fraction] = field(default_factory=lambda: MappingProxyType({}))
    within: frozenset[str] = frozenset()
    breached: frozenset[str] = frozenset()
    revoked: bool = False

    def facts(self, trees: Mapping[str, NameTree]) -> Facts:
        """The values by axis."""
        told: dict[str, Value | None] = {
            "dateTime": self.time_ns,
            "purpose": self.purpose,
            "count": None if self.used_before is None else self.used_before + 1,
            "elapsedTime": self.since_agreement_ns,
            "delayPeriod": self.since_agreement_ns,
            "timeInterval": self.since_last_use_ns,
            "spatial": self.spatial,
            "language": self.language,
        }
        values: dict[Axis, Value] = {Axis(name): value for name, value in told.items() if value is not None}
        values |= {Axis("payAmount", unit): amount for unit, amount in self.held.items()}
        return Facts(values, trees)


@dataclass(frozen=True, slots=True)
class Premise:
    """One thing that a rule asks, as it is written; `value` is what it was judged on, None where it is not known."""

    what: str
    enforcement: Enforcement
    value: str | None
    truth: Truth


@dataclass(frozen=True, slots=True)
class RuleReport:
    """A permission or prohibition, and whether it is active for this request."""

    kind: RuleKind
    written: str
    premises: tuple[Premise, ...]
    active: Truth


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """Permitted where one permission is active and no prohibition is active or unknown, and the agreement is not revoked."""

    permitted: bool
    revoked: bool
    rules: tuple[RuleReport, ...]


def decide(policy: Policy, request: Request, trees: Mapping[str, NameTree] = NO_TREES) -> DecisionReport:
    """Judge a request. An offer permits nothing, since nobody has agreed to it; see `DecisionReport` for the rest.

    Args:
        trees: published hierarchies, by operand.
    """
    facts = request.facts(trees)
    permissions = [_judged(RuleKind.PERMISSION, one, policy, request, facts) for one in policy.permissions]
    prohibitions = [_judged(RuleKind.PROHIBITION, one, policy, request, facts) for one in policy.prohibitions]
    allowed = any_of(one.active for one in permissions)
    forbidden = any_of(one.active for one in prohibitions)
    permitted = allowed is Truth.TRUE and forbidden is Truth.FALSE and policy.type is not PolicyType.OFFER
    return DecisionReport(permitted and not request.revoked, request.revoked, (*permissions, *prohibitions))


@rule(SPEC)
def request_is_permitted(policy: Policy, request: Request, trees: Mapping[str, NameTree]) -> DecisionReport:
    """The agreement permits the request. Returns the report, which the audit keeps.

    Raises:
        PredicateFailed: it does not; the reason names the first premise that does not hold.
    """
    report = decide(policy, request, trees)
    if not report.permitted:
        raise PredicateFailed("request_is_permitted", why_not(report))
    return report


def why_not(report: DecisionReport) -> str:
    """One sentence about a refusal."""
    if report.revoked:
        return "the agreement is revoked"
    for one in report.rules:
        if one.kind is RuleKind.PROHIBITION and one.active is not Truth.FALSE:
            return f"a prohibition is not excluded: {one.written}"
    for one in report.rules:
        for premise in one.premises:
            if one.kind is RuleKind.PERMISSION and premise.truth is not Truth.TRUE:
                value = "nothing is known" if premise.value is None else f"the request has {premise.value}"
                return f"{premise.what} is {premise.truth.value}: {value}"
    return "no permission is for a request: an offer is not an agreement" if report.rules else "there is no permission"


def _judged(kind: RuleKind, one: PolicyRule, policy: Policy, request: Request, facts: Facts) -> RuleReport:
    asked = [*_applies(kind, one, policy, request), *(_premise(condition, facts) for condition in one.conditions)]
    premises = (*asked, *(_promise(duty, request) for duty in one.duties))
    return RuleReport(kind, one.written, premises, all_of(premise.truth for premise in premises))


def _applies(kind: RuleKind, one: PolicyRule, policy: Policy, request: Request) -> Iterator[Premise]:
    party, target = one.assignee or policy.assignee, one.target or policy.target
    before = Enforcement.BEFORE
    if party is not None:
        yield Premise(
            f"assignee is {party}", before, request.party, Truth.of(party == request.party or party in request.within)
        )
    if target is not None:
        yield Premise(
            f"target is {target}",
            before,
            request.target,
            Truth.of(target == request.target or target in request.within),
        )
    included = action_includes(one.action, request.action)
    if kind is RuleKind.PROHIBITION:  # whoever asks for the wide action asks for the forbidden part of it
        included = included or action_includes(request.action, one.action)
    yield Premise(f"action is {one.action}", before, request.action, Truth.of(included))


def _promise(duty: Duty, request: Request) -> Premise:
    """A duty is promised, so that it holds until a breach of it is on record."""
    is_breached = duty.written in request.breached
    value = "a breach is on record" if is_breached else "no breach is on record"
    return Premise(duty.said, duty.enforcement, value, Truth.of(not is_breached))


def _premise(condition: Condition, facts: Facts) -> Premise:
    truth = holds(condition, facts)
    if isinstance(condition, Constraint):
        value = facts.values.get(condition.axis)
        return Premise(
            condition.said,
            condition.operand.enforcement,
            None if value is None else shown_value(condition.operand.domain, value),
            truth,
        )
    if isinstance(condition, Foreign):
        return Premise(condition.said, Enforcement.PROMISED, None, truth)
    parts = tuple(_premise(part, facts) for part in condition.parts)
    weakest = max((part.enforcement for part in parts), key=list(Enforcement).index)
    return Premise(condition.said, weakest, ", ".join(part.value or "unknown" for part in parts), truth)
