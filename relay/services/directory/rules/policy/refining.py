"""Whether an agreement refines an offer: it permits nothing that the offer does not, forbids all that the offer forbids, and keeps its duties.

Each permission of the agreement stands within one of the offer, so that an error names the one; an agreement with a permission that spans two
of the offer is written with two. A refusal is by name, with the values under which the agreement would permit more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.directory.rules.policy.comparing import uncovered, way_out
from hutong.relay.services.directory.rules.policy.constraint import Axis, Condition, Foreign, conjuncts_of, leaves_of
from hutong.relay.services.directory.rules.policy.policy import Duty, Policy, PolicyRule, PolicyType, foreign_terms
from hutong.relay.services.directory.rules.policy.values import NameTree, Value, shown_value
from hutong.relay.services.directory.rules.policy.vocabulary import OPERANDS, SPEC, action_includes

Trees = Mapping[str, NameTree]


@dataclass(frozen=True, slots=True)
class _Miss:
    """Why a permission is not within one of the offer: `rank` says how near it comes, for the error to name the nearest."""

    rank: int
    reason: str


@rule(SPEC)
def is_an_agreement(agreement: Policy) -> None:
    """Raises PredicateFailed where it is an offer or a set, which nobody has agreed to."""
    if agreement.type is not PolicyType.AGREEMENT:
        raise PredicateFailed("is_an_agreement", "not an agreement", agreement.type.value, PolicyType.AGREEMENT.value)


@rule(SPEC)
def is_offered(offer: Policy) -> None:
    """Raises PredicateFailed where it is not an offer."""
    if offer.type is not PolicyType.OFFER:
        raise PredicateFailed("is_offered", "not an offer", offer.type.value, PolicyType.OFFER.value)


@rule(SPEC)
def parties_and_target_are_those_of_the_offer(agreement: Policy, offer: Policy) -> None:
    """Target and assigner are the offer's, and the assignee too where the offer is to one alone.

    Raises:
        PredicateFailed: one differs, or the offer leaves one open.
    """
    for name, got, expected in (
        ("target", agreement.target, offer.target),
        ("assigner", agreement.assigner, offer.assigner),
        ("assignee", agreement.assignee, offer.assignee or agreement.assignee),
    ):
        if got != expected:
            raise PredicateFailed("parties_and_target_are_those_of_the_offer", f"another {name}", got, expected)


@rule(SPEC)
def rules_are_for_the_assignee_and_the_target(agreement: Policy) -> None:
    """No rule of an agreement is for another party or another target: that would be an agreement of its own.

    Raises:
        PredicateFailed: one is.
    """
    for one in (*agreement.permissions, *agreement.prohibitions):
        for got, expected in ((one.target, agreement.target), (one.assignee, agreement.assignee)):
            if got not in (None, expected):
                raise PredicateFailed("rules_are_for_the_assignee_and_the_target", "another one", got, expected)


@rule(SPEC)
def permissions_are_of_the_profile(policy: Policy) -> None:
    """Nothing that the profile does not know stands in a permission: what nobody can judge is a duty, which is promised.

    Raises:
        PredicateFailed: an unknown operand, operator, unit or action in a permission.
    """
    for one in policy.permissions:
        for foreign in foreign_terms(one):
            raise PredicateFailed("permissions_are_of_the_profile", foreign.reason, foreign.written)


@rule(SPEC)
def permissions_are_offered(agreement: Policy, offer: Policy, trees: Trees) -> None:
    """Each permission of the agreement is within one of the offer, and has its duties.

    Raises:
        PredicateFailed: one is not; the reason names what it permits beyond the nearest one.
    """
    offers = [offered for offered in offer.permissions if _is_for(offered, agreement)]
    for one in agreement.permissions:
        misses = [_miss(one, offered, trees) for offered in offers]
        if None in misses:
            continue
        nearest = max((miss for miss in misses if miss is not None), key=lambda miss: miss.rank, default=None)
        reason = "the offer has no permission for it" if nearest is None else nearest.reason
        raise PredicateFailed("permissions_are_offered", reason, one.written)


@rule(SPEC)
def prohibitions_are_kept(agreement: Policy, offer: Policy, trees: Trees) -> None:
    """What the offer forbids is forbidden by one prohibition of the agreement.

    Raises:
        PredicateFailed: one is missing, or forbids less.
    """
    for offered in (one for one in offer.prohibitions if _is_for(one, agreement)):
        if not any(_forbids_all(one, offered, trees) for one in agreement.prohibitions):
            raise PredicateFailed("prohibitions_are_kept", "is not forbidden any more", expected=offered.written)


@rule(SPEC)
def obligations_are_kept(agreement: Policy, offer: Policy, trees: Trees) -> None:
    """Each obligation of the offer is one of the agreement, as strict or stricter.

    Raises:
        PredicateFailed: one is missing, or asks less.
    """
    if (missing := _first_missing(agreement.obligations, offer.obligations, trees)) is not None:
        raise PredicateFailed("obligations_are_kept", "is not promised any more", expected=missing.said)


def judge_refinement(judge: Judge, agreement: Policy, offer: Policy, trees: Trees) -> None:
    """Every rule, in order. Whatever a decision permits under the agreement it permits under the offer, made an agreement.

    Args:
        trees: published hierarchies, by operand.

    Raises:
        PredicateFailed: the first rule that does not hold, or `few_enough_combinations`.
    """
    judge(is_an_agreement, agreement)
    judge(is_offered, offer)
    judge(parties_and_target_are_those_of_the_offer, agreement, offer)
    judge(rules_are_for_the_assignee_and_the_target, agreement)
    judge(permissions_are_of_the_profile, agreement)
    judge(permissions_are_offered, agreement, offer, trees)
    judge(prohibitions_are_kept, agreement, offer, trees)
    judge(obligations_are_kept, agreement, offer, trees)


def _is_for(offered: PolicyRule, agreement: Policy) -> bool:
    """Whether a rule of the offer is about the agreement's target and for its assignee; the policies' own are compared already."""
    return offered.target in (None, agreement.target) and offered.assignee in (None, agreement.assignee)


def _miss(one: PolicyRule, offered: PolicyRule, trees: Trees) -> _Miss | None:
    if not action_includes(offered.action, one.action):
        return _Miss(1, f"{one.action} was not offered")
    found = way_out(one.conditions, offered.conditions, trees)
    if found is not None:
        return _Miss(2, f"permits what the offer does not: {_said(found)}")
    missing = _first_missing(one.duties, offered.duties, trees)
    return None if missing is None else _Miss(3, f"a duty of the offer is missing or weaker: {missing.said}")


def _said(values: Mapping[Axis, Value]) -> str:
    said = []
    for axis, value in sorted(values.items()):
        operand = OPERANDS.operands.get(axis.name)
        shown = str(value) if operand is None else shown_value(operand.domain, value)
        said.append(f"{axis.name}{f' in {axis.unit}' if axis.unit else ''} {shown}")
    return ", ".join(said) or "a constraint is missing"


def _forbids_all(one: PolicyRule, offered: PolicyRule, trees: Trees) -> bool:
    return action_includes(one.action, offered.action) and uncovered(offered.conditions, one.conditions, trees) is None


def _first_missing(kept: tuple[Duty, ...], asked: tuple[Duty, ...], trees: Trees) -> Duty | None:
    return next((duty for duty in asked if not any(_is_as_strict(one, duty, trees) for one in kept)), None)


def _is_as_strict(one: Duty, asked: Duty, trees: Trees) -> bool:
    """The same action, every condition with something foreign as it stands, and the others within those that were asked."""
    if one.action != asked.action or not _foreign(asked.conditions) <= _foreign(one.conditions):
        return False
    return way_out(_known(one.conditions), _known(asked.conditions), trees) is None


def _foreign(conditions: tuple[Condition, ...]) -> set[str]:
    return {one.written for one in conjuncts_of(conditions) if _is_foreign(one)}


def _known(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(one for one in conjuncts_of(conditions) if not _is_foreign(one))


def _is_foreign(condition: Condition) -> bool:
    return any(isinstance(leaf, Foreign) for leaf in leaves_of((condition,)))
