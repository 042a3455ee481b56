"""Changes of the catalogue, made together: one batch, one pack of objects, one of manifests and events, one transaction.

A put is answered when its batch is on the hub, about a block later; so puts that come within a moment share a batch.
The danger: what one client asks for fails what others asked for in the same moment. So a change that cannot be told or made fails alone.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import trio

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.catalogue import objects, packs, uses
from hutong.relay.services.storage.catalogue.database import (
    CatalogueDatabase,
    CatalogueUnavailable,
    RowTaken,
    Statements,
)
from hutong.relay.services.storage.catalogue.rows import BatchRow, HeadPlace, PackRow
from hutong.relay.services.storage.gateway.batches import Batch, Desk, NotStored
from hutong.relay.services.storage.gateway.events import Event, EventKind, encode_event, seal_page
from hutong.relay.services.storage.gateway.hub_door import BatchRefused
from hutong.relay.services.storage.gateway.notes import tells_of_parts
from hutong.relay.services.storage.gateway.staging import SMALL_BYTES, Staged, stage_sections, stage_small
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.pipeline.pool import Pipeline, PipelineBroken
from hutong.relay.services.storage.rules.packs.body import SectionKind
from hutong.relay.services.storage.rules.packs.mask import KEY_BYTES

WINDOW_S: Final = 0.03
"""How long a batch of small changes waits for others."""
MOST_AT_ONCE: Final = 2_048
MOST_BYTES_AT_ONCE: Final = 64 * 2**20
COMMITS_AT_ONCE: Final = 4


class Unavailable(Exception):
    """Nothing was stored, and the same request may succeed later; one sentence."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where an event lies now, in the catalogue's transaction: the pack's number, and the place of manifest and event."""

    event: Event
    place: HeadPlace


Apply = Callable[[Statements, Stored], None]
"""What an event changes in the catalogue."""


@dataclass(slots=True)
class Change:
    """One change. `describe` makes its event of the event's number and of what was staged."""

    describe: Callable[[int, Staged | None], Event]
    apply: Apply
    content: bytes | None = None
    """A small object."""
    staged: Staged | None = None
    """A large one, whose bytes are in packs of the batch already."""
    retain_until_s: int = 0
    done: trio.Event = field(default_factory=trio.Event)
    failed: Exception | None = None


class Committer:
    """Takes changes, and makes batches of them."""

    def __init__(
        self,
        desk: Desk,
        pipeline: Pipeline,
        catalogue: CatalogueDatabase,
        catalogue_root: bytes,
        window_s: float = WINDOW_S,
    ) -> None:
        """`catalogue_root`: 32 secret bytes, see `TenantKeys`."""
        if len(catalogue_root) != KEY_BYTES:
            raise MalformedInput("catalogue.root", f"has {KEY_BYTES} bytes", got=len(catalogue_root))
        self._desk = desk
        self._pipeline = pipeline
        self._catalogue = catalogue
        self._root = catalogue_root
        self.window_s = window_s
        self.most_at_once = MOST_AT_ONCE
        """Changes that one batch of small ones has; it is not waited for more."""
        self._send, self._receive = trio.open_memory_channel[Change](MOST_AT_ONCE)
        self._commits = trio.CapacityLimiter(COMMITS_AT_ONCE)
        self._numbering = trio.Lock()
        self._open: set[int] = set()
        """Sequences of batches that this process began and has not ended."""
        self.pending = 0
        """Changes that were taken and are not stored yet."""

    async def open_batch(self) -> Batch:
        """A batch with a sequence of its own.

        Raises:
            Unavailable: the hub does not say where it lies, or nothing can be placed.
        """
        async with self._numbering:
            sequence = await self._catalogue.run(lambda one: objects.next_number(one, "sequence"))
            self._open.add(sequence)
        try:
            return await self._placed(sequence)
        except BaseException:
            self._open.discard(sequence)
            raise

    @asynccontextmanager
    async def large_batch(self) -> AsyncIterator[Batch]:
        """A batch for one large change, which ends with the block, whatever came of it.

        Raises:
            Unavailable: see `open_batch`.
        """
        batch = await self.open_batch()
        try:
            yield batch
        finally:
            self._open.discard(batch.sequence)

    async def _placed(self, sequence: int) -> Batch:
        try:
            return Batch(self._desk, sequence, await self._desk.door.place(self._desk.writer.writer, sequence))
        except (HubSilent, BatchRefused) as error:
            raise Unavailable(str(error)) from None

    async def ended_sequences(self, after: int, most: int) -> list[int]:
        """Sequences from `after` + 1 on that were given and of which no batch is under way any more, up to the first that is one."""
        async with self._numbering:
            last = await self._catalogue.run(lambda one: objects.counter(one, "sequence"))
            numbers = range(after + 1, min(last, after + most) + 1)
            return list(itertools.takewhile(lambda sequence: sequence not in self._open, numbers))

    async def fill(self, sequence: int) -> None:
        """Store a batch of nothing under a sequence whose batch never came to the hub, so that operators let go what it had.

        Raises:
            Unavailable: it is not stored.
        """

        def describe(number: int, _staged: Staged | None) -> Event:
            return Event(number, EventKind.PART, "")

        def apply(statements: Statements, stored: Stored) -> None:
            uses.count_dead(statements, stored.place.pack, weight_of_event(stored.event))

        change = Change(describe, apply)
        await self._commit(await self._placed(sequence), [change])
        if change.failed is not None:
            raise change.failed

    async def change(self, change: Change) -> None:
        """Make a small change, with others; returns once it is stored.

        Raises:
            Unavailable: it is not.
        """
        if change.content is not None and len(change.content) > SMALL_BYTES:
            raise MalformedInput("object", "is not small", got=len(change.content), expected=SMALL_BYTES)
        self.pending += 1
        try:
            await self._send.send(change)
            await change.done.wait()
        finally:
            self.pending -= 1
        if change.failed is not None:
            raise change.failed

    async def commit_large(self, batch: Batch, change: Change) -> None:
        """Make one change whose bytes are in packs of this batch.

        Raises:
            Unavailable: it is not stored.
        """
        self.pending += 1
        try:
            await self._commit(batch, [change])
        finally:
            self.pending -= 1
        if change.failed is not None:
            raise change.failed

    async def commit_together(self, changes: Sequence[Change], closing: Callable[[Statements], None]) -> None:
        """Make these changes by one batch; `closing` is the last of their transaction.

        Raises:
            Unavailable: not one of them is stored.
        """
        self.pending += len(changes)
        try:
            await self._commit(await self.open_batch(), list(changes), closing)
        finally:
            self.pending -= len(changes)
        failed = next((change.failed for change in changes if change.failed is not None), None)
        if failed is not None:
            raise failed

    async def run(self) -> None:
        """Until cancelled: gather changes and commit them."""
        async with trio.open_nursery() as nursery:
            while True:
                gathered = await self._gathered()
                token = object()
                await self._commits.acquire_on_behalf_of(token)
                nursery.start_soon(self._small, gathered, token)

    async def _gathered(self) -> list[Change]:
        gathered = [await self._receive.receive()]
        size = len(gathered[0].content or b"")
        with trio.move_on_after(self.window_s):
            while len(gathered) < self.most_at_once and size < MOST_BYTES_AT_ONCE:
                gathered.append(await self._receive.receive())
                size += len(gathered[-1].content or b"")
        return gathered

    async def _small(self, changes: list[Change], token: object) -> None:
        try:
            try:
                batch = await self.open_batch()
            except Exception as error:
                _fail(changes, error if isinstance(error, Unavailable) else Unavailable("the catalogue cannot be used"))
                return
            await self._commit(batch, changes)
        finally:
            self._commits.release_on_behalf_of(token)

    async def _commit(
        self, batch: Batch, changes: list[Change], closing: Callable[[Statements], None] | None = None
    ) -> None:
        try:
            await self._committed(batch, changes, closing)
        except (NotStored, HubSilent, BatchRefused, SigningFailed, CatalogueUnavailable, PipelineBroken) as error:
            _fail(changes, Unavailable(str(error)))
        except Exception as error:
            _fail(changes, error)
            if not isinstance(error, MalformedInput | PredicateFailed):
                raise
        else:
            for change in changes:
                change.done.set()
        finally:
            self._open.discard(batch.sequence)

    async def _committed(
        self, batch: Batch, changes: list[Change], closing: Callable[[Statements], None] | None
    ) -> None:
        retain_until_s = max(change.retain_until_s for change in changes)
        with_content = [change for change in changes if change.content is not None]
        if with_content:
            contents = [change.content or b"" for change in with_content]
            staged = await stage_small(self._pipeline, batch, contents, retain_until_s)
            for change, one in zip(with_content, staged, strict=True):
                change.staged = one
        last = await self._catalogue.run(lambda one: [objects.next_number(one, "event") for _ in changes])
        told: list[_Told] = []
        sections: list[tuple[SectionKind, bytes]] = []
        for number, change in zip(last, changes, strict=True):
            try:
                event = change.describe(number, change.staged)
                page = seal_page(self._root, encode_event(event))
            except Exception as error:
                if closing is not None:
                    raise
                change.failed = error
                continue
            told.append(_Told(change, event))
            if change.staged is not None:
                sections.append((SectionKind.MANIFEST, change.staged.manifest))
            sections.append((SectionKind.CATALOGUE, page))
        if not told:
            return
        made = await stage_sections(self._pipeline, batch, sections, retain_until_s)
        row = await batch.settle()
        stored = (batch.row_of(made.placed), row, _places([one.change for one in told], sections))
        await self._apply(told, stored, closing)

    async def _apply(
        self,
        told: Sequence["_Told"],
        stored: tuple[PackRow, BatchRow, list[HeadPlace]],
        closing: Callable[[Statements], None] | None,
    ) -> None:
        """Write changes that are stored into the catalogue: all of them, or where one cannot be made the others."""

        def apply(one: Statements) -> None:
            _applied(one, stored, told)
            if closing is not None:
                closing(one)

        try:
            await self._catalogue.run(apply)
        except Exception as error:
            if closing is not None or (isinstance(error, CatalogueUnavailable) and not isinstance(error, RowTaken)):
                raise
            await self._catalogue.run(lambda one: _applied(one, stored, told, is_apart=True))


@dataclass(frozen=True, slots=True)
class _Told:
    """A change and its event."""

    change: Change
    event: Event


def _places(changes: Sequence[Change], sections: Sequence[tuple[SectionKind, bytes]]) -> list[HeadPlace]:
    places, at = [], 0
    left = iter(sections)
    for change in changes:
        manifest = len(next(left)[1]) if change.staged is not None else 0
        head = len(next(left)[1])
        places.append(HeadPlace(0, at, manifest, head))
        at += manifest + head
    return places


def _applied(
    statements: Statements,
    stored: tuple[PackRow, BatchRow, list[HeadPlace]],
    told: Sequence[_Told],
    *,
    is_apart: bool = False,
) -> None:
    """`is_apart`: a change that cannot be made fails alone, and its event is of no use."""
    pack, batch, places = stored
    number = packs.add_pack(statements, pack)
    packs.add_batch(statements, batch)
    for one, place in zip(told, places, strict=True):
        there = Stored(one.event, HeadPlace(number, place.offset, place.manifest_bytes, place.head_bytes))
        uses.count_use(statements, number, weight_of_event(one.event))
        if not is_apart:
            one.change.apply(statements, there)
            continue
        failed = statements.apart(partial(one.change.apply, statements, there))
        if failed is not None:
            one.change.failed = Unavailable(str(failed)) if isinstance(failed, RowTaken) else failed
            uses.count_dead(statements, number, weight_of_event(one.event))


def weight_of_event(event: Event) -> int:
    """See `uses`: of what tells of the past, none."""
    if event.kind not in (EventKind.PUT, EventKind.PART):
        return 0
    return uses.weight_of(event.size, is_in_parts=tells_of_parts(event.note))


def _fail(changes: Sequence[Change], error: Exception) -> None:
    for change in changes:
        change.failed = error
        change.done.set()
