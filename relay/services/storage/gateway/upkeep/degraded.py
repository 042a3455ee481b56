"""Batches that lacked an operator's signature, looked at again: a late signature and a repair are on the hub, and the catalogue does not know.

An operator's word is not enough for that: what counts is a placed entry, with the root that the pack has, under the log that the hub has.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.services.storage.catalogue import packs
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase
from hutong.relay.services.storage.catalogue.rows import BatchRow, PackRow
from hutong.relay.services.storage.gateway.hub_door import RemovalDoor
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.gateway.upkeep.sequences import entries_of_batch
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.rules.commitments.placed import PlacedEntry, decode_placed, judge_placed
from hutong.relay.services.storage.rules.records.batches import decode_log_record
from hutong.relay.services.storage.rules.records.keys import log_key

MOST: Final = 100
"""Batches of one look, the oldest first."""


class DegradedBatches:
    """Of one gateway under a hub."""

    def __init__(self, catalogue: CatalogueDatabase, door: RemovalDoor, links: Mapping[bytes, OperatorLink]) -> None:
        self._catalogue = catalogue
        self._door = door
        self._links = links

    async def look(self) -> int:
        """Take from the catalogue who does not lack any more. Returns how many batches are whole now.

        Raises:
            HubSilent, CatalogueUnavailable: see there.
        """
        whole = 0
        for batch in await self._catalogue.run(lambda one: packs.degraded_batches(one, MOST)):
            pack = await self._pack_of(batch)
            if pack is None:
                continue
            held = [one for one in batch.unsigned if await self._is_held(batch, pack, one)]
            if held:
                await self._catalogue.run(partial(packs.end_lack, sequence=batch.sequence, held=tuple(held)))
                whole += len(held) == len(batch.unsigned)
        return whole

    async def _pack_of(self, batch: BatchRow) -> PackRow | None:
        """A pack of the batch that the catalogue has, whose roots are known so.

        The danger: an operator lists a pack of another batch, which everybody holds. So that it is of this one is judged as well.
        """
        for operator, link in self._links.items():
            try:
                entries = await entries_of_batch(link, batch.number)
            except OperatorFailed:
                continue
            for entry in entries:
                found = await self._catalogue.run(partial(packs.pack_named, name=entry.pack))
                if found is None:
                    continue
                placed = await self._placed(operator, link, (entry.pack, entry.shard))
                if placed is not None and placed.log_entry.batch == batch.number:
                    return found
        return None

    async def _placed(self, operator: bytes, link: OperatorLink, shard: tuple[bytes, int]) -> PlacedEntry | None:
        """Where a shard of a pack stands in an operator's log, as the hub has that; None where that is not shown."""
        value = await self._door.record(log_key(operator))
        try:
            standing = None if value is None else decode_log_record(value).operator_set
        except MalformedInput as error:
            raise HubSilent(f"the hub's record of a log cannot be read: {error}") from None
        if standing is None:
            return None
        try:
            placed = decode_placed(await link.placed(*shard, standing.size), standing.size)
            entry = judge_placed(VERIFY, standing, placed)
        except (OperatorFailed, MalformedInput, PredicateFailed):
            return None
        return placed if (entry.pack, entry.shard) == shard else None

    async def _is_held(self, batch: BatchRow, pack: PackRow, lacking: bytes) -> bool:
        """Whether the shard that an operator lacked stands in the log of anybody, in a batch of as many packs."""
        if lacking not in pack.operators:
            return False
        shard = pack.operators.index(lacking)
        for operator, link in self._links.items():
            placed = await self._placed(operator, link, (pack.name, shard))
            is_it = placed is not None and placed.entry.root == pack.roots[shard]
            if placed is not None and is_it and placed.log_entry.entries == batch.packs:
                return True
        return False
