"""The answer to a search, and the proof that it left nothing out.

Proven is a set and its size: which entries have every term of the query. Their order is not, and what the index does not hold (phrases,
prefixes, facets) is checked with the entries themselves, of which the rarest term leaves a few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.document import Document
from hutong.light_clients.proofs.merkle import RangeProof
from hutong.relay.services.directory.rules.terms.entry_texts import EntryText
from hutong.relay.services.directory.rules.terms.index import MAX_LEAVES, MAX_TERM_BYTES, ProvableIndex, TermsHead
from hutong.relay.services.directory.rules.terms.lookup import (
    MAX_LOOKUP_LEAVES,
    Lookup,
    LookupLeaf,
    judge_lookup,
    look_up,
)
from hutong.relay.services.directory.rules.terms.postings import MAX_POSTINGS_BYTES, postings_hash
from hutong.relay.services.directory.rules.terms.query import MAX_QUERY_TERMS, Query, matches
from hutong.relay.services.directory.rules.terms.table import SPEC
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import read_json_object

ANSWER_FORMAT: Final = "hutong-directory-answer"
ANSWER_VERSION: Final = 1
MAX_ANSWER_BYTES: Final = 16 * 2**20
MAX_HITS: Final = 1_000_000
DEFAULT_PROOF_BYTES: Final = 100_000
"""Of postings in one answer: terms beyond that are left to the reader, who checks them with the entries."""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What is said to match, as sequence numbers, ascending; and look-ups of terms of the query, by term."""

    head: TermsHead
    hits: tuple[int, ...]
    lookups: Mapping[str, Lookup]


def answer_query(
    index: ProvableIndex, query: Query, hits: Sequence[int], most_bytes: int = DEFAULT_PROOF_BYTES
) -> SearchAnswer:
    """The proof of `hits`, with the rarest term's postings, and others' as long as all of them have at most `most_bytes`.

    Args:
        hits: sequence numbers, ascending: all that match. They are not checked.

    Raises:
        MalformedInput: the query has no term that the index holds, so that nothing can be proven.
    """
    found = [(term, look_up(index, term)) for term in query.indexed_terms]
    if not found:
        raise MalformedInput("query", "has no term, of which alone completeness can be proven")
    ordered = sorted(found, key=lambda one: _postings_bytes(one[1]))
    shown, spent = dict(ordered[:1]), _postings_bytes(ordered[0][1])
    for term, lookup in ordered[1:]:
        # after a term that no entry has there is nothing more to say
        spent += _postings_bytes(lookup)
        if spent > most_bytes or not _postings_bytes(ordered[0][1]):
            break
        shown[term] = lookup
    return SearchAnswer(index.head, tuple(hits), shown)


def _postings_bytes(lookup: Lookup) -> int:
    return sum(len(leaf.postings or b"") for leaf in lookup.leaves)


@rule(SPEC)
def answer_is_of_this_digest(answer: SearchAnswer, digest: bytes) -> TermsHead:
    """The answer's head has the digest that the reader believes. Returns the head.

    Raises:
        PredicateFailed: it is another one, as an older.
    """
    if answer.head.digest != digest:
        raise PredicateFailed("answer_is_of_this_digest", "is under another digest", answer.head.digest, digest)
    return answer.head


@rule(SPEC)
def lookups_are_of_the_query(answer: SearchAnswer, query: Query) -> tuple[str, ...]:
    """At least one term is looked up, and only terms of the query. Returns them, ascending.

    Raises:
        PredicateFailed: none, or one that was not asked for.
    """
    asked = set(query.indexed_terms)
    if not answer.lookups or not asked.issuperset(answer.lookups):
        raise PredicateFailed("lookups_are_of_the_query", "terms", got=sorted(answer.lookups), expected=sorted(asked))
    return tuple(sorted(answer.lookups, key=str.encode))


@rule(SPEC)
def hits_are_candidates(answer: SearchAnswer, candidates: frozenset[int]) -> None:
    """Every hit has the terms that were looked up, and hits ascend, each once.

    Raises:
        PredicateFailed: one does not.
    """
    if list(answer.hits) != sorted(set(answer.hits)):
        raise PredicateFailed("hits_are_candidates", "hits ascend, each once")
    invented = set(answer.hits) - candidates
    if invented:
        raise PredicateFailed("hits_are_candidates", "does not have the terms", got=min(invented))


@rule(SPEC)
def nothing_is_left_out(
    answer: SearchAnswer, query: Query, candidates: frozenset[int], entries: Mapping[int, EntryText]
) -> None:
    """Every candidate is a hit. Where the look-ups do not settle the query, entries that the reader has say which are.

    Raises:
        PredicateFailed: a candidate is left out though it matches, a hit does not match, or the entry of a candidate is not there.
    """
    hits = set(answer.hits)
    settled = query.is_terms_alone and (not candidates or set(answer.lookups) == set(query.indexed_terms))
    for sequence in sorted(candidates):
        if settled:
            is_match = True
        elif sequence in entries:
            is_match = matches(query, entries[sequence])
        else:
            raise PredicateFailed("nothing_is_left_out", "the entry is needed to say whether it matches", got=sequence)
        if is_match and sequence not in hits:
            raise PredicateFailed("nothing_is_left_out", "an entry that matches is left out", got=sequence)
        if not is_match and sequence in hits:
            raise PredicateFailed("nothing_is_left_out", "a hit does not match", got=sequence)


def judge_answer(
    judge: Judge, answer: SearchAnswer, query: Query, digest: bytes, entries: Mapping[int, EntryText] | None = None
) -> None:
    """The hits are all operations of the log up to the digest's size that match the query, and no others.

    Args:
        digest: D(n), which must be believed already, 32 bytes.
        entries: by sequence number, as the log has them, which must be believed already; needed for candidates where the query is more
            than terms, or not all of its terms were looked up.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MalformedInput: a key or postings that are not ones.
    """
    head = judge(answer_is_of_this_digest, answer, digest)
    terms = judge(lookups_are_of_the_query, answer, query)
    having = [frozenset(judge_lookup(judge.under(term), answer.lookups[term], head, term)) for term in terms]
    candidates = frozenset.intersection(*having)
    judge(hits_are_candidates, answer, candidates)
    judge(nothing_is_left_out, answer, query, candidates, entries or {})


def encode_answer(answer: SearchAnswer) -> bytes:
    """Canonical JSON with a final line break."""
    head = {"size": answer.head.size, "leaves": answer.head.leaves, "root": answer.head.root.hex()}
    lookups = [_lookup_fields(term, answer.lookups[term]) for term in sorted(answer.lookups, key=str.encode)]
    said: dict[str, Any] = {"format": ANSWER_FORMAT, "version": ANSWER_VERSION, "head": head}
    return canonical_json(said | {"hits": list(answer.hits), "lookups": lookups}) + b"\n"


def _lookup_fields(term: str, lookup: Lookup) -> dict[str, Any]:
    leaves = [
        {"key": leaf.key.hex()}
        | ({"hash": leaf.hash.hex()} if leaf.postings is None else {"postings": leaf.postings.hex()})
        for leaf in lookup.leaves
    ]
    said: dict[str, Any] = {"term": term, "leaves": leaves}
    if lookup.proof is None:
        return said
    return said | {"first": lookup.proof.first, "nodes": [node.hex() for node in lookup.proof.nodes]}


def decode_answer(data: bytes) -> SearchAnswer:
    """An answer of any origin; nothing of it is judged.

    Raises:
        MalformedInput: not strict JSON, another format, or a member out of its bounds.
    """
    with Document(read_json_object(data, "answer", MAX_ANSWER_BYTES), "answer").of_format(
        "an answer", ANSWER_FORMAT, ANSWER_VERSION
    ) as fields:
        with fields["head"].members() as said:
            size, leaves = said["size"].integer(0, MAX_LEAVES), said["leaves"].integer(0, MAX_LEAVES)
            head = TermsHead(size, leaves, said["root"].hex(32))
        hits = tuple(hit.integer(0, MAX_LEAVES) for hit in fields["hits"].items(MAX_HITS))
        lookups = [_lookup_of(lookup, leaves) for lookup in fields["lookups"].items(MAX_QUERY_TERMS)]
    if len(dict(lookups)) != len(lookups):
        raise MalformedInput("answer.lookups", "a term stands twice")
    return SearchAnswer(head, hits, dict(lookups))


def _lookup_of(document: Document, total: int) -> tuple[str, Lookup]:
    with document.members() as fields:
        term = fields["term"].text(MAX_TERM_BYTES)
        leaves = tuple(_leaf_of(leaf) for leaf in fields["leaves"].items(MAX_LOOKUP_LEAVES))
        if not leaves:
            return term, Lookup((), None)
        first = fields["first"].integer(0, MAX_LEAVES)
        nodes = tuple(node.hex(32) for node in fields["nodes"].items(128))
    return term, Lookup(leaves, RangeProof(total, first, len(leaves), nodes))


def _leaf_of(document: Document) -> LookupLeaf:
    with document.members() as fields:
        key = fields["key"].hex_of_at_most(MAX_TERM_BYTES + 5)
        if "postings" in document.value:
            postings = fields["postings"].hex_of_at_most(MAX_POSTINGS_BYTES)
            return LookupLeaf(key, postings, postings_hash(postings))
        return LookupLeaf(key, None, fields["hash"].hex(32))
