"""Accreditation: chains of at most four levels below the hub's governance, each of a schema, a depth and a window."""

from collections.abc import Callable
from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.approvals import SPEC
from hutong.relay.services.identity.rules.records.accreditation_record import (
    GOVERNANCE,
    MAX_DEPTH,
    AccreditationRecord,
    AccreditationState,
    Grant,
)
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA

MAX_LEVELS: Final = MAX_DEPTH + 1
"""A root, and four levels below it."""

Find = Callable[[bytes, bytes], AccreditationRecord | None]
"""(subject, schema) to the record under that key."""
IsActive = Callable[[bytes], bool]
"""A DID to whether it is registered and not deactivated."""


@rule(SPEC)
def schema_is_covered(schema: bytes, parent_schema: bytes) -> None:
    """An accreditation for a schema stands on one for the same schema, or for all.

    Raises:
        PredicateFailed: on one for another schema.
    """
    if parent_schema not in (schema, ANY_SCHEMA):
        raise PredicateFailed("schema_is_covered", "the accreditor's is for another schema", parent_schema, schema)


@rule(SPEC)
def depth_is_left(depth: int, parent_depth: int) -> None:
    """Every level has less depth than the one above: so chains end, and cannot be circles.

    Raises:
        PredicateFailed: as much or more.
    """
    if depth >= parent_depth:
        raise PredicateFailed(
            "depth_is_left", "the accreditor has no such depth", got=depth, expected=f"< {parent_depth}"
        )


@rule(SPEC)
def accreditation_counts(record: AccreditationRecord, time_s: int) -> None:
    """The accreditation is active and within its window.

    Raises:
        PredicateFailed: it is revoked, over, or not begun.
    """
    if record.state is not AccreditationState.ACTIVE:
        raise PredicateFailed("accreditation_counts", "is revoked", got=record.revoked_s)
    grant = record.grant
    if not grant.valid_from_s <= time_s < grant.valid_until_s:
        raise PredicateFailed(
            "accreditation_counts",
            "is out of its window",
            got=time_s,
            expected=f"{grant.valid_from_s} to {grant.valid_until_s}",
        )


@rule(SPEC)
def accreditation_exists(found: AccreditationRecord | None, subject: bytes, schema: bytes) -> AccreditationRecord:
    """There is a record under the key. Returns it.

    Raises:
        PredicateFailed: there is none.
    """
    if found is None:
        raise PredicateFailed("accreditation_exists", f"none for schema 0x{schema.hex()}", got=subject)
    return found


@rule(SPEC)
def accreditor_is_active(accreditor: bytes, is_active: bool) -> None:
    """Whoever accredits is registered and not deactivated.

    Raises:
        PredicateFailed: it is not.
    """
    if not is_active:
        raise PredicateFailed("accreditor_is_active", "is not registered, or deactivated", got=accreditor)


def chain_of(
    subject: bytes, schema: bytes, time_s: int, find: Find, is_active: IsActive
) -> tuple[AccreditationRecord, ...]:
    """The unbroken chain of accreditations of a subject for a schema, its own first, a root last.

    The record under exactly this schema is asked; one for all schemas stands under `ANY_SCHEMA`.

    Raises:
        PredicateFailed: the first rule that does not hold at any level.
    """
    chain: list[AccreditationRecord] = []
    while len(chain) < MAX_LEVELS:
        record = accreditation_exists(find(subject, schema), subject, schema)
        accreditation_counts(record, time_s)
        if chain:
            depth_is_left(chain[-1].grant.depth, record.grant.depth)
        chain.append(record)
        if record.grant.is_root:
            return tuple(chain)
        schema_is_covered(schema, record.grant.parent_schema)
        subject, schema = record.grant.accreditor, record.grant.parent_schema
        accreditor_is_active(subject, is_active(subject))
    raise PredicateFailed("depth_is_left", "more levels than there are depths", got=len(chain), expected=MAX_LEVELS)


@rule(SPEC)
def grant_is_within(grant: Grant, schema: bytes, parent: AccreditationRecord, now_s: int) -> None:
    """What an accreditor grants is less deep than its own, of its schema, and not over already.

    Raises:
        PredicateFailed: `schema_is_covered`, `depth_is_left`, or its window is over.
    """
    schema_is_covered(schema, grant.parent_schema)
    depth_is_left(grant.depth, parent.grant.depth)
    window_is_ahead(grant.valid_until_s, now_s)


@rule(SPEC)
def window_is_ahead(valid_until_s: int, now_s: int) -> None:
    """A window ends after now.

    Raises:
        PredicateFailed: it is over.
    """
    if valid_until_s <= now_s:
        raise PredicateFailed("window_is_ahead", "the window is over", got=valid_until_s, expected=f"> {now_s}")


@rule(SPEC)
def place_is_free(standing: AccreditationRecord | None, *, counts: bool, grant: Grant) -> None:
    """One accreditation stands for a subject and schema: an accreditor replaces its own and what no longer counts;
    governance replaces any.

    Otherwise a deeper accreditor could put its own in place of another's and then revoke it. A subject that wants another
    accreditor renounces the one that it has.

    Args:
        counts: whether the whole chain of `standing` holds now.

    Raises:
        PredicateFailed: another accreditor's stands, which counts.
    """
    if standing is None or not counts or grant.accreditor in (standing.grant.accreditor, GOVERNANCE):
        return
    raise PredicateFailed(
        "place_is_free", "another accreditor's stands", got=grant.accreditor, expected=standing.grant.accreditor
    )


@rule(SPEC)
def revoked_by_accreditor_or_subject(record: AccreditationRecord, subject: bytes, revoker: bytes) -> None:
    """Whoever granted an accreditation revokes it, and its subject may renounce it.

    Raises:
        PredicateFailed: another one.
    """
    if revoker not in (record.grant.accreditor, subject):
        raise PredicateFailed(
            "revoked_by_accreditor_or_subject",
            "another DID granted it",
            got=revoker,
            expected=record.grant.accreditor,
        )
