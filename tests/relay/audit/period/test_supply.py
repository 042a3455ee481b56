"""Conservation by proven transfers alone: held, violated only where nothing can account for it, else undetermined."""

from dataclasses import replace

import pytest

from hutong.relay.archive.bundle import Claim
from hutong.relay.archive.checkpoint import Remote
from hutong.relay.audit.period.entries import Application, LegFacts, PacketId, Tokens, unreadable_entry
from hutong.relay.audit.period.missing import sent_ranges
from hutong.relay.audit.period.supply import Conservation, supply_lines, token_at_home

CLIENTS = {
    "1": {"client-0": Remote("hub-1", "bft-evm-0")},
    "hub-1": {"bft-evm-0": Remote("1", "client-0"), "bft-evm-1": Remote("2", "client-0")},
    "2": {"client-0": Remote("hub-1", "bft-evm-1")},
}


def out(sequence: int, amount: int, **fields) -> LegFacts:
    """1 sends its own token `t` to the hub."""
    leg = LegFacts(
        PacketId("1", "client-0", sequence),
        "hub-1",
        "bft-evm-0",
        bytes(32),
        Claim.ACKNOWLEDGED,
        is_settled=True,
        is_error=False,
        application=Application.TRANSFER,
        tokens=(Tokens("t", amount, is_returning=False),),
    )
    return replace(leg, **fields)


def home(sequence: int, amount: int, **fields) -> LegFacts:
    """The hub sends it home."""
    tokens = (Tokens("transfer/bft-evm-0/t", amount, is_returning=True),)
    leg = replace(out(1, 1), packet_id=PacketId("hub-1", "bft-evm-0", sequence), tokens=tokens)
    return replace(leg, destination_chain_id="1", destination_client="client-0", **fields)


def line(*legs: LegFacts):
    (found,) = supply_lines(legs, sent_ranges(legs), CLIENTS)
    return found


def test_held_up_to_the_last_unit():
    found = line(out(1, 70), out(2, 30), home(1, 100))
    assert (found.sent, found.came_home, found.conservation, found.unexplained) == (100, 100, Conservation.HELD, 0)
    assert (found.chain_id, found.client_id, found.denom, found.token) == ("1", "client-0", "t", "1/t")


def test_refused_one_unit_too_many_where_every_packet_is_here():
    found = line(out(1, 70), out(2, 30), home(1, 101))
    assert (found.conservation, found.unexplained) == (Conservation.VIOLATED, 1)


@pytest.mark.parametrize("sequences", [(2, 3), (1, 3)])
def test_undetermined_where_earlier_packets_or_a_gap_may_account_for_it(sequences):
    first, second = sequences
    found = line(out(first, 70), out(second, 30), home(1, 101))
    assert (found.conservation, found.unexplained) == (Conservation.UNDETERMINED, 1)


OPEN = {"outcome": Claim.RECEIVED, "is_settled": False}


@pytest.mark.parametrize("legs", [(out(1, 70), out(2, 30, **OPEN), home(1, 100)), (out(1, 70), home(1, 71, **OPEN))])
def test_undetermined_while_what_is_open_decides(legs):
    """What is open may have left for good, or come home, or neither: it shows nothing either way."""
    found = line(*legs)
    assert found.conservation is Conservation.UNDETERMINED and "open" in found.reason


def test_held_where_what_is_open_does_not_matter():
    found = line(out(1, 70), out(2, 30, **OPEN), home(1, 40), home(2, 30, **OPEN))
    assert (found.conservation, found.reason) == (Conservation.HELD, "")


def test_undetermined_where_a_return_is_missing():
    found = line(out(1, 70), home(1, 5), home(3, 5))
    assert found.conservation is Conservation.UNDETERMINED and "missing among those of hub-1/bft-evm-0" in found.reason
    outward = line(out(1, 70), out(3, 30), home(1, 70))
    assert outward.conservation is Conservation.HELD  # of what was sent, at least as much is here


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        ((), Conservation.UNDETERMINED),
        ((PacketId("hub-1", "bft-evm-0", 2),), Conservation.UNDETERMINED),
        ((PacketId("2", "client-0", 7),), Conservation.UNDETERMINED),
        ((PacketId("2", "client-0", 7), PacketId("hub-1", "bft-evm-1", 9)), Conservation.HELD),
        ((PacketId("unknown", "client-0", 7),), Conservation.UNDETERMINED),
        ((PacketId("hub-1", "bft-evm-0", 1),), Conservation.HELD),
        ((PacketId("hub-1", "bft-evm-1", 2),), Conservation.HELD),
    ],
    ids=["unreadable", "a return", "sent on as a return", "elsewhere", "unknown chain", "proven by another", "outward"],
)
def test_undetermined_where_an_entry_that_is_not_proven_may_be_a_return(claimed, expected):
    entry = replace(unreadable_entry("x", "gone"), claimed=claimed)
    legs = [out(1, 70), home(1, 5)]
    (found,) = supply_lines(legs, sent_ranges(legs), CLIENTS, [entry])
    assert found.conservation is expected and ("not proven" in found.reason) == (expected is not Conservation.HELD)


def test_violated_whatever_else_is_missing():
    found = line(out(1, 70), home(1, 71), home(3, 5))
    assert (found.conservation, found.reason) == (Conservation.VIOLATED, "")


def test_what_failed_has_not_arrived():
    for failure in ({"is_error": True}, {"outcome": Claim.TIMED_OUT}):
        refunded = out(2, 30, **failure)
        found = line(out(1, 70), refunded, home(1, 71))
        assert (found.sent, found.sent_back, found.conservation) == (70, 30, Conservation.VIOLATED)
        came = line(out(1, 70), home(1, 71, **failure))
        assert (came.came_home, came.home_failed, came.conservation) == (0, 71, Conservation.HELD)


def test_each_client_and_denomination_stands_alone():
    """What went out over one client cannot come home over another."""
    elsewhere = replace(home(1, 5), destination_client="client-1")
    lines = supply_lines([out(1, 70), elsewhere], sent_ranges([out(1, 70)]), CLIENTS)
    assert [(one.client_id, one.conservation) for one in lines] == [
        ("client-0", Conservation.HELD),
        ("client-1", Conservation.UNDETERMINED),
    ]


@pytest.mark.parametrize(
    ("chain_id", "denom", "expected"),
    [
        ("1", "t", "1/t"),
        ("2", "transfer/client-0/transfer/bft-evm-0/t", "1/t"),
        ("hub-1", "transfer/bft-evm-1/t", "2/t"),
        ("2", "transfer/client-9/t", "2/transfer/client-9/t"),
        ("2", "other/client-0/t", "2/other/client-0/t"),
        ("2", "///", "2////"),
    ],
)
def test_tokens_are_named_by_their_home(chain_id, denom, expected):
    assert token_at_home(chain_id, denom, CLIENTS) == expected
