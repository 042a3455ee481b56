"""What may follow on an entry, and which heads an operation changes: the module, and whoever rebuilds the log, by the same rules."""

from dataclasses import replace

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.directory.rules.log.operations import GivenOperation, LoggedOperation, OperationKind
from hutong.relay.services.directory.rules.records.facets import Facet, FacetHead
from hutong.relay.services.directory.rules.records.publishers import DirectoryParameters, PublisherRecord, PublisherUse

SPEC = "docs/spec/directory-log.md"


@rule(SPEC)
def operation_follows(given: GivenOperation, standing: LoggedOperation | None) -> None:
    """The publisher saw the entry as it stands; what is put is not there, what is updated or withdrawn is.

    Raises:
        PredicateFailed: another version stands, or the entry is there, or is not.
    """
    version = 0 if standing is None else standing.version
    if given.follows != version:
        raise PredicateFailed("operation_follows", "another version of the entry stands", given.follows, version)
    is_there = standing is not None and standing.is_live
    if is_there == (given.kind is OperationKind.PUT):
        says = "the entry is there already" if is_there else "the entry is not there"
        raise PredicateFailed("operation_follows", says, got=given.kind.name.lower())


@rule(SPEC)
def entry_is_not_over(given: GivenOperation, now_s: int) -> None:
    """What is put or updated has time left.

    Raises:
        PredicateFailed: its end is not after `now_s`, Unix seconds.
    """
    until = 0 if given.content is None else given.content.valid_until_s
    if until and until <= now_s:
        raise PredicateFailed("entry_is_not_over", "the entry ends before it begins", got=until, expected=f"> {now_s}")


@rule(SPEC)
def share_of_block_is_left(use: PublisherUse, parameters: DirectoryParameters, height: int, count: int) -> PublisherUse:
    """A publisher's operations in one block stay within its share, so that others come into it. Returns what is used then.

    Raises:
        PredicateFailed: they do not.
    """
    before = use.operations if use.height == height else 0
    if before + count > parameters.block_operations:
        raise PredicateFailed(
            "share_of_block_is_left",
            "the publisher's operations in this block",
            got=before + count,
            expected=f"<= {parameters.block_operations}",
        )
    return replace(use, height=height, operations=before + count)


@rule(SPEC)
def records_are_left(use: PublisherUse, publisher: PublisherRecord, brought: int) -> PublisherUse:
    """A publisher brings no more records into the state than governance allows it. Returns what is used then.

    Args:
        brought: new entries and new heads of this call.

    Raises:
        PredicateFailed: it does.
    """
    after = use.records + brought
    if brought and after > publisher.records:
        raise PredicateFailed(
            "records_are_left", "records of the publisher", got=after, expected=f"<= {publisher.records}"
        )
    return replace(use, records=after)


def changed_facets(standing: LoggedOperation | None, now: LoggedOperation) -> tuple[Facet, ...]:
    """All facets of which the operation is a leaf: those that the entry has by it, and those that it had before.

    So whoever reads one facet learns that an entry left it.
    """
    before = () if standing is None else standing.facets
    return tuple(sorted({*before, *now.facets}))


def next_head(head: FacetHead, facet: Facet, standing: LoggedOperation | None, now: LoggedOperation) -> FacetHead:
    """The head of one of the `changed_facets` after the operation."""
    frontier = head.frontier
    frontier.append(now.leaf)
    live = head.live + _counts(facet, now) - _counts(facet, standing)
    restricted = head.restricted + _withheld(facet, now) - _withheld(facet, standing)
    return FacetHead(frontier.size, live, restricted, frontier.peaks())


def _counts(facet: Facet, one: LoggedOperation | None) -> int:
    return int(one is not None and one.is_live and one.has(facet))


def _withheld(facet: Facet, one: LoggedOperation | None) -> int:
    return _counts(facet, one) if one is not None and one.content.is_restricted else 0
