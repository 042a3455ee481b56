"""One packet in several entries: duplicates, and proofs that cannot all be true."""

import pytest

from hutong.relay.archive.bundle import Claim
from hutong.relay.audit.period import Entry, EntryState, FindingKind
from hutong.relay.audit.period.halves import chosen_entries
from tests.relay.audit.period.test_missing import onward
from tests.relay.audit.period.test_supply import out

pytestmark = pytest.mark.safety


def entry(name: str, *legs, sha256: bytes = bytes(32)) -> Entry:
    return Entry(name, sha256, 1, EntryState.PROVEN, 1, legs, (), None, (), "")


def test_different_packets_are_no_duplicates():
    entries = [entry("a", out(1, 5)), entry("b", out(2, 5))]
    assert chosen_entries(entries) == (entries, [])


def test_the_entry_that_shows_most_counts():
    early = entry("a", out(1, 5, outcome=Claim.RECEIVED, is_settled=False))
    late = entry("b", out(1, 5), sha256=b"\1" * 32)
    chosen, (found,) = chosen_entries([early, late])
    assert chosen == [late] and found.kind is FindingKind.DUPLICATE
    assert found.entries == ("a", "b") and "different evidence" in found.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"packet_sha256": b"\1" * 32}, "two different packets"),
        ({"outcome": Claim.TIMED_OUT}, "two outcomes"),
        ({"is_error": True}, "two outcomes"),
        ({"acknowledgement_commitment": b"\1" * 32}, "two outcomes"),
    ],
)
def test_refused_proofs_that_cannot_both_be_true(changes, reason):
    _, (found,) = chosen_entries([entry("a", out(1, 5)), entry("b", out(1, 5, **changes))])
    assert found.kind is FindingKind.CONTRADICTION and reason in found.reason
    assert found.packets == ("1/client-0/1",)


def test_refused_one_packet_sent_on_twice():
    _, (found,) = chosen_entries([entry("a", *onward(1, 11)), entry("b", *onward(1, 12))])
    assert found.kind is FindingKind.CONTRADICTION and "sent on twice" in found.reason
    assert set(found.packets) == {"1/client-0/1", "hub-1/bft-evm-1/11", "hub-1/bft-evm-1/12"}
