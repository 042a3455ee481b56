"""A gateway over real operators in this process: desks, engines and indexes on disk, asked over HTTP without sockets.

Packs are made by a thread of this process, over the same shared slots that worker processes have.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import trio
from prometheus_client import CollectorRegistry

from hutong.relay.base.durable_files import make_folder_durably
from hutong.relay.keys import Signer
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, open_catalogue
from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.gateway.batches import Desk
from hutong.relay.services.storage.gateway.committing import Committer
from hutong.relay.services.storage.gateway.events import TenantKeys
from hutong.relay.services.storage.gateway.hub_door import NoHub
from hutong.relay.services.storage.gateway.identity import Writer
from hutong.relay.services.storage.gateway.operators import KnownOperator, OperatorLink
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.s3.app import S3App, S3Settings
from hutong.relay.services.storage.gateway.store import Doors as StoreDoors
from hutong.relay.services.storage.gateway.store import ObjectStore
from hutong.relay.services.storage.operator.answering import Answering
from hutong.relay.services.storage.operator.app import Doors, OperatorApp, OperatorStatus
from hutong.relay.services.storage.operator.desk import OperatorDesk, OperatorId, OperatorParts
from hutong.relay.services.storage.operator.hub_work import HubWork
from hutong.relay.services.storage.operator.index import ShardIndex
from hutong.relay.services.storage.operator.operator_log import OperatorLog
from hutong.relay.services.storage.operator.shelf import Shelf
from hutong.relay.services.storage.operator.writers import ServedWriter, Writers
from hutong.relay.services.storage.pipeline.pieces import largest_shape
from hutong.relay.services.storage.pipeline.pool import Pipeline
from hutong.relay.services.storage.pipeline.slots import SharedSlots
from hutong.relay.services.storage.pipeline.work import start_worker
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.records.members import Candidate, MapRecord
from tests.relay.services.storage.rules.test_s3_signatures import AT, REGION, SECRETS

HUB = hub_id("trial-1")
WRITER = sha256(b"writer of the network").digest()
WRITER_KEY = bytes([1]) * 32
KEYS = TenantKeys.of(bytes([7]) * 32)


def named(number: int) -> bytes:
    """The id of an operator."""
    return sha256(b"operator %d" % number).digest()


class Switch(httpx.AsyncBaseTransport):
    """The way to one operator: on, gone, or with something wrong in what it answers."""

    def __init__(self, app: OperatorApp) -> None:
        self._inner = httpx.ASGITransport(app)
        self.is_gone = False
        self.flips = False
        self.is_silent = False
        self.asked: list[str] = []
        self.spans = 0
        """So many were asked for."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        self.spans += int(request.url.params.get("count", 0)) if request.url.path.endswith("/spans") else 0
        if self.is_gone:
            raise httpx.ConnectError("gone")
        if self.is_silent:
            await trio.sleep_forever()
        answer = await self._inner.handle_async_request(request)
        if self.flips and request.url.path.endswith("/spans"):
            octets = bytearray(await answer.aread())
            octets[-1] ^= 1
            return httpx.Response(answer.status_code, stream=httpx.ByteStream(bytes(octets)))
        return answer


@dataclass
class Network:
    """What a test asks and breaks."""

    store: ObjectStore
    reader: Reader
    s3: S3App
    catalogue: CatalogueDatabase
    switches: list[Switch]
    home: Path
    desk: Desk
    committer: Committer
    pipeline: Pipeline

    async def put(self, key: bytes, octets: bytes, bucket: str = "ward-3", **asked: Any):
        from hutong.relay.services.storage.gateway.store import ObjectAsked

        left = [octets[at : at + 100_000] for at in range(0, len(octets), 100_000)]

        async def read() -> bytes:
            return left.pop(0) if left else b""

        return await self.store.put(ObjectAsked(bucket, key, **asked), read)

    async def get(self, key: bytes, start: int = 0, end: int | None = None, bucket: str = "ward-3") -> bytes:
        row = await self.store.find(bucket, key)
        assert row is not None
        octets = bytearray()

        async def write(some: bytes) -> None:
            octets.extend(some)

        await self.reader.read(await self.reader.open(row), start, row.size if end is None else end, write)
        return bytes(octets)

    def gone(self, *numbers: int) -> None:
        """Only these do not answer."""
        for number, switch in enumerate(self.switches):
            switch.is_gone = number in numbers


@dataclass(frozen=True)
class Surroundings:
    """Who takes part, under which hub, and by which clock. `operators` are ids, keys, and what each follows of the hub."""

    hub: bytes
    writer: bytes
    writer_key: bytes
    operators: Sequence[tuple[bytes, bytes, Any]]
    door: Any
    now_s: Callable[[], int]
    followed: list[HubWork] = field(default_factory=list)


def without_hub(data: int, parity: int) -> Surroundings:
    """Operators under a map of the configuration."""
    shards = data + parity
    labels = [bytes([97 + number]).ljust(32, b"\0") for number in range(shards)]
    candidates = sorted(
        (Candidate(named(n), labels[n], labels[n], 1) for n in range(shards)), key=lambda one: one.operator
    )
    operators = [(named(number), bytes([20 + number]) * 32, None) for number in range(shards)]
    door = NoHub(HUB, MapRecord(0, 0, data, parity, tuple(candidates)))
    return Surroundings(HUB, WRITER, WRITER_KEY, operators, door, lambda: AT)


def _account(key: bytes) -> bytes:
    return bytes.fromhex(Signer.in_memory(key).address[2:])


def _operator(home: Path, around: Surroundings, number: int) -> tuple[OperatorApp, ShardIndex]:
    operator, key, hub = around.operators[number]
    make_folder_durably(home)
    index = ShardIndex(home)
    shelf, log = Shelf(DirectoryEngine(home / "shards")), OperatorLog(index)
    served = {around.writer: ServedWriter(around.writer, _account(around.writer_key), None, False)}
    identity = OperatorId(around.hub, operator)
    writers = Writers(served, hub, around.now_s)
    parts = OperatorParts(identity, Signer.in_memory(key), index, shelf, log, writers, hub, around.now_s)

    async def status() -> OperatorStatus:
        return OperatorStatus({"version": 1}, None)

    desk = OperatorDesk(parts)
    answering = Answering(identity.operator, log, index, shelf)
    if hub is not None:
        around.followed.append(HubWork(desk, answering, hub))
    return OperatorApp(Doors(desk, answering, status, CollectorRegistry(), True)), index


@asynccontextmanager
async def open_network(
    home: Path, data: int = 10, parity: int = 4, hedge_s: float = 30.0, around: Surroundings | None = None
) -> AsyncIterator[Network]:
    """As many operators as the code has shards, over what is in `home` already."""
    around = without_hub(data, parity) if around is None else around
    async with AsyncExitStack() as stack:
        switches, mounts, links = [], {}, {}
        for number in range(len(around.operators)):
            app, index = _operator(home / f"operator-{number}", around, number)
            stack.callback(index.close)
            switches.append(Switch(app))
            mounts[f"http://operator-{number}"] = switches[-1]
        client = await stack.enter_async_context(httpx.AsyncClient(mounts=mounts, timeout=30))
        writer = Writer(around.hub, around.writer, Signer.in_memory(around.writer_key), around.now_s)
        for number, (operator, key, _) in enumerate(around.operators):
            known = KnownOperator(operator, f"http://operator-{number}", _account(key))
            links[operator] = OperatorLink(known, writer, client)
        desk = Desk(writer, links, around.door)
        slots = stack.enter_context(SharedSlots(3, largest_shape(data, parity)))
        pool = stack.enter_context(
            ThreadPoolExecutor(1, initializer=start_worker, initargs=(slots.path, 3, slots.largest))
        )
        pipeline = Pipeline(pool, slots, KEYS.repair_root, 1)  # type: ignore[arg-type]
        catalogue = stack.enter_context(open_catalogue(home))
        committer = Committer(desk, pipeline, catalogue, KEYS.catalogue_root, window_s=0.01)
        clock = lambda: around.now_s() * 1_000  # noqa: E731
        store = ObjectStore(StoreDoors(catalogue, committer, pipeline, KEYS.catalogue_root, clock))
        reader = Reader(links, catalogue, KEYS.repair_root, KEYS.catalogue_root, hedge_s)
        s3 = S3App(S3Settings(REGION, SECRETS.get, lambda: AT), store, reader)
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(committer.run)
        yield Network(store, reader, s3, catalogue, switches, home, desk, committer, pipeline)
        nursery.cancel_scope.cancel()


def shard_files(home: Path) -> list[Path]:
    """Every shard of every operator."""
    return [path for path in home.glob("operator-*/shards/**/*") if path.is_file()]


def drawn(size: int) -> bytes:
    """Bytes that do not repeat."""
    return os.urandom(size)
