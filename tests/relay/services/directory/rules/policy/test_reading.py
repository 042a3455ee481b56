"""Policies from JSON: what is one meaning, what is none, and what is refused."""

import json

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.policy.constraint import Foreign
from hutong.relay.services.directory.rules.policy.policy import foreign_terms
from hutong.relay.services.directory.rules.policy.reading import read_policy
from hutong.relay.services.directory.rules.policy.values import NameTree
from hutong.relay.services.directory.rules.policy.vocabulary import ODRL, PROFILE
from tests.relay.services.directory.rules.policy.policies import (
    AGREED,
    UNTIL,
    agreement,
    constraint,
    offer,
    permission,
    policy,
)


@pytest.mark.parametrize(
    "same",
    [
        {"permission": permission(UNTIL)},
        {"odrl:permission": [permission(UNTIL)]},
        {"permission": [permission(UNTIL, action="odrl:use")]},
        {"permission": [permission(UNTIL, action={"@id": ODRL + "use"})]},
        {"permission": [permission(UNTIL) | {"@type": "Permission", "@id": "urn:label"}]},
        {
            "permission": [
                permission(constraint("dateTime", "lteq", {"@value": UNTIL["rightOperand"], "@type": "xsd:dateTime"}))
            ]
        },
        {"permission": [permission({"and": [UNTIL]})["constraint"] and permission(UNTIL)]},
    ],
)
def test_one_meaning_has_one_hash(same):
    plain = offer(permission=[permission(UNTIL)])
    spelled = {name: value for name, value in offer().items() if name != "permission"} | same
    assert policy(spelled).hash == policy(plain).hash


def test_attack_R3_another_meaning_has_another_hash():
    hashes = {
        policy(document).hash
        for document in (
            offer(),
            offer(prohibition=[]),
            offer(permission=[permission(UNTIL)]),
            offer(permission=[permission(constraint("dateTime", "lt", UNTIL["rightOperand"]))]),
            offer(permission=[permission(UNTIL, duty=[])]),
            offer(target="urn:other"),
            agreement(),
        )
    }
    assert len(hashes) == 7


@pytest.mark.parametrize("name", ["target", "assigner", *sorted(AGREED.keys() - {"@type"})])
def test_attack_R3_an_agreement_without_a_party_is_refused(name):
    with pytest.raises(MalformedInput) as refused:
        policy({key: value for key, value in agreement().items() if key != name})
    assert refused.value.field == f"policy.{name}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"profile": "urn:other"}, "policy.profile"),
        ({"@type": "Ticket"}, "policy.@type"),
        ({"inheritFrom": "urn:other"}, "policy.inheritFrom"),
        ({"conflict": "perm"}, "policy.conflict"),
        ({"permission": [{"action": ["use", "sell"]}]}, "policy.permission[0].action"),
        ({"permission": [{"constraint": []}]}, "policy.permission[0].action"),
        ({"permission": [permission(UNTIL) | {"@type": "Prohibition"}]}, "policy.permission[0].@type"),
        ({"permission": [permission(UNTIL, remedy=[])]}, "policy.permission[0].remedy"),
        ({"prohibition": [{"action": "sell", "duty": []}]}, "policy.prohibition[0].duty"),
        ({"permission": [permission(UNTIL)] * 17}, "policy.permission"),
        ({"permission": [permission(*[UNTIL] * 17)]}, "policy.permission[0].constraint"),
        ({"permission": [permission({"and": [UNTIL], "or": [UNTIL]})]}, "policy.permission[0].constraint[0]"),
        ({"permission": [permission({"or": []})]}, "policy.permission[0].constraint[0].or"),
        ({"permission": [permission(), permission()], "odrl:permission": []}, "policy.permission"),
        ({"permission": [permission(constraint("dateTime", "lteq", "2027-01-01"))]}, "constraint.dateTime"),
        ({"permission": [permission(constraint("dateTime", "lteq", "2027-01-01T00:00:00"))]}, "constraint.dateTime"),
        ({"permission": [permission(constraint("elapsedTime", "lteq", "P1M"))]}, "constraint.elapsedTime"),
        ({"permission": [permission(constraint("count", "lteq", -1))]}, "constraint.count"),
        ({"permission": [permission(constraint("count", "lteq", 1.5))]}, "constraint.count"),
        ({"permission": [permission(constraint("count", "lteq", [1, 2]))]}, "constraint.count"),
        (
            {"permission": [permission(constraint("count", "lteq", True))]},
            "policy.permission[0].constraint[0].rightOperand",
        ),
        ({"permission": [permission(constraint("purpose", "eq", "urn:a b"))]}, "constraint.purpose"),
    ],
)
def test_attack_R3_what_the_profile_does_not_have_is_refused(change, field):
    with pytest.raises(MalformedInput) as refused:
        policy(offer() | change)
    assert refused.value.field == field


def test_attack_R3_a_policy_has_bounds():
    nested = UNTIL
    for _ in range(6):
        nested = {"or": [nested]}
    with pytest.raises(MalformedInput, match="deep"):
        policy(offer(permission=[permission(nested)]))
    with pytest.raises(MalformedInput, match="more than 65536 bytes"):
        read_policy(json.dumps(offer(target="urn:" + "a" * 70_000)).encode())
    with pytest.raises(MalformedInput, match="repeats the name"):
        read_policy(f'{{"profile": "{PROFILE}", "profile": "{PROFILE}"}}'.encode())


@pytest.mark.parametrize(
    "foreign",
    [
        constraint("weather", "eq", "fine"),
        constraint("count", "isA", 1),
        constraint("count", "lteq", 1, unit="urn:unit"),
        constraint("payAmount", "gteq", "5"),
        constraint("count", "lteq", 1, status=3),
    ],
)
def test_words_outside_of_the_profile_are_kept_and_named(foreign):
    (read,) = policy(offer(permission=[permission(foreign)])).permissions
    (term,) = foreign_terms(read)
    assert isinstance(term, Foreign) and json.loads(term.written)["leftOperand"] == foreign["leftOperand"]


@pytest.mark.parametrize(
    "above", [{"urn:a": "urn:b"}, {"urn:a": "urn:b", "urn:b": "urn:a"}, {f"urn:{i}": None for i in range(1_025)}]
)
def test_attack_R3_hierarchies_without_a_top_are_refused(above):
    with pytest.raises(MalformedInput):
        NameTree(above)
