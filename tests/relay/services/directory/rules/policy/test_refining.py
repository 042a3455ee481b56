"""An agreement against its offer: what it may change, and every way to permit more."""

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.directory.rules.policy.refining import judge_refinement
from tests.relay.services.directory.rules.policy.policies import (
    DELETE,
    FOR_RESEARCH,
    TEN_TIMES,
    TREES,
    UNTIL,
    agreement,
    constraint,
    offer,
    permission,
    policy,
)

SOONER = {"action": "delete", "constraint": [constraint("elapsedTime", "lteq", "P10D")]}
LATER = {"action": "delete", "constraint": [constraint("elapsedTime", "lteq", "P31D")]}
FOREIGN_DUTY = {"action": "attribute", "constraint": [constraint("weather", "eq", "fine")]}


def refine(agreed, offered=None):
    judge_refinement(VERIFY, policy(agreed), policy(offer() if offered is None else offered), TREES)


@pytest.mark.parametrize(
    "permissions",
    [
        [permission(UNTIL, FOR_RESEARCH, TEN_TIMES)],
        [permission(UNTIL, FOR_RESEARCH, constraint("count", "lt", 10))],
        [permission(UNTIL, constraint("purpose", "eq", "urn:medical"), TEN_TIMES)],
        [permission(UNTIL, FOR_RESEARCH, TEN_TIMES, action="read")],
        [permission(UNTIL, FOR_RESEARCH, TEN_TIMES, constraint("spatial", "eq", "urn:place:beijing"))],
        [permission({"or": [constraint("count", "eq", 3), constraint("count", "eq", 7)]}, UNTIL, FOR_RESEARCH)],
        [permission(UNTIL, FOR_RESEARCH, TEN_TIMES, duty=[SOONER, DELETE])],
        [permission(UNTIL, FOR_RESEARCH, TEN_TIMES)] * 2,
        [],
    ],
)
def test_an_agreement_may_permit_less(permissions):
    refine(agreement(permission=permissions))


def test_an_agreement_may_forbid_more():
    refine(agreement(prohibition=[{"action": "distribute"}, {"action": "sell"}]))
    refine(agreement(prohibition=[{"action": "use"}]))


@pytest.mark.parametrize(
    ("permissions", "says"),
    [
        ([permission(UNTIL, FOR_RESEARCH)], "count"),
        ([permission(UNTIL, FOR_RESEARCH, constraint("count", "lteq", 11))], "count 11"),
        ([permission(UNTIL, FOR_RESEARCH, constraint("count", "gteq", 10))], "count 11"),
        ([permission(UNTIL, FOR_RESEARCH, constraint("count", "neq", 10))], "count"),
        ([permission(UNTIL, TEN_TIMES)], "purpose"),
        (
            [permission(UNTIL, TEN_TIMES, constraint("purpose", "isAnyOf", ["urn:research", "urn:commercial"]))],
            "purpose",
        ),
        ([permission({"or": [UNTIL, FOR_RESEARCH]}, TEN_TIMES)], "permits what the offer does not"),
        ([permission(UNTIL, FOR_RESEARCH, TEN_TIMES, action="sell")], "sell was not offered"),
        ([permission(UNTIL, FOR_RESEARCH, TEN_TIMES, duty=[])], "delete (elapsedTime lteq P30D)"),
        ([permission(UNTIL, FOR_RESEARCH, TEN_TIMES, duty=[LATER])], "duty"),
        ([permission(UNTIL, FOR_RESEARCH, TEN_TIMES, duty=[{"action": "inform"}])], "duty"),
    ],
)
def test_attack_R1_a_permission_beyond_the_offer_is_refused(permissions, says):
    with pytest.raises(PredicateFailed) as refused:
        refine(agreement(permission=permissions))
    assert refused.value.predicate == "permissions_are_offered" and says in refused.value.reason


@pytest.mark.parametrize(
    ("change", "predicate"),
    [
        ({"target": "urn:other"}, "parties_and_target_are_those_of_the_offer"),
        ({"assigner": "did:web:other.example"}, "parties_and_target_are_those_of_the_offer"),
        ({"prohibition": []}, "prohibitions_are_kept"),
        ({"prohibition": [{"action": "sell"}]}, "prohibitions_are_kept"),
        ({"prohibition": [{"action": "distribute", "constraint": [FOR_RESEARCH]}]}, "prohibitions_are_kept"),
        (
            {"permission": [permission(UNTIL, FOR_RESEARCH, TEN_TIMES, assignee="did:web:friend.example")]},
            "rules_are_for_the_assignee_and_the_target",
        ),
        (
            {"permission": [permission(UNTIL, FOR_RESEARCH, TEN_TIMES, target="urn:other")]},
            "rules_are_for_the_assignee_and_the_target",
        ),
        (
            {"permission": [permission(UNTIL, FOR_RESEARCH, TEN_TIMES, constraint("weather", "eq", "fine"))]},
            "permissions_are_of_the_profile",
        ),
        ({"permission": [permission(UNTIL, FOR_RESEARCH, TEN_TIMES, action="fly")]}, "permissions_are_of_the_profile"),
    ],
)
def test_attack_R1_every_other_change_is_refused_by_name(change, predicate):
    with pytest.raises(PredicateFailed) as refused:
        refine(agreement(**change))
    assert refused.value.predicate == predicate


def test_attack_R1_an_offer_to_one_is_for_nobody_else():
    refine(agreement(), offer(assignee=agreement()["assignee"]))
    with pytest.raises(PredicateFailed, match="another assignee"):
        refine(agreement(), offer(assignee="did:web:other.example"))
    with pytest.raises(PredicateFailed, match="no permission for it"):
        refine(agreement(), offer(permission=[permission(UNTIL, assignee="did:web:other.example")]))


def test_attack_R1_an_offer_is_no_agreement_and_a_set_no_offer():
    with pytest.raises(PredicateFailed, match="is_an_agreement"):
        refine(offer())
    with pytest.raises(PredicateFailed, match="is_offered"):
        refine(agreement(), offer(**{"@type": "Set"}))


def test_attack_R1_obligations_and_foreign_duties_are_kept_as_they_stand():
    offered = offer(obligation=[DELETE, FOREIGN_DUTY])
    refine(agreement(obligation=[FOREIGN_DUTY, SOONER]), offered)
    for obligations in ([FOREIGN_DUTY], [SOONER, FOREIGN_DUTY | {"constraint": [constraint("weather", "eq", "foul")]}]):
        with pytest.raises(PredicateFailed, match="obligations_are_kept"):
            refine(agreement(obligation=obligations), offered)


def test_attack_R1_a_comparison_that_would_take_too_long_is_refused():
    every = [
        constraint(name, "neq", f"P{i}D")
        for i in range(1, 6)
        for name in ("elapsedTime", "timeInterval", "delayPeriod")
    ]
    wide = permission({"or": [*every, UNTIL]}, {"or": [TEN_TIMES, *every[:15]]})
    with pytest.raises(PredicateFailed, match="few_enough_combinations"):
        refine(agreement(permission=[wide]), offer(permission=[wide]))
