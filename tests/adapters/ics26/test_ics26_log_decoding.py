"""The quick way through a log takes what the full one takes, value for value, and nothing else."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.ics26 import answers
from hutong.adapters.ics26.answers import decode_log
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields

HONEST = {
    "address": "0x" + "10" * 20,
    "topics": ["0x" + "aa" * 32, "0x" + "bb" * 32],
    "data": "0x0102",
    "blockNumber": "0x5",
    "blockHash": "0x" + "05" * 32,
    "transactionHash": "0x" + "aa" * 32,
    "logIndex": "0x0",
    "removed": False,
}
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.lists(st.just("0x" + "aa" * 32), max_size=6),
    st.from_regex(r"(0x|0X|)[0-9a-fA-F ]{0,70}", fullmatch=True),
    st.sampled_from(["0x" + "10" * 20, "0x" + "1 " * 32, "0x05", "0x00", "0x" + "1" * 64, "0x" + "1" * 65, "0x0102"]),
)


def full(value):
    with patch.object(answers, "_usual_log", side_effect=ValueError):
        return decode_log(Fields("eth_getLogs", value))


def outcome(decode, value):
    try:
        return decode(value)
    except BadAnswer as error:
        return error.field, error.reason


@pytest.mark.long
@given(st.dictionaries(st.sampled_from([*HONEST]), JUNK, max_size=2), st.sets(st.sampled_from([*HONEST]), max_size=1))
@settings(max_examples=500, deadline=None)
def test_attack_H_any_field_of_a_log_may_be_junk_or_missing(changes, missing):
    value = {name: field for name, field in {**HONEST, **changes}.items() if name not in missing}
    assert outcome(lambda one: decode_log(Fields("eth_getLogs", one)), value) == outcome(full, value)


@pytest.mark.parametrize("value", [None, [], "0x", 7])
def test_attack_H_a_log_that_is_no_object(value):
    with pytest.raises(BadAnswer):
        decode_log(Fields("eth_getLogs", value))


def test_an_honest_log_is_taken_the_quick_way():
    assert answers._usual_log(HONEST) == full(HONEST)
