"""Operators of a group: the same on every machine, within limits, and few move when one comes or goes."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.placement import GROUPS, group_of, placement_is_possible, score
from hutong.relay.services.storage.rules.records.members import Candidate, MapRecord, encode_label
from tests.relay.services.storage.rules import spec_vectors
from tests.relay.services.storage.rules.held import named


def candidate(number: int, organisation: str, site: str, weight: int = 1) -> Candidate:
    return Candidate(named(f"operator {number}"), encode_label(organisation), encode_label(site), weight)


def spread(count: int, organisations: int, sites: int) -> list[Candidate]:
    return [candidate(at, f"o{at % organisations}", f"s{at % sites}") for at in range(count)]


def mapped(candidates, data: int = 10, parity: int = 4) -> MapRecord:
    return MapRecord(1, 1, data, parity, tuple(sorted(candidates, key=lambda one: one.operator)))


def placed(placing: MapRecord, groups=range(GROUPS)) -> list[set[bytes]]:
    return [{one.operator for one in placement_is_possible(placing, group)} for group in groups]


def test_placements_of_the_page():
    page = spec_vectors.on_page("storage-placement")
    hub, writer = hub_id(page["chain_id"]), bytes.fromhex(page["writer"])
    for case in page["groups"]:
        assert group_of(hub, writer, case["sequence"]) == case["group"]
    candidates = [
        Candidate(
            bytes.fromhex(one["operator"]), encode_label(one["organisation"]), encode_label(one["site"]), one["weight"]
        )
        for one in page["candidates"]
    ]
    for case in page["placements"]:
        assert [score(case["group"], one) for one in candidates] == case["scores"]
        found = placement_is_possible(mapped(candidates), case["group"])
        assert [candidates.index(one) for one in found] == case["placed"]


@pytest.mark.parametrize("candidates", [spread(14, 5, 4), spread(40, 4, 9), spread(40, 9, 4)])
def test_no_organisation_or_site_has_more_than_the_pack_can_lose(candidates):
    placing = mapped(candidates)
    for group in range(0, GROUPS, 137):
        found = placement_is_possible(placing, group)
        assert len(set(found)) == 14
        assert max(Counter(one.organisation for one in found).values()) <= 4
        assert max(Counter(one.site for one in found).values()) <= 4


@pytest.mark.parametrize(
    ("candidates", "shape"),
    [
        (spread(13, 5, 4), (10, 4)),
        (spread(40, 3, 14), (10, 4)),
        (spread(40, 14, 3), (10, 4)),
        ([candidate(at, f"o{at // 5}", f"s{at}") for at in range(15)], (10, 4)),
        ([], (1, 1)),
    ],
)
def test_a_policy_that_operators_cannot_meet_is_refused(candidates, shape):
    with pytest.raises(PredicateFailed, match="placement_is_possible"):
        placement_is_possible(mapped(candidates, *shape), 0)
    with pytest.raises(MalformedInput):
        placement_is_possible(mapped(candidates, *shape), GROUPS)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=8),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, GROUPS - 1),
)
def test_operators_are_found_exactly_where_there_are_enough(places, data, parity, group):
    """Against every choice of so many operators."""
    candidates = [candidate(at, f"o{o}", f"s{s}") for at, (o, s) in enumerate(places)]

    def fits(chosen) -> bool:
        limits = (Counter(one.organisation for one in chosen), Counter(one.site for one in chosen))
        return all(most <= parity for counted in limits for most in counted.values())

    possible = any(map(fits, itertools.combinations(candidates, data + parity)))
    try:
        found = placement_is_possible(mapped(candidates, data, parity), group)
    except PredicateFailed:
        assert not possible
    else:
        assert possible and fits(found) and len(set(found)) == data + parity


def moved(before: list[set[bytes]], after: list[set[bytes]]) -> int:
    return sum(len(new - old) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_little_moves_when_an_operator_comes_or_goes(seed):
    """At most 1.2 times the share that the operator has after it came, or had before it went."""
    many = [replace(one, operator=named(f"{seed} {at}")) for at, one in enumerate(spread(25, 5, 4))]
    groups = range(seed, GROUPS, 16)
    fewer, more = placed(mapped(many[:24]), groups), placed(mapped(many), groups)
    share = sum(many[24].operator in group for group in more)
    assert share > 0
    assert moved(fewer, more) <= 1.2 * share
    assert moved(more, fewer) <= 1.2 * share


def test_weights_are_shares():
    """Twice the weight is first twice as often, within what chance gives 4 096 groups."""
    candidates = [candidate(0, "o0", "s0", 2), *(candidate(at, f"o{at}", f"s{at}") for at in range(1, 5))]
    placing = mapped(candidates, 1, 1)
    firsts = Counter(placement_is_possible(placing, group)[0].operator for group in range(GROUPS))
    assert 1_200 < firsts[candidates[0].operator] < 1_530  # 4 096 / 3 is 1 365
    assert all(580 < firsts[one.operator] < 790 for one in candidates[1:])  # 683
