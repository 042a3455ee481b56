"""Feed: who makes a round, which value it gets, how long it may be read, and what nobody can do."""

import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.feeds import (
    MAX_VALUE,
    MIN_VALUE,
    Report,
    Round,
    decode_round,
    encode_round,
    feed_id,
    judge_round,
    report_digest,
)
from hutong.light_clients.interface import VERIFY
from tests.contracts.evm import Reverted
from tests.contracts.feed.feed_desk import FeedDesk, description_tuple, refused, refused_everywhere
from tests.light_clients.feeds.feed_signers import (
    ADDRESSES,
    KEYS,
    STRANGER,
    TIME_S,
    address_of,
    feed_of,
    high_s,
    reported,
)

GAS_BOUNDS = {(1, 1): 75_000, (7, 5): 120_000, (7, 7): 135_000, (64, 64): 700_000}


@pytest.fixture(params=["paris", "prague"])
def desk(request):
    return FeedDesk(request.param)


def test_a_round_of_signed_reports_stands_in_one_word(desk):
    feed = feed_of()
    assert desk.latest(feed) == (0, 0, 0)
    refused("NothingReported", lambda: desk.read(feed))
    outcome = desk.push(feed, reported(feed, [500, 480, 490, 510, 505]))
    assert outcome.value is True
    assert outcome.named("RoundStored") == [{"id": feed_id(feed), "time": TIME_S, "value": 500, "count": 5}]
    stands = Round(500, TIME_S, 5)
    assert (desk.read(feed), decode_round(desk.word(feed)), desk.word(feed)) == (stands, stands, encode_round(stands))
    assert judge_round(VERIFY, feed, TIME_S, reported(feed, [500, 480, 490, 510, 505])) == stands


def test_contract_and_library_give_one_id_and_one_digest(desk):
    for feed in (
        feed_of(),
        feed_of(1),
        feed_of(64, 64, label="~" * 64, decimals=38),
        feed_of(2, heartbeat_s=2**32 - 1),
    ):
        assert desk.contract.call("idOf", description_tuple(feed)) == feed_id(feed)
    for value in (0, -1, MIN_VALUE, MAX_VALUE):
        digest = desk.contract.call("digestOf", feed_id(feed_of()), TIME_S, value)
        assert digest == report_digest(feed_id(feed_of()), TIME_S, value)


def test_the_same_reports_are_good_on_another_chain():
    feed, one, two = feed_of(), FeedDesk(), FeedDesk(chain_id=99)
    reports = reported(feed, [1, 2, 3, 4])
    one.push(feed, reports)
    two.push(feed, reports)
    assert one.word(feed) == two.word(feed) == encode_round(Round(2, TIME_S, 4))


def test_feeds_in_one_contract_do_not_touch_each_other(desk):
    tolls, grid = feed_of(), feed_of(label="grid-kwh")
    desk.push(tolls, reported(tolls, [5] * 4))
    assert desk.latest(grid) == (0, 0, 0)
    desk.push(grid, reported(grid, [-7] * 4))
    assert (desk.read(tolls).value, desk.read(grid).value) == (5, -7)


def test_attack_F18_contract_one_report_too_few_makes_no_round(desk):
    feed = feed_of(7, 5)
    arguments = refused_everywhere(desk, feed, reported(feed, [1, 2, 3, 4]), "InvalidReportCount")
    assert arguments == (4, 5, 7)
    refused_everywhere(desk, feed, (), "InvalidReportCount")
    desk.push(feed, reported(feed, [1, 2, 3, 4, 5]))
    assert desk.read(feed).value == 3


def test_attack_F18_contract_a_signer_counts_once(desk):
    feed = feed_of(7, 4)
    first, second, third = reported(feed, [1, 2, 3])
    for doubled in ((first, first, second, third), (first, second, third, third)):
        refused_everywhere(desk, feed, doubled, "SignersNotAscending")
    # another value by the same signer
    twice = reported(feed, {0: 1}) + reported(feed, {0: 9, 1: 2, 2: 3})
    assert refused_everywhere(desk, feed, twice, "SignersNotAscending")[0] == 1
    # more reports than signers
    small = feed_of(2)
    refused_everywhere(desk, small, reported(small, [1, 2, 3]), "InvalidReportCount")


def test_attack_F18_contract_signers_come_in_order(desk):
    feed = feed_of(4)
    reports = reported(feed, [1, 2, 3])
    refused_everywhere(desk, feed, (reports[1], reports[0], reports[2]), "SignersNotAscending")
    desk.push(feed, reports)


def test_attack_F18_contract_a_stranger_reports_nothing(desk):
    feed = feed_of(5)
    keys = (*KEYS[:2], STRANGER)
    reports = sorted(
        zip((0, 1, 2), reported(feed, [1, 2, 3], keys=keys), strict=True), key=lambda pair: address_of(keys[pair[0]])
    )
    name = refused_everywhere(desk, feed, tuple(report for _, report in reports), "NotSigner")
    assert bytes.fromhex(name[1][2:]) == address_of(STRANGER)
    # a signer of the wider feed is a stranger to the narrower one
    refused_everywhere(desk, feed, reported(feed, {0: 1, 1: 2, 63: 3}), "NotSigner")
    desk.push(feed, reported(feed, {0: 1, 1: 2, 4: 3}))


def test_attack_F18_contract_a_signature_has_no_twin(desk):
    feed = feed_of(1)
    (report,) = reported(feed, [7])
    raw = report.signature
    for bad in (
        high_s(raw),
        raw[:64] + bytes([raw[64] - 27]),
        raw[:64] + b"\x1d",
        bytes(64) + raw[64:],
        raw[:32] + bytes(32) + raw[64:],
        b"\xff" * 32 + raw[32:],
    ):
        refused_everywhere(desk, feed, (replace(report, signature=bad),), "InvalidSignature")
    with pytest.raises(Reverted) as caught:  # the other v recovers to somebody else
        desk.push(feed, (replace(report, signature=raw[:64] + bytes([55 - raw[64]])),))
    assert caught.value.name in ("NotSigner", "InvalidSignature")
    desk.push(feed, (report,))


def test_attack_F18_contract_as_many_signatures_as_values(desk):
    feed = feed_of(3)
    reports = reported(feed, [1, 2])
    signatures = b"".join(report.signature for report in reports)
    for values, given_ in (([1, 2], signatures[:-1]), ([1, 2], signatures + b"\0"), ([1, 2, 2], signatures)):
        call = ("push", description_tuple(feed), TIME_S, values, given_)
        refused("InvalidSignaturesLength", lambda call=call: desk.contract.transact(*call))
    assert desk.latest(feed) == (0, 0, 0)


def test_attack_F19_contract_reports_bind_feed_round_and_value(desk):
    feed, foreign = feed_of(3), feed_of(3, label="another")
    refused_everywhere(desk, feed, reported(foreign, [1, 2]), "NotSigner")
    refused_everywhere(desk, feed, reported(feed, [1, 2], time_s=TIME_S - 1), "NotSigner")
    changed = tuple(replace(report, value=report.value + 1) for report in reported(feed, [1, 2]))
    with pytest.raises(Reverted) as caught:  # recovers to strangers in any order
        desk.push(feed, changed)
    assert caught.value.name in ("NotSigner", "SignersNotAscending")
    desk.push(feed, reported(feed, [1, 2]))


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 2},
        {"signers": ADDRESSES[:4]},
        {"decimals": 3},
        {"heartbeat_s": 61},
        {"label": "toll-ring-3"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_attack_F19_contract_a_changed_description_is_another_feed(desk, changes):
    """A pusher cannot lower the threshold or add a signer: the reports are of the feed that was described to the signers."""
    feed = feed_of(3, 3)
    reports = reported(feed, [1, 2, 3])
    with pytest.raises(Reverted) as caught:
        desk.push(feed, reports, description=description_tuple(feed, **changes))
    assert caught.value.name in ("NotSigner", "SignersNotAscending", "InvalidReportCount")
    assert desk.latest(feed) == (0, 0, 0)
    desk.push(feed, reports)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"signers": ()}, "signers"),
        ({"signers": (bytes(20), *ADDRESSES[:2])}, "signers"),
        ({"signers": (ADDRESSES[0], ADDRESSES[0], ADDRESSES[1])}, "signers"),
        ({"signers": (ADDRESSES[1], ADDRESSES[0], ADDRESSES[2])}, "signers"),
        ({"signers": (*ADDRESSES, b"\xff" * 20), "threshold": 33}, "signers"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 2}, "threshold"),
        ({"threshold": 5}, "threshold"),
        ({"rule": 0}, "rule"),
        ({"rule": 2}, "rule"),
        ({"decimals": 39}, "decimals"),
        ({"heartbeat_s": 0}, "heartbeat"),
        ({"label": ""}, "label"),
        ({"label": "x" * 65}, "label"),
        ({"label": "two words"}, "label"),
        ({"label": "é"}, "label"),
    ],
)
def test_descriptions_have_bounds(desk, changes, field):
    described = description_tuple(feed_of(4), **changes)
    assert refused("InvalidDescription", lambda: desk.contract.call("idOf", described)) == (field,)
    assert refused("InvalidDescription", lambda: desk.contract.transact("push", described, TIME_S, [], b"")) == (field,)


def test_attack_F20_contract_a_stale_round_is_not_read(desk):
    feed = feed_of(1)
    desk.push(feed, reported(feed, [7]))
    with desk.evm.at(TIME_S + 59):
        assert desk.read(feed, 60).value == 7
    with desk.evm.at(TIME_S + 60):
        assert refused("StaleRound", lambda: desk.read(feed, 60)) == (TIME_S, 60, TIME_S + 60)
        assert desk.read(feed, 61).value == 7
        assert desk.latest(feed) == (7, TIME_S, 1)
    assert desk.read(feed, 2**64 - 1).value == 7
    refused("StaleRound", lambda: desk.read(feed, 0))


def test_attack_F20_contract_an_older_round_changes_nothing(desk):
    feed = feed_of(1)
    desk.push(feed, reported(feed, [7]))
    for time_s in (TIME_S, TIME_S - 1):
        outcome = desk.push(feed, reported(feed, [9], time_s=time_s), time_s=time_s)
        assert (outcome.value, outcome.events) == (False, ())
    assert desk.read(feed).value == 7
    assert desk.push(feed, reported(feed, [9], time_s=TIME_S + 1), time_s=TIME_S + 1).value is True
    assert desk.read(feed) == Round(9, TIME_S + 1, 1)


def test_attack_F20_contract_a_round_far_ahead_is_refused(desk):
    """Whoever could store the year 3000 would stop the feed until then."""
    feed = feed_of(1)
    for ahead in (61, 10**9, 2**64 - 1 - TIME_S):
        late = reported(feed, [7], time_s=TIME_S + ahead)
        push = lambda late=late, ahead=ahead: desk.push(feed, late, time_s=TIME_S + ahead)  # noqa: E731
        assert refused("FromFuture", push) == (TIME_S + ahead, TIME_S + 60)
    desk.push(feed, reported(feed, [8], time_s=TIME_S + 60), time_s=TIME_S + 60)
    assert desk.read(feed).value == 8


def test_a_round_of_the_year_1970_is_none(desk):
    feed = feed_of(1)
    call = ("push", description_tuple(feed), 0, [1], bytes(65))
    assert desk.contract.transact(*call).value is False
    refused("NothingReported", lambda: desk.read(feed, 2**64 - 1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([4], 4), ([1, 9], 1), ([9, 1], 1), ([3, 1, 2], 2), ([4, 1, 3, 2], 2), ([-5, 5, -5, 5], -5), ([7, 7, 7], 7)],
)
def test_median_of_odd_and_even_counts(desk, values, expected):
    feed = feed_of(len(values))
    desk.push(feed, reported(feed, values))
    assert desk.read(feed).value == expected


def test_attack_F21_contract_two_liars_of_seven_move_nothing_beyond_honest_values(desk):
    """With 5 of 7, whichever 5 reports a pusher picks: the value stays between honest ones."""
    feed = feed_of(7, 5)
    honest = [500, 501, 502, 503, 504]
    now_s = TIME_S
    for lies in ([MIN_VALUE, MIN_VALUE], [MAX_VALUE, MAX_VALUE], [MIN_VALUE, MAX_VALUE]):
        for left_out in range(5):
            chosen = [value for place, value in enumerate(honest) if place not in (left_out, (left_out + 1) % 5)]
            desk.push(feed, reported(feed, lies + chosen, time_s=now_s), time_s=now_s)
            assert min(honest) <= desk.read(feed).value <= max(honest)
            now_s += 1


def test_values_have_the_bounds_of_an_int128(desk):
    feed = feed_of(1)
    for time_s, value in enumerate((MIN_VALUE, MAX_VALUE, -1, 0), TIME_S):
        desk.push(feed, reported(feed, [value], time_s=time_s), time_s=time_s)
        assert desk.latest(feed) == (value, time_s, 1)
        assert decode_round(desk.word(feed)) == Round(value, time_s, 1)
    data = desk.contract.calldata("push", description_tuple(feed), TIME_S + 9, [1], reported(feed, [1])[0].signature)
    place = data.rindex((1).to_bytes(32, "big") + (65).to_bytes(32, "big"))
    for word in (2**127, 2**255, 2**256 - 2**127 - 1):
        wide = data[:place] + word.to_bytes(32, "big") + data[place + 32 :]
        with pytest.raises(Reverted):
            desk.evm.send(desk.contract.address, wide)
    assert desk.latest(feed)[1] == TIME_S + 3


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_reports_have_one_verdict_in_contract_and_library(data):
    """What a pusher may bring: chosen signers in any order, doubled, strangers, changed values, signatures of other rounds."""
    feed = feed_of(data.draw(st.integers(1, 5)))
    values = st.integers(MIN_VALUE, MAX_VALUE) | st.integers(-3, 3)
    places = data.draw(st.lists(st.integers(0, 5), max_size=6))
    if data.draw(st.booleans()):
        places = sorted(set(places))
    reports = []
    for place in places:
        value = data.draw(values)
        time_s = data.draw(st.sampled_from([TIME_S] * 9 + [TIME_S - 1]))
        (report,) = reported(feed, {place: value}, time_s=time_s)
        changed = data.draw(st.sampled_from(["no"] * 9 + ["value", "s"]))
        if changed == "value":
            report = replace(report, value=data.draw(values))
        elif changed == "s":
            report = Report(value, high_s(report.signature))
        reports.append(report)
    desk = FeedDesk()
    try:
        expected = judge_round(VERIFY, feed, TIME_S, reports)
    except Exception as error:  # noqa: BLE001  the contract must refuse too, whatever it was
        assert type(error).__name__ == "PredicateFailed"
        with pytest.raises(Reverted) as caught:
            desk.push(feed, reports)
        assert caught.value.name
        assert desk.word(feed) == bytes(32)
    else:
        desk.push(feed, reports)
        assert desk.word(feed) == encode_round(expected)
        assert expected.value == statistics.median_low([report.value for report in reports])


@pytest.mark.parametrize(("signers", "count"), GAS_BOUNDS)
def test_gas_of_a_round(signers, count):
    feed, desk = feed_of(signers, count), FeedDesk()
    first = desk.push(feed, reported(feed, list(range(count)))).gas_used
    time_s = TIME_S + 1
    again = desk.push(feed, reported(feed, list(range(count)), time_s=time_s), time_s=time_s).gas_used
    late = desk.push(feed, reported(feed, list(range(count)))).gas_used
    read = desk.contract.transact("read", feed_id(feed), 60).gas_used
    print(f"\nFeed, {count} of {signers}: first {first}, next {again}, late {late}, read {read}")
    assert max(first, again) < GAS_BOUNDS[signers, count]
