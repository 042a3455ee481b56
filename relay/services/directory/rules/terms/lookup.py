"""Lookups: all leaves of the index whose keys lie between two, shown with the leaves next to them, so that none of them was left out."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.proofs.merkle import RangeProof, judge_range
from hutong.relay.services.directory.rules.terms.index import (
    MAX_BLOCKS,
    ProvableIndex,
    TermsHead,
    leaf_key,
    leaf_of,
    term_of_key,
)
from hutong.relay.services.directory.rules.terms.postings import decode_postings, postings_hash
from hutong.relay.services.directory.rules.terms.table import SPEC
from hutong.relay.services.directory.rules.terms.words import all_terms

MAX_LOOKUP_LEAVES: Final = 4_096
"""32 million operations for a term that is in all of them."""


@dataclass(frozen=True, slots=True)
class LookupLeaf:
    """A leaf: its postings where they are what was asked for, and None with their hash where it is a neighbour."""

    key: bytes
    postings: bytes | None
    hash: bytes

    @property
    def leaf(self) -> bytes:
        """Its bytes in the tree; the hash is of the postings where they are shown."""
        return leaf_of(self.key, self.hash if self.postings is None else postings_hash(self.postings))


@dataclass(frozen=True, slots=True)
class Lookup:
    """Leaves that follow one another. Of an index without leaves there is nothing to show, and `proof` is None."""

    leaves: tuple[LookupLeaf, ...]
    proof: RangeProof | None


def look_up(index: ProvableIndex, term: str, block: int | None = None) -> Lookup:
    """The leaves of a term, or of one of its blocks, with the leaves on both sides of them."""
    if not index.keys:
        return Lookup((), None)
    first, end = index.places(*_bounds(term, block))
    shown = range(max(first - 1, 0), min(end + 1, len(index.keys)))
    leaves = []
    for at in shown:
        key = index.keys[at]
        postings = index.postings[key]
        asked = first <= at < end
        leaves.append(LookupLeaf(key, postings if asked else None, postings_hash(postings)))
    return Lookup(tuple(leaves), index.range_proof(shown.start, len(shown)))


def _bounds(term: str, block: int | None) -> tuple[bytes, bytes]:
    if block is None:
        return leaf_key(term, 0), leaf_key(term, MAX_BLOCKS - 1)
    return leaf_key(term, block), leaf_key(term, block)


@rule(SPEC)
def lookup_is_of_this_index(lookup: Lookup, head: TermsHead) -> RangeProof | None:
    """The proof counts as many leaves as the head; there is none only if the index has no leaves. Returns it.

    Raises:
        PredicateFailed: more or fewer, as under another digest.
    """
    total = 0 if lookup.proof is None else lookup.proof.total
    if total != head.leaves or len(lookup.leaves) > MAX_LOOKUP_LEAVES or (lookup.proof is None and lookup.leaves):
        raise PredicateFailed("lookup_is_of_this_index", "number of leaves", got=total, expected=head.leaves)
    return lookup.proof


@rule(SPEC)
def leaves_ascend(lookup: Lookup) -> None:
    """Keys are terms and blocks, and ascend, each once.

    Raises:
        PredicateFailed: two are equal or in another order.
        MalformedInput: one is not a key.
    """
    for leaf in lookup.leaves:
        term_of_key(leaf.key)
    for before, after in pairwise(lookup.leaves):
        if before.key >= after.key:
            raise PredicateFailed("leaves_ascend", "is not after the one before it", got=after.key, expected=before.key)


@rule(SPEC)
def lookup_reaches_beyond(lookup: Lookup, low: bytes, high: bytes) -> None:
    """Before the first key asked for and after the last one there is a leaf, or the end of the tree: so none of them is left out.

    Raises:
        PredicateFailed: on one side a leaf may have been left out.
    """
    proof = lookup.proof
    if proof is None or (low == high and any(leaf.key == low for leaf in lookup.leaves)):
        # one leaf was asked for, and there it is
        return
    if proof.first > 0 and lookup.leaves[0].key >= low:
        raise PredicateFailed("lookup_reaches_beyond", "what stands before is not shown", got=lookup.leaves[0].key)
    if proof.first + proof.count < proof.total and lookup.leaves[-1].key <= high:
        raise PredicateFailed("lookup_reaches_beyond", "what stands after is not shown", got=lookup.leaves[-1].key)


@rule(SPEC)
def postings_are_in_the_log(lookup: Lookup, low: bytes, high: bytes, size: int) -> tuple[int, ...]:
    """The postings of each leaf asked for are shown, are of its block, and of the first `size` operations. Returns them, ascending.

    Raises:
        PredicateFailed: a leaf is shown without its postings, or one is beyond the log.
        MalformedInput: postings in another spelling.
    """
    found: list[int] = []
    for leaf in lookup.leaves:
        if low <= leaf.key <= high:
            if leaf.postings is None:
                raise PredicateFailed("postings_are_in_the_log", "a leaf is without its postings", got=leaf.key)
            found += decode_postings(leaf.postings, term_of_key(leaf.key)[1])
    if found and found[-1] >= size:
        raise PredicateFailed("postings_are_in_the_log", "is beyond the log", got=found[-1], expected=f"< {size}")
    return tuple(found)


def judge_lookup(judge: Judge, lookup: Lookup, head: TermsHead, term: str, block: int | None = None) -> tuple[int, ...]:
    """The operations with this term, all of them, or those of one block: ascending. `head` must be believed already.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MalformedInput: a key or postings that are not ones.
    """
    judge(term_can_be_in_the_index, term)
    low, high = _bounds(term, block)
    proof = judge(lookup_is_of_this_index, lookup, head)
    judge(leaves_ascend, lookup)
    if proof is not None:
        judge_range(judge, proof, head.root, [leaf.leaf for leaf in lookup.leaves])
    judge(lookup_reaches_beyond, lookup, low, high)
    return judge(postings_are_in_the_log, lookup, low, high, head.size)


@rule(SPEC)
def term_can_be_in_the_index(term: str) -> None:
    """The term is one that a text can give: asked for another one, any index is silent.

    Raises:
        PredicateFailed: it is not.
    """
    if term not in all_terms(term):
        raise PredicateFailed("term_can_be_in_the_index", "is not a term of any text", got=term)


def operations_with(index: ProvableIndex, term: str) -> tuple[int, ...]:
    """All operations with this term, ascending, as an index of one's own has them: nothing is judged."""
    first, end = index.places(*_bounds(term, None))
    return tuple(
        sequence
        for key in index.keys[first:end]
        for sequence in decode_postings(index.postings[key], term_of_key(key)[1])
    )
