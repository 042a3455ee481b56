"""Accreditations over the state: who grants and revokes them, and whether a chain holds now."""

from dataclasses import replace

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.hub.application.identity import strangers
from hutong.relay.hub.application.identity.refusals import NotAccredited, TooManyRecords, UnknownAccreditation
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.services.identity.rules.organisations.accrediting import (
    chain_of,
    grant_is_within,
    place_is_free,
    revoked_by_accreditor_or_subject,
    window_is_ahead,
)
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    AccreditationRecord,
    AccreditationState,
    Grant,
)

MAX_GRANTS = 4_096
"""Accreditations of one accreditor that have a record at a time."""


def accreditation_chain(registry: Registry, subject: bytes, schema: bytes) -> tuple[AccreditationRecord, ...]:
    """As `chain_of`, over the state of the running block.

    Raises:
        PredicateFailed: the first rule that does not hold at any level.
    """
    return chain_of(subject, schema, registry.now.time_s, registry.find_accreditation, registry.is_active)


def require_accredited(registry: Registry, subject: bytes, schema: bytes) -> AccreditationRecord:
    """The accreditation of a subject under exactly this schema, whose whole chain holds now.

    Raises:
        NotAccredited: it does not, with the rule that it breaks.
    """
    try:
        return accreditation_chain(registry, subject, schema)[0]
    except PredicateFailed as error:
        raise NotAccredited(subject, schema, error.predicate) from error


def grant(registry: Registry, subject: bytes, schema: bytes, granted: Grant) -> None:
    """Write what an accreditor grants, and count it; that its controllers approve was checked.

    Raises:
        NotAccredited: the accreditor's own chain does not hold.
        PredicateFailed: `schema_is_covered`, `depth_is_left`, `window_is_ahead`, `place_is_free`.
        TooManyRecords: the accreditor has as many accreditations as it may.
    """
    accreditor = granted.accreditor
    parent = require_accredited(registry, accreditor, granted.parent_schema)
    grant_is_within(granted, schema, parent, registry.now.time_s)
    standing = registry.find_accreditation(subject, schema)
    place_is_free(standing, counts=depth_of(registry, subject, schema) is not None, grant=granted)
    if standing is None or standing.grant.accreditor != accreditor:
        _count(registry, accreditor, 1)
        _leave_place(registry, standing)
    _put(registry, subject, schema, AccreditationRecord(granted, AccreditationState.ACTIVE, registry.now))


def grant_root(registry: Registry, subject: bytes, schema: bytes, granted: Grant) -> None:
    """Write what governance grants, in place of whatever stands.

    Raises:
        PredicateFailed: `window_is_ahead`.
    """
    window_is_ahead(granted.valid_until_s, registry.now.time_s)
    _leave_place(registry, registry.find_accreditation(subject, schema))
    _put(registry, subject, schema, AccreditationRecord(granted, AccreditationState.ACTIVE, registry.now))


def revoke(registry: Registry, revoker: bytes, subject: bytes, schema: bytes) -> None:
    """Revoke an accreditation; one that is revoked or over already is taken out, which gives its accreditor room.

    Raises:
        UnknownAccreditation: there is none.
        PredicateFailed: `revoked_by_accreditor_or_subject`.
    """
    record = registry.find_accreditation(subject, schema)
    if record is None:
        raise UnknownAccreditation(subject, schema)
    revoked_by_accreditor_or_subject(record, subject, revoker)
    now_s = registry.now.time_s
    if record.state is AccreditationState.REVOKED or now_s >= record.grant.valid_until_s:
        registry.erase(subject, keys.accreditation_key(subject, schema))
        _leave_place(registry, record)
    else:
        revoked = replace(record, state=AccreditationState.REVOKED, revoked_s=now_s)
        registry.put_accreditation(subject, schema, revoked)
    if registry.find_did(subject) is not None:
        registry.raise_epoch(subject)


def was_accredited(registry: Registry, subject: bytes) -> bool:
    """Whether an accreditation of a subject is recorded for any schema, whatever has become of it.

    Such a DID may have lists, which an eviction would let begin again with no bit set; so it has no place among strangers.
    """
    prefix = keys.accreditation_prefix(subject)
    row = registry.store.next(prefix)
    return row is not None and row[0].startswith(prefix)


def depth_of(registry: Registry, subject: bytes, schema: bytes) -> int | None:
    """How many levels a subject may have below itself for exactly this schema; None where its chain does not hold now."""
    try:
        return accreditation_chain(registry, subject, schema)[0].grant.depth
    except PredicateFailed:
        return None


def _put(registry: Registry, subject: bytes, schema: bytes, record: AccreditationRecord) -> None:
    registry.put_accreditation(subject, schema, record)
    if registry.find_did(subject) is not None:
        strangers.leave_lane(registry, subject)
        registry.raise_epoch(subject)


def _leave_place(registry: Registry, record: AccreditationRecord | None) -> None:
    """A record that is replaced or taken out counts no longer for its accreditor."""
    if record is not None and not record.grant.is_root:
        _count(registry, record.grant.accreditor, -1)


def _count(registry: Registry, accreditor: bytes, change: int) -> None:
    record = registry.find_did(accreditor)
    if record is None:
        return
    number = record.counts.accreditations + change
    if number > MAX_GRANTS:
        raise TooManyRecords(accreditor, "accreditations", MAX_GRANTS)
    registry.put_did(accreditor, replace(record, counts=replace(record.counts, accreditations=number)))
