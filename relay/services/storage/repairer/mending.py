"""A batch's lost parts: every pack's shard rebuilt, given to its new operator, the part signed and recorded.

Nothing counts before the whole part has the root that the hub has: until then its shards are pending at the operator, which drops what
nobody signs. So a kill at any instant costs time and nothing else: what the operator holds already is not built again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.repairer.hub_door import RepairHub, SignedRepair
from hutong.relay.services.storage.repairer.plan import BatchState, Column
from hutong.relay.services.storage.repairer.rebuilding import ReadBytes, rebuilt_pack
from hutong.relay.services.storage.repairer.siblings import NotMended, Sibling, siblings_of
from hutong.relay.services.storage.rules.commitments.entries import ShardEntry, batch_part
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.operator_api.documents import ShardState
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode
from hutong.relay.services.storage.rules.packs.coding import MaskedShard
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES
from hutong.relay.services.storage.rules.repairing import RepairedPart, part_hashes

SEQUENCE_DOMAIN: Final = b"hutong/storage/repair sequence/1"
MOST_PACKS_AT_ONCE: Final = 16
_USABLE: Final = (ShardState.PENDING.value, ShardState.SIGNED.value)


@dataclass(frozen=True, slots=True)
class Repairer:
    """Who repairs, by what."""

    hub_id: bytes
    repairer: bytes
    hub: RepairHub
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Mended:
    """A part that an operator holds again. `repair` is the number of the batch that says so; `root` is the lost part's and the new one's."""

    batch: int
    repair: int
    shard: int
    lost_operator: bytes
    operator: bytes
    root: bytes
    shards: int
    octets: int


def repair_sequence(batch: int, root: bytes, target: bytes) -> int:
    """The repairer's own sequence for a part that goes to an operator: the same after a kill, or out of a new home."""
    return int.from_bytes(sha256(SEQUENCE_DOMAIN + batch.to_bytes(8, "big") + root + target).digest()[:8], "big")


class BatchMending:
    """One batch, whose lost columns have their targets."""

    def __init__(
        self,
        who: Repairer,
        state: BatchState,
        links: Mapping[bytes, OperatorLink],
        targets: Mapping[int, bytes],
        repair_root: bytes,
    ) -> None:
        """`targets`: operators by shard number; each has a link."""
        self._who = who
        self._state = state
        self._links = links
        self._columns = [column for column in state.lost if column.shard in targets]
        self._targets = {column.shard: links[targets[column.shard]] for column in self._columns}
        self._repair_root = repair_root
        self._entries: dict[int, dict[int, ShardEntry]] = {column.shard: {} for column in self._columns}
        """By shard number, and by the pack's number in the batch."""
        self._failed: dict[int, OperatorFailed] = {}
        """By shard number: a target that does not take it."""
        self._not_mended: NotMended | None = None
        """Of one pack: without it no part has its root."""
        self.read = ReadBytes()

    @property
    def failed(self) -> Mapping[int, OperatorFailed]:
        """Columns whose target did not take them."""
        return self._failed

    async def mend(self) -> list[Mended]:
        """Rebuild, hand over and record.

        Raises:
            NotMended: too little can be read, or what was rebuilt is not what the hub has.
            HubRefused, HubSilent: see there.
        """
        siblings = await siblings_of(self._state, self._links)
        packs = range(len(siblings[0].entries))
        largest = max(entry.height for entry in siblings[0].entries)
        await self._for_each(siblings, packs, largest)
        if self._not_mended is not None:
            raise self._not_mended
        mended = []
        for column in self._columns:
            if column.shard not in self._failed:
                try:
                    mended.append(await self._record(column, len(packs)))
                except OperatorFailed as error:
                    self._failed[column.shard] = error
        return mended

    async def _for_each(self, siblings: Sequence[Sibling], packs: range, height: int) -> None:
        body = self._state.shape.data * (LEAF_BYTES << height)
        at_once = trio.CapacityLimiter(max(1, min(MOST_PACKS_AT_ONCE, self._who.memory_bytes // (3 * body))))

        async def one(number: int, token: object) -> None:
            try:
                await self._pack(siblings, number)
            except NotMended as error:
                self._not_mended = self._not_mended or error
            finally:
                at_once.release_on_behalf_of(token)

        async with trio.open_nursery() as nursery:
            for number in packs:
                token = object()
                await at_once.acquire_on_behalf_of(token)
                if self._not_mended is not None or len(self._failed) == len(self._columns):
                    return
                nursery.start_soon(one, number, token)

    async def _pack(self, siblings: Sequence[Sibling], number: int) -> None:
        entry = siblings[0].entries[number]
        lost = []
        for column in self._columns:
            if column.shard in self._failed:
                continue
            try:
                held = await self._held(column, entry)
            except OperatorFailed as error:
                self._failed[column.shard] = error
                continue
            if held is None:
                lost.append(column.shard)
            else:
                self._entries[column.shard][number] = held
        if not lost:
            return
        shape = self._state.shape
        made = await rebuilt_pack(siblings, number, shape, lost, self._repair_root, self.read)
        async with trio.open_nursery() as nursery:
            for shard in made:
                nursery.start_soon(self._give, shard, number, entry)

    async def _held(self, column: Column, like: ShardEntry) -> ShardEntry | None:
        """What the target holds of this pack already, of an earlier try: its root is judged with the whole part."""
        target = self._targets[column.shard]
        said = await target.state(like.pack, column.shard)
        if said is None or said.get("state") == ShardState.REMOVED.value:
            return None
        if said.get("state") in _USABLE and (said.get("height"), said.get("retain_until")) == (
            like.height,
            like.retain_until_s,
        ):
            try:
                return replace(like, shard=column.shard, root=bytes.fromhex(said["root"]))
            except (MalformedInput, ValueError, KeyError, TypeError):
                raise OperatorFailed(f"operator {target.name} says what is no state of a shard") from None
        if said.get("state") == ShardState.PENDING.value:
            await target.delete(like.pack, column.shard)
        return None

    async def _give(self, shard: MaskedShard, number: int, like: ShardEntry) -> None:
        entry = replace(like, shard=shard.number, root=shard.root)
        target = self._targets[shard.number]
        try:
            try:
                await target.put_shard(entry, memoryview(shard.octets))
            except OperatorFailed as refused:
                # Somebody put other bytes under this name: nobody signed them, so they go.
                if refused.code is not RefusalCode.CONFLICT:
                    raise
                await target.delete(entry.pack, entry.shard)
                await target.put_shard(entry, memoryview(shard.octets))
        except OperatorFailed as error:
            self._failed[shard.number] = error
            return
        self._entries[shard.number][number] = entry

    async def _record(self, column: Column, packs: int) -> Mended:
        target, batch = self._targets[column.shard], self._state.batch
        entries = tuple(self._entries[column.shard][number] for number in range(packs))
        part = batch_part(entries)
        if part != column.part.part:
            await self._forget(target, entries)
            raise NotMended(
                f"shard {column.shard} of batch {batch.number} comes out with root {part.root.hex()} where the hub has"
                f" {column.part.part.root.hex()}: what was held of it already was another's, or its writer coded a pack wrongly"
            )
        sequence = repair_sequence(batch.number, part.root, target.known.operator)
        repairs = RepairedPart(batch.number, column.index, column.part.operator, part_hashes(batch.parts))
        signature = await target.sign_part(sequence, entries, repairs)
        signed = OperatorPart(self._who.hub_id, self._who.repairer, sequence, target.known.operator, part)
        repair = SignedRepair(sequence, batch.record.owner, signed, signature)
        number = await self._who.hub.repair(self._who.repairer, repair)
        octets = part.leaves * LEAF_BYTES
        lost, now = column.part.operator, target.known.operator
        return Mended(batch.number, number, column.shard, lost, now, part.root, len(entries), octets)

    async def _forget(self, target: OperatorLink, entries: Sequence[ShardEntry]) -> None:
        """Nothing of a part that is not the lost one stays at the operator, as far as it answers."""
        for entry in entries:
            try:
                await target.delete(entry.pack, entry.shard)
            except OperatorFailed:
                return
