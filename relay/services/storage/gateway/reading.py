"""Objects out of packs: manifest and event first, then the records that a range needs, opened in order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import trio
from blake3 import blake3

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.catalogue import packs
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase
from hutong.relay.services.storage.catalogue.rows import HeadPlace, ObjectRow, PackRow
from hutong.relay.services.storage.gateway.events import Event, Segment, decode_event, open_page
from hutong.relay.services.storage.gateway.operators import OperatorLink
from hutong.relay.services.storage.gateway.pack_reading import HEDGE_S, Pace, PackReader, PackSource, Unreadable
from hutong.relay.services.storage.rules.objects.manifest import Manifest, decode_manifest
from hutong.relay.services.storage.rules.objects.seal import ObjectKey
from hutong.relay.services.storage.rules.objects.sizes import RECORD_BYTES, SEALED_RECORD_BYTES, records_of
from hutong.relay.services.storage.rules.packs.coding import code_pack

AHEAD: Final = 8
"""Runs of 4 MiB that are asked for ahead of what is written out: of four operators, or five."""

Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A manifest that was judged by its id, the packs that it names, and the key."""

    manifest: Manifest
    octets: bytes
    sources: tuple[PackSource, ...]
    data_key: bytes


@dataclass(frozen=True, slots=True)
class OpenObject:
    """An object that is ready to be read."""

    row: ObjectRow
    event: Event
    segments: tuple[OpenSegment, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of a pack, in the order of the stored bytes."""

    reader: PackReader
    shard: int
    start: int
    end: int


class Reader:
    """Reads what the catalogue names."""

    def __init__(
        self,
        links: Mapping[bytes, OperatorLink],
        catalogue: CatalogueDatabase,
        repair_root: bytes,
        catalogue_root: bytes,
        hedge_s: float = HEDGE_S,
    ) -> None:
        """`hedge_s`: before so long of a run the other operators are not asked as well."""
        self._links = links
        self._catalogue = catalogue
        self._repair_root = repair_root
        self._root = catalogue_root
        self._pace = Pace(hedge_s)

    async def open(self, row: ObjectRow) -> OpenObject:
        """Read an object's event and manifests.

        Raises:
            Unreadable: too few operators have them, or what is read is not what the catalogue says.
        """
        place = row.place
        pack, octets, event = await self.event_at(place)
        if event.key != row.key or event.digest != row.digest:
            raise Unreadable("the catalogue's section is of another object; make the catalogue again (reindex)")
        segments = []
        for segment in event.segments:
            if not segment.pack:
                segments.append(self._segment(segment, pack, octets[: place.manifest_bytes]))
                continue
            other = await self._pack(lambda one, name=segment.pack: packs.pack_named(one, name))
            manifest = await self._section(other, segment.offset, segment.manifest_bytes)
            segments.append(self._segment(segment, other, manifest))
        return OpenObject(row, event, tuple(segments))

    async def event(self, row: ObjectRow) -> Event:
        """An object's event alone.

        Raises:
            Unreadable: see `open`.
        """
        return (await self.event_at(row.place))[2]

    async def event_at(self, place: HeadPlace) -> tuple[PackRow, bytes, Event]:
        """The event at a place, with its pack, and with the manifest before it in one.

        Raises:
            Unreadable: see `open`.
        """
        pack = await self._pack(lambda one: packs.pack_of(one, place.pack))
        octets = await self._section(pack, place.offset, place.manifest_bytes + place.head_bytes)
        try:
            return pack, octets, decode_event(open_page(self._root, octets[place.manifest_bytes :]))
        except (MalformedInput, PredicateFailed) as error:
            raise Unreadable(f"the catalogue's section of this object does not open: {error}") from None

    async def read(self, found: OpenObject, start: int, end: int, write: Write) -> None:
        """Write bytes `start` to `end` - 1 of an object out, in order. A segment that is read whole is compared with its content's hash.

        Raises:
            Unreadable: see there; what was written before is right.
        """
        at = 0
        for segment in found.segments:
            size = segment.manifest.size
            low, high = max(start - at, 0), min(end - at, size)
            if low < high:
                await self._read_segment(segment, (low, high), write, is_first=at <= start)
            at += size

    async def section(self, source: PackSource, offset: int, length: int) -> bytes:
        """Bytes of a pack's body.

        Raises:
            Unreadable: see there.
        """
        reader = self._reader(source)
        octets = bytearray()
        await self._in_order([_Piece(reader, *run) for run in reader.runs(offset, offset + length)], octets.extend)
        return bytes(octets)

    async def is_agreed(self, source: PackSource, offset: int) -> bool:
        """Whether more shards than are needed show the same at a byte of a pack's body. See `PackReader.is_agreed`."""
        return await self._reader(source).is_agreed(offset)

    def roots_of(self, source: PackSource, body: bytes) -> tuple[bytes, ...]:
        """Of all shards of a body."""
        return tuple(shard.root for shard in code_pack(source.shape, bytearray(body), self._repair_root).shards)

    async def _pack(self, find: Callable[..., PackRow | None]) -> PackRow:
        pack = await self._catalogue.run(find)
        if pack is None:
            raise Unreadable("the catalogue names a pack that it does not have; make it again (reindex)")
        return pack

    async def _section(self, pack: PackRow, offset: int, length: int) -> bytes:
        return await self.section(PackSource(pack.name, pack.shape, pack.roots, pack.operators), offset, length)

    def _segment(self, segment: Segment, pack: PackRow, octets: bytes) -> OpenSegment:
        """Packs of a manifest lie in the batch of the pack that holds it, so with the same operators."""
        try:
            manifest = decode_manifest(octets)
        except MalformedInput as error:
            raise Unreadable(f"a manifest cannot be read: {error}") from None
        sources = tuple(PackSource(one.name, one.shape, one.roots, pack.operators) for one in manifest.packs)
        return OpenSegment(manifest, octets, sources, segment.data_key)

    def _reader(self, source: PackSource) -> PackReader:
        return PackReader(source, self._links, self._repair_root, self._pace)

    async def _read_segment(
        self, segment: OpenSegment, asked: tuple[int, int], write: Write, *, is_first: bool
    ) -> None:
        manifest, (start, end) = segment.manifest, asked
        key = ObjectKey(segment.data_key)
        first, last = start // RECORD_BYTES, (end - 1) // RECORD_BYTES
        total = records_of(manifest.size)
        stored_end = min((last + 1) * SEALED_RECORD_BYTES, sum(extent.length for extent in manifest.extents))
        pieces = self._pieces(segment, first * SEALED_RECORD_BYTES, stored_end, is_first=is_first)
        opening = _Opening(key, first, total, start - first * RECORD_BYTES, end - start)
        is_whole = (start, end) == (0, manifest.size)
        hashing = blake3(key=key.hash_key) if is_whole else None

        async def take(octets: bytes) -> None:
            plain = opening.records(octets)
            if hashing is not None:
                hashing.update(plain)
            if plain:
                await write(plain)

        try:
            await self._in_order_async(pieces, take, is_first=is_first)
            tail = opening.rest()
            if hashing is not None:
                hashing.update(tail)
                if hashing.digest() != manifest.content_hash:
                    raise Unreadable("the object's content has another hash than its manifest says")
            await write(tail)
        except (PredicateFailed, MalformedInput) as error:
            raise Unreadable(f"the object's bytes are not those of its manifest: {error}") from None

    def _pieces(self, segment: OpenSegment, start: int, end: int, *, is_first: bool) -> list[_Piece]:
        readers = [self._reader(source) for source in segment.sources]
        pieces: list[_Piece] = []
        at = 0
        for extent in segment.manifest.extents:
            low, high = max(start - at, 0), min(end - at, extent.length)
            if low < high:
                reader, place = readers[extent.pack], (extent.offset + low, extent.offset + high)
                pieces += [_Piece(reader, *run) for run in reader.runs(*place, is_first=is_first and not pieces)]
            at += extent.length
        return pieces

    async def _in_order(self, pieces: Sequence[_Piece], take: Callable[[bytes], None]) -> None:
        async def one(octets: bytes) -> None:
            take(octets)

        await self._in_order_async(pieces, one)

    async def _in_order_async(self, pieces: Sequence[_Piece], take: Write, *, is_first: bool = False) -> None:
        """Runs are fetched some ahead, and handed on in order; `is_first`: nothing beside the first, for which somebody waits."""
        ready: dict[int, bytes] = {}
        arrived = [trio.Event() for _ in pieces]
        ahead = trio.Semaphore(AHEAD)

        async def fetch(number: int, piece: _Piece) -> None:
            ready[number] = await piece.reader.run(piece.shard, piece.start, piece.end)
            arrived[number].set()

        async def fetch_all(nursery: trio.Nursery) -> None:
            for number, piece in enumerate(pieces):
                await ahead.acquire()
                nursery.start_soon(fetch, number, piece)
                if is_first and not number:
                    await arrived[0].wait()

        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fetch_all, nursery)
                for number, event in enumerate(arrived):
                    await event.wait()
                    await take(ready.pop(number))
                    ahead.release()
        except BaseExceptionGroup as group:
            raise _first_of(group) from None


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What the reading failed by: errors of the tasks beside it are the same one."""
    found = group.subgroup(Unreadable)
    leaf: BaseException = group if found is None else found
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf


class _Opening:
    """Opens records as their bytes come, and cuts off what was not asked for."""

    def __init__(self, key: ObjectKey, first: int, total: int, skip: int, size: int) -> None:
        self._key = key
        self._number = first
        self._total = total
        self._skip = skip
        self._left = size
        self._rest = b""

    def records(self, octets: bytes) -> bytes:
        """Plain bytes of the records that are whole now; the last that came is held back, for it may be the object's last."""
        with memoryview(self._rest + octets if self._rest else octets) as view:
            opened, at = [], 0
            while len(view) - at > SEALED_RECORD_BYTES:
                opened.append(self._open(view[at : at + SEALED_RECORD_BYTES]))
                at += SEALED_RECORD_BYTES
            self._rest = bytes(view[at:])
        return b"".join(opened)

    def rest(self) -> bytes:
        """Plain bytes of the last record."""
        return self._open(self._rest)

    def _open(self, record: bytes | memoryview) -> bytes:
        plain = self._key.open(self._number, record, is_last=self._number == self._total - 1)
        self._number += 1
        kept = plain[self._skip : self._skip + self._left]
        self._skip = 0
        self._left -= len(kept)
        return kept
