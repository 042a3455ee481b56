"""The catalogue made again from what operators hold: packs are listed, those with catalogue sections read, events applied in order.

Nothing that an operator lists is believed: a body has its pack's name, a page opens by the tenant's key alone, a manifest has the hash
that its event says. Uploads in parts that had not ended are forgotten.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.catalogue import objects, packs, uses
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, Statements
from hutong.relay.services.storage.catalogue.digest import catalogue_digest
from hutong.relay.services.storage.catalogue.rows import (
    BucketMissing,
    BucketNotEmpty,
    HeadPlace,
    ObjectRow,
    PackRow,
)
from hutong.relay.services.storage.gateway.committing import weight_of_event
from hutong.relay.services.storage.gateway.events import Event, EventKind
from hutong.relay.services.storage.gateway.listed_packs import listed_packs
from hutong.relay.services.storage.gateway.notes import tells_of_parts
from hutong.relay.services.storage.gateway.operators import OperatorLink
from hutong.relay.services.storage.gateway.pack_reading import PackSource, Unreadable
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.upkeep.heads import read_listed_head
from hutong.relay.services.storage.gateway.upkeep.sequences import CLOSED
from hutong.relay.services.storage.rules.objects.manifest import decode_manifest

AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What was found. `unreadable` names packs that too few operators have, or that are none."""

    packs: int
    catalogue_packs: int
    events: int
    objects: int
    unreadable: tuple[str, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Found:
    event: Event
    pack: PackRow
    place: HeadPlace
    named: tuple[bytes, ...]
    """Packs of the manifest before it."""


async def reindex(
    links: Mapping[bytes, OperatorLink],
    reader: Reader,
    catalogue: CatalogueDatabase,
    catalogue_root: bytes,
    code: tuple[int, int],
    tell: Callable[[str], None],
) -> Reindexed:
    """Make the catalogue again; the old one is replaced in one transaction at the end.

    Args:
        links: operators by id; those that do not answer are left out.
        tell: is told in a sentence what is done.

    Raises:
        OperatorFailed: not one operator lists what it holds.
        CatalogueUnavailable: the database refuses.
    """
    sources = await listed_packs(links, code, tell)
    tell(f"{len(sources)} packs are listed")
    found: list[_Found] = []
    unreadable: list[str] = []
    with_catalogue = 0

    async def one(source: PackSource) -> None:
        nonlocal with_catalogue
        async with limit:
            try:
                events = await _events(reader, source, catalogue_root)
            except (Unreadable, MalformedInput, PredicateFailed) as error:
                unreadable.append(f"{source.name.hex()}: {error}")
                return
        with_catalogue += bool(events)
        found.extend(events)

    limit = trio.CapacityLimiter(AT_ONCE)
    async with trio.open_nursery() as nursery:
        for source in sources:
            nursery.start_soon(one, source)
    found.sort(key=lambda item: item.event.number)
    tell(f"{len(found)} events in {with_catalogue} packs are applied")
    await catalogue.run(lambda statements: _applied(statements, found))
    digest, count = await catalogue.run(catalogue_digest)
    return Reindexed(len(sources), with_catalogue, len(found), count, tuple(unreadable), digest)


async def _events(reader: Reader, source: PackSource, catalogue_root: bytes) -> list[_Found]:
    judged, events = await read_listed_head(reader, source, catalogue_root)
    pack = PackRow(judged.name, judged.shape, judged.roots, judged.operators)
    return [_Found(one.event, pack, one.place, _named(one.manifest)) for one in events]


def _named(manifest: bytes) -> tuple[bytes, ...]:
    return tuple(one.name for one in decode_manifest(manifest).packs) if manifest else ()


def _applied(statements: Statements, found: Sequence[_Found]) -> None:
    for table in ("objects", "buckets", "packs", "parts", "uploads", "uses", "dropped"):
        statements.run(f"DELETE FROM storage_{table}")  # noqa: S608  names of tables
    buckets: dict[str, int] = {}
    chosen = _chosen(found)
    in_parts: dict[tuple[str, bytes], Event] = {}
    parts: list[tuple[int, _Found]] = []
    for one in found:
        event = one.event
        number = packs.add_pack(statements, one.pack)
        # What is to go may hold the copy that is chosen now; what of it is dead, the next compaction finds again.
        for name in (one.pack.name, *one.named):
            packs.end_removal(statements, name)
        uses.count_use(statements, number, weight_of_event(event))
        if chosen[_name_of(event)] is not one:
            uses.count_dead(statements, number, weight_of_event(event))
        elif event.kind is EventKind.UNBUCKET:
            _end_bucket(statements, buckets, event.bucket)
        elif event.kind is EventKind.PART:
            parts.append((number, one))
        else:
            bucket = _bucket(statements, buckets, event)
            if event.kind is EventKind.BUCKET:
                continue
            in_parts.pop((event.bucket, event.key), None)
            uses.retire(statements, bucket, event.key, tells_of_parts)
            objects.remove_object(statements, bucket, event.key)
            if event.kind is EventKind.PUT:
                objects.put_objects(statements, [_row(bucket, number, one)])
                if tells_of_parts(event.note):
                    in_parts[event.bucket, event.key] = event
    statements.run("DELETE FROM storage_dropped")  # parts are counted here, each by itself
    for number, one in parts:
        if not _is_of(one, in_parts.get((one.event.bucket, one.event.key))):
            uses.count_dead(statements, number, weight_of_event(one.event))
    objects.raise_counter(statements, CLOSED, objects.counter(statements, "sequence"))
    objects.raise_counter(statements, "event", max((one.event.number for one in found), default=0))


def _bucket(statements: Statements, buckets: dict[str, int], event: Event) -> int:
    """The bucket of an event, made where there is none: its own event may be told twice, after a kill, or be in a pack that is gone."""
    number = buckets.get(event.bucket)
    if number is None:
        number = objects.add_bucket(statements, event.bucket, event.modified_ms // 1_000).number
        buckets[event.bucket] = number
    return number


def _end_bucket(statements: Statements, buckets: dict[str, int], name: str) -> None:
    """A bucket with objects stays: a gateway that was killed may have told of a removal that it never made."""
    try:
        objects.remove_bucket(statements, name)
    except (BucketMissing, BucketNotEmpty):
        return
    del buckets[name]


def _name_of(event: Event) -> tuple[object, ...]:
    return event.number, event.kind, event.bucket, event.key, event.part


def _chosen(found: Sequence[_Found]) -> dict[tuple[object, ...], _Found]:
    """Of each event the copy that counts: compaction carries events, and the pack that they were in may still be there."""
    chosen: dict[tuple[object, ...], _Found] = {}
    for one in found:
        before = chosen.setdefault(_name_of(one.event), one)
        if one.event.moved and not before.event.moved:
            chosen[_name_of(one.event)] = one
    return chosen


def _row(bucket: int, pack: int, one: _Found) -> ObjectRow:
    event = one.event
    place = HeadPlace(pack, one.place.offset, one.place.manifest_bytes, one.place.head_bytes)
    return ObjectRow(
        bucket, event.key, place, event.size, event.modified_ms, event.retain_until_s, event.digest, event.note
    )


def _is_of(part: _Found, put: Event | None) -> bool:
    """Whether the object that an upload became has this part."""
    return put is not None and any(
        (segment.pack, segment.offset) == (part.pack.name, part.place.offset) for segment in put.segments
    )
