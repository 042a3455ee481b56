"""Objects that are of use, moved into a new pack: stored as every put is, and only then, in one transaction, do rows name it.

The danger: an object that was answered *stored* is lost on the way. So it is read whole, compared with its content's hash, stored by 12 of
14 operators and on the hub before the row changes, and the old pack is let go after that. A kill before leaves all as it was.
"""

from collections.abc import Sequence
from dataclasses import replace

from hutong.relay.services.storage.catalogue import packs, uses
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, Statements
from hutong.relay.services.storage.catalogue.rows import ObjectRow
from hutong.relay.services.storage.gateway.committing import Apply, Change, Committer, Stored, weight_of_event
from hutong.relay.services.storage.gateway.events import Event, Segment
from hutong.relay.services.storage.gateway.reading import OpenObject, Reader
from hutong.relay.services.storage.gateway.staging import Staged
from hutong.relay.services.storage.gateway.upkeep.surveying import Survey, count_parts
from hutong.relay.services.storage.rules.objects.cid import Cid


class Mover:
    """Moves what surveys found."""

    def __init__(self, catalogue: CatalogueDatabase, committer: Committer, reader: Reader) -> None:
        self._catalogue = catalogue
        self._committer = committer
        self._reader = reader

    async def move(self, surveys: Sequence[Survey], now_s: int) -> None:
        """Move objects and events of these packs into one batch, and write down that the packs are to go from `now_s` on.

        Raises:
            Unreadable: an object cannot be read.
            Unavailable, CatalogueUnavailable: nothing was moved.
        """

        def closing(statements: Statements) -> None:
            for survey in surveys:
                for at, event in survey.in_parts:
                    count_parts(statements, (survey.number, at), event)
                packs.remove_pack(statements, survey.number)
                uses.end_use(statements, survey.number)
                for pack in survey.packs:
                    packs.add_removal(statements, pack, now_s)

        changes = [_carried(event) for survey in surveys for event in survey.carried]
        changes += [await self._moved(row) for survey in surveys for row in survey.live]
        if changes:
            await self._committer.commit_together(changes, closing)
        else:
            await self._catalogue.run(closing)

    async def _moved(self, row: ObjectRow) -> Change:
        found = await self._reader.open(row)
        event = found.event
        if any(segment.pack for segment in event.segments):
            return Change(lambda _number, _staged: event, _switch(row), retain_until_s=event.retain_until_s)
        content = await self._content(found)

        def describe(_number: int, staged: Staged | None) -> Event:
            assert staged is not None
            segment = Segment(b"", 0, len(staged.manifest), staged.size, staged.data_key)
            return replace(event, segments=(segment,), moved=Cid.of(staged.manifest).digest)

        return Change(describe, _switch(row), content, retain_until_s=event.retain_until_s)

    async def _content(self, found: OpenObject) -> bytes:
        octets = bytearray()

        async def take(some: bytes) -> None:
            octets.extend(some)

        await self._reader.read(found, 0, found.row.size, take)
        return bytes(octets)


def _switch(row: ObjectRow) -> Apply:
    def apply(statements: Statements, stored: Stored) -> None:
        if not uses.move_object(statements, row, stored.place):
            # The key was put again or removed meanwhile: what was moved is dead when it arrives.
            uses.count_dead(statements, stored.place.pack, weight_of_event(stored.event))

    return apply


def _carried(event: Event) -> Change:
    return Change(lambda _number, _staged: event, lambda _statements, _stored: None)
