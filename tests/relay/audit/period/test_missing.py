"""Gaps between the first and the last of each sender, as rows, with what unproven entries claim standing apart."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.audit import Auditor
from hutong.relay.audit.period import EntryState, FindingKind, PacketId, judge_entry, unreadable_entry
from hutong.relay.audit.period.missing import missing_findings, sent_ranges
from tests.relay.audit.period.test_supply import home, out


def legs_of(sequences):
    return [out(sequence, 1) for sequence in sequences]


def onward(first: int, second: int):
    leg = home(second, 1)
    return out(first, 1), replace(leg, packet_id=PacketId("hub-1", "bft-evm-1", second))


def named(sequences, pairs=(), unproven=()):
    legs = [*legs_of(sequences), *(second for _, second in pairs)]
    findings, explained = missing_findings(sent_ranges(legs), pairs, unproven)
    assert all(finding.kind is FindingKind.MISSING for finding in findings)
    return [finding.packets for finding in findings], explained


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(1, 60), min_size=1))
def test_gaps_are_what_lies_between(sequences):
    (sent,) = sent_ranges(legs_of(sequences))
    inside = {n for first, last in sent.gaps for n in range(first, last + 1)}
    assert inside == set(range(min(sequences), max(sequences) + 1)) - sequences
    assert sent.is_whole_from_the_start == (sequences == set(range(1, max(sequences) + 1)))


def test_rows_are_cut_at_what_unproven_entries_claim():
    entry = unreadable_entry("1-client-0-5.bundle.json", "gone")
    assert entry.claimed == (PacketId("1", "client-0", 5),)
    found, explained = named([1, 9], unproven=[entry])
    assert found == [("1/client-0/2..4",), ("1/client-0/6..8",)]
    assert explained == {entry.name: ["1/client-0/5"]}


def test_claims_outside_the_gaps_explain_nothing():
    entry = unreadable_entry("1-client-0-9.bundle.json", "gone")
    assert named([1, 2, 4], unproven=[entry]) == ([("1/client-0/3",)], {})


def test_a_missing_packet_and_what_the_hub_made_of_it_are_one_where_the_order_shows_it():
    pairs = [onward(first, first + 10) for first in (1, 2, 4, 5)]
    assert named([1, 2, 4, 5], pairs)[0] == [("1/client-0/3", "hub-1/bft-evm-1/13")]


def test_two_that_the_order_does_not_tell_apart_stand_alone():
    pairs = [onward(1, 11), onward(6, 14)]
    found = named([1, 3, 6], pairs)[0]
    assert found == [("1/client-0/2",), ("1/client-0/4..5",), ("hub-1/bft-evm-1/12..13",)]
    crossed = [onward(1, 11), onward(5, 13)]
    assert named([1, 3, 5], crossed)[0] == [("1/client-0/2",), ("1/client-0/4",), ("hub-1/bft-evm-1/12",)]


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda tail: b'{"format":"hutong-bundle"' + tail)))
def test_any_bytes_are_an_entry(data):
    entry = judge_entry(Auditor([], 0), "x.bundle.json", data)
    assert entry.state is EntryState.REFUSED and entry.failure.predicate == "bundle_is_canonical"


def test_damaged_claims_are_read_in_linear_time():
    """Every byte is looked at a bounded number of times, whatever the file looks like."""
    data = b'"destination_chain_id":"a","packet":"AA==",' * 200_000
    assert judge_entry(Auditor([], 0), "x", data).claimed == ()
