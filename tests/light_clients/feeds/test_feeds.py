"""Feeds in the library: rules of a round on both sides, documents, the word in storage."""

import json
import statistics
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.feeds import (
    MAX_REPORT_BYTES,
    MAX_VALUE,
    MIN_VALUE,
    FeedDescription,
    Report,
    Round,
    decode_round,
    description_document,
    description_is_of_the_feed,
    encode_round,
    feed_id,
    in_signer_order,
    judge_round,
    median,
    parse_description,
    parse_report,
    recover_signer,
    report_digest,
    report_document,
    round_is_fresh,
    round_not_from_future,
    text_of_value,
    value_of_text,
)
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from tests.light_clients.feeds.feed_signers import (
    ADDRESSES,
    KEYS,
    STRANGER,
    TIME_S,
    feed_of,
    high_s,
    reported,
)

VALUES = st.integers(MIN_VALUE, MAX_VALUE)


def judged(feed, reports, time_s=TIME_S):
    return judge_round(VERIFY, feed, time_s, reports)


def refusal(feed, reports, time_s=TIME_S):
    with pytest.raises(PredicateFailed) as caught:
        judged(feed, reports, time_s)
    return caught.value.predicate, caught.value.reason


def test_a_wallet_signs_the_same_bytes():
    """EIP-712 by eth-account, an implementation that is not ours."""
    feed, value = feed_of(), -125
    message = {"feed": feed_id(feed), "time": TIME_S, "value": value}
    types = {
        "Report": [
            {"name": "feed", "type": "bytes32"},
            {"name": "time", "type": "uint64"},
            {"name": "value", "type": "int128"},
        ]
    }
    domain = {"name": "hutong feed", "version": "1"}
    signable = encode_typed_data(domain_data=domain, message_types=types, message_data=message)
    signed = Account.sign_message(signable, KEYS[0])
    assert recover_signer(report_digest(feed_id(feed), TIME_S, value), bytes(signed.signature)) == ADDRESSES[0]
    assert bytes(signed.signature) == reported(feed, [value])[0].signature


def test_attack_F18_rounds_of_too_few_strangers_doubles_and_twins():
    feed = feed_of(5)
    first, second, third = reported(feed, [1, 2, 3])
    assert judged(feed, (first, second, third)) == Round(2, TIME_S, 3)
    assert refusal(feed, (first, second))[0] == "reports_are_enough"
    assert refusal(feed, reported(feed, [1] * 6))[0] == "reports_are_enough"
    for reports in ((first, first, second), (second, first, third), (first, second, second)):
        assert "ascend" in refusal(feed, reports)[1]
    assert "no signer" in refusal(feed, reported(feed, {0: 1, 1: 2, 63: 3}))[1]
    for bad in (high_s(first.signature), first.signature[:64] + b"\0", bytes(65)):
        assert "low s" in refusal(feed, (replace(first, signature=bad), second, third))[1]


def test_attack_F19_reports_of_another_feed_round_or_value():
    feed = feed_of(3)
    reports = reported(feed, [1, 2])
    assert judged(feed, reports).value == 1
    for changed in (
        reported(feed_of(3, label="another"), [1, 2]),
        reported(feed, [1, 2], time_s=TIME_S + 1),
        tuple(replace(report, value=report.value + 1) for report in reports),
        reported(feed, [1, 2], keys=(STRANGER, *KEYS)),
    ):
        assert refusal(feed, changed)[0] == "signed_by_signers"
    with pytest.raises(PredicateFailed) as caught:
        description_is_of_the_feed(feed, feed_id(feed_of(3, decimals=3)))
    assert caught.value.predicate == "description_is_of_the_feed"
    description_is_of_the_feed(feed, feed_id(feed))


def test_attack_F20_rounds_that_are_stale_or_far_ahead():
    round_is_fresh(TIME_S, 60, TIME_S + 59)
    with pytest.raises(PredicateFailed, match="round_is_fresh"):
        round_is_fresh(TIME_S, 60, TIME_S + 60)
    round_not_from_future(TIME_S + 60, TIME_S)
    with pytest.raises(PredicateFailed, match="round_not_from_future"):
        round_not_from_future(TIME_S + 61, TIME_S)
    for time_s in (0, -1, 2**64):
        with pytest.raises(MalformedInput):
            judged(feed_of(1), reported(feed_of(1), [1]), time_s)


@given(st.lists(VALUES, min_size=1, max_size=64))
def test_median_is_the_lower_one_of_the_library(values):
    assert median(values) == statistics.median_low(values)


@given(st.data())
def test_attack_F21_a_lying_minority_stays_between_honest_values(data):
    """For every threshold: whatever so many liars say, and whichever reports are chosen."""
    signers = data.draw(st.integers(1, 64))
    feed = feed_of(signers, data.draw(st.integers(signers // 2 + 1, signers)))
    liars = data.draw(st.integers(0, feed.tolerated_liars))
    count = data.draw(st.integers(feed.threshold, signers))
    honest = data.draw(st.lists(VALUES, min_size=count - liars, max_size=count - liars))
    lies = data.draw(st.lists(VALUES, min_size=liars, max_size=liars))
    assert min(honest) <= median(data.draw(st.permutations(honest + lies))) <= max(honest)


@pytest.mark.parametrize(
    "changes",
    [
        {"signers": ()},
        {"signers": (bytes(20),)},
        {"signers": (b"\1" * 19,)},
        {"signers": (b"\2" * 20, b"\1" * 20)},
        {"signers": (b"\1" * 20, b"\1" * 20)},
        {"signers": (*ADDRESSES, b"\xff" * 20)},
        {"threshold": 0},
        {"threshold": 3},
        {"threshold": 8},
        {"decimals": -1},
        {"decimals": 39},
        {"heartbeat_s": 0},
        {"heartbeat_s": 2**32},
        {"label": ""},
        {"label": "x" * 65},
        {"label": "two words"},
        {"label": "new\n"},
    ],
)
def test_descriptions_have_bounds(changes):
    with pytest.raises(MalformedInput):
        replace(feed_of(7), **changes)


def test_two_values_of_one_signer_are_named():
    feed = feed_of(3)
    one, other = reported(feed, [1])[0], reported(feed, [2])[0]
    assert in_signer_order(feed, TIME_S, (*reversed(reported(feed, [1, 2, 3])), one)) == reported(feed, [1, 2, 3])
    with pytest.raises(MalformedInput, match="two values"):
        in_signer_order(feed, TIME_S, (one, other))
    with pytest.raises(MalformedInput, match="no signature"):
        in_signer_order(feed, TIME_S, (Report(1, bytes(65)),))


@given(VALUES, st.integers(1, 2**64 - 1), st.integers(1, 2**64 - 1))
def test_the_word_says_the_round(value, time_s, count):
    assert decode_round(encode_round(Round(value, time_s, count))) == Round(value, time_s, count)


@given(st.binary(min_size=30, max_size=33))
def test_words_are_rounds_or_refused(word):
    try:
        stands = decode_round(word)
    except MalformedInput:
        return
    assert (encode_round(stands) if stands else bytes(32)) == word


@given(st.integers(MIN_VALUE, MAX_VALUE), st.integers(0, 38))
def test_values_as_people_write_them(value, decimals):
    assert value_of_text(text_of_value(value, decimals), decimals) == value


@pytest.mark.parametrize("text", ["", "-", "1.", ".5", "01", "1.234", "1e3", "+1", "٣", " 1", "1\n", "0x10", "nan"])
def test_what_is_no_decimal_number_is_refused(text):
    with pytest.raises(MalformedInput):
        value_of_text(text, 2)


def test_documents_say_the_same():
    feed = feed_of()
    assert parse_description(json.dumps(description_document(feed)).encode()) == feed
    (report,) = reported(feed, [-12])
    read = parse_report(json.dumps(report_document(feed, TIME_S, report)).encode())
    assert (read.feed, read.time_s, read.report) == (feed_id(feed), TIME_S, report)


JSON_VALUES = (
    st.none() | st.booleans() | st.integers(-(2**140), 2**140) | st.text(max_size=8) | st.just([]) | st.just({})
)


@given(st.data())
def test_changed_documents_are_refused_or_say_what_they_say(data):
    feed = feed_of(3)
    (report,) = reported(feed, [5])
    make, parse = data.draw(
        st.sampled_from(
            [
                (description_document(feed), parse_description),
                (report_document(feed, TIME_S, report), parse_report),
            ]
        )
    )
    name = data.draw(st.sampled_from([*make, "more"]))
    changed = make | {name: data.draw(JSON_VALUES)}
    if data.draw(st.booleans()):
        changed.pop(name)
    try:
        read = parse(json.dumps(changed).encode())
    except MalformedInput:
        return
    again = (
        description_document(read)
        if isinstance(read, FeedDescription)
        else report_document(feed, read.time_s, read.report) | {"feed": f"0x{read.feed.hex()}"}
    )
    assert again == changed


@given(st.binary(max_size=MAX_REPORT_BYTES + 10))
def test_any_bytes_are_documents_or_refused(data):
    for parse in (parse_description, parse_report):
        with pytest.raises(MalformedInput):
            parse(data)
