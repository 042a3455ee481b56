"""Identity records of a hub as the API tells them: what their values say, in words, and where each is proven."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.api.models.instants import instant
from hutong.relay.schemas import identity as schemas
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    AccreditationState,
    decode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import DidRecord, Moment, decode_did_record
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, decode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyRecord, KeyState, decode_key_record
from hutong.relay.services.identity.rules.records.list_record import decode_list_record
from hutong.relay.services.identity.rules.records.log_record import decode_log_record

_ID_BYTES: Final = 32
Happened = tuple[int, int | None, str, str, bytes]
"""Time in Unix seconds, height of the hub or None, what, more of it, and the key of the record that says so."""


class Registry:
    """Writes records of one hub: `hub` is its name in the configuration, `name` the one in its DIDs."""

    def __init__(self, hub: str, name: str) -> None:
        self.hub = hub
        self._method = f"did:hutong:{name}:"

    def did(self, raw: bytes) -> str:
        """The DID of these 32 bytes."""
        return self._method + raw.hex()

    def did_bundle(self, raw: bytes, schema: bytes | None = None) -> str:
        """Address of the bundle of a DID, with its chain of accreditations for a schema."""
        more = "" if schema is None else f"&schema=0x{schema.hex()}"
        return f"/v1/identity/organisations/{self.did(raw)}/bundle?hub={self.hub}{more}"

    def record_bundle(self, key: bytes) -> str:
        """Address of the bundle of one record."""
        return f"/v1/records/0x{key.hex()}/bundle?hub={self.hub}"

    def organisation(self, raw: bytes, record: DidRecord) -> schemas.Organisation:
        """The record of a DID."""
        counts = record.counts
        return schemas.Organisation(
            hub=self.hub,
            did=self.did(raw),
            active=record.is_active,
            keys=counts.keys,
            active_keys=counts.active_keys,
            lists=counts.lists,
            operations=record.sequence,
            registered=_at(record.registered.time_s),
            changed=_at(record.changed.time_s),
            bundle=self.did_bundle(raw),
        )

    def accreditation(self, key: bytes, value: bytes) -> schemas.AccreditationOf:
        """An accreditation. Raises MalformedInput for another value."""
        subject, schema = _parts(key, keys.ACCREDITATION_PREFIX)
        record = decode_accreditation_record(value)
        grant, is_revoked = record.grant, record.state is AccreditationState.REVOKED
        return schemas.AccreditationOf(
            subject=self.did(subject),
            schema=None if schema == keys.ANY_SCHEMA else f"0x{schema.hex()}",
            accreditor=None if grant.is_root else self.did(grant.accreditor),
            depth=grant.depth,
            valid_from=_at(grant.valid_from_s),
            valid_until=_at(grant.valid_until_s),
            state="revoked" if is_revoked else "active",
            granted=_at(record.granted.time_s),
            revoked=_at(record.revoked_s) if is_revoked else None,
            bundle=self.did_bundle(subject, schema),
        )

    def status_list(self, key: bytes, value: bytes, epoch: EpochRecord) -> schemas.IssuersList:
        """A status list of an issuer whose epoch is given. Raises MalformedInput for another value."""
        issuer, number = _parts(key, keys.LIST_PREFIX)
        record = decode_list_record(value)
        return schemas.IssuersList(
            issuer=self.did(issuer),
            number=int.from_bytes(number, "big"),
            bits=record.shape.bits,
            size=record.shape.size,
            schema=f"0x{record.bound.schema.hex()}",
            root=f"0x{record.root.hex()}",
            token_hash=f"0x{record.token_hash.hex()}" if any(record.token_hash) else None,
            updates=record.updates,
            opened=_at(record.opened_s),
            changed=_at(record.changed.time_s),
            sealed=_at(record.sealed_s) if record.sealed_s else None,
            epoch=epoch.number,
            epoch_raised=_at(epoch.raised.time_s),
            bundle=self.record_bundle(key),
        )

    def file(self, raw: bytes, held: Mapping[bytes, bytes]) -> schemas.OrganisationFile | None:
        """All of a DID from its records by key; None where it is not registered. Raises MalformedInput as above."""
        found = held.get(keys.did_key(raw))
        if found is None:
            return None
        epoch = epoch_of(held, raw)
        happened = sorted(self._history(raw, held), key=lambda one: (one[0], one[1] or 0), reverse=True)
        return schemas.OrganisationFile(
            organisation=self.organisation(raw, decode_did_record(found)),
            epoch=epoch.number,
            keys=tuple(
                _key(key[-_ID_BYTES:], decode_key_record(value)) for key, value in _below(held, keys.key_prefix(raw))
            ),
            accreditations=tuple(
                self.accreditation(key, value) for key, value in _below(held, keys.accreditation_prefix(raw))
            ),
            lists=tuple(self.status_list(key, value, epoch) for key, value in _below(held, keys.list_prefix(raw))),
            history=tuple(
                schemas.HistoryEntry(_at(time_s), height, what, detail, f"0x{key.hex()}", self._bundle_of(raw, key))
                for time_s, height, what, detail, key in happened
            ),
        )

    def _bundle_of(self, raw: bytes, key: bytes) -> str:
        """A key proves nothing without the DID, which counts its keys; what stands for itself has a bundle of its own."""
        if key.startswith((keys.DID_PREFIX, keys.KEY_PREFIX, keys.EPOCH_PREFIX)):
            return self.did_bundle(raw)
        if key.startswith(keys.ACCREDITATION_PREFIX):
            return self.did_bundle(raw, _parts(key, keys.ACCREDITATION_PREFIX)[1])
        return self.record_bundle(key)

    def _history(self, raw: bytes, held: Mapping[bytes, bytes]) -> Iterator[Happened]:
        place = keys.did_key(raw)
        record = decode_did_record(held[place])
        yield *_when(record.registered), "registered", "", place
        if record.changed != record.registered:
            what = "changed" if record.is_active else "deactivated"
            yield *_when(record.changed), what, f"operations of its controllers so far: {record.sequence}", place
        for key, value in _below(held, keys.key_prefix(raw)):
            one = decode_key_record(value)
            which = f"{one.key.algorithm.name} for {', '.join(_purposes(one)) or 'nothing'}"
            yield *_when(one.added), "key added", which, key
            if one.end.state is not KeyState.ACTIVE:
                yield one.end.ended_s, None, f"key {one.end.state.name.lower()}", which, key
        for key, value in _below(held, keys.accreditation_prefix(raw)):
            given = decode_accreditation_record(value)
            by = "the hub's governance" if given.grant.is_root else self.did(given.grant.accreditor)
            yield *_when(given.granted), "accredited", f"by {by}", key
            if given.state is AccreditationState.REVOKED:
                yield given.revoked_s, None, "accreditation revoked", f"by {by}", key
        yield from _issued(raw, held)


def _issued(raw: bytes, held: Mapping[bytes, bytes]) -> Iterator[Happened]:
    for key, value in _below(held, keys.list_prefix(raw)):
        one = decode_list_record(value)
        which = f"list {int.from_bytes(key[-8:], 'big')}"
        yield one.opened_s, None, "list opened", f"{which}: {one.shape.size} statuses, {one.shape.bits} bit each", key
        if one.updates:
            yield *_when(one.changed), "list updated", f"{which}: update {one.updates}", key
        if one.sealed_s:
            yield one.sealed_s, None, "list sealed", which, key
    logged = held.get(keys.log_key(raw))
    if logged is not None:
        log = decode_log_record(logged)
        yield *_when(log.changed), "log appended", f"{log.size} issuances", keys.log_key(raw)
    epoch = epoch_of(held, raw)
    if epoch.number:
        yield *_when(epoch.raised), "epoch raised", f"to {epoch.number}", keys.epoch_key(raw)


def epoch_of(held: Mapping[bytes, bytes], raw: bytes) -> EpochRecord:
    """Of a DID, among records by key; 0 where none was written."""
    value = held.get(keys.epoch_key(raw))
    return EpochRecord(0, Moment(0, 0)) if value is None else decode_epoch_record(value)


def _key(print_of: bytes, record: KeyRecord) -> schemas.OrganisationKey:
    has_ended = record.end.state is not KeyState.ACTIVE
    return schemas.OrganisationKey(
        thumbprint=f"0x{print_of.hex()}",
        algorithm=record.key.algorithm.name,
        purposes=tuple(_purposes(record)),
        state=_STATES[record.end.state],
        valid_from=_at(record.use.valid_from_s),
        valid_until=_at(record.use.valid_until_s),
        added=_at(record.added.time_s),
        ended=_at(record.end.ended_s) if has_ended else None,
    )


_STATES: Final[dict[KeyState, Literal["active", "retired", "compromised"]]] = {
    KeyState.ACTIVE: "active",
    KeyState.RETIRED: "retired",
    KeyState.COMPROMISED: "compromised",
}


def _purposes(record: KeyRecord) -> list[str]:
    return [one.name.lower() for one in KeyPurpose if one in record.use.purposes and one.name is not None]


def _below(held: Mapping[bytes, bytes], prefix: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, held[key]) for key in sorted(held) if key.startswith(prefix)]


def _parts(key: bytes, prefix: bytes) -> tuple[bytes, bytes]:
    rest = key.removeprefix(prefix)
    return rest[:_ID_BYTES], rest[_ID_BYTES:]


def _when(moment: Moment) -> tuple[int, int | None]:
    return moment.time_s, moment.height


def _at(time_s: int) -> datetime:
    return instant(time_s * NANOSECONDS_PER_SECOND)
