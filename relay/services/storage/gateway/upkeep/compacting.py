"""Compaction: packs of which much is dead are emptied into new ones and let go, by every operator and with its receipt."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.base.durable_files import make_folder_durably, write_durably
from hutong.relay.services.storage.catalogue import packs, uses
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase
from hutong.relay.services.storage.catalogue.rows import PackRow
from hutong.relay.services.storage.gateway.committing import MOST_AT_ONCE
from hutong.relay.services.storage.gateway.pack_reading import Unreadable
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.upkeep.moving import Mover
from hutong.relay.services.storage.gateway.upkeep.removing import Removal, Remover
from hutong.relay.services.storage.gateway.upkeep.sequences import Sequences
from hutong.relay.services.storage.gateway.upkeep.surveying import NotCompacted, Survey, count_parts, survey_pack
from hutong.relay.services.storage.rules.operator_api.documents import SignedDeletion, decode_deletion, deletion_members

PAGE: Final = 256
MOST_BYTES_MOVED: Final = 48 * 2**20
"""Of objects moved by one batch, in one pack."""
RECEIPTS_FOLDER: Final = "deletions"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which packs are compacted: those of which at least `percent` is dead. A pack is let go `grace_s` after nothing names it."""

    percent: int = 50
    grace_s: int = 0


@dataclass(slots=True)
class Compacted:
    """What was done. `kept` says of packs why they stay as they are, `waiting` who has not let one go yet."""

    objects_moved: int = 0
    bytes_moved: int = 0
    packs_emptied: int = 0
    packs_removed: int = 0
    receipts: int = 0
    kept: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Compacting:
    """What says which packs are of use."""

    catalogue: CatalogueDatabase
    reader: Reader
    catalogue_root: bytes
    now_s: Callable[[], int]


class Compactor:
    """Of one gateway."""

    def __init__(self, parts: Compacting, mover: Mover, remover: Remover, sequences: Sequences, home: Path) -> None:
        """`home`: operators' receipts of deletions are kept there, a file for each pack."""
        self._catalogue = parts.catalogue
        self._reader = parts.reader
        self._root = parts.catalogue_root
        self._now_s = parts.now_s
        self._mover = mover
        self._remover = remover
        self._sequences = sequences
        self._receipts = home / RECEIPTS_FOLDER

    async def run(self, asked: Asked) -> Compacted:
        """Once over all packs.

        Raises:
            Unavailable: a batch is not stored; what was done before stands.
            HubSilent: the hub does not answer.
            CatalogueUnavailable, OSError: database or disk refuse.
        """
        done = Compacted()
        done.waiting += await self._sequences.close(self._now_s())
        await self._count_dropped(done)
        await self._empty(asked, done)
        await self._let_go(asked, done)
        return done

    async def _count_dropped(self, done: Compacted) -> None:
        """Parts of objects that were removed are found by their events, which are in packs."""
        for place in await self._catalogue.run(lambda one: uses.dropped(one, PAGE)):
            try:
                _, _, event = await self._reader.event_at(place)
            except Unreadable as error:
                done.kept.append(str(error))
                continue
            at = (place.pack, place.offset)
            await self._catalogue.run(partial(count_parts, place=at, event=event))

    async def _empty(self, asked: Asked, done: Compacted) -> None:
        after = 0
        while page := await self._catalogue.run(partial(uses.wasted, percent=asked.percent, after=after, most=PAGE)):
            after = page[-1]
            group: list[Survey] = []
            for number in page:
                survey = await self._surveyed(number, done)
                if survey is None:
                    continue
                if group and _is_full([*group, survey]):
                    await self._move(group, done)
                    group = []
                group.append(survey)
            if group:
                await self._move(group, done)

    async def _surveyed(self, number: int, done: Compacted) -> Survey | None:
        now_s = self._now_s()
        try:
            survey = await survey_pack(self._catalogue, self._reader, self._root, number, now_s)
            if await self._remover.is_held(survey.packs, now_s):
                raise NotCompacted("it is held")
        except (NotCompacted, Unreadable) as reason:
            pack = await self._catalogue.run(lambda one: packs.pack_of(one, number))
            done.kept.append(f"pack {'?' if pack is None else pack.name.hex()}: {reason}")
            return None
        return survey

    async def _move(self, group: Sequence[Survey], done: Compacted) -> None:
        try:
            await self._mover.move(group, self._now_s())
        except Unreadable as error:
            done.kept.append(str(error))
            return
        done.objects_moved += sum(len(survey.live) for survey in group)
        done.bytes_moved += sum(survey.bytes for survey in group)
        done.packs_emptied += sum(len(survey.packs) for survey in group)

    async def _let_go(self, asked: Asked, done: Compacted) -> None:
        after = b""
        until_s = self._now_s() - asked.grace_s
        while page := await self._catalogue.run(partial(packs.removals, until_s=until_s, after=after, most=PAGE)):
            after = page[-1].name
            for pack in page:
                await self._let_one_go(pack, done)

    async def _let_one_go(self, pack: PackRow, done: Compacted) -> None:
        path = self._receipts / pack.name.hex()[:2] / f"{pack.name.hex()}.jsonl"
        before = await trio.to_thread.run_sync(_read_receipts, path)
        removal = await self._remover.remove(pack, before)
        receipts = before | removal.receipts
        if removal.receipts:
            await trio.to_thread.run_sync(_write_receipts, path, receipts)
        done.receipts += len(removal.receipts)
        if len(receipts.keys() | removal.never_held) == pack.shape.shards:
            await self._catalogue.run(lambda one: packs.end_removal(one, pack.name))
            done.packs_removed += 1
        else:
            done.waiting.append(_why(pack, removal, len(receipts)))


def _is_full(group: Sequence[Survey]) -> bool:
    changes = sum(len(survey.live) + len(survey.carried) for survey in group)
    return changes > MOST_AT_ONCE or sum(survey.bytes for survey in group) > MOST_BYTES_MOVED


def _why(pack: PackRow, removal: Removal, receipts: int) -> str:
    shard, reason = next(iter(sorted(removal.waiting.items())), (0, "nobody said why"))
    return f"pack {pack.name.hex()}: {receipts} of {pack.shape.shards} operators let it go; shard {shard}: {reason}"


def _read_receipts(path: Path) -> dict[int, SignedDeletion]:
    """Receipts of before; what cannot be read is asked for again."""
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_bytes().splitlines():
        try:
            signed = decode_deletion(line)
        except MalformedInput:
            continue
        found[signed.deletion.shard] = signed
    return found


def _write_receipts(path: Path, receipts: dict[int, SignedDeletion]) -> None:
    make_folder_durably(path.parent.parent)
    make_folder_durably(path.parent)
    lines = [json.dumps(deletion_members(one)) for _, one in sorted(receipts.items())]
    write_durably(path, "".join(f"{line}\n" for line in lines).encode())
