"""Real operators and a real repairer beside the hub's own module, in one process: packs are coded and masked as a gateway does it."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from hutong.relay.hub.application.storage import interface
from hutong.relay.keys import Signer
from hutong.relay.services.storage.gateway.identity import Writer
from hutong.relay.services.storage.gateway.operators import KnownOperator, OperatorLink
from hutong.relay.services.storage.hub.refusals import HubRefused
from hutong.relay.services.storage.operator.desk import OperatorId
from hutong.relay.services.storage.repairer.daemon import OperatorLinks
from hutong.relay.services.storage.repairer.hub_door import LoggedEntry, LoggedUpTo, SignedRepair
from hutong.relay.services.storage.repairer.ledger import Ledger
from hutong.relay.services.storage.repairer.mending import Repairer
from hutong.relay.services.storage.repairer.work import Passed, RepairWork
from hutong.relay.services.storage.rules.commitments.entries import LogEntry, decode_log_entry
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.packs.coding import code_pack
from hutong.relay.services.storage.rules.packs.shape import PackShape
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.batches import BatchRecord
from hutong.relay.services.storage.rules.records.members import OperatorState
from tests.relay.hub.application.storage.storage_hub import (
    HUB,
    REPAIRER,
    WRITER,
    Batch,
    StorageHub,
    abi_values,
    account_of,
)
from tests.relay.services.storage.operator.running import RunningOperator, running
from tests.relay.services.storage.operator.test_operator_on_the_module import ModuleDoor
from tests.relay.services.storage.rules.held import HeldShard

REPAIR_ROOT = bytes([5]) * 32
DATA, PARITY = 3, 3
"""Of the hub's parameters in these tests."""


class RepairDoor:
    """See `RepairHub`: the simulated hub."""

    def __init__(self, world: StorageHub, batches: dict[int, Batch]) -> None:
        self.world, self.batches = world, batches
        self.says_parts = True
        self.repairs: list[SignedRepair] = []

    async def record(self, key: bytes) -> bytes | None:
        return self.world.get(key)

    async def logged(self, after_height: int) -> LoggedUpTo:
        hub, found = self.world.hub, []
        for height in range(max(after_height + 1, 2), hub.height + 1):
            for outcome in hub.outcomes(height):
                for log in outcome.logs:
                    if log.topics[0] == interface.LOGGED_EVENT.topic:
                        position, entry = abi_values(interface.LOGGED_EVENT, log)
                        found.append(LoggedEntry(log.topics[1], position, decode_log_entry(entry), bytes(32)))
        return LoggedUpTo(hub.height, tuple(found))

    async def parts_said(self, hub: bytes, record: BatchRecord, transaction: bytes) -> tuple[OperatorPart, ...] | None:
        batch = self.batches.get(record.sequence) if record.map else None
        return None if batch is None or not self.says_parts else tuple(batch.parts)

    async def repair(self, repairer: bytes, repair: SignedRepair) -> int:
        part = repair.part
        row = (part.operator, part.part.leaves, part.part.entries, part.part.root, repair.signature)
        said = (repairer, repair.sequence, repair.owner, [row])
        outcome = self.world.send(interface.REPAIR_BATCH, *said, account=account_of(repairer))
        key = keys.sequence_key(repairer, repair.sequence)
        if not outcome.ok and self.world.get(key) is None:
            raise HubRefused(outcome.log)
        self.repairs.append(repair)
        return int.from_bytes(self.world.get(key) or b"", "big")


class Way(httpx.AsyncBaseTransport):
    """The way to one operator: on, gone, or with something wrong in what it brings; and a count down to a kill."""

    def __init__(self, world: "World", client: httpx.AsyncClient) -> None:
        self._world, self._inner = world, client
        self.is_gone = self.flips = False
        self.lists: tuple[str, str] | None = None
        """What it says in its log, and what in its place."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._world.count(request)
        if self.is_gone:
            raise httpx.ConnectError("gone")
        content = await request.aread()
        answer = await self._inner.request(
            request.method, request.url.raw_path.decode(), content=content, headers=dict(request.headers)
        )
        octets = bytearray(answer.content)
        if self.flips and request.url.path.endswith("/spans"):
            octets[-1] ^= 1
        if self.lists is not None and request.url.path == "/v1/log":
            octets = bytearray(octets.replace(*(text.encode() for text in self.lists)))
        return httpx.Response(answer.status_code, stream=httpx.ByteStream(bytes(octets)))


class Killed(BaseException):
    """As a kill: nothing catches it."""


@dataclass
class World:
    home: Path
    hub: StorageHub
    batches: dict[int, Batch]
    door: RepairDoor
    running: dict[bytes, RunningOperator] = field(default_factory=dict)
    ways: dict[bytes, Way] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    dies_at: int | None = None
    """After so many requests more."""
    client: Any = None

    def count(self, request: httpx.Request) -> None:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.dies_at is not None:
            self.dies_at -= 1
            if self.dies_at < 0:
                raise Killed

    def link(self, operator: bytes, who: bytes = WRITER, owner: bytes | None = None) -> OperatorLink:
        """As a writer, or as a repairer of the owner's."""
        known = KnownOperator(operator, f"http://{operator.hex()[:12]}", self.running[operator].account)
        return OperatorLink(known, self.party(who), self.client, owner)

    def party(self, who: bytes) -> Writer:
        signer = Signer.in_memory(bytes(account_of(who).key))
        return Writer(HUB, who, signer, lambda: self.hub.hub.time_s)

    async def stored(
        self,
        sequence: int,
        heights: Sequence[int] = (1, 0),
        unsigned: int = 0,
        root: bytes = REPAIR_ROOT,
        spoils: int | None = None,
    ) -> Batch:
        """Packs of drawn bytes, coded under the owner's masks, signed by operators and on the hub.

        Args:
            unsigned: so many of the last operators do not sign, and hold nothing.
            spoils: the shard of this number is another than the code gives, by its writer's fault.
        """
        group = self.hub.group(WRITER, sequence)
        shards: dict[bytes, list[HeldShard]] = {operator: [] for operator in group}
        for height in heights:
            shape = PackShape(DATA, PARITY, height)
            pack = code_pack(shape, bytearray(os.urandom(shape.body_bytes)), root)
            for number, operator in enumerate(group):
                octets = bytes(pack.shards[number].octets)
                octets = octets[::-1] if number == spoils else octets
                shards[operator].append(HeldShard(pack.name, number, octets))
        batch = Batch(WRITER, sequence, shards, set(group[len(group) - unsigned :]))
        for operator in group:
            if operator in batch.unsigned:
                continue
            link, first, entries = self.link(operator), 0, []
            for shard in shards[operator]:
                entries.append(shard.entry_at(first))
                first += entries[-1].leaves
                await link.put_shard(entries[-1], memoryview(shard.octets))
            await link.sign_part(sequence, entries)
        self.batches[sequence] = batch
        assert self.hub.store(batch).ok
        await self.followed()
        return batch

    async def followed(self) -> None:
        for one in self.running.values():
            await one.work.follow()

    def leaves(self, operator: bytes) -> None:
        """Governance says so, and nobody reaches it any more."""
        states = (OperatorState.DRAINING, OperatorState.LEFT)
        assert all(one.ok for one in self.hub.decide(*(self.hub.state(operator, int(state)) for state in states)))
        self.ways[operator].is_gone = True

    def work(
        self, misses: int = 3, root: bytes | None = REPAIR_ROOT, name: str = "repairer"
    ) -> tuple[RepairWork, Ledger]:
        ledger = Ledger(self.home / name, HUB)
        urls = {operator: f"http://{operator.hex()[:12]}" for operator in self.running}
        links = OperatorLinks(self.party(REPAIRER), urls, self.client, {})
        who = Repairer(HUB, REPAIRER, self.door, 1 << 26)
        return RepairWork(
            who, ledger, links.of, {} if root is None else {WRITER: root}, misses, self.home / name
        ), ledger

    async def passed(self, **said: Any) -> Passed:
        """A pass of a repairer that begins now, as after a start."""
        work, ledger = self.work(**said)
        try:
            return await work.mend()
        finally:
            ledger.close()
            if self.dies_at is None:
                await self.followed()

    def log_of(self, operator: bytes) -> list[LogEntry]:
        return list(self.running[operator].desk.parts.log.entries(0, 10**6))


@asynccontextmanager
async def open_world(home: Path, count: int = 8) -> AsyncIterator[World]:
    """`count` operators of four organisations at four sites; a pack has six shards."""
    hub, batches = StorageHub(count), dict[int, Batch]()
    world = World(home, hub, batches, RepairDoor(hub, batches))
    async with AsyncExitStack() as stack:
        mounts: dict[str, httpx.AsyncBaseTransport] = {}
        for number, operator in enumerate(hub.operators):
            key = bytes(account_of(operator).key)
            one = await stack.enter_async_context(
                running(
                    home / f"operator-{number}",
                    hub=ModuleDoor(hub, operator),
                    identity=OperatorId(HUB, operator),
                    key=key,
                    writers=(WRITER, REPAIRER),
                    repairers=(REPAIRER,),
                    now_s=hub.hub.time_s,
                )
            )
            world.running[operator] = one
            world.ways[operator] = Way(world, one.client)
            mounts[f"http://{operator.hex()[:12]}"] = world.ways[operator]
        world.client = await stack.enter_async_context(httpx.AsyncClient(mounts=mounts, timeout=60))
        yield world


def spoilt(batch: Batch, operator: bytes) -> HeldShard:
    """Another shard under the name of one of an operator's."""
    shard = batch.shards[operator][0]
    return replace(shard, octets=shard.octets[::-1])
