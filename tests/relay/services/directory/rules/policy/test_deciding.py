"""Decisions: what is permitted, what is not, and what is never permitted because it is not known."""

from fractions import Fraction

import pytest

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.directory.rules.policy.deciding import decide, request_is_permitted, why_not
from hutong.relay.services.directory.rules.policy.truth import Truth, all_of, any_of, one_of
from hutong.relay.services.directory.rules.policy.vocabulary import Enforcement
from tests.relay.services.directory.rules.policy.policies import (
    DELETE,
    END,
    TREES,
    agreement,
    constraint,
    offer,
    permission,
    policy,
    request,
)

AGREED = policy(agreement())


def test_a_request_within_the_agreement_is_permitted():
    report = request_is_permitted(AGREED, request(), TREES)
    assert report.permitted
    labels = {premise.enforcement for one in report.rules for premise in one.premises}
    assert labels == set(Enforcement)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"party": "did:web:mallory.example"}, "assignee"),
        ({"target": "urn:other"}, "target"),
        ({"action": "sell"}, "action is use"),
        ({"action": "distribute"}, "prohibition"),
        ({"action": "use"}, "prohibition"),
        ({"purpose": "urn:advertising"}, "purpose isAnyOf urn:research is false"),
        ({"purpose": "urn:unlisted"}, "is unknown"),
        ({"purpose": None}, "nothing is known"),
        ({"time_ns": None}, "nothing is known"),
        ({"time_ns": 1_798_761_600 * 10**9 + 1}, "dateTime lteq"),
        ({"used_before": 10}, "count lteq 10 is false: the request has 11"),
        ({"used_before": None}, "nothing is known"),
        ({"revoked": True}, "revoked"),
    ],
)
def test_attack_R2_every_other_request_is_denied(change, says):
    assert END == "2027-01-01T00:00:00Z"
    with pytest.raises(PredicateFailed) as refused:
        request_is_permitted(AGREED, request(**change), TREES)
    assert says in refused.value.reason


def test_the_last_use_and_the_last_moment_are_permitted():
    assert decide(AGREED, request(used_before=9, time_ns=1_798_761_600 * 10**9), TREES).permitted


def test_attack_R2_an_offer_permits_nothing():
    report = decide(policy(offer()), request(), TREES)
    assert not report.permitted
    assert "an offer is not an agreement" in why_not(report)


def test_attack_R2_foreign_words_never_permit_and_always_forbid():
    foreign = constraint("weather", "eq", "fine")
    assert not decide(policy(agreement(permission=[permission(foreign)])), request(), TREES).permitted
    assert not decide(policy(agreement(permission=[permission({"or": [foreign]})])), request(), TREES).permitted
    forbidding = agreement(prohibition=[{"action": "read", "constraint": [foreign]}])
    assert not decide(policy(forbidding), request(), TREES).permitted
    assert decide(
        policy(agreement(permission=[permission(duty=[DELETE | {"constraint": foreign}])])), request(), TREES
    ).permitted


def test_attack_R2_what_may_be_the_forbidden_purpose_is_denied():
    excluding = agreement(permission=[permission(constraint("purpose", "isNoneOf", ["urn:advertising"]))])
    decided = {
        purpose: decide(policy(excluding), request(purpose=purpose), TREES).permitted
        for purpose in ("urn:research", "urn:advertising", "urn:commercial", "urn:unlisted")
    }
    assert decided == {
        "urn:research": True,
        "urn:advertising": False,
        "urn:commercial": False,
        "urn:unlisted": False,
    }


def test_amounts_are_judged_in_their_own_asset():
    paying = policy(agreement(permission=[permission(constraint("payAmount", "gteq", "12.50", unit="urn:yuan"))]))
    held = {"urn:yuan": Fraction("12.5")}
    assert decide(paying, request(held=held), TREES).permitted
    assert not decide(paying, request(held={"urn:yuan": Fraction("12.49")}), TREES).permitted
    assert not decide(paying, request(held={"urn:other": Fraction(100)}), TREES).permitted


def test_a_breach_on_record_suspends_its_permission():
    ((duty,),) = (one.duties for one in AGREED.permissions)
    assert not decide(AGREED, request(breached=frozenset({duty.written})), TREES).permitted
    assert decide(AGREED, request(breached=frozenset({"another"})), TREES).permitted


def test_three_values_are_joined_as_they_must():
    true, false, unknown = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
    assert [all_of(some) for some in ([], [true, unknown], [unknown, false])] == [true, unknown, false]
    assert [any_of(some) for some in ([], [false, unknown], [unknown, true])] == [false, unknown, true]
    assert [one_of(some) for some in ([true, false], [true, true, unknown], [true, unknown], [false])] == [
        true,
        false,
        unknown,
        false,
    ]
