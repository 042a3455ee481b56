"""The authenticated index: one digest, however it was built and whoever built it."""

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.terms.index import TermIndex, leaf_key, term_of_key
from hutong.relay.services.directory.rules.terms.postings import BLOCK, decode_postings, encode_postings
from tests.relay.services.directory.rules.terms.entries import index_of, texts

ENTRIES = texts(120)

BUILD = """
from tests.relay.services.directory.rules.terms.entries import index_of, texts
print(index_of(texts(120)).provable().head.digest.hex())
"""


def test_built_at_once_and_entry_by_entry_it_is_the_same():
    whole = index_of(ENTRIES)
    grown = TermIndex()
    for sequence, entry in ENTRIES.items():
        grown.add(sequence, sorted(entry.terms, reverse=True))
        if sequence % 40 == 0:
            assert grown.provable().head == index_of({n: ENTRIES[n] for n in range(sequence + 1)}).provable().head
    assert grown.provable().head == whole.provable().head


@pytest.mark.long
@pytest.mark.parametrize("seed", ["0", "4242"])
def test_another_hash_seed_makes_the_same_digest(seed):
    made = subprocess.run(
        [sys.executable, "-c", BUILD],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        text=True,
        timeout=300,
    )
    assert made.stdout.strip() == index_of(ENTRIES).provable().head.digest.hex()


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 3 * BLOCK), st.sets(st.sampled_from(["a", "b", "ab", "京"]))), max_size=20))
def test_digests_do_not_depend_on_when_they_were_taken(operations):
    """Across blocks, with gaps where operations have no terms: with digests in between, without, and grown to a size beforehand."""
    ordered = sorted(dict(operations).items())
    plain, often = TermIndex(), TermIndex()
    for sequence, terms in ordered:
        plain.add(sequence, terms)
        often.grow(sequence)
        often.add(sequence, terms)
        assert often.provable().head.size == sequence + 1
    assert plain.provable().head == often.provable().head
    postings = plain.provable().postings
    for term in ("a", "b", "ab", "京"):
        found = [n for block in range(4) for n in decoded(postings, term, block)]
        assert found == [sequence for sequence, terms in ordered if term in terms]


def decoded(postings, term, block):
    coded = postings.get(leaf_key(term, block))
    return () if coded is None else decode_postings(coded, block)


def test_what_is_added_later_does_not_change_an_index():
    index = index_of(ENTRIES)
    before = index.provable()
    index.add(10 * BLOCK, {"late"})
    assert before.head == index_of(ENTRIES).provable().head != index.provable().head


def test_operations_come_in_order():
    index = index_of(ENTRIES)
    for wrong in (lambda: index.add(7, {"a"}), lambda: index.grow(7)):
        with pytest.raises(ValueError, match="after"):
            wrong()


@settings(max_examples=25)
@given(st.sets(st.integers(0, BLOCK - 1), min_size=1), st.integers(0, 9))
def test_postings_are_read_as_written(places, block):
    sequences = tuple(block * BLOCK + place for place in sorted(places))
    assert decode_postings(encode_postings(sequences), block) == sequences


@settings(max_examples=25)
@given(st.binary(max_size=40))
def test_attack_R6_postings_have_one_spelling(coded):
    try:
        sequences = decode_postings(coded, 3)
    except MalformedInput:
        return
    assert encode_postings(sequences) == coded


@settings(max_examples=25)
@given(st.binary(max_size=20))
def test_attack_R6_keys_have_one_spelling(key):
    try:
        term, block = term_of_key(key)
    except MalformedInput:
        return
    assert leaf_key(term, block) == key


@pytest.mark.parametrize(
    "coded", [b"", b"\x85\x00", b"\x85", b"\x01\x00", b"\x80\x40", b"\xff\xff\x01", b"\x01" * (BLOCK + 1)]
)
def test_attack_R6_a_long_spelling_of_postings_is_refused(coded):
    with pytest.raises(MalformedInput):
        decode_postings(coded, 0)
