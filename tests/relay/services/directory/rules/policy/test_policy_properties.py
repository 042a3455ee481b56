"""What holds for every policy: drawn agreements, offers and requests, judged against one another."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, VerificationError
from hutong.relay.services.directory.rules.policy.comparing import compatible, way_out
from hutong.relay.services.directory.rules.policy.deciding import decide
from hutong.relay.services.directory.rules.policy.reading import MAX_POLICY_BYTES, read_policy
from hutong.relay.services.directory.rules.policy.refining import judge_refinement
from hutong.relay.services.directory.rules.policy.truth import Truth
from tests.relay.services.directory.rules.policy.policies import (
    TREES,
    as_offer,
    drawn_agreement,
    drawn_condition,
    drawn_request,
    drawn_rule,
    parsed,
)

SEEDS = st.integers(0, 2**64 - 1)
REQUESTS = 12


def is_refined(agreed, offered):
    try:
        judge_refinement(VERIFY, agreed, offered, TREES)
    except VerificationError:
        return False
    return True


def adding_a_constraint_never_permits_more(seed):
    random = Random(seed)
    document = drawn_agreement(random)
    before = parsed(document)
    random.choice(document["permission"])["constraint"].append(drawn_condition(random))
    after = parsed(document)
    for _ in range(REQUESTS):
        asked = drawn_request(random)
        assert decide(before, asked, TREES).permitted or not decide(after, asked, TREES).permitted


def adding_a_prohibition_never_permits_more(seed):
    random = Random(seed)
    document = drawn_agreement(random)
    before = parsed(document)
    document["prohibition"].append(drawn_rule(random))
    after = parsed(document)
    for _ in range(REQUESTS):
        asked = drawn_request(random)
        assert decide(before, asked, TREES).permitted or not decide(after, asked, TREES).permitted


def what_refines_permits_a_subset(seed):
    random = Random(seed)
    first = drawn_agreement(random)
    second = drawn_agreement(random)
    if random.random() < 0.8:  # related ones: the first with something added, exchanged or left out
        second["permission"] = [dict(one, constraint=list(one["constraint"])) for one in first["permission"]]
        second["prohibition"] = list(first["prohibition"])
        random.choice(second["permission"])["constraint"].append(drawn_condition(random))
        if random.random() < 0.3:
            random.choice(second["permission"])["constraint"][:1] = []
    agreed, offered = parsed(second), parsed(as_offer(first))
    made = parsed(first)
    if is_refined(agreed, offered):
        for _ in range(REQUESTS):
            asked = drawn_request(random)
            assert decide(made, asked, TREES).permitted or not decide(agreed, asked, TREES).permitted


def spelling_makes_no_difference(seed):
    random = Random(seed)
    document = drawn_agreement(random)
    other = respelled(document, random)
    first, second = parsed(document), read_policy(json.dumps(other).encode())
    assert first.hash == second.hash and first.canonical == second.canonical


def every_policy_without_foreign_words_refines_itself(seed):
    random = Random(seed)
    document = json.loads(json.dumps(drawn_agreement(random)).replace('"weather"', '"language"'))
    assert is_refined(parsed(document), parsed(as_offer(document)))


def comparisons_agree_with_one_another(seed):
    random = Random(seed)
    one, other = (
        parsed(drawn_agreement(random) | {"permission": [drawn_rule(random)]}).permissions[0].conditions
        for _ in range(2)
    )
    assert compatible(one, other, TREES) is compatible(other, one, TREES)
    assert way_out((*one, *other), one, TREES) is None
    if way_out(one, other, TREES) is None and compatible(one, (), TREES) is Truth.TRUE:
        assert compatible(one, other, TREES) is not Truth.FALSE


PROPERTIES = (
    adding_a_constraint_never_permits_more,
    adding_a_prohibition_never_permits_more,
    what_refines_permits_a_subset,
    spelling_makes_no_difference,
    every_policy_without_foreign_words_refines_itself,
    comparisons_agree_with_one_another,
)


def respelled(value, random: Random):
    """The same in another spelling: prefixes, nodes, single values, another order."""
    if isinstance(value, list):
        items = [respelled(one, random) for one in value]
        random.shuffle(items)
        return items[0] if len(items) == 1 and random.random() < 0.5 else items
    if not isinstance(value, dict):
        return value
    out = {}
    for name, member in value.items():
        spelled = respelled(member, random)
        if name in ("action", "leftOperand", "operator") and random.random() < 0.5:
            spelled = random.choice([f"odrl:{member}", {"@id": f"http://www.w3.org/ns/odrl/2/{member}"}])
        key = f"odrl:{name}" if name in ("permission", "constraint", "action") and random.random() < 0.3 else name
        out[key] = spelled
    return out


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda one: one.__name__)
@given(seed=SEEDS)
@settings(max_examples=8, deadline=None)
def test_property_holds_for_drawn_policies(holds, seed):
    holds(seed)


@pytest.mark.long
@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda one: one.__name__)
def test_property_holds_for_many_drawn_policies(holds):
    for seed in range(600):
        holds(seed)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=15, deadline=None)
def test_attack_R3_bytes_are_a_policy_or_are_refused(data):
    with pytest.raises(MalformedInput):
        read_policy(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["@id", "@type", "action", "constraint", "leftOperand", "operator", "rightOperand", "and", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["permission", "prohibition", "obligation", "target", "assignee"]), JSON))
@settings(max_examples=15, deadline=None)
def test_attack_R3_json_is_a_policy_or_is_refused(members):
    document = {"@type": "Set", "profile": "urn:hutong:odrl:1"} | members
    try:
        read = read_policy(json.dumps(document).encode())
    except MalformedInput:
        return
    assert read_policy(read.canonical).hash == read.hash and len(read.canonical) <= MAX_POLICY_BYTES


def main() -> None:
    """`python -m tests.relay.services.directory.rules.policy.test_policy_properties 100000`: as many cases of each property."""
    import sys

    for holds in PROPERTIES:
        for seed in range(int(sys.argv[1])):
            holds(seed)
        print(f"{holds.__name__}: {sys.argv[1]} cases, no counter-example", flush=True)


if __name__ == "__main__":
    main()
