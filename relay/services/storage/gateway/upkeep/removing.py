"""A pack let go: its removal recorded on the hub, then deleted by each operator, which signs that it did.

Whatever is done here may be done again: a removal that is on the hub is not asked for twice, and an operator gives the same receipt.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.catalogue.rows import PackRow
from hutong.relay.services.storage.gateway.hub_door import BatchRefused, RemovalDoor
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.rules.commitments.placed import decode_placed
from hutong.relay.services.storage.rules.operator_api.documents import ShardState, SignedDeletion
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode
from hutong.relay.services.storage.rules.records.keys import CLOCK_KEY, hold_key, removal_key, set_key
from hutong.relay.services.storage.rules.records.rounds import decode_clock_record
from hutong.relay.services.storage.rules.records.values import (
    decode_hold_record,
    decode_removal_record,
    decode_set_record,
)

Record = TypeVar("Record")
NOBODY: Final = bytes(32)
"""Stands for the operator of a shard that nobody has, as far as hub and operators say."""
_BOUND: Final = frozenset((ShardState.SIGNED, ShardState.PLACED, ShardState.DAMAGED))


@dataclass(slots=True)
class Removal:
    """What came of one pack: receipts by shard, shards that their operator never had, and why others wait."""

    receipts: dict[int, SignedDeletion] = field(default_factory=dict)
    never_held: set[int] = field(default_factory=set)
    waiting: dict[int, str] = field(default_factory=dict)


class Remover:
    """Of one gateway."""

    def __init__(self, door: RemovalDoor, links: Mapping[bytes, OperatorLink]) -> None:
        self._door = door
        self._links = links

    async def is_held(self, packs: Sequence[PackRow], now_s: int) -> bool:
        """Whether somebody holds one of the packs beyond its retention.

        Raises:
            HubSilent: the hub does not say.
        """
        for pack in packs:
            value = await self._door.record(hold_key(pack.name))
            try:
                if value is not None and decode_hold_record(value).until_s >= now_s:
                    return True
            except MalformedInput as error:
                raise HubSilent(f"the hub's record of a hold cannot be read: {error}") from None
        return False

    async def remove(self, pack: PackRow, done_before: Collection[int]) -> Removal:
        """As far as it goes now.

        Args:
            done_before: shards whose receipts are there.

        Raises:
            HubSilent: the hub does not answer.
        """
        done = Removal()
        states: dict[int, str] = {}

        async def ask(shard: int) -> None:
            if pack.operators[shard] == NOBODY:
                done.never_held.add(shard)
                return
            try:
                states[shard] = await self._state(pack, shard)
            except OperatorFailed as error:
                if error.code is RefusalCode.NOT_FOUND:
                    done.never_held.add(shard)
                else:
                    done.waiting[shard] = str(error)

        await _each(ask, [shard for shard in range(pack.shape.shards) if shard not in done_before])
        await self._record(pack, [shard for shard, state in sorted(states.items()) if state in _BOUND], done)

        async def let_go(shard: int) -> None:
            try:
                link = self._link(pack, shard)
                done.receipts[shard] = await link.delete_shard(pack.name, shard, pack.roots[shard])
            except OperatorFailed as error:
                done.waiting.setdefault(shard, str(error))

        await _each(let_go, [shard for shard in sorted(states) if shard not in done.waiting])
        return done

    async def _record(self, pack: PackRow, shards: Sequence[int], done: Removal) -> None:
        """Have the removal of shards recorded that a part binds, by the batch that has them."""
        clock = await self._decoded(CLOCK_KEY, decode_clock_record)
        shown: dict[int, list[tuple[bytes, int, bytes]]] = {}
        of: dict[int, list[int]] = {}
        for shard in shards:
            try:
                if clock is None:
                    raise OperatorFailed("the hub has no epoch yet")
                batch, entry = await self._entry(pack, shard, clock.epoch)
            except OperatorFailed as error:
                done.waiting[shard] = str(error)
                continue
            removal = await self._decoded(removal_key(batch, pack.name), decode_removal_record)
            if removal is None or not removal.shards >> shard & 1:
                shown.setdefault(batch, []).append((pack.operators[shard], clock.epoch, entry))
                of.setdefault(batch, []).append(shard)
        for batch, entries in shown.items():
            try:
                await self._door.remove(batch, pack.name, entries)
            except BatchRefused as error:
                done.waiting.update(dict.fromkeys(of[batch], str(error)))

    async def _entry(self, pack: PackRow, shard: int, epoch: int) -> tuple[int, bytes]:
        """The number of the shard's batch, and its placed entry under the operator's set of an epoch."""
        record = await self._decoded(set_key(pack.operators[shard], epoch), decode_set_record)
        if record is None:
            raise OperatorFailed(f"the hub has no set of the operator in epoch {epoch}; the next epoch brings it")
        size = record.operator_set.size
        try:
            entry = await self._link(pack, shard).placed(pack.name, shard, size)
            return decode_placed(entry, size).log_entry.batch, entry
        except MalformedInput as error:
            raise OperatorFailed(f"its placed entry cannot be read: {error}") from None
        except OperatorFailed as error:
            if error.code is RefusalCode.NOT_PLACED:
                raise OperatorFailed(f"its batch is in no set up to epoch {epoch}; a later epoch brings it") from None
            raise

    async def _state(self, pack: PackRow, shard: int) -> str:
        document = await self._link(pack, shard).document(f"/v1/shards/{pack.name.hex()}/{shard}")
        return str(document.get("state")) if isinstance(document, dict) else ""

    async def _decoded(self, key: bytes, decode: Callable[[bytes], Record]) -> Record | None:
        value = await self._door.record(key)
        try:
            return None if value is None else decode(value)
        except MalformedInput as error:
            raise HubSilent(f"a record of the hub cannot be read: {error}") from None

    def _link(self, pack: PackRow, shard: int) -> OperatorLink:
        link = self._links.get(pack.operators[shard])
        if link is None:
            raise OperatorFailed(f"operator {pack.operators[shard].hex()[:16]} has no address in the configuration")
        return link


async def _each(call: Callable[[int], Awaitable[None]], shards: Iterable[int]) -> None:
    async with trio.open_nursery() as nursery:
        for shard in shards:
            nursery.start_soon(call, shard)
