"""What an operator does for writers: shards taken and receipted, parts signed, shards let go by the rules."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import trio

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.keys import Signer
from hutong.relay.services.storage.engines.engine import EngineFull, EngineUnavailable
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.operator.hub_door import HubDoor
from hutong.relay.services.storage.operator.index import HeldPart, HeldShard, Holding, ShardIndex, ShardKey
from hutong.relay.services.storage.operator.operator_log import OperatorLog, number_of
from hutong.relay.services.storage.operator.shelf import BytesLost, Shelf, hashed_shard
from hutong.relay.services.storage.operator.writers import Writers
from hutong.relay.services.storage.rules.commitments.entries import BatchPart, ShardEntry, batch_part
from hutong.relay.services.storage.rules.commitments.placed import encode_placed
from hutong.relay.services.storage.rules.lifecycle.signed import (
    DOMAIN,
    DeletionReceipt,
    OperatorPart,
    ShardReceipt,
    SignedStruct,
    struct_hash,
)
from hutong.relay.services.storage.rules.operator_api.documents import (
    PartAsked,
    SignedDeletion,
    SignedPart,
    SignedReceipt,
)
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode, RequestRefused
from hutong.relay.services.storage.rules.operator_api.spans import SpanRange
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES
from hutong.relay.services.storage.rules.records.batches import decode_batch_record
from hutong.relay.services.storage.rules.records.keys import batch_key, removal_key
from hutong.relay.services.storage.rules.records.values import decode_removal_record
from hutong.relay.services.storage.rules.repairing import RepairedPart, judge_repaired_part

AUDITS_AT_ONCE = 2
"""Of what anybody may ask without a token: answers to probes read up to 64 MiB. One client has one of them at a time."""
SIGN_LIMIT_S = 15.0
"""For one signature of a key elsewhere, whatever its source allows itself."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class OperatorId:
    """Which operator of which hub: 32 bytes each."""

    hub: bytes
    operator: bytes


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an operator takes at once and at most."""

    puts: int = 8
    reads: int = 32
    wait_s: float = 5.0
    least_free_bytes: int = 0
    """Room that is left on the engine's disk."""


@dataclass(frozen=True, slots=True)
class OperatorParts:
    """What an operator is made of. `hub` is None where it follows none."""

    identity: OperatorId
    signer: Signer
    index: ShardIndex
    shelf: Shelf
    log: OperatorLog
    writers: Writers
    hub: HubDoor | None
    now_s: Callable[[], int]
    bounds: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class ShardAsked:
    """A shard as a put names it."""

    key: ShardKey
    height: int
    root: bytes
    retain_until_s: int


class OperatorDesk:
    """One operator. All calls are refused by `RequestRefused`."""

    def __init__(self, parts: OperatorParts) -> None:
        self.parts = parts
        self.is_draining = False
        self._puts = trio.CapacityLimiter(parts.bounds.puts)
        self._reads = trio.CapacityLimiter(parts.bounds.reads)
        self._audits = trio.CapacityLimiter(AUDITS_AT_ONCE)
        self._shown_to: dict[str, tuple[trio.CapacityLimiter, int]] = {}
        """Turns of those who ask without a token, and how many requests of theirs there are."""
        self._busy: dict[ShardKey, trio.Lock] = {}
        self._used: dict[bytes, int] = {}
        """Bytes held by writer, once they were asked for."""
        self._binding = trio.Lock()
        """Between the look at a shard and what binds or deletes it: a part must not name what goes meanwhile."""

    @asynccontextmanager
    async def putting(self) -> AsyncIterator[None]:
        """A turn to receive a shard: bodies of those who wait are not in memory.

        Raises:
            RequestRefused: busy, or draining.
        """
        if self.is_draining:
            raise RequestRefused(RefusalCode.DRAINING, "this operator takes no new shards; ask another")
        async with self._turn(self._puts):
            yield

    @asynccontextmanager
    async def showing(self, client: str) -> AsyncIterator[None]:
        """A turn for what anybody may ask: answers, and the log.

        The danger: a stranger that asks without end keeps auditors out. So each has one turn at a time, and another one's is free.

        Args:
            client: as `client_of` names it.

        Raises:
            RequestRefused: busy, with this client's own requests or with those of others.
        """
        own, users = self._shown_to.get(client, (trio.CapacityLimiter(1), 0))
        self._shown_to[client] = own, users + 1
        try:
            async with self._turn(own), self._turn(self._audits):
                yield
        finally:
            own, users = self._shown_to[client]
            self._shown_to[client] = own, users - 1
            if users == 1:
                del self._shown_to[client]

    async def put(self, asked: ShardAsked, shard: bytes) -> tuple[SignedReceipt, bool]:
        """Hold a shard from now on. Returns its receipt, and whether it is a new one.

        Raises:
            RequestRefused: another shard is held, other bytes than those of the root, no room, or the engine.
        """
        async with self._alone(asked.key):
            found = await self._in_thread(self.parts.index.shard, asked.key)
            if found is not None and found.holding is not Holding.REMOVED:
                if (found.height, found.root, found.retain_until_s) != (asked.height, asked.root, asked.retain_until_s):
                    raise RequestRefused(
                        RefusalCode.CONFLICT, f"held with root {found.root.hex()} and retention {found.retain_until_s}"
                    )
                if found.damaged_at_s is None:
                    return self.receipt_of(found), False
                await self._write(asked, shard)
                await self._in_thread(self.parts.index.mark_damaged, asked.key, None)
                return self.receipt_of(found), False
            await self._in_thread(self._check_room, asked)
            tag = await self._write(asked, shard)
            held = HeldShard(
                asked.key, asked.height, asked.root, asked.retain_until_s, tag, self.parts.now_s(), b"", Holding.PENDING
            )
            signature = await self.sign(self.receipt_of(held).receipt)
            held = replace(held, signature=signature)
            await self._in_thread(self.parts.index.put_shard, held)
            self._used[asked.key.writer] += held.bytes
            return self.receipt_of(held), True

    def receipt_of(self, held: HeldShard) -> SignedReceipt:
        """As it was given when the shard came."""
        identity, key = self.parts.identity, held.key
        receipt = ShardReceipt(
            identity.hub,
            identity.operator,
            key.pack,
            key.shard,
            held.height,
            held.root,
            held.retain_until_s,
            held.tag,
            held.stored_at_s,
        )
        return SignedReceipt(receipt, held.signature)

    def deletion_of(self, held: HeldShard) -> SignedDeletion:
        """Of a shard that was removed."""
        identity, key = self.parts.identity, held.key
        deletion = DeletionReceipt(
            identity.hub, identity.operator, key.pack, key.shard, held.root, held.deleted_at_s or 0
        )
        return SignedDeletion(deletion, held.deletion or b"")

    async def held(self, key: ShardKey) -> HeldShard:
        """The row of a shard.

        Raises:
            RequestRefused: it was never receipted here.
        """
        found = await self._in_thread(self.parts.index.shard, key)
        if found is None:
            raise RequestRefused(RefusalCode.NOT_FOUND, "there is no such shard of this writer")
        return found

    async def spans(self, key: ShardKey, first: int, count: int, *, with_outboard: bool) -> bytes:
        """Spans as they are on the engine.

        Raises:
            RequestRefused: no such shard or spans, it was removed, it is lost, or the engine.
        """
        held = await self.held(key)
        if held.holding is Holding.REMOVED:
            raise RequestRefused(RefusalCode.REMOVED, "the shard was removed by the rules")
        try:
            asked = SpanRange(held.height, first, count, with_outboard)
        except MalformedInput as error:
            raise RequestRefused(RefusalCode.BAD_REQUEST, str(error)) from None
        async with self._turn(self._reads):
            try:
                return await self._in_thread(self.parts.shelf.spans, held, asked)
            except BytesLost as error:
                raise RequestRefused(RefusalCode.LOST, str(error)) from None

    async def sign_part(self, writer: bytes, owner: bytes, asked: PartAsked) -> SignedPart:
        """A part of a batch, signed once every shard of it is held.

        Raises:
            RequestRefused: entries that break the rules of a part, or that are not held as they say.
        """
        try:
            part = batch_part(asked.entries)
        except (MalformedInput, PredicateFailed) as error:
            raise RequestRefused(RefusalCode.BAD_REQUEST, str(error)) from None
        if owner != writer:
            await self._check_repair(owner, asked.repairs, part)
        elif asked.repairs is not None:
            raise RequestRefused(RefusalCode.BAD_REQUEST, "repairs is for a part of another owner's shards")
        struct = OperatorPart(self.parts.identity.hub, writer, asked.sequence, self.parts.identity.operator, part)
        found = await self._in_thread(self.parts.index.part, writer, asked.sequence, part.root)
        if found is not None and found.owner == owner and found.part == part:
            return SignedPart(struct, found.signature)
        async with self._binding:
            await self._in_thread(self._check_entries, writer, owner, asked)
            signature = await self.sign(struct)
            signed = HeldPart(0, writer, owner, asked.sequence, part, asked.entries, signature)
            await self._in_thread(self.parts.index.put_part, signed, self.parts.now_s())
        return SignedPart(struct, signature)

    async def delete(self, key: ShardKey) -> SignedDeletion:
        """Let a shard go: a pending one at once, another after its removal on the hub.

        Raises:
            RequestRefused: no such shard, no removal, or the engine or the hub does not answer.
        """
        async with self._alone(key), self._binding:
            held = await self.held(key)
            if held.holding is not Holding.REMOVED:
                if held.holding is not Holding.PENDING:
                    await self.check_removed(held)
                held = replace(held, holding=Holding.REMOVED, deleted_at_s=self.parts.now_s(), damaged_at_s=None)
                held = replace(held, deletion=await self.sign(self.deletion_of(held).deletion))
                await self._in_thread(self.parts.index.put_shard, held)
                if key.writer in self._used:
                    self._used[key.writer] -= held.bytes
            # After the index, and again where it was asked before: a kill between the two leaves bytes that nothing names.
            await self._in_thread(self.parts.shelf.drop, key)
            return self.deletion_of(held)

    async def check_removed(self, held: HeldShard) -> None:
        """That the hub recorded the removal of a shard, after the retention of its entry.

        Raises:
            RequestRefused: it did not, or does not answer.
        """
        position = None if held.part is None else await self._in_thread(self.parts.index.position_of, held.part)
        if position is None or self.parts.hub is None:
            raise RequestRefused(
                RefusalCode.RETAINED, "the shard is in a signed part, and no removal of it is on the hub"
            )
        (entry,) = self.parts.log.entries(position, 1)
        try:
            value = await self.parts.hub.record(removal_key(entry.batch, held.key.pack))
            removal = None if value is None else decode_removal_record(value)
        except (HubSilent, MalformedInput) as error:
            raise RequestRefused(RefusalCode.HUB_UNAVAILABLE, str(error)) from None
        is_removed = removal is not None and removal.shards >> held.key.shard & 1
        if removal is None or not is_removed or removal.time_s <= held.retain_until_s:
            raise RequestRefused(
                RefusalCode.RETAINED, f"no removal of it is on the hub; retained until {held.retain_until_s}"
            )

    async def _check_repair(self, owner: bytes, repaired: RepairedPart | None, part: BatchPart) -> None:
        """That the hub has this very part in a batch of the owner: a repairer with other bytes is refused."""
        hub = self.parts.hub
        if hub is None or repaired is None:
            why = "follows a hub" if hub is None else "is told which part was lost"
            raise RequestRefused(RefusalCode.FORBIDDEN, f"a repair is signed where the operator {why}")
        try:
            value = await hub.record(batch_key(repaired.batch))
            if value is None:
                raise RequestRefused(RefusalCode.WRONG_ROOT, f"the hub has no batch {repaired.batch}")
            record = decode_batch_record(value)
        except (HubSilent, MalformedInput) as error:
            raise RequestRefused(RefusalCode.HUB_UNAVAILABLE, str(error)) from None
        try:
            judge_repaired_part(VERIFY, self.parts.identity.hub, record, owner, repaired, part)
        except (MalformedInput, PredicateFailed) as error:
            sentence = f"batch {repaired.batch} has no part with root {part.root.hex()} there: {error}"
            raise RequestRefused(RefusalCode.WRONG_ROOT, sentence) from None

    async def placed(self, key: ShardKey, size: int | None) -> bytes:
        """The placed entry of a shard under the set of `size` batches, None for all.

        Raises:
            RequestRefused: no such shard, or no batch of that set has it.
        """
        held = await self.held(key)
        return await self._in_thread(self._placed, held, size)

    def _placed(self, held: HeldShard, size: int | None) -> bytes:
        log = self.parts.log
        position = None if held.part is None else self.parts.index.position_of(held.part)
        size = log.size if size is None else size
        if position is None or not position < size <= log.size:
            raise RequestRefused(
                RefusalCode.NOT_PLACED, f"no batch of the first {size} has the shard; the log has {log.size}"
            )
        number = number_of(log.part(position).entries, held.key.pack, held.key.shard)
        if number is None:
            raise RequestRefused(RefusalCode.NOT_PLACED, "no batch has the shard")
        return encode_placed(log.placed(size, position, number))

    def _check_room(self, asked: ShardAsked) -> None:
        writer, size = asked.key.writer, LEAF_BYTES << asked.height
        served = self.parts.writers.served(writer)
        most = None if served is None else served.most_bytes
        if writer not in self._used:
            self._used[writer] = self.parts.index.bytes_of(writer)
        if most is not None and self._used[writer] + size > most:
            raise RequestRefused(RefusalCode.QUOTA, "the writer's share is full")
        free = self.parts.shelf.engine.free_bytes()
        if free is not None and free - size < self.parts.bounds.least_free_bytes:
            raise RequestRefused(RefusalCode.QUOTA, "the engine's disk is full")

    def _check_entries(self, writer: bytes, owner: bytes, asked: PartAsked) -> None:
        for number, entry in enumerate(asked.entries):
            held = self.parts.index.shard(ShardKey(owner, entry.pack, entry.shard))
            reason = _why_not_signed(held, entry)
            if reason is None and held is not None and held.part is not None:
                bound = self.parts.index.part_numbered(held.part)
                if (bound.writer, bound.sequence) != (writer, asked.sequence):
                    reason = f"is in a part of batch {bound.sequence} already"
            if reason is not None:
                raise RequestRefused(
                    RefusalCode.CONFLICT, f"entry {number}, shard {entry.shard} of pack {entry.pack.hex()}: {reason}"
                )

    async def _write(self, asked: ShardAsked, shard: bytes) -> bytes:
        def write() -> bytes:
            hashes, root = hashed_shard(shard, asked.height)
            if root != asked.root:
                raise RequestRefused(RefusalCode.WRONG_ROOT, f"the bytes have root {root.hex()}")
            return self.parts.shelf.keep(asked.key, shard, hashes)

        return await self._in_thread(write)

    async def sign(self, struct: SignedStruct) -> bytes:
        """65 bytes, by the operator's account.

        Raises:
            RequestRefused: what holds the key does not sign.
        """
        try:
            with trio.fail_after(SIGN_LIMIT_S):
                return await self.parts.signer.sign_typed_data(DOMAIN, struct_hash(struct))
        except (SigningFailed, trio.TooSlowError) as error:
            raise RequestRefused(RefusalCode.INTERNAL_ERROR, f"the operator's key does not sign: {error}") from None

    async def _in_thread(self, call: Callable[..., Value], *arguments: object) -> Value:
        try:
            return await trio.to_thread.run_sync(call, *arguments)
        except EngineFull as error:
            raise RequestRefused(RefusalCode.QUOTA, str(error)) from None
        except EngineUnavailable as error:
            raise RequestRefused(RefusalCode.ENGINE_UNAVAILABLE, str(error)) from None

    @asynccontextmanager
    async def _turn(self, limiter: trio.CapacityLimiter) -> AsyncIterator[None]:
        borrower = object()
        try:
            limiter.acquire_on_behalf_of_nowait(borrower)
        except trio.WouldBlock:
            with trio.move_on_after(self.parts.bounds.wait_s) as waiting:
                await limiter.acquire_on_behalf_of(borrower)
            if waiting.cancelled_caught:
                raise RequestRefused(
                    RefusalCode.BUSY, "as many at once as this operator takes; ask again later"
                ) from None
        try:
            yield
        finally:
            limiter.release_on_behalf_of(borrower)

    @asynccontextmanager
    async def _alone(self, key: ShardKey) -> AsyncIterator[None]:
        """One request at a time of a shard: two puts would write one object."""
        lock = self._busy.setdefault(key, trio.Lock())
        try:
            async with lock:
                yield
        finally:
            if not lock.statistics().tasks_waiting and not lock.locked():
                self._busy.pop(key, None)


def _why_not_signed(held: HeldShard | None, entry: ShardEntry) -> str | None:
    if held is None or held.holding is Holding.REMOVED:
        return "is not held"
    if held.holding is Holding.PLACED:
        return "stands in the log already"
    if (held.height, held.root, held.retain_until_s) != (entry.height, entry.root, entry.retain_until_s):
        return "is held with another root, height or retention"
    return None if held.damaged_at_s is None else "is damaged; put it again"
