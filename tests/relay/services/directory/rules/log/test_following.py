"""What may follow on an entry, and what all operations of a facet say together."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.directory.rules.log.following import (
    changed_facets,
    entry_is_not_over,
    next_head,
    operation_follows,
    records_are_left,
    share_of_block_is_left,
)
from hutong.relay.services.directory.rules.log.replaying import (
    head_counts_these,
    live_entries,
    nothing_is_left_unsaid,
    replay_log,
)
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, Facet, FacetHead, FacetKind, name_code
from hutong.relay.services.directory.rules.records.publishers import DirectoryParameters, PublisherRecord, PublisherUse
from tests.relay.services.directory.rules.log.published import (
    HEALTH,
    OTHER,
    PUBLISHER,
    TRAFFIC,
    Published,
    put,
    update,
    withdraw,
)

LIVE = Published().publish(put(1)).log[0]
GONE = Published().publish(put(1), withdraw(1, 1)).log[1]


@pytest.mark.parametrize(
    ("given", "standing"),
    [(put(1), None), (update(1, 1), LIVE), (withdraw(1, 1), LIVE), (put(1, 2), GONE)],
    ids=["put", "update", "withdraw", "put again"],
)
def test_what_follows_is_taken(given, standing):
    operation_follows(given, standing)


@pytest.mark.parametrize(
    ("given", "standing"),
    [
        (put(1, 1), LIVE),
        (put(1, 0), LIVE),
        (put(1, 1), None),
        (put(1, 1), GONE),
        (update(1, 0), None),
        (update(1, 2), LIVE),
        (update(1, 2), GONE),
        (withdraw(1, 0), LIVE),
        (withdraw(1, 2), GONE),
    ],
)
def test_attack_R11_what_does_not_follow_is_refused(given, standing):
    with pytest.raises(PredicateFailed, match="operation_follows"):
        operation_follows(given, standing)


def test_an_entry_has_time_left_when_it_is_put():
    for good in (put(1), put(1, until=1_001), withdraw(1, 1)):
        entry_is_not_over(good, 1_000)
    for bad in (put(1, until=1_000), update(1, 1, until=1)):
        with pytest.raises(PredicateFailed, match="entry_is_not_over"):
            entry_is_not_over(bad, 1_000)


def test_attack_R13_a_publisher_has_a_share_of_a_block_and_a_total():
    parameters, publisher = DirectoryParameters(4, 8), PublisherRecord(b"\x11" * 20, 10, 1, 1)
    use = share_of_block_is_left(PublisherUse(9, 7, 4), parameters, 7, 4)
    assert use == PublisherUse(9, 7, 8)
    with pytest.raises(PredicateFailed, match="share_of_block_is_left"):
        share_of_block_is_left(use, parameters, 7, 1)
    assert share_of_block_is_left(use, parameters, 8, 8).operations == 8
    assert records_are_left(use, publisher, 1).records == 10
    with pytest.raises(PredicateFailed, match="records_are_left"):
        records_are_left(use, publisher, 2)
    # Who was named for fewer than it has may still withdraw.
    assert records_are_left(use, replace(publisher, records=3), 0) == use


@st.composite
def histories(draw):
    """A directory after some operations that follow, of two publishers over few entries and themes."""
    made = Published()
    for _ in range(draw(st.integers(1, 24))):
        publisher, local = draw(st.sampled_from([PUBLISHER, OTHER])), draw(st.integers(1, 3))
        standing = made.standing(publisher, local.to_bytes(32, "big"))
        version = 0 if standing is None else standing.version
        said = {
            "themes": draw(st.sampled_from([(), (TRAFFIC,), (TRAFFIC, HEALTH)])),
            "restricted": draw(st.booleans()),
            "number": draw(st.integers(1, 9)),
        }
        if standing is None or not standing.is_live:
            made.publish(put(local, version, **said), publisher=publisher)
        elif draw(st.booleans()):
            made.publish(update(local, version, **said), publisher=publisher)
        else:
            made.publish(withdraw(local, version), publisher=publisher)
    return made


@settings(max_examples=40, deadline=None)
@given(histories())
def test_heads_are_those_of_a_plain_recount(made):
    entries = replay_log(VERIFY, made.log, {})
    assert entries == made.entries
    for facet, head in made.heads.items():
        found = live_entries(made.leaves[facet], facet)
        assert found == {entry: one for entry, one in entries.items() if one.is_live and facet in one.facets}
        head_counts_these(head, found)
        if found:
            fewer = dict(list(found.items())[1:])
            with pytest.raises(PredicateFailed, match="head_counts_these"):
                head_counts_these(head, fewer)


def test_a_facet_shows_that_an_entry_left_it():
    made = Published().publish(put(1, themes=(TRAFFIC,)), update(1, 1, themes=(HEALTH,)))
    left, come = Facet(FacetKind.THEME, TRAFFIC), Facet(FacetKind.THEME, HEALTH)
    assert [one.version for one in made.leaves[left]] == [1, 2]
    assert (made.heads[left].size, made.heads[left].live) == (2, 0)
    assert (made.heads[come].size, made.heads[come].live) == (1, 1)
    assert not live_entries(made.leaves[left], left)


@pytest.mark.parametrize("change", ["drop", "swap", "double", "version", "previous", "place"])
def test_attack_R11_a_log_with_a_hole_or_a_forgery_is_refused(change):
    log = list(Published().publish(put(1), put(2), update(1, 1, number=2), withdraw(2, 1)).log)
    replay_log(VERIFY, log, {})
    match change:
        case "drop":
            del log[1]
        case "swap":
            log[0], log[1] = log[1], log[0]
        case "double":
            log.insert(2, log[1])
        case "version":
            log[2] = replace(log[2], version=3)
        case "previous":
            log[2] = replace(log[2], previous=b"\x09" * 32)
        case "place":
            log[3] = replace(log[3], sequence=9)
    with pytest.raises(PredicateFailed):
        replay_log(VERIFY, log, {})


def test_a_log_is_replayed_in_parts():
    made = Published().publish(put(1), put(2), update(1, 1, number=2), withdraw(2, 1))
    before = replay_log(VERIFY, made.log[:2], {})
    assert replay_log(VERIFY, made.log[2:], before, 2) == made.entries


def test_attack_R14_nothing_is_withheld_silently():
    made = Published().publish(put(1), put(2, restricted=True), put(3))
    entries = live_entries(made.leaves[EVERYTHING], EVERYTHING)
    first, sealed, third = (one.entry for one in made.log)
    nothing_is_left_unsaid(entries, {first, third}, {sealed})
    nothing_is_left_unsaid(entries, {first, sealed, third}, set())
    for shown, withheld, says in (
        ({first, third}, set(), "neither shown nor named"),
        ({first, sealed, third}, {sealed}, "shown and withheld"),
        ({first, third, b"\x05" * 32}, {sealed}, "not under the head"),
        ({first}, {sealed, third}, "an open entry is withheld"),
    ):
        with pytest.raises(PredicateFailed, match=says):
            nothing_is_left_unsaid(entries, shown, withheld)


def test_attack_R17_a_head_costs_as_much_however_many_facets_its_entry_has():
    """A leaf has one price, so its work may not grow with the facets of the operation."""
    themes = tuple(sorted(name_code(FacetKind.THEME, f"urn:theme:{number}") for number in range(24)))
    standing, now = Published().publish(put(1, themes=themes[:16]), update(1, 1, themes=themes[8:])).log
    changed, made = changed_facets(standing, now), []
    head = FacetHead(1, 1, 0, (standing.leaf,))

    def seen(frame, event, _argument):
        if event == "call" and frame.f_code is Facet.__post_init__.__code__:
            made.append(frame)

    sys.setprofile(seen)
    try:
        lives = [next_head(head, facet, standing, now).live for facet in changed]
    finally:
        sys.setprofile(None)
    assert made == []
    assert lives == [1 + (facet in now.facets) - (facet in standing.facets) for facet in changed]
    foreign = [Facet(FacetKind.THEME, PUBLISHER), Facet(FacetKind.PUBLISHER, OTHER), Facet(FacetKind.ORIGIN, OTHER)]
    assert not any(now.has(facet) or facet in now.facets for facet in foreign)
