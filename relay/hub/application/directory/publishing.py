"""Operations of a call: judged one after another, appended to the log and to each facet that they touch, and all or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hutong.light_clients.interface import VERIFY
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.directory.refusals import NotThePublishersAccount
from hutong.relay.hub.application.directory.registry import DirectoryRegistry
from hutong.relay.services.directory.rules.log.following import (
    changed_facets,
    entry_is_not_over,
    next_head,
    operation_follows,
    records_are_left,
    share_of_block_is_left,
)
from hutong.relay.services.directory.rules.log.operations import GivenOperation, LoggedOperation, PublishedBy
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, NO_HEAD, Facet, FacetHead
from hutong.relay.services.directory.rules.records.keys import entry_id
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES

Charge = Callable[[int], None]
"""Paid before the work: how many heads an operation touches."""
Logged = Callable[[LoggedOperation], None]


@dataclass(frozen=True, slots=True)
class _Heads:
    """Heads of one call: each is read once and written once, however many operations touch it."""

    registry: DirectoryRegistry
    found: dict[Facet, FacetHead] = field(default_factory=dict)
    brought: set[Facet] = field(default_factory=set)

    def at(self, facet: Facet) -> FacetHead:
        if facet not in self.found:
            standing = self.registry.find_head(facet)
            if standing is None:
                self.brought.add(facet)
            self.found[facet] = NO_HEAD if standing is None else standing
        return self.found[facet]

    def write(self) -> None:
        for facet in sorted(self.found):
            self.registry.put_head(facet, self.found[facet])


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who calls, for whom, on which chain."""

    id: bytes
    caller: Address
    origin: bytes
    """`name_code` of this hub."""


def publish(
    registry: DirectoryRegistry, by: Publisher, given: Sequence[GivenOperation], charge: Charge, logged: Logged
) -> int:
    """Append operations of a publisher, in their order. Returns the place of the first in the log.

    Raises:
        UnknownPublisher, NotThePublishersAccount: as their names say.
        PredicateFailed: a rule of docs/spec/directory-log.md.
    """
    record = registry.publisher(by.id)
    if by.caller != record.account:
        raise NotThePublishersAccount(by.caller, record.account)
    parameters, height = registry.parameters(), registry.now.height
    use = VERIFY(share_of_block_is_left, registry.use(by.id), parameters, height, len(given))
    heads, entries = _Heads(registry), 0
    first = heads.at(EVERYTHING).size
    for number, one in enumerate(given):
        standing = registry.find_entry(entry_id(by.id, one.local))
        VERIFY(operation_follows, one, standing)
        VERIFY(entry_is_not_over, one, registry.now.time_s)
        made = _logged(registry, by, one, standing, first + number)
        touched = changed_facets(standing, made)
        charge(len(touched))
        for facet in touched:
            heads.found[facet] = next_head(heads.at(facet), facet, standing, made)
        registry.put_entry(made)
        logged(made)
        entries += standing is None
    registry.put_use(by.id, VERIFY(records_are_left, use, record, entries + len(heads.brought)))
    heads.write()
    return first


def _logged(
    registry: DirectoryRegistry, by: Publisher, given: GivenOperation, standing: LoggedOperation | None, place: int
) -> LoggedOperation:
    version, previous = (0, bytes(HASH_BYTES)) if standing is None else (standing.version, standing.leaf)
    content = given.content
    if content is None:
        if standing is None:
            raise RuntimeError("operation_follows lets no withdrawal of nothing through")
        content = standing.content
    names = (given.kind, place, by.id, given.local, version + 1, content)
    now = registry.now
    return LoggedOperation(*names, by.origin, PublishedBy.HUB_ACCOUNT, by.caller, previous, now.height, now.time_s)
