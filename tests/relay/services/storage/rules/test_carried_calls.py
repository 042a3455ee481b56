"""Calls found in a transaction's data: direct, in ABI's bytes, in packed batches; and nothing where none is whole."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.services.storage.rules.calls import SUBMIT_ANSWERS
from hutong.relay.services.storage.rules.carried_calls import MOST_CALLS, carried_calls
from tests.relay.services.storage.rules.held import named


def call(number: int = 0) -> bytes:
    return SUBMIT_ANSWERS.encode(named("operator"), 7, number, 1, b"answers" * 9, bytes(65))


def found(data: bytes) -> list[int]:
    return [first for _, _, first, *_ in carried_calls(data, SUBMIT_ANSWERS)]


def packed(*calls: bytes) -> bytes:
    """As Safe's MultiSend has them: operation, address, value, length, bytes."""
    return b"".join(b"\0" + bytes(19) + b"\x07" + bytes(32) + len(one).to_bytes(32, "big") + one for one in calls)


@pytest.mark.parametrize(
    ("data", "firsts"),
    [
        (call(), [0]),
        (bytes(4) + encode(["address", "uint256", "bytes"], ["0x" + "07" * 20, 0, call(3)]), [3]),
        (bytes(4) + encode(["bytes[]"], [[call(0), call(5), call(9)]]), [0, 5, 9]),
        (bytes(4) + encode(["bytes"], [packed(call(1), call(2))]), [1, 2]),
        (bytes(4) + encode(["bytes"], [encode(["bytes"], [call(8)])]), [8]),
        (b"\xfe" * 40 + encode(["bytes"], [call(4)]), [4]),
    ],
)
def test_calls_are_found_however_they_are_carried(data, firsts):
    assert found(data) == firsts


@pytest.mark.parametrize(
    "data",
    [
        b"",
        call()[:-1],
        call() + b"\0",
        bytes(4) + encode(["bytes"], [call()[:-32]]),
        bytes(4) + encode(["bytes"], [SUBMIT_ANSWERS.selector + bytes(60)]),
        bytes(32) + call(),
        (2**255).to_bytes(32, "big") + call(),
        SUBMIT_ANSWERS.selector * 3,
    ],
)
def test_what_is_not_a_whole_call_is_none(data):
    assert found(data) == []


def test_more_than_are_looked_at_are_passed_over():
    data = bytes(4) + encode(["bytes[]"], [[call(number) for number in range(MOST_CALLS + 3)]])
    assert found(data) == list(range(MOST_CALLS))


@given(before=st.binary(max_size=70), after=st.binary(max_size=70), cut=st.integers(0, 400))
def test_any_bytes_around_a_call_raise_nothing(before, after, cut):
    whole = before + len(call()).to_bytes(32, "big") + call() + after
    assert found(whole[: len(whole) - cut]) in ([], [0])
