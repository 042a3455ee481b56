"""Which records show a chain what the hub says of an issuer, in the order in which `IdentityCache.sync` takes them.

The walk is the contract's: what it finds wrong first is what the contract keeps, and ends the walk.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from hutong.relay.services.identity.rules.organisations.accrediting import MAX_LEVELS
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    AccreditationRecord,
    AccreditationState,
    decode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import decode_did_record
from hutong.relay.services.identity.rules.records.encoding import check_bytes
from hutong.relay.services.identity.rules.records.key_record import KeyState, decode_key_record
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA
from hutong.relay.services.identity.rules.seals.accepting import purpose_of_seals


class Flaw(IntEnum):
    """Why seals are not accepted, whatever they say; as `Flaw` in `contracts/src/types/Identity.sol`."""

    NONE = 0
    ISSUER_UNKNOWN = 1
    KEY_UNKNOWN = 2
    KEY_FOR_OTHER_USE = 3
    KEY_OUT_OF_WINDOW = 4
    ACCREDITATION_UNKNOWN = 5
    ACCREDITATION_REVOKED = 6
    ACCREDITATION_OUT_OF_WINDOW = 7
    DEPTH_EXCEEDED = 8
    SCHEMA_NOT_COVERED = 9
    ACCREDITOR_NOT_ACTIVE = 10


@dataclass(frozen=True, slots=True)
class IssuerQuery:
    """An issuer, the schema of its accreditation (`ANY_SCHEMA`: the one for all), the key that signs, and its lists."""

    issuer: bytes
    schema: bytes
    thumbprint: bytes
    lists: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_bytes("query.issuer", self.issuer)
        check_bytes("query.schema", self.schema)
        check_bytes("query.thumbprint", self.thumbprint)


Walk: TypeAlias = Generator[bytes, bytes | None, Flaw]
"""Yields the key of each record that is needed, is sent what stands there, and returns what is wrong."""


def needed_records(query: IssuerQuery, time_s: int) -> Walk:
    """Walks the records of an issuer under a header of this time, Unix seconds.

    Raises:
        MalformedInput: a value that is no record.
    """
    did = yield keys.did_key(query.issuer)
    key = yield keys.key_key(query.issuer, query.thumbprint)
    yield keys.epoch_key(query.issuer)
    for number in query.lists:
        yield keys.list_key(query.issuer, number)
    if did is None:
        return Flaw.ISSUER_UNKNOWN
    if key is None:
        return Flaw.KEY_UNKNOWN
    record = decode_key_record(key)
    if not record.has(purpose_of_seals(record)):
        return Flaw.KEY_FOR_OTHER_USE
    has_ended = record.end.state is not KeyState.ACTIVE or not decode_did_record(did).is_active
    if not has_ended and not record.counts_at(time_s):
        return Flaw.KEY_OUT_OF_WINDOW
    return (yield from _needed_chain(query.issuer, query.schema, time_s))


def _needed_chain(subject: bytes, schema: bytes, time_s: int) -> Walk:
    below: AccreditationRecord | None = None
    for _ in range(MAX_LEVELS):
        raw = yield keys.accreditation_key(subject, schema)
        if raw is None:
            return Flaw.ACCREDITATION_UNKNOWN
        record = decode_accreditation_record(raw)
        if record.state is not AccreditationState.ACTIVE:
            return Flaw.ACCREDITATION_REVOKED
        if not record.counts_at(time_s):
            return Flaw.ACCREDITATION_OUT_OF_WINDOW
        if below is not None and below.grant.depth >= record.grant.depth:
            return Flaw.DEPTH_EXCEEDED
        if record.grant.is_root:
            return Flaw.NONE
        if record.grant.parent_schema not in (schema, ANY_SCHEMA):
            return Flaw.SCHEMA_NOT_COVERED
        below, subject, schema = record, record.grant.accreditor, record.grant.parent_schema
        did = yield keys.did_key(subject)
        if did is None or not decode_did_record(did).is_active:
            return Flaw.ACCREDITOR_NOT_ACTIVE
    return Flaw.DEPTH_EXCEEDED


def walk_records(
    query: IssuerQuery, time_s: int, find: Callable[[bytes], bytes | None]
) -> tuple[tuple[bytes, ...], Flaw]:
    """The keys that are needed, in order, and what is wrong, by records that are at hand.

    Raises:
        MalformedInput: a value that is no record.
    """
    walk, needed = needed_records(query, time_s), []
    try:
        key = next(walk)
        while True:
            needed.append(key)
            key = walk.send(find(key))
    except StopIteration as end:
        flaw: Flaw = end.value
        return tuple(needed), flaw
