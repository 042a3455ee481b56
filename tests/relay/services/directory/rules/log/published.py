"""A directory in memory, by the module's own rules: operations in, log and heads out."""

from hutong.relay.services.directory.rules.log.following import changed_facets, next_head, operation_follows
from hutong.relay.services.directory.rules.log.operations import (
    EntryContent,
    GivenOperation,
    LoggedOperation,
    OperationKind,
    PublishedBy,
)
from hutong.relay.services.directory.rules.records.facets import NO_HEAD, FacetKind, name_code

PUBLISHER, OTHER = b"\x01" * 32, b"\x02" * 32
ORIGIN = name_code(FacetKind.ORIGIN, "hutong-1")
ACCOUNT = b"\x11" * 20
TRAFFIC, HEALTH = sorted(name_code(FacetKind.THEME, name) for name in ("urn:theme:traffic", "urn:theme:health"))
CSV = name_code(FacetKind.FORMAT, "urn:format:csv")


def content(number=1, *, restricted=False, until=0, themes=(TRAFFIC,), formats=(CSV,)):
    policies = bytes(32) if restricted else b"\xee" * 32
    return EntryContent(number.to_bytes(32, "big"), policies, restricted, until, themes, formats)


def put(local, follows=0, **said):
    return GivenOperation(OperationKind.PUT, local.to_bytes(32, "big"), follows, content(**said))


def update(local, follows, **said):
    return GivenOperation(OperationKind.UPDATE, local.to_bytes(32, "big"), follows, content(**said))


def withdraw(local, follows):
    return GivenOperation(OperationKind.WITHDRAW, local.to_bytes(32, "big"), follows, None)


class Published:
    """What the hub's state says of entries and facets."""

    def __init__(self):
        self.log, self.entries, self.heads, self.leaves = [], {}, {}, {}

    def publish(self, *given, publisher=PUBLISHER, height=7, time_s=1_000):
        for one in given:
            made = logged(one, self.standing(publisher, one.local), len(self.log), publisher, (height, time_s))
            standing = self.entries.get(made.entry)
            operation_follows(one, standing)
            for facet in changed_facets(standing, made):
                self.heads[facet] = next_head(self.heads.get(facet, NO_HEAD), facet, standing, made)
                self.leaves.setdefault(facet, []).append(made)
            self.entries[made.entry] = made
            self.log.append(made)
        return self

    def standing(self, publisher, local):
        return next((one for one in reversed(self.log) if (one.publisher, one.local) == (publisher, local)), None)


def logged(given, standing, sequence, publisher=PUBLISHER, moment=(7, 1_000)):
    said = standing.content if given.content is None else given.content
    version, previous = (0, bytes(32)) if standing is None else (standing.version, standing.leaf)
    names = (given.kind, sequence, publisher, given.local, version + 1, said)
    return LoggedOperation(*names, ORIGIN, PublishedBy.HUB_ACCOUNT, ACCOUNT, previous, *moment)
