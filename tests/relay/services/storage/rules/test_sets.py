"""Entries, batches and logs: what an operator has to hold, and the proof that a shard is part of it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.light_clients.proofs.merkle import Frontier, leaf_hash, root
from hutong.relay.services.storage.rules.commitments import entries as rules
from hutong.relay.services.storage.rules.commitments.entries import (
    LogEntry,
    OperatorSet,
    ShardEntry,
    batch_part,
    decode_log_entry,
    decode_shard_entry,
    encode_log_entry,
    encode_shard_entry,
    next_log_entry,
)
from hutong.relay.services.storage.rules.commitments.placed import (
    MAX_PLACED_BYTES,
    decode_placed,
    encode_placed,
    judge_placed,
    shown_set,
)
from tests.relay.services.storage.rules.held import drawn_operator

OPERATOR = drawn_operator("sets", [[0, 2, 1], [3], [0, 0, 0, 0, 1], [2, 2]])

shard_entries = st.builds(
    ShardEntry,
    first=st.integers(0, 2**23 - 1),
    height=st.integers(0, 13),
    pack=st.binary(min_size=32, max_size=32).filter(any),
    shard=st.integers(0, 63),
    root=st.binary(min_size=32, max_size=32),
    retain_until_s=st.integers(0, 2**64 - 1),
)


@st.composite
def log_entries(draw):
    entries = draw(st.integers(1, 1_024))
    leaves = draw(st.integers(entries, entries * 8_192))
    batch, root = draw(st.integers(0, 2**64 - 1)), draw(st.binary(min_size=32, max_size=32))
    return LogEntry(draw(st.integers(0, 2**56 - 1)), leaves, entries, batch, root)


@settings(max_examples=40)
@given(shard_entries)
def test_shard_entries_have_one_encoding_of_83_bytes(entry):
    encoded = encode_shard_entry(entry)
    assert len(encoded) == 83 and decode_shard_entry(encoded) == entry


@settings(max_examples=40)
@given(log_entries())
def test_log_entries_have_one_encoding_of_61_bytes(entry):
    encoded = encode_log_entry(entry)
    assert len(encoded) == 61 and decode_log_entry(encoded) == entry


@settings(max_examples=100)
@given(st.sampled_from([(decode_shard_entry, encode_shard_entry), (decode_log_entry, encode_log_entry)]), st.data())
def test_whatever_is_decoded_is_encoded_to_the_same_bytes(codec, data):
    decode, encode = codec
    good = encode(OPERATOR.entries[0][1] if decode is decode_shard_entry else OPERATOR.log[1])
    octets = bytearray(good)
    for _ in range(data.draw(st.integers(0, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        value = decode(bytes(octets))
    except MalformedInput:
        return
    assert encode(value) == bytes(octets)


@pytest.mark.parametrize("decode", [decode_shard_entry, decode_log_entry])
def test_other_lengths_and_kinds_are_refused(decode):
    good = encode_shard_entry(OPERATOR.entries[0][0])
    other = encode_log_entry(OPERATOR.log[0])
    mine = good if decode is decode_shard_entry else other
    decode(mine)
    for octets in (b"", mine[:-1], mine + b"\0", good + other, other if mine is good else good):
        with pytest.raises(MalformedInput):
            decode(octets)


@pytest.mark.parametrize(
    "change",
    [
        {"first": 2**23},
        {"first": -1},
        {"height": 14},
        {"pack": bytes(32)},
        {"pack": bytes(31)},
        {"shard": 64},
        {"root": bytes(33)},
        {"retain_until_s": 2**64},
    ],
)
def test_shard_entries_out_of_bounds_are_refused(change):
    with pytest.raises(MalformedInput):
        replace(OPERATOR.entries[0][0], **change)


@pytest.mark.parametrize(
    "change",
    [{"entries": 0}, {"entries": 1_025}, {"leaves": 2}, {"leaves": 3 * 8_192 + 1}, {"first": 2**56}, {"root": b""}],
)
def test_log_entries_out_of_bounds_are_refused(change):
    with pytest.raises(MalformedInput):
        replace(OPERATOR.log[0], **change)


@pytest.mark.parametrize(
    "change", [{"size": 0}, {"size": 2**24 + 1}, {"leaves": 1}, {"leaves": 2**56 + 1}, {"root": b""}]
)
def test_sets_out_of_bounds_are_refused(change):
    with pytest.raises(MalformedInput):
        replace(OPERATOR.set, **change)


def test_a_batch_is_the_root_over_its_entries():
    entries = OPERATOR.entries[0]
    part = batch_part(entries)
    assert (part.leaves, part.entries) == (1 + 4 + 2, 3)
    assert part.root == root([encode_shard_entry(entry) for entry in entries])


def test_attack_S4_entries_with_a_gap_or_an_overlap_are_refused():
    first, second, third = OPERATOR.entries[0]
    batch_part([first, second, third])
    for wrong in (
        [replace(first, first=1)],
        [first, replace(second, first=0)],
        [first, third],
        [first, replace(second, first=2)],
    ):
        with pytest.raises(PredicateFailed) as refused:
            batch_part(wrong)
        assert refused.value.predicate == "entries_follow_one_another"


def test_attack_S4_a_pack_that_gives_two_shards_to_one_operator_is_refused():
    first, second, _ = OPERATOR.entries[0]
    for shard in (first.shard, 9):
        with pytest.raises(PredicateFailed) as refused:
            batch_part([first, replace(second, pack=first.pack, shard=shard)])
        assert refused.value.predicate == "no_shard_is_counted_twice"


def test_batches_of_none_and_of_too_many_are_refused(monkeypatch):
    with pytest.raises(MalformedInput):
        batch_part([])
    monkeypatch.setattr(rules, "MAX_BATCH_ENTRIES", 2)
    batch_part(OPERATOR.entries[0][:2])
    with pytest.raises(MalformedInput):
        batch_part(OPERATOR.entries[0])


def test_the_log_is_what_a_hub_computes_batch_by_batch():
    frontier = Frontier()
    for entry in OPERATOR.log:
        frontier.append(leaf_hash(encode_log_entry(entry)))
    leaves = sum(part.leaves for part in map(batch_part, OPERATOR.entries))
    assert OPERATOR.set == OperatorSet(frontier.root(), 4, leaves) == shown_set(OPERATOR.log)


def test_a_set_above_its_bound_takes_no_batch():
    standing = OperatorSet(bytes(32), 1, 2**56 - 7)
    assert next_log_entry(standing, batch_part(OPERATOR.entries[0]), 1).first == 2**56 - 7
    with pytest.raises(MalformedInput):
        next_log_entry(replace(standing, leaves=2**56 - 6), batch_part(OPERATOR.entries[0]), 1)
    with pytest.raises(MalformedInput):
        shown_set([])


def test_every_entry_is_shown_to_stand_in_the_set():
    for batch, entries in enumerate(OPERATOR.entries):
        for number, entry in enumerate(entries):
            octets = encode_placed(OPERATOR.placed(batch, number))
            placed = decode_placed(octets, OPERATOR.set.size)
            assert len(octets) <= MAX_PLACED_BYTES and encode_placed(placed) == octets
            assert judge_placed(VERIFY, OPERATOR.set, placed) == entry


def refusing(operator_set, placed, predicate):
    with pytest.raises(PredicateFailed) as refused:
        judge_placed(VERIFY, operator_set, placed)
    assert refused.value.predicate == predicate


def test_attack_S4_entries_of_another_batch_place_or_set_are_refused():
    placed = OPERATOR.placed(2, 1)
    other = OPERATOR.placed(2, 3)
    judge_placed(VERIFY, OPERATOR.set, placed)
    refusing(OPERATOR.set, replace(placed, entry=other.entry), "entry_stands_in_batch")
    refusing(OPERATOR.set, replace(placed, entry_index=3), "entry_stands_in_batch")
    refusing(OPERATOR.set, replace(placed, log_entry=OPERATOR.log[0]), "batch_stands_in_log")
    refusing(OPERATOR.set, replace(placed, log_index=1), "batch_stands_in_log")
    refusing(OPERATOR.set, replace(placed, log_path=placed.log_path[:-1]), "path_is_canonical")
    refusing(OPERATOR.set, replace(placed, entry_path=(*placed.entry_path, bytes(32))), "path_is_canonical")
    refusing(OPERATOR.set, replace(placed, entry_path=(bytes(31), *placed.entry_path[1:])), "path_is_canonical")
    refusing(drawn_operator("others", [[0], [1], [2], [3]]).set, placed, "batch_stands_in_log")
    refusing(replace(OPERATOR.set, size=3), placed, "path_is_canonical")
    refusing(OPERATOR.set, replace(placed, log_index=4), "index_within_total")


def test_attack_S4_a_shard_that_ends_after_its_batch_is_refused():
    """A writer that counts fewer leaves than its last entry has: the operator signs no such part, and no probe is answered by it."""
    entries = OPERATOR.entries[1]
    short = LogEntry(0, 7, 1, 1, root([encode_shard_entry(entries[0])]))
    operator_set = shown_set([short])
    placed = replace(OPERATOR.placed(1, 0), log_index=0, log_entry=short, log_path=())
    refusing(operator_set, placed, "entry_ends_within_batch")
    whole = replace(short, leaves=8)
    judge_placed(VERIFY, shown_set([whole]), replace(placed, log_entry=whole))


def test_placed_entries_of_other_lengths_and_indices_are_refused():
    octets = encode_placed(OPERATOR.placed(2, 1))
    for wrong in (octets[:-1], octets + b"\0", b"", b"\0\5" + octets[2:], octets[:2] + b"\0\0\0\4" + octets[6:]):
        with pytest.raises(MalformedInput):
            decode_placed(wrong, OPERATOR.set.size)
