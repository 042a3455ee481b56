"""What a hub's records say of an issuer, as an IdentityCache will keep it, and why a cache has to be shown it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hutong.adapters.evm.cache_calls import CachedList
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import decode_did_record
from hutong.relay.services.identity.rules.records.epoch_record import decode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import KeyState, decode_key_record
from hutong.relay.services.identity.rules.records.list_record import decode_list_record
from hutong.relay.services.identity.rules.seals.accepting import sealing_thumbprint
from hutong.relay.services.identity.rules.seals.issuer_records import Flaw, IssuerQuery, needed_records

MAX_LISTS = 16
"""In one call: each costs its cache some 80 000 gas to keep."""


class CacheReason(StrEnum):
    """Why a cache is due."""

    FIRST = "never brought"
    EPOCH = "of an earlier epoch"
    CHANGED = "changed"
    INTERVAL = "interval passed"


@dataclass(frozen=True, slots=True)
class PushedIssuer:
    """An issuer with the lists that a cache is to have; `interval_s` None: changes alone are brought."""

    name: str
    issuer: bytes
    lists: tuple[int, ...]
    interval_s: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the records say under one time; `roots` by list, `flaw` the first rule that does not hold.

    `raised_height` is the hub's block that raised the epoch: a header proves it from the next one on. 0: there is no epoch.
    """

    epoch: int
    raised_height: int
    flaw: Flaw
    has_ended: bool
    roots: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class IssuerState:
    """A part of an issuer that one call shows, the keys of its records in the order of the call, and what they say."""

    pushed: PushedIssuer
    query: IssuerQuery
    needed: tuple[bytes, ...]
    said: Said


Records = Mapping[bytes, bytes | None]
"""By key; None: nothing stands there. A key that was not read is missing."""


def list_keys(pushed: PushedIssuer) -> tuple[bytes, ...]:
    """Of the records that say which key seals over which list."""
    return tuple(keys.list_key(pushed.issuer, number) for number in pushed.lists)


def queries_of(pushed: PushedIssuer, records: Records) -> Iterator[IssuerQuery]:
    """One for each key and schema that lists are bound to, at most MAX_LISTS each. What is not opened is left out.

    Args:
        records: with those of all `list_keys`.

    Raises:
        MalformedInput: a value that is not a list's record.
    """
    bound: dict[tuple[bytes, bytes], list[int]] = {}
    for number, key in zip(pushed.lists, list_keys(pushed), strict=True):
        value = records[key]
        if value is not None:
            binding = decode_list_record(value).bound
            bound.setdefault((binding.schema, sealing_thumbprint(binding)), []).append(number)
    for (schema, thumbprint), numbers in bound.items():
        for first in range(0, len(numbers), MAX_LISTS):
            yield IssuerQuery(pushed.issuer, schema, thumbprint, tuple(numbers[first : first + MAX_LISTS]))


def unopened_of(pushed: PushedIssuer, records: Records) -> tuple[int, ...]:
    """Lists that the issuer has not opened."""
    return tuple(
        number for number, key in zip(pushed.lists, list_keys(pushed), strict=True) if records.get(key) is None
    )


def state_of(pushed: PushedIssuer, query: IssuerQuery, records: Records, time_s: int) -> IssuerState | bytes:
    """What the records say under a header of this time, Unix seconds; a key, if its record is needed and was not read.

    Raises:
        MalformedInput: a value that is no record.
    """
    walk, needed = needed_records(query, time_s), []
    try:
        key = next(walk)
        while True:
            if key not in records:
                return key
            needed.append(key)
            key = walk.send(records[key])
    except StopIteration as end:
        return IssuerState(pushed, query, tuple(needed), _said(query, records, Flaw(end.value)))


def _said(query: IssuerQuery, records: Records, flaw: Flaw) -> Said:
    did, epoch = records[keys.did_key(query.issuer)], records[keys.epoch_key(query.issuer)]
    key = records[keys.key_key(query.issuer, query.thumbprint)]
    has_ended = (
        did is not None
        and key is not None
        and (decode_key_record(key).end.state is not KeyState.ACTIVE or not decode_did_record(did).is_active)
    )
    roots = []
    for number in query.lists:
        value = records[keys.list_key(query.issuer, number)]
        if value is not None:
            roots.append((number, decode_list_record(value).root))
    if epoch is None:
        return Said(0, 0, flaw, has_ended, tuple(roots))
    record = decode_epoch_record(epoch)
    return Said(record.number, record.raised.height, flaw, has_ended, tuple(roots))


def why_cache_is_due(state: IssuerState, kept: Sequence[CachedList | None], hub_time_s: int) -> CacheReason | None:
    """Why the cache is to be shown this state; None where it need not be.

    Args:
        kept: of each list of `state.said.roots`, in that order.
        hub_time_s: of the hub's newest header.
    """
    found = [one for one in kept if one is not None]
    if len(found) < len(kept):
        return CacheReason.FIRST
    said = state.said
    if any(min(one.epoch, one.newest_epoch) < said.epoch for one in found):
        return CacheReason.EPOCH
    if any(
        (one.root, one.flaw, one.has_ended) != (root, said.flaw, said.has_ended)
        for one, (_, root) in zip(found, said.roots, strict=True)
    ):
        return CacheReason.CHANGED
    interval_s = state.pushed.interval_s
    if interval_s is not None and any(hub_time_s - one.header_time_s >= interval_s for one in found):
        return CacheReason.INTERVAL
    return None


def cache_due_in_s(state: IssuerState, kept: Sequence[CachedList | None], hub_time_s: int) -> float | None:
    """In how many seconds of the hub's clock the interval passes; None where none is set, or nothing is kept."""
    times = [one.header_time_s for one in kept if one is not None]
    if state.pushed.interval_s is None or not times:
        return None
    return max(0.0, min(times) + state.pushed.interval_s - hub_time_s)
