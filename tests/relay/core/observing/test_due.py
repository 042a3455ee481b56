"""When a record is renewed: by the hub's record and the source's block alone, so that a relay without memory decides alike."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import Height
from hutong.light_clients.records import PROVEN, AccountField, ClientEpoch, FieldPlace, Observation
from hutong.relay.core.observing.due import Reason, SourceBlock, Value, next_due_s, why_due
from hutong.relay.core.observing.watched import Watched

S = 10**9
WORD, OTHER = (1).to_bytes(32, "big"), (2).to_bytes(32, "big")
RECORD = Observation(WORD, PROVEN, 3, Height(0, 100), 1_000 * S)
EPOCH = ClientEpoch(3, True, 0)
BLOCK = SourceBlock(Height(0, 110), 1_010 * S)


def watched(interval_s=None, on_change=False) -> Watched:
    place = FieldPlace(bytes(20), AccountField.NONCE)
    return Watched("nonce", place, b"key", None if interval_s is None else interval_s * S, on_change)


def test_what_was_never_observed_is_due():
    assert why_due(watched(60), None, None, BLOCK, None) is Reason.FIRST
    assert why_due(watched(60), None, EPOCH, BLOCK, None) is Reason.FIRST
    assert next_due_s(watched(60), None, BLOCK) is None


def test_a_change_is_due_where_changes_are_asked_for():
    assert why_due(watched(on_change=True), RECORD, EPOCH, BLOCK, Value(OTHER)) is Reason.CHANGED
    assert why_due(watched(on_change=True), RECORD, EPOCH, BLOCK, Value(None)) is Reason.CHANGED
    assert why_due(watched(on_change=True), RECORD, EPOCH, BLOCK, Value(WORD)) is None
    assert why_due(watched(60), RECORD, EPOCH, BLOCK, Value(OTHER)) is None


def test_an_interval_passes_by_the_sources_own_clock():
    assert why_due(watched(10), RECORD, EPOCH, BLOCK, None) is Reason.INTERVAL
    assert why_due(watched(11), RECORD, EPOCH, BLOCK, None) is None
    assert next_due_s(watched(11), RECORD, BLOCK) == 1.0
    assert next_due_s(watched(5), RECORD, BLOCK) == 0.0
    assert next_due_s(watched(on_change=True), RECORD, BLOCK) is None


def test_a_new_epoch_is_due_whatever_else():
    assert why_due(watched(10_000), RECORD, replace(EPOCH, number=4), BLOCK, None) is Reason.EPOCH


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.booleans(),
    st.sampled_from([None, Value(None), Value(WORD), Value(OTHER)]),
)
def test_attack_J6_nothing_older_than_the_record_is_ever_due(
    record_at, block_at, later_s, interval_s, on_change, value
):
    record = replace(RECORD, height=Height(0, record_at))
    block = SourceBlock(Height(0, block_at), record.source_time_ns + later_s * S)
    reason = why_due(watched(interval_s, on_change), record, EPOCH, block, value)
    if block_at <= record_at:
        assert reason is None
    elif later_s >= interval_s:
        assert reason is not None
