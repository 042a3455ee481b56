"""What of a pack with catalogue sections is still of use, and which packs of its batch go with it."""

from dataclasses import dataclass

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.catalogue import objects, packs, uses
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, Statements
from hutong.relay.services.storage.catalogue.rows import BucketMissing, HeadPlace, ObjectRow, PackRow
from hutong.relay.services.storage.gateway.events import Event, EventKind
from hutong.relay.services.storage.gateway.notes import tells_of_parts
from hutong.relay.services.storage.gateway.pack_reading import PackSource, Unreadable
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.staging import SMALL_BYTES
from hutong.relay.services.storage.gateway.upkeep.heads import HeadEvent, read_head
from hutong.relay.services.storage.rules.objects.manifest import decode_manifest


class NotCompacted(Exception):
    """A pack stays as it is until the next survey; one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A pack that may go, once `live` objects and `carried` events are in another one.

    `packs` are all that go: the pack itself, and those with the objects' bytes.
    """

    number: int
    live: tuple[ObjectRow, ...]
    carried: tuple[Event, ...]
    packs: tuple[PackRow, ...]
    in_parts: tuple[tuple[int, Event], ...]
    """Events of objects in parts, and where in the pack each begins."""

    @property
    def bytes(self) -> int:
        """Of the objects that are of use."""
        return sum(row.size for row in self.live)


async def survey_pack(
    catalogue: CatalogueDatabase, reader: Reader, catalogue_root: bytes, number: int, now_s: int
) -> Survey:
    """Look at one pack.

    Raises:
        NotCompacted: it is retained, has parts that are in use, or cannot be read.
        CatalogueUnavailable: the database refuses.
    """
    pack = await catalogue.run(lambda one: packs.pack_of(one, number))
    if pack is None:
        raise NotCompacted("the catalogue does not have the pack")
    try:
        source = PackSource(pack.name, pack.shape, pack.roots, pack.operators)
        events = await read_head(reader, source, catalogue_root)
        manifests = [decode_manifest(one.manifest) for one in events if one.manifest]
    except (Unreadable, MalformedInput, PredicateFailed) as error:
        raise NotCompacted(f"it cannot be read: {error}") from None
    retained_s = max((manifest.retain_until_s for manifest in manifests), default=0)
    if retained_s >= now_s:
        raise NotCompacted(f"retained until {retained_s} (Unix seconds)")
    named = {one.name: one for manifest in manifests for one in manifest.packs}
    going = [PackRow(one.name, one.shape, one.roots, pack.operators) for one in named.values()]
    live, carried = await _of_use(catalogue, reader, pack, (number, events))
    in_parts = tuple((one.place.offset, one.event) for one in events if tells_of_parts(one.event.note))
    return Survey(number, live, carried, (pack, *going), in_parts)


async def _of_use(
    catalogue: CatalogueDatabase, reader: Reader, pack: PackRow, found: tuple[int, list[HeadEvent]]
) -> tuple[tuple[ObjectRow, ...], tuple[Event, ...]]:
    number, events = found
    live: list[ObjectRow] = []
    carried: list[Event] = []
    for one in events:
        if one.event.kind is EventKind.PUT:
            row = await _row_of(catalogue, one.event)
            if row is not None and _is_at(row, number, one.place):
                if one.manifest and row.size > SMALL_BYTES:
                    raise NotCompacted("a large object in it is in use")
                live.append(row)
        elif one.event.kind is EventKind.PART:
            if await _part_is_used(catalogue, reader, pack, one):
                raise NotCompacted("a part of an object or of an upload in it is in use")
        else:
            carried.append(one.event)
    return tuple(live), tuple(carried)


async def _row_of(catalogue: CatalogueDatabase, event: Event) -> ObjectRow | None:
    def ask(statements: Statements) -> ObjectRow | None:
        return objects.find_object(statements, objects.bucket_of(statements, event.bucket).number, event.key)

    try:
        return await catalogue.run(ask)
    except BucketMissing:
        return None


def _is_at(row: ObjectRow, pack: int, place: HeadPlace) -> bool:
    return (row.place.pack, row.place.offset) == (pack, place.offset)


async def _part_is_used(catalogue: CatalogueDatabase, reader: Reader, pack: PackRow, one: HeadEvent) -> bool:
    event = one.event
    if await catalogue.run(lambda use: packs.upload_of(use, event.upload)) is not None:
        return True
    row = await _row_of(catalogue, event)
    if row is None:
        return False
    put = await reader.event(row)
    place = (pack.name, one.place.offset)
    return any((segment.pack, segment.offset) == place for segment in put.segments)


def count_parts(statements: Statements, place: tuple[int, int], event: Event) -> None:
    """Parts of an object that was replaced or removed are dead: counted once, however often this is called.

    Args:
        place: the number of the pack that the event is in, and where in it.
    """
    if not uses.end_dropped(statements, *place):
        return
    for segment in event.segments:
        pack = packs.number_named(statements, segment.pack)
        if pack is not None:
            uses.count_dead(statements, pack, uses.weight_of(segment.size, is_in_parts=False))
