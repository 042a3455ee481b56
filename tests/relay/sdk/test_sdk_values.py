"""Whatever bytes come: a value with its bounds kept, or BadAnswer; events in any pieces are the same events."""

import json
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.schemas.messages import Message, MessageList, MessageSummary, TokenAmount
from hutong.relay.schemas.operation import Status
from hutong.relay.schemas.sending import Prepared, UnsignedCosmos, UnsignedEvm
from hutong.relay.schemas.wire import body_of
from hutong.relay.schemas.words import MessageState
from hutong.relay.sdk.answers import PROBLEM_TYPE, problem_of, reader
from hutong.relay.sdk.errors import AnswerTooLarge, ApiProblem, BadAnswer
from hutong.relay.sdk.event_stream import MAX_EVENT_BYTES, EventParser
from tests.relay.sdk.sdk_values import STATUS, settled, summary, whole

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
EVM = {
    "chain": "alpha", "kind": "evm", "chain_id": 7001, "from": "0x" + "a1" * 20, "to": "0x" + "b0" * 20, "data": "0x0102",
    "value": "0", "gas": None, "nonce": 3, "max_fee_per_gas_wei": "1000000000", "max_priority_fee_per_gas_wei": "0",
    "purpose": "send the tokens",
}  # fmt: skip
PREPARED = {
    "route": {"hops": [{"source": {"chain": "alpha", "client": "client-0"}, "destination": {"chain": "hub", "client": "b"}}], "via": None},
    "transactions": [EVM], "sends": {"chain": "alpha", "client": "client-0", "sequence": 7}, "expires_at": "2026-11-26T04:50:50.123Z",
}  # fmt: skip


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_a_value_or_a_bad_answer(data):
    for kind in (Status, Message, MessageList):
        with pytest.raises(BadAnswer):
            reader("it", kind)(data)


@given(st.sampled_from(sorted(summary())), JSON)
@settings(max_examples=200)
def test_any_field_of_any_kind(name, value):
    document = summary() | {name: value}
    try:
        found = reader("it", MessageSummary)(json.dumps(document).encode())
    except BadAnswer as error:
        assert name in str(error)
    else:
        assert isinstance(found.id, str) and len(found.id) <= 256 and 1 <= len(found.legs) <= 2
        assert found.token is None or 0 <= found.token.amount < 10**78


@pytest.mark.parametrize("name", sorted(summary()))
def test_every_field_is_needed(name):
    document = summary()
    del document[name]
    with pytest.raises(BadAnswer) as caught:
        reader("the message", MessageSummary)(json.dumps(document).encode())
    assert name in str(caught.value)


@given(st.integers(0, 10**78 - 1))
@settings(max_examples=50)
def test_amounts_are_exact(amount):
    document = summary(token={"denom": "uatom", "amount": str(amount)})
    assert reader("it", MessageSummary)(json.dumps(document).encode()).token.amount == amount


@pytest.mark.parametrize("amount", ["", "-1", "01", "1.0", "1e3", "0x1", "\u0661", "1" * 79, 5, None, True])
def test_amounts_that_are_invalid(amount):
    with pytest.raises(BadAnswer):
        reader("it", MessageSummary)(json.dumps(summary(token={"denom": "d", "amount": amount})).encode())


@given(st.integers(0, 10**78 - 1), st.datetimes(timezones=st.just(UTC)), st.sampled_from(list(MessageState)))
def test_what_a_server_writes_a_client_reads_as_the_same_value(amount, at, state):
    at = at.replace(microsecond=at.microsecond // 1_000 * 1_000)
    read = reader("it", MessageSummary)
    value = replace(read(json.dumps(summary()).encode()), token=TokenAmount("uatom", amount), sent_at=at, state=state)
    assert read(body_of(value)) == value
    told = json.loads(body_of(value))
    assert told["token"] == {"denom": "uatom", "amount": str(amount)} and told["sent_at"].endswith("Z")
    newer = told | {"state": "parked", "colour": "red"}
    assert read(json.dumps(newer).encode()) == replace(value, state=MessageState.UNKNOWN)


def test_prepared_transactions_of_both_kinds():
    cosmos = {"chain": "simd", "kind": "cosmos", "chain_id": "simd-1", "account_number": 4, "sequence": 0, "body_bytes": "Cg==",
              "auth_info_bytes": "", "purpose": "send the tokens"}  # fmt: skip
    read = reader("it", Prepared)
    first, second = read(json.dumps(PREPARED | {"transactions": [EVM, cosmos]}).encode()).transactions
    assert isinstance(first, UnsignedEvm) and first.sender == EVM["from"] and isinstance(second, UnsignedCosmos)
    for wrong in (
        {"value": "1"},
        {"to": "0x12"},
        {"kind": "move"},
        {"chain_id": "7001"},
        {"data": "0x1"},
        {"nonce": -1},
    ):
        with pytest.raises(BadAnswer):
            read(json.dumps(PREPARED | {"transactions": [EVM | wrong]}).encode())
    for none in ([], [EVM] * 17):
        with pytest.raises(BadAnswer):
            read(json.dumps(PREPARED | {"transactions": none}).encode())


def test_a_summary_of_a_message_is_the_summary_of_the_list():
    document = settled()
    message = reader("it", Message)(json.dumps(whole(document)).encode())
    assert message.summary == reader("it", MessageSummary)(json.dumps(document).encode())
    assert (
        message.is_called(document["id"]) and not message.is_called("") and not message.is_called("alpha/client-0/77")
    )


@given(st.binary(max_size=200), st.integers(100, 599), st.sampled_from([PROBLEM_TYPE, "text/html", ""]))
@settings(max_examples=100)
def test_any_refusal_is_typed(body, status, media_type):
    assert isinstance(problem_of("it", status, media_type, body), ApiProblem | BadAnswer)


LINES = st.lists(
    st.sampled_from([b"", b": c", b"data: a", b"data", b"data:b: c", b"event: reset", b"id: c1", b"id: \xff", b"other", b"retry: 1"]),
    max_size=20,
)  # fmt: skip


@given(LINES, st.lists(st.integers(1, 7), min_size=1, max_size=10))
@settings(max_examples=100)
def test_events_are_the_same_however_they_are_cut(lines, sizes):
    text = b"".join(line + b"\n" for line in lines) + b"\n"
    parser, found, at = EventParser(), [], 0
    while at < len(text):
        size = sizes[at % len(sizes)]
        found += parser.feed(text[at : at + size])
        at += size
    assert found == list(EventParser().feed(text)) == list(EventParser().feed(text.replace(b"\n", b"\r\n")))
    assert all(event.data is not None and event.id in (None, "c1") for event in found)


def test_an_event_is_as_the_standard_says():
    (event,) = EventParser().feed(b"id: c1\nevent: message\ndata: one\ndata:two\n\n")
    assert (event.event, event.data, event.id) == ("message", b"one\ntwo", "c1")
    assert list(EventParser().feed(b"event: message\n\nid: 1\n\n")) == []
    (plain,) = EventParser().feed(b"data\n\n")
    assert (plain.event, plain.data) == ("message", b"")


def test_an_event_has_its_bound():
    list(EventParser().feed(b"data: " + b"x" * (MAX_EVENT_BYTES - 10) + b"\n\n"))
    for parts in ([b"data: " + b"x" * MAX_EVENT_BYTES], [b"data: " + b"x" * 1_000 + b"\n"] * 1_100):
        parser = EventParser()
        with pytest.raises(AnswerTooLarge):
            for part in parts:
                list(parser.feed(part))


def test_status_of_the_specification():
    assert reader("it", Status)(json.dumps(STATUS).encode()).ledger.schema == "0004"
