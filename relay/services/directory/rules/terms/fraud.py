"""Frauds of a keeper: an entry of the log has a term and the postings under its digest leave it out, or name it though it has not.

Anybody who has the entry and one leaf of the index shows it. That the document is the entry's is proven by the log, which is not judged here.
"""

from dataclasses import dataclass
from enum import Enum

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.directory.rules.entries.document import DOCUMENT_DOMAIN, MAX_DOCUMENT_BYTES
from hutong.relay.services.directory.rules.log.operations import LoggedOperation
from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.rules.terms.index import ProvableIndex, TermsHead
from hutong.relay.services.directory.rules.terms.lookup import Lookup, judge_lookup, look_up
from hutong.relay.services.directory.rules.terms.postings import BLOCK
from hutong.relay.services.directory.rules.terms.table import SPEC
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object


class IndexFraud(Enum):
    """What the keeper did."""

    LEFT_OUT = "left out"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True)
class FraudProof:
    """`document` is the entry `sequence` of the log, as JSON; `lookup` is of the term's block in which it is."""

    fraud: IndexFraud
    sequence: int
    term: str
    document: bytes
    lookup: Lookup


def prove_fraud(index: ProvableIndex, fraud: IndexFraud, sequence: int, term: str, document: bytes) -> FraudProof:
    """The proof against an index as its keeper serves it. Whether there is a fraud is for the judge."""
    return FraudProof(fraud, sequence, term, document, look_up(index, term, sequence // BLOCK))


@rule(SPEC)
def operation_has_a_document(proof: FraudProof, one: LoggedOperation) -> bytes:
    """The operation is the one of this number, and says an open document, which a keeper has to index. Returns the document's hash.

    The danger: a withdrawal stands in the log with the hash of what it withdraws, and no index has terms of it.

    Raises:
        PredicateFailed: it is another one, a withdrawal, or restricted.
    """
    name = "operation_has_a_document"
    if one.sequence != proof.sequence:
        raise PredicateFailed(name, "place in the log", got=one.sequence, expected=proof.sequence)
    if not one.is_live or one.content.is_restricted:
        raise PredicateFailed(
            name, "is a withdrawal or restricted: no index has terms of it", got=one.kind.name.lower()
        )
    return one.content.document


@rule(SPEC)
def document_is_the_entry(proof: FraudProof, document_hash: bytes) -> JsonObject:
    """The document is the one on record for this operation of the log. Returns it.

    Raises:
        PredicateFailed: another hash.
        MalformedInput: not strict JSON of at most MAX_DOCUMENT_BYTES.
    """
    document = read_json_object(proof.document, "document", MAX_DOCUMENT_BYTES)
    found = sha256(DOCUMENT_DOMAIN + canonical_json(document))
    if found != document_hash:
        raise PredicateFailed("document_is_the_entry", "is another document", got=found, expected=document_hash)
    return document


@rule(SPEC)
def operation_is_in_the_digest(proof: FraudProof, head: TermsHead) -> None:
    """The digest is of a log that has this operation.

    Raises:
        PredicateFailed: it is older.
    """
    if not 0 <= proof.sequence < head.size:
        raise PredicateFailed(
            "operation_is_in_the_digest", "is of an older log", got=head.size, expected=proof.sequence
        )


@rule(SPEC)
def postings_contradict_the_entry(proof: FraudProof, document: JsonObject, postings: tuple[int, ...]) -> None:
    """The entry has the term and the postings lack it; or, for an invention, the other way round.

    Raises:
        PredicateFailed: they agree: the keeper is honest here.
    """
    has_term = proof.term in entry_text(document).terms
    is_listed = proof.sequence in postings
    expected = (True, False) if proof.fraud is IndexFraud.LEFT_OUT else (False, True)
    if (has_term, is_listed) != expected:
        raise PredicateFailed(
            "postings_contradict_the_entry", "has the term, is listed", (has_term, is_listed), expected
        )


def judge_fraud(judge: Judge, proof: FraudProof, head: TermsHead, one: LoggedOperation) -> None:
    """The digest is not the one of the log: whoever signed it said something false, if it was given the document in time.

    That it was given is not shown: a publisher may keep an open document back until the digest is signed. So nobody is to lose anything by this
    alone (docs/spec/directory-terms.md).

    Args:
        head: of the digest that the keeper signed.
        one: the operation at `proof.sequence`, as the log has it; it must be believed already.

    Raises:
        PredicateFailed: the first rule that does not hold: there is no fraud, or it is not shown.
        MalformedInput: the document or the look-up is not one.
    """
    document = judge(document_is_the_entry, proof, judge(operation_has_a_document, proof, one))
    judge(operation_is_in_the_digest, proof, head)
    postings = judge_lookup(judge, proof.lookup, head, proof.term, proof.sequence // BLOCK)
    judge(postings_contradict_the_entry, proof, document, postings)
