"""What all operations of a facet say together: which entries there are, that the head counts as many, and what a reader is not shown."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.directory.rules.log.following import SPEC
from hutong.relay.services.directory.rules.log.operations import LoggedOperation
from hutong.relay.services.directory.rules.records.facets import Facet, FacetHead
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES

Entries = Mapping[bytes, LoggedOperation]
"""The newest operation by the id of its entry."""


@rule(SPEC)
def operation_is_the_next_of_its_entry(one: LoggedOperation, standing: LoggedOperation | None) -> None:
    """In the whole log an operation names the one before it on its entry, by its hash, and counts one version more.

    Raises:
        PredicateFailed: it does not.
    """
    name = "operation_is_the_next_of_its_entry"
    version, leaf = (0, bytes(HASH_BYTES)) if standing is None else (standing.version, standing.leaf)
    if one.version != version + 1:
        raise PredicateFailed(name, "version", got=one.version, expected=version + 1)
    if one.previous != leaf:
        raise PredicateFailed(name, "hash of the operation before it", got=one.previous, expected=leaf)


@rule(SPEC)
def operation_has_its_place(one: LoggedOperation, place: int) -> None:
    """In the whole log an operation says its place.

    Raises:
        PredicateFailed: it says another.
    """
    if one.sequence != place:
        raise PredicateFailed("operation_has_its_place", "place in the log", got=one.sequence, expected=place)


def replay_log(judge: Judge, operations: Sequence[LoggedOperation], standing: Entries, first: int = 0) -> Entries:
    """The entries after further operations of the whole log.

    Args:
        operations: those from `first` on, all of them.
        standing: the entries after those before.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    entries = dict(standing)
    for place, one in enumerate(operations, first):
        judge(operation_has_its_place, one, place)
        judge(operation_is_the_next_of_its_entry, one, entries.get(one.entry))
        entries[one.entry] = one
    return MappingProxyType(entries)


def live_entries(operations: Sequence[LoggedOperation], facet: Facet) -> Entries:
    """The entries that have the facet and were not withdrawn, by all operations under its head."""
    newest = {one.entry: one for one in operations}
    return {entry: one for entry, one in newest.items() if one.is_live and one.has(facet)}


@rule(SPEC)
def head_counts_these(head: FacetHead, entries: Entries) -> None:
    """The head has counted as many live and restricted entries as its operations leave.

    Raises:
        PredicateFailed: it has counted others.
    """
    restricted = sum(one.content.is_restricted for one in entries.values())
    if (head.live, head.restricted) != (len(entries), restricted):
        got, expected = (len(entries), restricted), (head.live, head.restricted)
        raise PredicateFailed("head_counts_these", "live and restricted entries", got, expected)


@rule(SPEC)
def nothing_is_left_unsaid(entries: Entries, shown: Collection[bytes], withheld: Collection[bytes]) -> None:
    """Each entry is shown or named as withheld, none is both, and what is withheld is restricted.

    Args:
        shown: ids of the entries of which the documents are there.
        withheld: ids of those of which they are not.

    Raises:
        PredicateFailed: an entry is neither or both, there is a foreign one, or an open one is withheld.
    """
    name = "nothing_is_left_unsaid"
    both = sorted(set(shown) & set(withheld))
    if both:
        raise PredicateFailed(name, "an entry is shown and withheld", got=both[0])
    named = {*shown, *withheld}
    missing, foreign = sorted(entries.keys() - named), sorted(named - entries.keys())
    if missing:
        raise PredicateFailed(name, "an entry is neither shown nor named", got=missing[0])
    if foreign:
        raise PredicateFailed(name, "an entry is not under the head", got=foreign[0])
    for entry in sorted(withheld):
        if not entries[entry].content.is_restricted:
            raise PredicateFailed(name, "an open entry is withheld", got=entry)
