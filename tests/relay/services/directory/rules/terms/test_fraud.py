"""A keeper whose digest is not the log's is shown to have lied with one leaf; an honest one cannot be accused."""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import VERIFY, MalformedInput, VerificationError
from hutong.relay.services.directory.rules.entries.document import DOCUMENT_DOMAIN
from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.rules.terms.fraud import IndexFraud, judge_fraud, prove_fraud
from hutong.relay.services.directory.rules.terms.index import TermIndex
from hutong.relay.services.identity.rules.jcs import canonical_json
from tests.relay.services.directory.rules.log.published import logged, put, withdraw
from tests.relay.services.directory.rules.terms.entries import documents, index_of, texts

DOCUMENTS = documents(100)
ENTRIES = texts(100)
HONEST = index_of(ENTRIES).provable()
VICTIM = 41
TERM = min(ENTRIES[VICTIM].terms)
RAW = canonical_json(DOCUMENTS[VICTIM])


def on_record(raw=RAW, sequence=VICTIM, **said):
    """The operation of the log that put a document."""
    given = put(1, **said)
    given = replace(given, content=replace(given.content, document=sha256(DOCUMENT_DOMAIN + raw)))
    return logged(given, None, sequence)


PUT = on_record()


def lying(change):
    """An index in which the terms of the victim are changed."""
    index = TermIndex()
    for sequence, entry in ENTRIES.items():
        index.add(sequence, change(entry.terms) if sequence == VICTIM else entry.terms)
    return index.provable()


LEFT_OUT = lying(lambda terms: terms - {TERM})
INVENTED = lying(lambda terms: terms | {"invented"})


def test_attack_R8_an_entry_that_was_left_out_is_shown():
    proof = prove_fraud(LEFT_OUT, IndexFraud.LEFT_OUT, VICTIM, TERM, RAW)
    judge_fraud(VERIFY, proof, LEFT_OUT.head, PUT)
    assert sum(len(leaf.leaf) for leaf in proof.lookup.leaves) + 32 * len(proof.lookup.proof.nodes) < 2_000


def test_attack_R8_a_term_that_has_no_leaf_at_all_is_shown():
    rare = entry_text(DOCUMENTS[VICTIM] | {"title": "unheard"})
    raw = canonical_json(DOCUMENTS[VICTIM] | {"title": "unheard"})
    assert "unheard" in rare.terms
    proof = prove_fraud(HONEST, IndexFraud.LEFT_OUT, VICTIM, "unheard", raw)
    judge_fraud(VERIFY, proof, HONEST.head, on_record(raw))


def test_attack_R8_an_entry_that_was_invented_is_shown():
    proof = prove_fraud(INVENTED, IndexFraud.INVENTED, VICTIM, "invented", RAW)
    judge_fraud(VERIFY, proof, INVENTED.head, PUT)


@pytest.mark.parametrize("fraud", list(IndexFraud))
@pytest.mark.parametrize("term", [TERM, "nowhere", "traffic", "交通"])
def test_attack_R8_an_honest_keeper_cannot_be_accused(fraud, term):
    with pytest.raises(VerificationError, match="postings_contradict_the_entry"):
        judge_fraud(VERIFY, prove_fraud(HONEST, fraud, VICTIM, term, RAW), HONEST.head, PUT)


def test_attack_R8_false_accusations_are_refused():
    proof = prove_fraud(LEFT_OUT, IndexFraud.LEFT_OUT, VICTIM, TERM, RAW)
    other = canonical_json(DOCUMENTS[0] | {"title": ENTRIES[VICTIM].texts[0]})
    for wrong, head, rule in (
        (replace(proof, document=other), LEFT_OUT.head, "document_is_the_entry"),
        (proof, HONEST.head, "lookup_is_of_this_index|range_is_under_root"),
        (proof, replace(LEFT_OUT.head, size=VICTIM), "operation_is_in_the_digest"),
        (replace(proof, sequence=VICTIM - 1), LEFT_OUT.head, "operation_has_a_document"),
        (replace(proof, fraud=IndexFraud.INVENTED), LEFT_OUT.head, "postings_contradict_the_entry"),
    ):
        with pytest.raises(VerificationError, match=rule):
            judge_fraud(VERIFY, wrong, head, PUT)
    with pytest.raises(MalformedInput):
        judge_fraud(VERIFY, replace(proof, document=b"{"), LEFT_OUT.head, PUT)


def test_attack_R8_withdrawals_and_restricted_entries_accuse_nobody():
    """They stand in the log with a hash, and an honest keeper has no terms of them."""
    index = TermIndex()
    for sequence, entry in ENTRIES.items():
        index.add(sequence, () if sequence == VICTIM else entry.terms)
    honest = index.provable()
    proof = prove_fraud(honest, IndexFraud.LEFT_OUT, VICTIM, TERM, RAW)
    gone = logged(withdraw(1, 1), on_record(sequence=VICTIM - 1), VICTIM)
    assert gone.content == PUT.content
    for one in (gone, on_record(restricted=True)):
        with pytest.raises(VerificationError, match="operation_has_a_document"):
            judge_fraud(VERIFY, proof, honest.head, one)


def test_attack_R8_a_listed_term_of_another_place_is_no_fraud():
    """The look-up of a neighbouring term, honest in itself, shows nothing of this one."""
    proof = prove_fraud(HONEST, IndexFraud.LEFT_OUT, VICTIM, TERM, RAW)
    elsewhere = prove_fraud(HONEST, IndexFraud.LEFT_OUT, VICTIM, "zz", RAW)
    with pytest.raises(VerificationError, match="lookup_reaches_beyond|postings_are_in_the_log"):
        judge_fraud(VERIFY, replace(proof, lookup=elsewhere.lookup), HONEST.head, PUT)
