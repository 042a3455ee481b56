"""The explorer's pure modules, in the browser that runs them: values as people read them, and a message's way as milestones."""

import sys
import unicodedata

import pytest

pytestmark = pytest.mark.nodes

START = "2026-11-26T04:00:0{}.000Z"


@pytest.fixture(scope="module")
def call(world, browser):
    """`call(module, function, *arguments)`."""
    page = browser.new_page()
    page.goto(world.url)
    yield lambda module, name, *arguments: page.evaluate(
        "async ([module, name, given]) => (await import(`${location.origin}/${module}.js`))[name](...given)",
        [module, name, list(arguments)],
    )
    page.close()


@pytest.mark.parametrize(
    ("amount", "decimals", "words"),
    [
        ("0", 18, "0"),
        ("1000000000000000000", 18, "1"),
        ("12500000000000000000000", 18, "12,500"),
        ("1", 18, "0.000000000000000001"),
        ("415000000000000", 18, "0.000415"),
        ("1000000000000000058", 18, "1.000000…"),
        ("1234567", 6, "1.234567"),
        ("115792089237316195423570985008687907853269984665640564039457584007913129639935", 0,
         "115,792,089,237,316,195,423,570,985,008,687,907,853,269,984,665,640,564,039,457,584,007,913,129,639,935"),
    ],
)  # fmt: skip
def test_amounts_are_exact_or_say_that_they_are_cut(call, amount, decimals, words):
    assert call("format", "units", amount, decimals) == words


def test_trial_T14_an_amount_with_room_is_exact(call):
    assert call("format", "units", "1000000000000000058", 18, {"exact": True}) == "1.000000000000000058"
    assert call("format", "units", "1", 18, {"exact": True}) == "0.000000000000000001"


def test_amounts_without_decimals_and_fees_without_a_coin(call):
    assert call("format", "large", "999999999") == "999,999,999"
    assert call("format", "large", "86000000000000000000") == "8.6×10¹⁹"
    assert call("format", "fee", "0", "evm") == "0"
    assert call("format", "fee", "2000000000000000", "evm") == "0.002"
    assert call("format", "fee", "2000", "cosmos") == "2,000 smallest units"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0 s"), (2.54, "2.5 s"), (59.9, "59 s"), (250, "4 min 10 s"), (3_600, "1 h"), (1_209_599, "13 d 23 h")],
)
def test_durations_have_two_units_at_most(call, seconds, words):
    assert call("format", "duration", seconds) == words


def test_relative_times_look_back_and_ahead(call):
    assert call("format", "relative", -200) == "3 min ago"
    assert call("format", "relative", 7_300) == "in 2 h"
    assert call("format", "relative", 0.4) == "just now"


def test_attack_no_mark_that_hides_or_turns_text_stays_unseen(call):
    hidden = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp")
    ]
    shown = call("format", "visible", "".join(hidden))
    assert len(hidden) > 150
    assert not set(shown) & set(hidden)
    assert call("format", "visible", "plain text, 中文, émile") == "plain text, 中文, émile"


def message(*events, state="open", via="hub", **fields):
    return {
        "app": "message", "legs": ["alpha/client-0/1", "hub/bft-evm-1/1"],
        "id": "alpha/client-0/1", "state": state, "via": via, "sent_at": START.format(0), "sent_transaction": "0x1",
        "source": {"chain": "alpha", "client": "client-0"}, "destination": {"chain": "beta", "client": "client-0"},
        "timeline": list(events), **fields,
    }  # fmt: skip


def event(leg, kind, step, second, **fields):
    empty = dict.fromkeys(("height", "block_time", "transaction", "reason", "gas_used", "fee_wei"))
    at = START.format(second)
    return {"leg": leg, "kind": kind, "step": step, "at": at, "first_at": at, "count": 1, **empty, **fields}


def way(call, one):
    return [(each["title"], each["standing"]) for each in call("timeline", "milestones", one)]


def test_a_fresh_message_has_its_whole_way_ahead(call):
    assert way(call, message()) == [
        ("Sent on alpha", "done"),
        ("Received by hub, sent on", "moving"),
        ("Received on beta", "ahead"),
        ("Answer received by hub", "ahead"),
        ("Confirmed on alpha", "ahead"),
    ]


def test_a_direct_message_has_no_hub(call):
    one = message(event(1, "receive", "included", 1, block_time=START.format(1)), via=None)
    assert way(call, one) == [("Sent on alpha", "done"), ("Received on beta", "done"), ("Confirmed on alpha", "moving")]


def test_a_second_leg_that_is_late_comes_home_by_its_timeout(call):
    one = message(
        event(1, "receive", "included", 1),
        event(2, "receive", "expired", 2, reason="beta is past the packet's timeout"),
        event(2, "timeout", "included", 3),
        event(1, "acknowledge", "included", 4),
        state="timed_out",
    )
    assert way(call, one) == [
        ("Sent on alpha", "done"),
        ("Received by hub, sent on", "done"),
        ("Not received by beta in time", "failed"),
        ("Timeout proven on hub", "done"),
        ("Failure told on alpha", "done"),
    ]
    assert way(call, one | {"app": "transfer"})[-1] == ("Given back on alpha", "done")


RETRIED = {"reason": "IBCInvalidTimeoutTimestamp"}


@pytest.mark.parametrize(
    "events",
    [
        (event(2, "receive", "retried", 2, **RETRIED), event(2, "timeout", "included", 3)),
        (event(2, "receive", "expired", 1), event(2, "receive", "retried", 2, **RETRIED)),
        (event(2, "receive", "seen", 2), event(2, "timeout", "included", 3)),
        (event(2, "receive", "retried", 2, **RETRIED), event(2, "timeout", "superseded", 3)),
    ],
)
def test_trial_T5_a_leg_that_timed_out_was_not_received_whatever_its_last_step(call, events):
    one = message(
        event(1, "receive", "included", 1), *events, event(1, "acknowledge", "included", 4), state="timed_out"
    )
    assert way(call, one)[1:3] == [("Received by hub, sent on", "done"), ("Not received by beta in time", "failed")]


def test_trial_T5_a_timeout_on_its_way_home_is_not_called_a_delivery(call):
    one = message(
        event(1, "receive", "included", 1), event(2, "receive", "retried", 2), event(2, "timeout", "included", 3)
    )
    assert ("Not received by beta in time", "failed") in way(call, one)
    first = message(
        event(1, "receive", "retried", 2), event(1, "timeout", "included", 3), state="timed_out", legs=["a"]
    )
    assert way(call, first)[1] == ("Not received by hub in time", "failed")


def test_trial_T5_what_another_relay_received_is_not_late(call):
    """Its own try came after the timeout, and its job to time it out ended because the packet was there."""
    one = message(
        event(1, "receive", "included", 1), event(2, "receive", "retried", 2), event(2, "timeout", "superseded", 3)
    )
    assert way(call, one)[2] == ("Received on beta", "waiting")


EXPIRED = {"reason": "beta is past the packet's timeout"}


@pytest.mark.parametrize(
    "events",
    [
        # The relay's last try ended after the timeout was proven; the scheduler had noted that it was late.
        (event(2, "receive", "expired", 2, **EXPIRED), event(2, "receive", "retried", 8, **RETRIED),
         event(2, "timeout", "queued", 2), event(2, "timeout", "included", 4, block_time=START.format(3))),
        # A ledger of before has the timeout alone.
        (event(2, "receive", "retried", 8, **RETRIED), event(2, "timeout", "queued", 2),
         event(2, "timeout", "included", 4, block_time=START.format(3))),
        # It was noted again after each restart.
        (event(2, "receive", "expired", 9, first_at=START.format(2), **EXPIRED),
         event(2, "timeout", "included", 4, block_time=START.format(3))),
        # The block that proves it is older than all that this relay noted.
        (event(2, "receive", "expired", 5, **EXPIRED), event(2, "timeout", "superseded", 6, block_time=START.format(2))),
    ],
)  # fmt: skip
def test_trial_T5_times_of_the_way_are_in_order(call, events):
    one = message(
        event(1, "receive", "included", 1), *events, event(1, "acknowledge", "included", 7), state="timed_out"
    )
    found = call("timeline", "milestones", one)
    assert found[2]["title"] == "Not received by beta in time" and found[2]["at"] == START.format(2)
    times = [each["at"] for each in found]
    assert len(times) == 5 and times == sorted(times)
    if any(each["step"] == "expired" for each in events):
        assert found[2]["reason"] == EXPIRED["reason"]


def test_trial_T5_a_time_before_that_of_the_step_before_is_told_as_its_own_chains(call):
    """The hub's block time is a second behind alpha's; the order of the way stays."""
    one = message(
        event(1, "receive", "included", 3, block_time=START.format(1)),
        event(2, "receive", "included", 4, block_time=START.format(4)),
        sent_at=START.format(2),
    )
    found = call("timeline", "milestones", one)
    assert [each["title"] for each in found][:3] == ["Sent on alpha", "Received by hub, sent on", "Received on beta"]
    assert [each["byOwnClock"] for each in found] == [False, True, False, False, False]
    same = call("timeline", "milestones", one | {"sent_at": START.format(1)})
    assert not any(each["byOwnClock"] for each in same)


def test_trial_T5_a_time_that_the_relay_noticed_is_compared_with_no_chains_clock(call):
    """It was away, and found the packet received: what its own clock says then is no block's time."""
    one = message(
        event(1, "receive", "superseded", 5),
        event(2, "receive", "included", 6, block_time=START.format(2)),
        event(2, "acknowledge", "included", 7, block_time=START.format(1)),
    )
    found = call("timeline", "milestones", one)[:4]
    assert [each["ofBlock"] for each in found] == [True, False, True, True]
    assert [each["byOwnClock"] for each in found] == [False, False, False, True]


def test_trial_T5_what_the_relay_sent_in_vain_is_not_what_did_it(call):
    one = message(event(1, "receive", "submitted", 1, transaction="0x2"), event(1, "receive", "superseded", 2))
    assert call("timeline", "milestones", one)[1]["transaction"] is None


def test_trial_T5_the_first_leg_of_a_late_message_was_received_though_this_relay_did_not_see_it(call):
    one = message(
        event(1, "receive", "queued", 1), event(1, "acknowledge", "superseded", 2), state="timed_out", legs=["a"]
    )
    assert "Not received by hub in time" not in [title for title, _ in way(call, one)]


def test_what_is_found_done_again_keeps_the_time_when_it_was_first(call):
    again = event(1, "receive", "superseded", 9, first_at=START.format(2))
    assert call("timeline", "milestones", message(again, event(2, "receive", "included", 3)))[1]["at"] == START.format(
        2
    )


def test_trial_T5_a_timeout_that_is_done_twice_keeps_block_and_fee(call):
    """The clearer finds later that the chain needs it no more, in the state that the relay's own transaction left."""
    own = event(2, "timeout", "included", 3, height=77, block_time=START.format(3), transaction="0x1", fee_wei="5")
    one = message(
        event(2, "receive", "expired", 2), own, event(2, "timeout", "superseded", 9), state="timed_out", app="transfer"
    )
    found = next(
        each for each in call("timeline", "milestones", one) if each["title"].startswith("Timeout proven on hub")
    )
    assert (found["height"], found["at"], found["transaction"], found["fee_wei"]) == (77, START.format(3), "0x1", "5")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": "timed_out"}, "It did not reach beta in time. Its sender on alpha was told so."),
        (
            {"state": "timed_out", "app": "transfer"},
            "It did not reach beta in time. What was sent was given back on alpha.",
        ),
        ({"state": "refused", "legs": ["a", "b"]}, "beta refused it. Its sender on alpha was told so."),
        ({"state": "refused", "legs": ["a"]}, "hub refused it. Its sender on alpha was told so."),
        (
            {"state": "refused", "legs": ["a"], "waiting": "its receiver on beta refused it"},
            "beta refused it. Its sender on alpha was told so.",
        ),
    ],
)
def test_trial_T5_the_headline_says_who_and_what(call, fields, sentence):
    assert call("states", "messageSentence", message(**fields)) == sentence


def test_what_was_given_up_or_waits_says_so_and_nothing_else_is_next(call):
    dead = message(event(1, "receive", "dead", 1, reason="refused"))
    assert way(call, dead)[1] == ("Received by hub, sent on", "failed")
    waits = message(event(1, "receive", "included", 1), event(2, "receive", "waiting", 2, reason="beta is paused"))
    assert [standing for _, standing in way(call, waits)] == ["done", "done", "waiting", "ahead", "ahead"]


def test_addresses_of_pages_are_read_back_and_broken_ones_name_nothing(call):
    assert call("router", "hash", "/messages", {"state": "open", "app": ""}) == "#/messages?state=open"
    assert call("router", "match", "#/%E0%A4%A", []) is None
