"""Proof files of anchored entries: canonical bytes, or a named field."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.anchor_proof import (
    MAX_ENTRY_BYTES,
    MAX_PROOF_FILE_BYTES,
    MAX_SIBLINGS,
    AnchorPlace,
    decode_anchored_entry,
    encode_anchored_entry,
    prove_entry,
)
from hutong.relay.archive.anchored_root import AnchoredRoot

PLACE = AnchorPlace(b"\1" * 20, b"\2" * 20, 3)
ENTRIES = [b"hour %d" % hour for hour in range(5)]
PROOF = encode_anchored_entry(prove_entry(PLACE, ENTRIES, 1))
WORDS = st.integers(0, 2**64 - 1)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=40), st.data())
@settings(max_examples=60, deadline=None)
def test_a_proof_is_read_as_it_was_written(entries, draw):
    index = draw.draw(st.integers(0, len(entries) - 1))
    shown = prove_entry(PLACE, entries, index)
    assert decode_anchored_entry(encode_anchored_entry(shown)) == shown
    merkle.verify(shown.proof, merkle.root(entries), entries[index])


@given(st.binary(min_size=32, max_size=32), WORDS, WORDS, WORDS, WORDS)
def test_words_are_read_as_they_were_written(root, count, since, until, at):
    anchored = AnchoredRoot(root, count, since, until, at)
    assert AnchoredRoot.of_words(*anchored.words) == anchored


def test_the_longest_proof_fits_the_file():
    longest = prove_entry(PLACE, [bytes(MAX_ENTRY_BYTES)], 0)
    assert len(encode_anchored_entry(longest)) + MAX_SIBLINGS * 70 < MAX_PROOF_FILE_BYTES
    assert decode_anchored_entry(encode_anchored_entry(longest)) == longest
    with pytest.raises(MalformedInput):
        decode_anchored_entry(encode_anchored_entry(prove_entry(PLACE, [bytes(MAX_ENTRY_BYTES + 1)], 0)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "x"}, "proof.format"),
        ({"version": 2}, "proof.version"),
        ({"more": 1}, "proof.more"),
        ({"contract": "0x01"}, "proof.contract"),
        ({"publisher": "0x" + "AA" * 20}, "proof.publisher"),
        ({"anchor": -1}, "proof.anchor"),
        ({"anchor": 2**53}, "proof.anchor"),
        ({"root": "0x00"}, "proof.root"),
        ({"count": 0}, "proof.count"),
        ({"count": 2**63}, "proof.count"),
        ({"entry": "*"}, "proof.entry"),
        ({"index": 1.0}, "proof.index"),
        ({"siblings": ["0x" + "00" * 32] * (MAX_SIBLINGS + 1)}, "proof.siblings"),
        ({"siblings": ["00"]}, "proof.siblings[0]"),
    ],
)
def test_a_damaged_proof_names_its_field(change, field):
    document = json.loads(PROOF) | change
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(MalformedInput) as caught:
        decode_anchored_entry(data)
    assert caught.value.field == field


@given(st.sampled_from([PROOF, b""]), st.binary(max_size=60), st.data())
@settings(max_examples=80, deadline=None)
def test_attack_H_any_bytes_are_a_proof_to_the_byte_or_a_typed_error(data, noise, draw):
    if data:
        at = draw.draw(st.integers(0, len(data) - 1))
        noise = data[:at] + bytes([draw.draw(st.integers(0, 255))]) + data[at + 1 :]
    try:
        shown = decode_anchored_entry(noise)
    except MalformedInput:
        return
    assert encode_anchored_entry(shown) == noise
