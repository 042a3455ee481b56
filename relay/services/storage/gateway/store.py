"""Objects as both doors of a gateway, S3 and plain HTTP, put, find and remove them."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import trio

from hutong.relay.services.storage.catalogue import objects, packs, uses
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, Statements
from hutong.relay.services.storage.catalogue.listing import Asked, Page
from hutong.relay.services.storage.catalogue.rows import (
    Bucket,
    BucketMissing,
    BucketNotEmpty,
    BucketTaken,
    HeadPlace,
    ObjectRow,
    PartRow,
    Upload,
)
from hutong.relay.services.storage.gateway.batches import NotStored
from hutong.relay.services.storage.gateway.committing import Change, Committer, Stored, Unavailable, weight_of_event
from hutong.relay.services.storage.gateway.events import (
    Event,
    EventKind,
    Segment,
    decode_segment,
    encode_segment,
    open_page,
    seal_page,
)
from hutong.relay.services.storage.gateway.notes import PARTS, decode_note, encode_note, tells_of_parts
from hutong.relay.services.storage.gateway.staging import SMALL_BYTES, ReadSome, Staged, stage_large
from hutong.relay.services.storage.pipeline.pool import Pipeline, PipelineBroken
from hutong.relay.services.storage.rules.objects.cid import Cid

MAX_PARTS: Final = 10_000
LEAST_PART_BYTES: Final = 5 * 2**20
"""Of every part but the last, as S3 has it."""


class ConditionFailed(Exception):
    """The key is not what the request says it is. One sentence."""


class Retained(Exception):
    """The object may not be replaced or removed before its time. One sentence."""


class NoSuchUpload(Exception):
    """The upload has ended, or there was none. One sentence."""


class InvalidPart(Exception):
    """A part that is named was not stored, or is another one. One sentence."""


class PartTooSmall(Exception):
    """A part that is not the last has fewer bytes than S3 asks for. One sentence."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the key when the change is made. `etag` is one that the object must have."""

    must_be_absent: bool = False
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectAsked:
    """Which object is to be put."""

    bucket: str
    key: bytes
    note: bytes = b""
    retain_until_s: int = 0
    condition: Condition = Condition()

    def with_note(self, note: bytes) -> "ObjectAsked":
        """The same with another note."""
        return replace(self, note=note)


@dataclass(frozen=True, slots=True)
class Doors:
    """What a store is made of."""

    catalogue: CatalogueDatabase
    committer: Committer
    pipeline: Pipeline
    catalogue_root: bytes
    now_ms: Callable[[], int]


def etag_of(row: ObjectRow) -> str:
    """Without quotes: the object's id, or of one that came in parts the hash over its parts' ids and their number."""
    parts = decode_note(row.note).get(PARTS)
    return str(Cid(1, 0x71, 0x12, row.digest)) if parts is None else f"{row.digest.hex()}-{parts}"


class ObjectStore:
    """Changes of one key are made one after the other, so a condition that holds when it is judged holds when the change is made."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._locks: dict[tuple[str, bytes], tuple[trio.Lock, int]] = {}
        self._going: set[str] = set()
        """Buckets that are being removed: until that is done, nothing is changed in them."""

    def now_s(self) -> int:
        """Unix seconds, by the gateway's clock."""
        return self._doors.now_ms() // 1_000

    async def put(self, asked: ObjectAsked, read: ReadSome, note: Callable[[], bytes] | None = None) -> ObjectRow:
        """Store an object; returns once it is stored.

        Args:
            note: the object's note, where its last words are known at the body's end; else that of `asked`.

        Raises:
            BucketMissing, ConditionFailed, Retained, TooLarge: see there.
            Unavailable: it was not stored.
            And what `read` raises.
        """
        run = self._doors.catalogue.run
        bucket = await run(lambda one: objects.bucket_of(one, asked.bucket))
        await self._judge(bucket, asked)
        begun, is_whole = await _begin(read)
        if is_whole:
            asked = asked if note is None else asked.with_note(note())
            async with self._locked(asked.bucket, asked.key):
                await self._judge(bucket, asked)
                change = self._put_change(bucket, asked, content=bytes(begun))
                await self._doors.committer.change(change)
                return await self._found(bucket, asked.key)
        async with self._doors.committer.large_batch() as batch:
            staged = await self._staged(batch, read, bytes(begun), asked.retain_until_s)
            asked = asked if note is None else asked.with_note(note())
            async with self._locked(asked.bucket, asked.key):
                await self._judge(bucket, asked)
                change = self._put_change(bucket, asked, staged=staged)
                await self._doors.committer.commit_large(batch, change)
                return await self._found(bucket, asked.key)

    async def find(self, bucket: str, key: bytes) -> ObjectRow | None:
        """The object of a key; None where there is none.

        Raises:
            BucketMissing: see there.
        """

        def ask(one: Statements) -> ObjectRow | None:
            return objects.find_object(one, objects.bucket_of(one, bucket).number, key)

        return await self._doors.catalogue.run(ask)

    async def remove(
        self,
        bucket: str,
        key: bytes,
        condition: Condition = Condition(),
        closing: Callable[[Statements], None] | None = None,
    ) -> bool:
        """Remove a key; whether it was there. Its bytes go when its packs are compacted, by the rules of retention.

        Args:
            closing: the last of the removal's transaction; not called where there was no such key.

        Raises:
            BucketMissing, ConditionFailed, Retained, Unavailable: see there.
        """
        found = await self._doors.catalogue.run(lambda one: objects.bucket_of(one, bucket))
        async with self._locked(bucket, key):
            asked = ObjectAsked(bucket, key, condition=condition)
            if await self._judge(found, asked) is None:
                return False

            def describe(number: int, _staged: Staged | None) -> Event:
                return Event(number, EventKind.DELETE, bucket, key, modified_ms=self._doors.now_ms())

            def apply(statements: Statements, _stored: Stored) -> None:
                uses.retire(statements, found.number, key, tells_of_parts)
                objects.remove_object(statements, found.number, key)
                if closing is not None:
                    closing(statements)

            await self._doors.committer.change(Change(describe, apply))
        return True

    async def page(self, bucket: str, asked: Asked) -> Page:
        """A page of a bucket's keys.

        Raises:
            BucketMissing: see there.
        """
        return await self._doors.catalogue.run(
            lambda one: objects.list_objects(one, objects.bucket_of(one, bucket).number, asked)
        )

    async def buckets(self) -> tuple[Bucket, ...]:
        """All."""
        return await self._doors.catalogue.run(objects.buckets)

    async def bucket(self, name: str) -> Bucket:
        """One.

        Raises:
            BucketMissing: see there.
        """
        return await self._doors.catalogue.run(lambda one: objects.bucket_of(one, name))

    async def make_bucket(self, name: str) -> None:
        """A new bucket.

        Raises:
            BucketTaken, Unavailable: see there.
        """
        async with self._locked(name, b""):
            if any(one.name == name for one in await self.buckets()):
                raise BucketTaken(f"there is a bucket {name} already")
            now_ms = self._doors.now_ms()

            def describe(number: int, _staged: Staged | None) -> Event:
                return Event(number, EventKind.BUCKET, name, modified_ms=now_ms)

            def apply(statements: Statements, _stored: Stored) -> None:
                objects.add_bucket(statements, name, now_ms // 1_000)

            await self._doors.committer.change(Change(describe, apply))

    async def remove_bucket(self, name: str) -> None:
        """Remove an empty bucket. One in which a key is being changed is not empty: what is put would be stored, and found nowhere.

        Raises:
            BucketMissing, BucketNotEmpty, Unavailable: see there.
        """
        async with self._locked(name, b""), self._removing(name):
            bucket = await self.bucket(name)
            if (await self.page(bucket.name, Asked(b"", b"", b"", 1))).rows:
                raise BucketNotEmpty(f"bucket {name} has objects")

            def describe(number: int, _staged: Staged | None) -> Event:
                return Event(number, EventKind.UNBUCKET, name, modified_ms=self._doors.now_ms())

            def apply(statements: Statements, _stored: Stored) -> None:
                objects.remove_bucket(statements, name)

            await self._doors.committer.change(Change(describe, apply))

    async def begin_upload(self, asked: ObjectAsked) -> Upload:
        """An object that will come in parts. It has to be begun again where the gateway's database is lost before it ends.

        Raises:
            BucketMissing: see there.
        """

        def begin(one: Statements) -> Upload:
            bucket = objects.bucket_of(one, asked.bucket)
            began_s = self._doors.now_ms() // 1_000
            # In the order in which they began, as listings have those of one key.
            name = f"{self._doors.now_ms():012x}{os.urandom(10).hex()}"
            upload = Upload(name, bucket.number, asked.key, asked.note, asked.retain_until_s, began_s)
            packs.add_upload(one, upload)
            return upload

        return await self._doors.catalogue.run(begin)

    async def put_part(
        self,
        place: tuple[str, bytes, str],
        number: int,
        read: ReadSome,
        checksum: Callable[[], str] | None = None,
    ) -> PartRow:
        """Store a part, which from now on is the one of this number.

        Args:
            place: bucket, key and upload.
            checksum: a word that is kept beside it, asked for at the body's end.

        Raises:
            BucketMissing, NoSuchUpload, Unavailable, TooLarge: see there.
        """
        upload = await self.upload(*place)
        begun, is_whole = await _begin(read)
        parts: list[PartRow] = []
        words: list[str] = []

        def describe(event: int, staged: Staged | None) -> Event:
            segments = (_own_segment(staged),)
            digest = _digest(staged)
            size = segments[0].size
            return Event(
                event, EventKind.PART, place[0], place[1], size, self._doors.now_ms(), upload.retain_until_s, digest,
                segments=segments, upload=upload.id, part=number,
            )  # fmt: skip

        def apply(statements: Statements, stored: Stored) -> None:
            parts.clear()  # a transaction may be made twice
            if packs.upload_of(statements, upload.id) is None:
                uses.count_dead(statements, stored.place.pack, weight_of_event(stored.event))
                return
            self._end_parts(statements, upload.id, lambda _segment: True, number)
            pack = packs.pack_of(statements, stored.place.pack)
            segment = _placed(stored, b"" if pack is None else pack.name)
            sealed = seal_page(self._doors.catalogue_root, encode_segment(segment))
            event = stored.event
            word = words[0] if words else ""
            parts.append(PartRow(upload.id, number, event.size, event.digest, sealed, event.modified_ms, word))
            packs.put_part(statements, parts[-1])

        if is_whole:
            words += [] if checksum is None else [checksum()]
            change = Change(describe, apply, content=bytes(begun), retain_until_s=upload.retain_until_s)
            await self._doors.committer.change(change)
        else:
            async with self._doors.committer.large_batch() as batch:
                staged = await self._staged(batch, read, bytes(begun), upload.retain_until_s)
                words += [] if checksum is None else [checksum()]
                change = Change(describe, apply, staged=staged, retain_until_s=upload.retain_until_s)
                await self._doors.committer.commit_large(batch, change)
        if not parts:
            raise NoSuchUpload("the upload ended while this part came in")
        return parts[0]

    async def upload(self, bucket: str, key: bytes, name: str) -> Upload:
        """An upload that has not ended.

        Raises:
            BucketMissing, NoSuchUpload: see there.
        """

        def ask(one: Statements) -> Upload:
            number = objects.bucket_of(one, bucket).number
            upload = packs.upload_of(one, name)
            if upload is None or (upload.bucket, upload.key) != (number, key):
                raise NoSuchUpload("there is no such upload of this key")
            return upload

        return await self._doors.catalogue.run(ask)

    async def parts(self, upload: Upload, after: int, most: int) -> tuple[PartRow, ...]:
        """Parts of an upload above a number."""
        return await self._doors.catalogue.run(lambda one: packs.parts_of(one, upload.id, after, most))

    async def uploads(self, bucket: str, first: bytes, after: str, most: int) -> tuple[Upload, ...]:
        """Uploads of keys from `first` on, by key and beginning; of that key itself those after the one of an id.

        Raises:
            BucketMissing: see there.
        """
        return await self._doors.catalogue.run(
            lambda one: packs.uploads_of(one, objects.bucket_of(one, bucket).number, first, after, most)
        )

    async def end_upload(self, upload: Upload) -> None:
        """Give an upload up."""

        def end(one: Statements) -> None:
            self._end_parts(one, upload.id, lambda _segment: True)
            packs.end_upload(one, upload.id)

        await self._doors.catalogue.run(end)

    async def named_parts(self, upload: Upload, named: Sequence[tuple[int, str]]) -> list[PartRow]:
        """The parts of an upload that are named by (number, etag).

        Raises:
            InvalidPart, PartTooSmall: see there.
        """
        known = {part.number: part for part in await self.parts(upload, 0, MAX_PARTS)}
        chosen = []
        for number, etag in named:
            part = known.get(number)
            if part is None or part_etag(part) != etag:
                raise InvalidPart(f"part {number} was not stored, or has another ETag")
            chosen.append(part)
        if any(part.size < LEAST_PART_BYTES for part in chosen[:-1]):
            raise PartTooSmall(f"a part that is not the last has less than {LEAST_PART_BYTES} bytes")
        return chosen

    async def complete(
        self, bucket: str, upload: Upload, chosen: Sequence[PartRow], condition: Condition, note: Mapping[str, str]
    ) -> ObjectRow:
        """Make an object of parts, in ascending order.

        Args:
            note: what is kept of the object; how many parts it has is added.

        Raises:
            BucketMissing, ConditionFailed, Retained, Unavailable: see there.
        """
        segments = tuple(decode_segment(open_page(self._doors.catalogue_root, part.segment)) for part in chosen)
        digest = sha256(b"".join(part.digest for part in chosen)).digest()
        kept = encode_note({**note, PARTS: str(len(chosen))})
        asked = ObjectAsked(bucket, upload.key, kept, upload.retain_until_s, condition)
        found = await self._doors.catalogue.run(lambda one: objects.bucket_of(one, bucket))
        async with self._locked(bucket, upload.key):
            await self._judge(found, asked)
            change = self._put_change(found, asked, parts=(digest, segments, upload.id))
            await self._doors.committer.change(change)
            return await self._found(found, upload.key)

    def _put_change(
        self,
        bucket: Bucket,
        asked: ObjectAsked,
        *,
        content: bytes | None = None,
        staged: Staged | None = None,
        parts: tuple[bytes, tuple[Segment, ...], str] | None = None,
    ) -> Change:
        def describe(number: int, one: Staged | None) -> Event:
            if parts is not None:
                digest, segments, upload = parts
            else:
                digest, segments, upload = _digest(one), (_own_segment(one),), ""
            size = sum(segment.size for segment in segments)
            now_ms = self._doors.now_ms()
            return Event(
                number, EventKind.PUT, asked.bucket, asked.key, size, now_ms, asked.retain_until_s, digest, asked.note,
                segments, upload,
            )  # fmt: skip

        def apply(statements: Statements, stored: Stored) -> None:
            uses.retire(statements, bucket.number, asked.key, tells_of_parts)
            objects.put_objects(statements, [row_of(bucket.number, stored)])
            if parts is not None:
                used = {(segment.pack, segment.offset) for segment in parts[1]}
                self._end_parts(statements, parts[2], lambda segment: (segment.pack, segment.offset) not in used)
                packs.end_upload(statements, parts[2])

        return Change(describe, apply, content, staged, asked.retain_until_s)

    def _end_parts(
        self, statements: Statements, upload: str, is_dead: Callable[[Segment], bool], only: int | None = None
    ) -> None:
        """Parts of an upload that no object will have are of no use any more; `only` the one of this number."""
        after, most = (0, MAX_PARTS) if only is None else (only - 1, 1)
        for part in packs.parts_of(statements, upload, after, most):
            if only in (None, part.number):
                segment = decode_segment(open_page(self._doors.catalogue_root, part.segment))
                pack = packs.number_named(statements, segment.pack)
                if pack is not None and is_dead(segment):
                    uses.count_dead(statements, pack, uses.weight_of(segment.size, is_in_parts=False))

    async def _staged(self, batch: object, read: ReadSome, begun: bytes, retain_until_s: int) -> Staged:
        try:
            return await stage_large(self._doors.pipeline, batch, read, begun, retain_until_s)  # type: ignore[arg-type]
        except (NotStored, PipelineBroken) as error:
            raise Unavailable(str(error)) from None
        except BaseExceptionGroup as group:
            raise _plain(group) from None

    async def _judge(self, bucket: Bucket, asked: ObjectAsked) -> ObjectRow | None:
        """What is at the key now, where the change may be made.

        Raises:
            BucketMissing: the bucket was removed since it was looked up.
            ConditionFailed, Retained: see there.
            Unavailable: the bucket is being removed.
        """

        def ask(one: Statements) -> ObjectRow | None:
            if objects.bucket_of(one, bucket.name).number != bucket.number:
                raise BucketMissing(f"bucket {bucket.name} was removed meanwhile")
            return objects.find_object(one, bucket.number, asked.key)

        row = await self._doors.catalogue.run(ask)
        if bucket.name in self._going:
            raise Unavailable(f"bucket {bucket.name} is being removed")
        condition = asked.condition
        if condition.must_be_absent and row is not None:
            raise ConditionFailed("there is an object of this key already")
        if condition.etag is not None and (row is None or etag_of(row) != condition.etag):
            raise ConditionFailed("the object of this key has another ETag, or there is none")
        if row is not None and row.retain_until_s * 1_000 > self._doors.now_ms():
            raise Retained(f"the object is retained until {row.retain_until_s} (Unix seconds)")
        return row

    async def _found(self, bucket: Bucket, key: bytes) -> ObjectRow:
        row = await self._doors.catalogue.run(lambda one: objects.find_object(one, bucket.number, key))
        if row is None:
            raise Unavailable("the object was stored, and its row is gone")
        return row

    @asynccontextmanager
    async def _removing(self, name: str) -> AsyncIterator[None]:
        # Between the look and the mark nothing else runs: a change has its lock before, or sees the mark.
        if any(bucket == name and key for bucket, key in self._locks):
            raise BucketNotEmpty(f"bucket {name} has a key that is being changed")
        self._going.add(name)
        try:
            yield
        finally:
            self._going.discard(name)

    @asynccontextmanager
    async def _locked(self, bucket: str, key: bytes) -> AsyncIterator[None]:
        lock, users = self._locks.get((bucket, key), (trio.Lock(), 0))
        self._locks[bucket, key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            _, users = self._locks[bucket, key]
            if users == 1:
                del self._locks[bucket, key]
            else:
                self._locks[bucket, key] = (lock, users - 1)


def part_etag(part: PartRow) -> str:
    """Without quotes: the id of the part's manifest."""
    return str(Cid(1, 0x71, 0x12, part.digest))


def row_of(bucket: int, stored: Stored) -> ObjectRow:
    """The catalogue's row of a put."""
    event = stored.event
    return ObjectRow(
        bucket, event.key, stored.place, event.size, event.modified_ms, event.retain_until_s, event.digest, event.note
    )


def _placed(stored: Stored, pack: bytes) -> Segment:
    place: HeadPlace = stored.place
    (segment,) = stored.event.segments
    return Segment(pack, place.offset, place.manifest_bytes, segment.size, segment.data_key)


def _own_segment(staged: Staged | None) -> Segment:
    if staged is None:
        raise Unavailable("nothing was staged")
    return Segment(b"", 0, len(staged.manifest), staged.size, staged.data_key)


def _digest(staged: Staged | None) -> bytes:
    return b"" if staged is None else Cid.of(staged.manifest).digest


async def _begin(read: ReadSome) -> tuple[bytearray, bool]:
    """The first bytes of a body, and whether they are all of a small object."""
    begun = bytearray()
    while len(begun) <= SMALL_BYTES:
        some = await read()
        if not some:
            return begun, True
        begun += some
    return begun, False


def _plain(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a task failed by: the first error that is not the cancellation of the others."""
    leaves: list[BaseException] = []

    def walk(error: BaseException) -> None:
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                walk(one)
        elif not isinstance(error, trio.Cancelled):
            leaves.append(error)

    walk(group)
    if not leaves:
        return group
    first = leaves[0]
    return Unavailable(str(first)) if isinstance(first, NotStored | PipelineBroken) else first
