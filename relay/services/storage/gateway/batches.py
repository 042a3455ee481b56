"""A batch: packs given to one group of operators, receipts, signed parts, and the hub (docs/spec/storage-lifecycle.md).

Nothing counts as stored before `data` + 2 operators have signed for all of it and the hub has the batch. An operator that misses one
shard does not sign, and is recorded, so that its shards are repaired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.storage.catalogue.rows import BatchRow, PackRow
from hutong.relay.services.storage.gateway.hub_door import BatchDoor, Placing, SignedBatch
from hutong.relay.services.storage.gateway.identity import Writer
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.rules.commitments.entries import MAX_BATCH_ENTRIES, ShardEntry, batch_part
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart, WriterBatch, parts_hash
from hutong.relay.services.storage.rules.lifecycle.stored import enough_shards_have_receipts, receipts_needed
from hutong.relay.services.storage.rules.packs.columns import PlacedPack

STRAGGLER_S: Final = 10.0
"""How long those that are slow are waited for, once enough have receipted."""


class NotStored(Exception):
    """Too few operators took a pack, or signed their part; one sentence that names why."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every batch of a gateway needs."""

    writer: Writer
    links: Mapping[bytes, OperatorLink]
    door: BatchDoor


class Batch:
    """One batch while it is open."""

    def __init__(self, desk: Desk, sequence: int, placing: Placing) -> None:
        self.sequence = sequence
        self.placing = placing
        self._desk = desk
        self._packs: list[tuple[PlacedPack, int]] = []
        self._failed: dict[bytes, str] = {}

    @property
    def is_full(self) -> bool:
        """Whether it takes one more pack of objects, and one of manifests."""
        return len(self._packs) + 2 > MAX_BATCH_ENTRIES

    def row_of(self, placed: PlacedPack) -> PackRow:
        """A pack of this batch, as the catalogue keeps it."""
        return PackRow(placed.name, placed.shape, placed.roots, self.placing.operators)

    async def send(self, placed: PlacedPack, memory: memoryview, retain_until_s: int) -> None:
        """Give each operator its shard, and wait for enough receipts.

        Args:
            memory: masked shards one after the other, as `make_pack` leaves them.

        Raises:
            NotStored: too few receipts.
        """
        size = placed.shape.shard_bytes
        receipted: set[int] = set()
        needed = receipts_needed(placed.shape)

        async def give(shard: int, operator: bytes, enough: trio.CancelScope) -> None:
            entry = ShardEntry(0, placed.shape.height, placed.name, shard, placed.roots[shard], retain_until_s)
            try:
                if operator in self._failed:
                    return
                await self._link(operator).put_shard(entry, memory[shard * size : (shard + 1) * size])
            except OperatorFailed as error:
                self._failed[operator] = str(error)
                return
            receipted.add(shard)
            if len(receipted) == needed:
                enough.deadline = trio.current_time() + STRAGGLER_S

        with trio.CancelScope() as enough:
            async with trio.open_nursery() as nursery:
                for shard, operator in enumerate(self.placing.operators):
                    nursery.start_soon(give, shard, operator, enough)
        for shard, operator in enumerate(self.placing.operators):
            if shard not in receipted:
                self._failed.setdefault(operator, "too slow")
        try:
            enough_shards_have_receipts(placed.shape, tuple(receipted))
        except PredicateFailed:
            raise NotStored(self._why(len(receipted), needed, "took the shards")) from None
        self._packs.append((placed, retain_until_s))

    async def settle(self) -> BatchRow:
        """Have the parts signed and the batch recorded.

        Raises:
            NotStored: too few operators sign.
            HubSilent, BatchRefused: the hub has no such batch.
            SigningFailed: the writer's key does not answer.
        """
        operators = sorted(self.placing.operators)
        entries = {operator: self._entries(self.placing.operators.index(operator)) for operator in operators}
        signatures = dict.fromkeys(operators, b"")

        async def ask(operator: bytes) -> None:
            try:
                signatures[operator] = await self._link(operator).sign_part(self.sequence, entries[operator])
            except OperatorFailed as error:
                self._failed[operator] = str(error)

        async with trio.open_nursery() as nursery:
            for operator in operators:
                if operator not in self._failed:
                    nursery.start_soon(ask, operator)
        signed = [operator for operator in operators if signatures[operator]]
        needed = receipts_needed(self._packs[0][0].shape)
        if len(signed) < needed:
            raise NotStored(self._why(len(signed), needed, "signed their part"))
        writer = self._desk.writer
        parts = [
            OperatorPart(writer.hub, writer.writer, self.sequence, operator, batch_part(entries[operator]))
            for operator in operators
        ]
        batch = WriterBatch(writer.hub, writer.writer, self.sequence, parts_hash(parts))
        pairs = tuple(zip(parts, (signatures[operator] for operator in operators), strict=True))
        signature = await writer.sign(batch)
        on_hub = await self._desk.door.store(
            SignedBatch(writer.writer, self.sequence, self.placing.map, pairs, signature)
        )
        unsigned = tuple(one for one in operators if not signatures[one] or one in on_hub.not_counted)
        return BatchRow(self.sequence, on_hub.number, len(self._packs), unsigned)

    def _entries(self, shard: int) -> Sequence[ShardEntry]:
        first, entries = 0, []
        for placed, retain_until_s in self._packs:
            entry = ShardEntry(first, placed.shape.height, placed.name, shard, placed.roots[shard], retain_until_s)
            entries.append(entry)
            first += entry.leaves
        return entries

    def _link(self, operator: bytes) -> OperatorLink:
        link = self._desk.links.get(operator)
        if link is None:
            raise OperatorFailed(f"operator {operator.hex()[:16]} has no address in the configuration")
        return link

    def _why(self, have: int, needed: int, what: str) -> str:
        first = next(iter(self._failed.values()), "nobody said why")
        return f"{have} of {len(self.placing.operators)} operators {what}, {needed} are needed; the first: {first}"
