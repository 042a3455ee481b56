"""Two conditions, compared: whether one is within the other, and whether both can be fulfilled at once.

`within` is what a decision means: wherever the inner one is true the outer one is true. So what is unknown of the outer one counts as a way
out, and what is unknown of the inner one permits nothing and counts as none.
"""

from collections.abc import Mapping

from hutong.relay.services.directory.rules.policy.constraint import Axis, Condition, Constraint, Facts, leaves_of
from hutong.relay.services.directory.rules.policy.samples import Part, first_facts, parts_of
from hutong.relay.services.directory.rules.policy.truth import Truth, all_of
from hutong.relay.services.directory.rules.policy.values import NameTree, Value
from hutong.relay.services.directory.rules.policy.vocabulary import OPERANDS, Vocabulary

Conditions = tuple[Condition, ...]


def way_out(inner: Conditions, outer: Conditions, trees: Mapping[str, NameTree]) -> Mapping[Axis, Value] | None:
    """Values under which `inner` is true and `outer` is not; None where `inner` is within `outer`.

    Raises:
        PredicateFailed: too much to compare.
    """
    parts = parts_of(inner, outer, trees)
    if any(first_facts(part, _left_is_true) is None for part in parts):
        return None  # the inner one is never true
    for part in parts:
        facts = first_facts(part, lambda one, some: _left_is_true(one, some) and one.of_right(some) is not Truth.TRUE)
        if facts is not None:
            return facts.values
    return None


def uncovered(inner: Conditions, outer: Conditions, trees: Mapping[str, NameTree]) -> Mapping[Axis, Value] | None:
    """Of prohibitions: values under which `inner` may forbid and `outer` does not; None where `outer` forbids all of it.

    Raises:
        PredicateFailed: too much to compare.
    """
    parts = parts_of(inner, outer, trees)
    if any(first_facts(part, _left_may_hold) is None for part in parts):
        return None
    for part in parts:
        facts = first_facts(part, lambda one, some: _left_may_hold(one, some) and one.of_right(some) is Truth.FALSE)
        if facts is not None:
            return facts.values
    return None


def compatible(
    one: Conditions, other: Conditions, trees: Mapping[str, NameTree], vocabulary: Vocabulary = OPERANDS
) -> Truth:
    """Whether both can be fulfilled at once.

    Unknown where that hangs on what is not known: a foreign constraint, a name in no hierarchy, or operands that bound one
    another.

    Raises:
        PredicateFailed: too much to compare.
    """
    found = all_of(_satisfiable(part) for part in parts_of(one, other, trees))
    names = {leaf.axis.name for leaf in leaves_of((*one, *other)) if isinstance(leaf, Constraint)}
    if found is Truth.TRUE and any(len(names & group) > 1 for group in vocabulary.coupled):
        return Truth.UNKNOWN
    return found


def _satisfiable(part: Part) -> Truth:
    truths = {all_of((part.of_left(facts), part.of_right(facts))) for facts in part.facts}
    if Truth.TRUE in truths:
        return Truth.TRUE
    return Truth.UNKNOWN if Truth.UNKNOWN in truths else Truth.FALSE


def _left_is_true(part: Part, facts: Facts) -> bool:
    return part.of_left(facts) is Truth.TRUE


def _left_may_hold(part: Part, facts: Facts) -> bool:
    return part.of_left(facts) is not Truth.FALSE
