"""Persons' shards over the state: one record a shard, and a bounded number of recoveries that wait. No person is stored."""

from collections.abc import Sequence
from dataclasses import replace

from hutong.light_clients.interface import VERIFY
from hutong.relay.hub.application.identity.accreditations import require_accredited
from hutong.relay.hub.application.identity.refusals import (
    NoPersonRecovery,
    PersonsAreOff,
    ShardHasRoom,
    TooManyRecords,
    UnknownShard,
)
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.services.identity.rules.persons.changing import Change, judge_changes
from hutong.relay.services.identity.rules.persons.person import Place
from hutong.relay.services.identity.rules.persons.person_recovery_record import (
    PersonRecoveryRecord,
    RecoveredBy,
    decode_person_recovery_record,
    encode_person_recovery_record,
)
from hutong.relay.services.identity.rules.persons.recovering import (
    Demand,
    Shown,
    judge_cancel,
    judge_completion,
    judge_start,
    recovery_is_over,
)
from hutong.relay.services.identity.rules.persons.registering import judge_registrations
from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from hutong.relay.services.identity.rules.persons.shard_tree import EMPTY_ROOT
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.shard_record import (
    MAX_LEAVES,
    ShardRecord,
    decode_shard_record,
    encode_shard_record,
)

MAX_SHARDS = 4_096
"""Of a registrar: four thousand million persons."""
MAX_RECOVERIES = 512
"""Of a registrar's persons at a time, for each of the two who may begin one: neither takes the other's room."""

Batch = tuple[Sequence[bytes], bytes]


def find_shard(registry: Registry, shard: tuple[bytes, int]) -> ShardRecord | None:
    """The record of a shard (registrar's DID, number), None where it has not begun."""
    raw = registry.store.get(keys.shard_key(*shard))
    return None if raw is None else decode_shard_record(raw)


def require_shard(registry: Registry, shard: tuple[bytes, int]) -> ShardRecord:
    """The record of a shard.

    Raises:
        UnknownShard: it has not begun.
    """
    found = find_shard(registry, shard)
    if found is None:
        raise UnknownShard(*shard)
    return found


def register(registry: Registry, hub: str, shard: tuple[bytes, int], batch: Batch) -> bytes:
    """Append a batch of persons to a shard, which may begin with it; the root that follows.

    Args:
        batch: the shard's edge, and encoded registrations.

    Raises:
        PersonsAreOff: the hub registers organisations only.
        NotAccredited: the registrar is not accredited to register persons.
        ShardHasRoom, TooManyRecords: the shard may not begin.
        VerificationError: as `judge_registrations`.
    """
    if not registry.parameters().persons:
        raise PersonsAreOff
    require_accredited(registry, shard[0], PERSONS_SCHEMA)
    record = find_shard(registry, shard) or _beginning(registry, shard)
    return _put_shard(registry, shard, judge_registrations(VERIFY, hub, shard, record, batch))


def _beginning(registry: Registry, shard: tuple[bytes, int]) -> ShardRecord:
    registrar, number = shard
    if number >= MAX_SHARDS:
        raise TooManyRecords(registrar, "shards", MAX_SHARDS)
    if number and require_shard(registry, (registrar, number - 1)).count < MAX_LEAVES:
        raise ShardHasRoom(registrar, number - 1)
    return ShardRecord(EMPTY_ROOT, 0, 0, registry.now)


def change(
    registry: Registry,
    hub: str,
    shard: tuple[bytes, int],
    batch: tuple[Sequence[bytes], Sequence[Change]],
    *,
    is_own: bool,
) -> bytes:
    """Let persons change their leaves, in a batch of the registrar's or one by itself; the root that follows.

    Raises:
        UnknownShard: there is none.
        VerificationError: as `judge_changes`.
    """
    record = require_shard(registry, shard)
    own_s = registry.now.time_s if is_own else None
    return _put_shard(registry, shard, judge_changes(VERIFY, hub, shard, record, batch, own_s))


def start_recovery(
    registry: Registry, hub: str, place: Place, said: tuple[Shown, Demand], signatures: tuple[bytes, ...] | None
) -> int:
    """Begin a recovery; from when on it may take effect, in Unix seconds.

    Args:
        signatures: of guardians, None where the registrar begins it.

    Raises:
        UnknownShard, NotAccredited, TooManyRecords: as they say.
        VerificationError: as `judge_start`.
    """
    shard = require_shard(registry, (place.registrar, place.shard))
    if signatures is None:
        require_accredited(registry, place.registrar, PERSONS_SCHEMA)
    standing = find_recovery(registry, place)
    record = judge_start(VERIFY, hub, place, (shard, standing), said, (signatures, registry.now))
    if standing is not None:
        _count(registry, place.registrar, standing.by, -1)
    _count(registry, place.registrar, record.by, 1)
    _put_recovery(registry, place, record)
    return record.effective_s


def cancel_recovery(registry: Registry, hub: str, place: Place, signature: bytes) -> None:
    """Let the present key end a recovery that waits.

    Raises:
        NoPersonRecovery: none stands.
        VerificationError: as `judge_cancel`.
    """
    record = _require_recovery(registry, place)
    _put_recovery(registry, place, judge_cancel(VERIFY, hub, place, record, signature, registry.now.time_s))


def complete_recovery(registry: Registry, place: Place, shown: Shown) -> bytes:
    """Let a recovery take effect whose delay is over, whoever asks; the root that follows.

    Raises:
        NoPersonRecovery, UnknownShard: nothing stands there.
        VerificationError: as `judge_completion`.
    """
    shard, record = (place.registrar, place.shard), _require_recovery(registry, place)
    states = (require_shard(registry, shard), record)
    following = judge_completion(VERIFY, place, states, shown, registry.now.time_s)
    _erase_recovery(registry, place, record)
    return _put_shard(registry, shard, following)


def clear_recovery(registry: Registry, place: Place) -> None:
    """Take out a recovery that counts for nothing any more.

    Raises:
        NoPersonRecovery: none stands.
        PredicateFailed: `recovery_is_over`.
    """
    record = _require_recovery(registry, place)
    VERIFY(recovery_is_over, record, registry.now.time_s)
    _erase_recovery(registry, place, record)


def find_recovery(registry: Registry, place: Place) -> PersonRecoveryRecord | None:
    """What stands of a recovery at a place."""
    raw = registry.store.get(keys.person_recovery_key(place.registrar, place.shard, place.index))
    return None if raw is None else decode_person_recovery_record(raw)


def _require_recovery(registry: Registry, place: Place) -> PersonRecoveryRecord:
    found = find_recovery(registry, place)
    if found is None:
        raise NoPersonRecovery(place.registrar, place.shard, place.index)
    return found


def _put_shard(registry: Registry, shard: tuple[bytes, int], record: ShardRecord) -> bytes:
    registry.write(shard[0], keys.shard_key(*shard), encode_shard_record(replace(record, changed=registry.now)))
    return record.root


def _put_recovery(registry: Registry, place: Place, record: PersonRecoveryRecord) -> None:
    key = keys.person_recovery_key(place.registrar, place.shard, place.index)
    registry.write(place.registrar, key, encode_person_recovery_record(record))


def _erase_recovery(registry: Registry, place: Place, record: PersonRecoveryRecord) -> None:
    registry.erase(place.registrar, keys.person_recovery_key(place.registrar, place.shard, place.index))
    _count(registry, place.registrar, record.by, -1)


def _count(registry: Registry, registrar: bytes, by: RecoveredBy, change: int) -> None:
    key = keys.person_recoveries_key(registrar, by)
    number = int.from_bytes(registry.store.get(key) or b"", "big") + change
    if number > MAX_RECOVERIES:
        raise TooManyRecords(registrar, "recoveries of persons", MAX_RECOVERIES)
    if number:
        registry.store.set(key, number.to_bytes(8, "big"))
    else:
        registry.store.delete(key)
