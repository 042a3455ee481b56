"""Answers to searches: complete ones hold, and an answer that leaves an entry out, or lies in any other way, is refused."""

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, VerificationError
from hutong.relay.services.directory.rules.terms.answer import (
    answer_query,
    decode_answer,
    encode_answer,
    judge_answer,
)
from hutong.relay.services.directory.rules.terms.index import TermIndex
from hutong.relay.services.directory.rules.terms.lookup import judge_lookup, look_up
from hutong.relay.services.directory.rules.terms.postings import BLOCK, encode_postings
from hutong.relay.services.directory.rules.terms.query import matches, parse_query
from tests.relay.services.directory.rules.terms.entries import CHINESE, ENGLISH, index_of, texts

ENTRIES = texts(300)
INDEX = index_of(ENTRIES).provable()
DIGEST = INDEX.head.digest
QUERIES = ["traffic", "交通流量", "road 医院", "京", "traffic flow hospital", "nowhere", "traffic nowhere"]
MIXED = ['"road traffic"', "traffic theme:urn:theme:1", "交通 hosp*", '"交通流量" 北京']


def hits(query, entries=ENTRIES):
    return [sequence for sequence, entry in sorted(entries.items()) if matches(query, entry)]


def answer(text, most_bytes=100_000):
    query = parse_query(text)
    return query, answer_query(INDEX, query, hits(query), most_bytes)


@pytest.mark.parametrize("text", QUERIES)
def test_an_answer_holds_after_it_was_written_and_read(text):
    query, made = answer(text)
    read = decode_answer(encode_answer(made))
    assert read == made
    judge_answer(VERIFY, read, query, DIGEST)


@pytest.mark.parametrize("text", MIXED)
def test_what_the_index_does_not_hold_is_checked_with_entries(text):
    query, made = answer(text)
    judge_answer(VERIFY, made, query, DIGEST, ENTRIES)
    with pytest.raises(VerificationError, match="the entry is needed"):
        judge_answer(VERIFY, made, query, DIGEST)
    if made.hits:
        with pytest.raises(VerificationError, match="nothing_is_left_out"):
            judge_answer(VERIFY, replace(made, hits=made.hits[1:]), query, DIGEST, ENTRIES)


def test_common_terms_are_left_to_the_reader_where_their_postings_are_long():
    query, made = answer("road traffic", most_bytes=1)
    assert len(made.lookups) == 1
    judge_answer(VERIFY, made, query, DIGEST, ENTRIES)
    with pytest.raises(VerificationError, match="the entry is needed"):
        judge_answer(VERIFY, made, query, DIGEST)


def test_a_query_without_terms_cannot_be_proven():
    query = parse_query("theme:urn:theme:1")
    with pytest.raises(MalformedInput, match="has no term"):
        answer_query(INDEX, query, [])


def test_an_index_without_entries_answers():
    empty, query = TermIndex().provable(), parse_query("traffic")
    made = answer_query(empty, query, [])
    judge_answer(VERIFY, decode_answer(encode_answer(made)), query, empty.head.digest)
    with pytest.raises(VerificationError, match="hits_are_candidates"):
        judge_answer(VERIFY, replace(made, hits=(1,)), query, empty.head.digest)


def mutilated(random: Random):
    """A query, and one of the ways to leave a match out of its answer or to put another entry into it."""
    words = random.sample(ENGLISH + CHINESE, 2) if random.random() < 0.5 else [random.choice(ENGLISH + CHINESE)]
    query = parse_query(" ".join(words))
    good = answer_query(INDEX, query, hits(query))
    if not good.hits:
        query, good = answer("traffic")
    at = random.randrange(len(good.hits))
    short = good.hits[:at] + good.hits[at + 1 :]
    term = random.choice(sorted(good.lookups))
    match random.choice(["hit", "posting", "leaf", "absence", "other term", "older", "invent", "twice", "index"]):
        case "hit":
            return query, replace(good, hits=short)
        case "posting":
            lookups = {one: without(lookup, good.hits[at]) for one, lookup in good.lookups.items()}
            return query, replace(good, hits=short, lookups=lookups)
        case "leaf":
            lookup = good.lookups[term]
            middle = next(n for n, leaf in enumerate(lookup.leaves) if leaf.postings is not None)
            leaves = lookup.leaves[:middle] + lookup.leaves[middle + 1 :]
            proof = replace(lookup.proof, count=len(leaves))
            return query, replace(good, hits=(), lookups={term: replace(lookup, leaves=leaves, proof=proof)})
        case "absence":
            return query, replace(good, hits=(), lookups={term: look_up(INDEX, "zz")})
        case "other term":
            return query, replace(good, hits=(), lookups={"zz": look_up(INDEX, "zz")})
        case "older":
            fewer = {sequence: ENTRIES[sequence] for sequence in range(good.hits[at])}
            older = index_of(fewer).provable()
            return query, answer_query(older, query, hits(query, fewer))
        case "invent":
            other = next(n for n in range(300) if n not in good.hits)
            return query, replace(good, hits=tuple(sorted((*good.hits, other))))
        case "twice":
            return query, replace(good, hits=(*good.hits, good.hits[-1]))
        case "index":
            # a keeper's whole index without the entry, under the digest of the right one
            lacking = index_of({n: one for n, one in ENTRIES.items() if n != good.hits[at]}).provable()
            made = answer_query(lacking, query, short)
            return query, replace(made, head=INDEX.head)


def without(lookup, sequence):
    leaves = []
    for leaf in lookup.leaves:
        if leaf.postings is not None:
            whole = [n for n in judge_lookup(VERIFY, lookup, INDEX.head, leaf.key[:-5].decode()) if n != sequence]
            leaf = replace(leaf, postings=encode_postings(whole) if whole else b"")
        leaves.append(leaf)
    return replace(lookup, leaves=tuple(leaves))


def test_attack_R6_answers_that_leave_an_entry_out_are_refused():
    for seed in range(60):
        query, made = mutilated(Random(seed))
        with pytest.raises((VerificationError, MalformedInput)):
            judge_answer(VERIFY, made, query, DIGEST, ENTRIES)


@pytest.mark.long
def test_attack_R6_of_a_thousand_planted_omissions_none_holds():
    for seed in range(1_000):
        query, made = mutilated(Random(seed))
        with pytest.raises((VerificationError, MalformedInput)):
            judge_answer(VERIFY, made, query, DIGEST, ENTRIES)
        judge_answer(VERIFY, answer_query(INDEX, query, hits(query)), query, DIGEST)


def test_attack_R6_no_block_of_a_term_is_left_out():
    """Of a term with several blocks any run of leaves but the whole is refused, also the one that begins or ends with the outermost."""
    grown = TermIndex()
    for sequence in range(0, 4 * BLOCK, BLOCK // 2):
        grown.add(sequence, {"b"} | ({"a", "c"} if sequence == 0 else set()))
    index = grown.provable()
    whole = look_up(index, "b")
    assert len(judge_lookup(VERIFY, whole, index.head, "b")) == 8
    for first in range(6):
        for end in range(first + 1, 7):
            keys = index.keys[first:end]
            leaves = tuple(next(leaf for leaf in whole.leaves if leaf.key == key) for key in keys)
            part = replace(whole, leaves=leaves, proof=index.range_proof(first, end - first))
            if (first, end) == (0, 6):
                judge_lookup(VERIFY, part, index.head, "b")
            else:
                with pytest.raises(VerificationError, match="lookup_reaches_beyond|postings_are"):
                    judge_lookup(VERIFY, part, index.head, "b")


def test_attack_R6_a_term_that_no_text_has_is_not_looked_up():
    with pytest.raises(VerificationError, match="term_can_be_in_the_index"):
        judge_lookup(VERIFY, look_up(INDEX, "Traffic"), INDEX.head, "Traffic")


def test_attack_R6_postings_beyond_the_log_are_refused():
    beyond = TermIndex()
    beyond.add(7, {"traffic"})
    beyond.size = 5
    index = beyond.provable()
    with pytest.raises(VerificationError, match="postings_are_in_the_log"):
        judge_lookup(VERIFY, look_up(index, "traffic"), index.head, "traffic")


def test_attack_R6_a_leaf_without_its_postings_is_refused():
    lookup = look_up(INDEX, "traffic")
    bare = replace(lookup, leaves=tuple(replace(leaf, postings=None) for leaf in lookup.leaves))
    with pytest.raises(VerificationError, match="postings_are_in_the_log"):
        judge_lookup(VERIFY, bare, INDEX.head, "traffic")


@pytest.mark.parametrize(
    "change",
    [{"hits": [-1]}, {"hits": 1}, {"lookups": [1]}, {"head": {}}, {"format": "x"}, {"version": 2}, {"more": 1}],
)
def test_attack_R6_what_is_no_answer_is_refused(change):
    _, made = answer("traffic")
    with pytest.raises(MalformedInput):
        decode_answer(json.dumps(json.loads(encode_answer(made)) | change).encode())


def test_attack_R6_a_term_stands_once_in_an_answer():
    said = json.loads(encode_answer(answer("traffic")[1]))
    with pytest.raises(MalformedInput, match="stands twice"):
        decode_answer(json.dumps(said | {"lookups": said["lookups"] * 2}).encode())


@settings(max_examples=25)
@given(st.binary(max_size=200))
def test_attack_R6_bytes_are_an_answer_or_are_refused(data):
    with pytest.raises(MalformedInput):
        decode_answer(data)
