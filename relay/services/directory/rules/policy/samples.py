"""Enough values of every axis that two conditions are judged alike on all others.

Between two values that conditions name nothing changes, so that one value from each gap, each named value, each name of a hierarchy and
one name that nobody uses stand for all. Conditions that share no axis are looked at apart, which keeps the number of combinations small.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Final

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.directory.rules.policy.constraint import (
    Axis,
    Condition,
    Constraint,
    Facts,
    conjuncts_of,
    holds,
    leaves_of,
)
from hutong.relay.services.directory.rules.policy.truth import Truth, all_of
from hutong.relay.services.directory.rules.policy.values import NameTree, Value
from hutong.relay.services.directory.rules.policy.vocabulary import Domain

MAX_COMBINATIONS: Final = 4_096
"""Of values in one comparison. Conditions of one axis, as nearly all are, take some ten."""
OTHER_NAME: Final = "urn:hutong:any-other-name"


@dataclass(frozen=True, slots=True)
class Part:
    """Conditions of two sides that share axes with one another and with no other part, and all values to judge them on."""

    left: tuple[Condition, ...]
    right: tuple[Condition, ...]
    facts: tuple[Facts, ...]

    def of_left(self, facts: Facts) -> Truth:
        """What the left side's conditions of this part say together."""
        return all_of(holds(condition, facts) for condition in self.left)

    def of_right(self, facts: Facts) -> Truth:
        """As `of_left`, of the right side."""
        return all_of(holds(condition, facts) for condition in self.right)


def parts_of(
    left: tuple[Condition, ...], right: tuple[Condition, ...], trees: Mapping[str, NameTree]
) -> tuple[Part, ...]:
    """The conditions of two sides, taken apart; a part without axes holds what is foreign.

    Raises:
        PredicateFailed: more than MAX_COMBINATIONS combinations.
    """
    sides = [(False, one) for one in conjuncts_of(left)] + [(True, one) for one in conjuncts_of(right)]
    groups: list[tuple[set[Axis], list[tuple[bool, Condition]]]] = []
    for side in sides:
        axes, members = {leaf.axis for leaf in leaves_of((side[1],)) if isinstance(leaf, Constraint)}, [side]
        apart = [group for group in groups if axes.isdisjoint(group[0])]
        for joined in (group for group in groups if not axes.isdisjoint(group[0])):
            axes |= joined[0]
            members = joined[1] + members
        groups = [*apart, (axes, members)]
    built, combinations = [], 0
    for axes, members in groups:
        first = tuple(one for is_right, one in members if not is_right)
        second = tuple(one for is_right, one in members if is_right)
        values = [_values(axis, leaves_of((*first, *second)), trees) for axis in sorted(axes)]
        count = 1
        for some in values:
            count *= len(some)
        combinations += count
        if combinations > MAX_COMBINATIONS:
            raise PredicateFailed("few_enough_combinations", "too much to compare", combinations, MAX_COMBINATIONS)
        facts = tuple(Facts(dict(zip(sorted(axes), some, strict=True)), trees) for some in product(*values))
        built.append(Part(first, second, facts))
    return tuple(built)


def _values(axis: Axis, leaves: Iterable[object], trees: Mapping[str, NameTree]) -> list[Value]:
    named = [leaf for leaf in leaves if isinstance(leaf, Constraint) and leaf.axis == axis]
    domain, mentioned = named[0].operand.domain, {value for leaf in named for value in leaf.right}
    if domain.is_ordered:
        return list(_ordered_values(domain, sorted(value for value in mentioned if not isinstance(value, str))))
    tree = trees.get(axis.name)
    names = {str(value) for value in mentioned} | (set() if tree is None else set(tree.above))
    return [*sorted(names), OTHER_NAME]


def _ordered_values(domain: Domain, points: list[int | Fraction]) -> Iterator[int | Fraction]:
    """Each point, one value in each gap, and one on either side; none below 0, where nothing but an instant could be."""
    whole = domain is Domain.COUNT
    if points[0] > 0:
        yield points[0] - 1 if whole else Fraction(points[0]) / 2
    for point, following in pairwise(points):
        yield point
        if not whole:
            yield Fraction(point + following) / 2
        elif following - point > 1:
            yield point + 1
    yield points[-1]
    yield points[-1] + 1


Found = Callable[[Part, Facts], bool]


def first_facts(part: Part, wanted: Found) -> Facts | None:
    """Values of the part for which `wanted` holds; None where it holds for none."""
    return next((facts for facts in part.facts if wanted(part, facts)), None)
