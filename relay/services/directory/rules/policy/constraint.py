"""Constraints, and what they say of facts. A constraint that the profile does not know is kept as it is, and says `unknown`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from hutong.relay.services.directory.rules.policy.truth import Truth, all_of, any_of, one_of
from hutong.relay.services.directory.rules.policy.values import NameTree, Value
from hutong.relay.services.directory.rules.policy.vocabulary import Domain, Operand, Operator


class Axis(NamedTuple):
    """What a constraint is about. Amounts of two units are two axes; `unit` is empty where there is none."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Constraint:
    """`axis operator right`; `right` is a set of one value but for isAnyOf and isNoneOf."""

    axis: Axis
    operand: Operand
    operator: Operator
    right: tuple[Value, ...]
    written: str
    """As canonical JSON."""
    said: str
    """For people: `count lteq 10`."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A constraint outside of the profile: nothing but its canonical JSON is known."""

    written: str
    reason: str

    @property
    def said(self) -> str:
        """For people: as it is written, since nothing is known of it."""
        return self.written


class Connective(Enum):
    """How a composite's parts are joined."""

    AND = "and"
    OR = "or"
    XONE = "xone"


@dataclass(frozen=True, slots=True)
class Composite:
    """Several constraints, joined."""

    connective: Connective
    parts: tuple["Condition", ...]
    written: str

    @property
    def said(self) -> str:
        """For people: the connective and its parts."""
        return f"{self.connective.value}({'; '.join(part.said for part in self.parts)})"


Condition: TypeAlias = "Constraint | Foreign | Composite"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a condition is judged: a value an axis, and the hierarchy by operand."""

    values: Mapping[Axis, Value]
    trees: Mapping[str, NameTree]


def conjuncts_of(conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    """The conditions that all must hold, with nested `and`s taken apart."""
    for condition in conditions:
        if isinstance(condition, Composite) and condition.connective is Connective.AND:
            yield from conjuncts_of(condition.parts)
        else:
            yield condition


def leaves_of(conditions: tuple[Condition, ...]) -> Iterator[Constraint | Foreign]:
    """Every constraint, at whatever depth."""
    for condition in conditions:
        if isinstance(condition, Composite):
            yield from leaves_of(condition.parts)
        else:
            yield condition


_JOIN: Final = {Connective.AND: all_of, Connective.OR: any_of, Connective.XONE: one_of}


def holds(condition: Condition, facts: Facts) -> Truth:
    """Whether a condition is fulfilled; unknown where a fact is missing, a name stands in no hierarchy, or it is foreign."""
    if isinstance(condition, Foreign):
        return Truth.UNKNOWN
    if isinstance(condition, Composite):
        return _JOIN[condition.connective](holds(part, facts) for part in condition.parts)
    value = facts.values.get(condition.axis)
    if value is None:
        return Truth.UNKNOWN
    if condition.operand.domain.is_ordered:
        return Truth.of(_ordered(condition.operator, value, condition.right[0]))
    return _named(condition, str(value), facts.trees.get(condition.axis.name))


def _ordered(operator: Operator, value: Value, right: Value) -> bool:
    if isinstance(value, str) or isinstance(right, str):
        raise TypeError("a name has no order")
    match operator:
        case Operator.EQ:
            return value == right
        case Operator.NEQ:
            return value != right
        case Operator.LT:
            return value < right
        case Operator.LTEQ:
            return value <= right
        case Operator.GT:
            return value > right
        case Operator.GTEQ:
            return value >= right
        case _:
            raise ValueError(operator)


def _named(constraint: Constraint, value: str, tree: NameTree | None) -> Truth:
    found = [_one_name(constraint, value, str(right), tree) for right in constraint.right]
    if constraint.operator in (Operator.NEQ, Operator.IS_NONE_OF):
        return all_of(found)
    return any_of(found)


def _one_name(constraint: Constraint, value: str, right: str, tree: NameTree | None) -> Truth:
    """Of one name at the right.

    In a hierarchy a set means its names and all that stands below them. `isNoneOf` and `neq` also exclude what stands
    above: whoever declares `commercial` has not excluded `advertising`.
    """
    operator, is_excluding = constraint.operator, constraint.operator in (Operator.NEQ, Operator.IS_NONE_OF)
    if value == right:
        return Truth.of(not is_excluding)
    if constraint.operand.domain is Domain.NAME:
        return Truth.of(is_excluding)
    if tree is None or not (tree.knows(value) and tree.knows(right)):
        return Truth.UNKNOWN
    if operator is Operator.EQ:
        return Truth.FALSE
    if is_excluding:
        return Truth.of(not tree.is_within(value, right) and not tree.is_within(right, value))
    return Truth.of(tree.is_within(value, right))
