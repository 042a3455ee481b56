"""An operator in this process: its desk and application over a real index and engine, asked over HTTP without a socket."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from hutong.light_clients.interface import VERIFY
from hutong.relay.base.durable_files import make_folder_durably
from hutong.relay.keys import Signer
from hutong.relay.services.identity.rules.seals.signatures import sign_account
from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.engines.engine import Engine
from hutong.relay.services.storage.operator.answering import Answering
from hutong.relay.services.storage.operator.app import Doors, OperatorApp, OperatorStatus
from hutong.relay.services.storage.operator.desk import Bounds, OperatorDesk, OperatorId, OperatorParts
from hutong.relay.services.storage.operator.hub_door import HubDoor, Logged, LoggedUpTo
from hutong.relay.services.storage.operator.hub_work import HubWork
from hutong.relay.services.storage.operator.index import ShardIndex
from hutong.relay.services.storage.operator.operator_log import OperatorLog
from hutong.relay.services.storage.operator.shelf import Shelf
from hutong.relay.services.storage.operator.writers import ServedWriter, Writers
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.commitments.entries import BatchPart, OperatorSet, ShardEntry, next_log_entry
from hutong.relay.services.storage.rules.commitments.placed import shown_set
from hutong.relay.services.storage.rules.lifecycle.signed import signing_digest, struct_is_signed_by
from hutong.relay.services.storage.rules.lifecycle.stored import judge_receipt
from hutong.relay.services.storage.rules.operator_api.access import (
    Rights,
    SignedAccess,
    StorageAccess,
    encode_token,
)
from hutong.relay.services.storage.rules.operator_api.documents import (
    SignedReceipt,
    decode_part,
    decode_receipt,
    encode_part_asked,
)
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.batches import BatchRecord, encode_batch_record
from hutong.relay.services.storage.rules.records.members import PartyRecord, encode_party_record
from hutong.relay.services.storage.rules.records.values import RemovalRecord, encode_removal_record
from hutong.relay.services.storage.rules.repairing import RepairedPart
from tests.relay.services.storage.rules.held import HeldShard, entries_of, named, octets

NOW = 1_800_000_000
IDENTITY = OperatorId(hub_id("hutong-1"), named("operator"))
WRITER, OTHER, REPAIRER = named("a writer"), named("another writer"), named("a repairer")
KEYS = {WRITER: bytes([1]) * 32, OTHER: bytes([2]) * 32, REPAIRER: bytes([3]) * 32}
OPERATOR_KEY = bytes([9]) * 32


def account_of(key: bytes) -> bytes:
    return bytes.fromhex(Signer.in_memory(key).address[2:])


def token(
    writer: bytes = WRITER,
    rights: int = Rights.READ | Rights.WRITE,
    not_after_s: int = NOW + 600,
    identity: OperatorId = IDENTITY,
    key: bytes | None = None,
) -> str:
    access = StorageAccess(identity.hub, writer, identity.operator, rights, not_after_s)
    return encode_token(SignedAccess(access, sign_account(key or KEYS[writer], signing_digest(access))))


def drawn_shard(name: str, shard: int = 3, height: int = 2, retain_until_s: int = 0) -> HeldShard:
    return HeldShard(named(f"pack {name}"), shard, octets(name, 1_024 << height), retain_until_s)


class HubOfRecords:
    """The records that a hub would have, and its events; calls are kept."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.events: list[Logged] = []
        self.calls: list[bytes] = []
        self.set: OperatorSet | None = None
        for writer, key in KEYS.items():
            role = 4 if writer == REPAIRER else 1
            self.records[keys.party_key(role, writer)] = encode_party_record(PartyRecord(account_of(key), 1, 1))

    async def record(self, key: bytes) -> bytes | None:
        return self.records.get(key)

    async def logged(self, after_height: int) -> LoggedUpTo:
        return LoggedUpTo(len(self.events), tuple(self.events[after_height:]))

    async def send(self, call: bytes) -> None:
        self.calls.append(call)

    def store(self, part: BatchPart, sequence: int, writer: bytes = WRITER, owner: bytes | None = None) -> int:
        """A batch that the hub took: its number."""
        number = 40 + len(self.events)
        entry = next_log_entry(self.set, part, number)
        self.events.append(Logged(len(self.events), entry))
        self.set = shown_set([one.entry for one in self.events])
        record = BatchRecord(writer, owner or writer, sequence, 1, 0, named("parts"), 14, 1, 1, NOW)
        self.records[keys.batch_key(number)] = encode_batch_record(record)
        return number

    def remove(self, batch: int, pack: bytes, shard: int, time_s: int = NOW) -> None:
        self.records[keys.removal_key(batch, pack)] = encode_removal_record(RemovalRecord(1 << shard, 5, time_s))


@dataclass
class RunningOperator:
    home: Path
    engine: Engine
    hub: Any
    client: httpx.AsyncClient
    desk: OperatorDesk
    answering: Answering
    index: ShardIndex
    work: HubWork | None
    account: bytes
    token: str = field(default_factory=token)

    async def ask(self, method: str, path: str, content: bytes | None = None, **headers: str) -> httpx.Response:
        sent = {"authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if content is not None:
            sent.setdefault("content-type", "application/octet-stream")
        return await self.client.request(method, path, content=content, headers=sent)

    async def put(self, shard: HeldShard, content: bytes | None = None, query: str = "") -> httpx.Response:
        entry = shard.entry_at(0)
        asked = f"height={entry.height}&root={entry.root.hex()}&retain_until={entry.retain_until_s}{query}"
        return await self.ask("PUT", f"{path_of(shard)}?{asked}", shard.octets if content is None else content)

    async def stored(self, *shards: HeldShard) -> list[SignedReceipt]:
        """Put, with receipts that are judged as a writer judges them."""
        receipts = []
        for shard in shards:
            answer = await self.put(shard)
            assert answer.status_code in (200, 201), answer.text
            signed = decode_receipt(answer.content)
            operator = (IDENTITY.operator, self.account)
            judge_receipt(VERIFY, signed.receipt, signed.signature, IDENTITY.hub, operator, shard.entry_at(0))
            receipts.append(signed)
        return receipts

    async def sign_part(
        self, sequence: int, *shards: HeldShard, query: str = "", repairs: RepairedPart | None = None
    ) -> httpx.Response:
        body = encode_part_asked(sequence, entries_of(shards), repairs)
        return await self.ask("POST", f"/v1/parts{query}", body, content_type="application/json")

    async def batched(self, sequence: int, *shards: HeldShard) -> int:
        """Put, signed, stored on the hub, and read from there: the batch's number."""
        assert self.hub is not None and self.work is not None
        await self.stored(*shards)
        answer = await self.sign_part(sequence, *shards)
        assert answer.status_code == 200, answer.text
        signed = decode_part(answer.content)
        struct_is_signed_by(signed.part, signed.signature, self.account)
        number = self.hub.store(signed.part.part, sequence)
        await self.work.follow()
        return number


def path_of(shard: HeldShard) -> str:
    return f"/v1/shards/{shard.pack.hex()}/{shard.shard}"


def entry_of(shard: HeldShard) -> ShardEntry:
    entry: ShardEntry = shard.entry_at(0)
    return entry


@asynccontextmanager
async def running(
    home: Path,
    engine: Engine | None = None,
    hub: Any = None,
    bounds: Bounds | None = None,
    most_bytes: int | None = None,
    now_s: int = NOW,
    identity: OperatorId = IDENTITY,
    key: bytes = OPERATOR_KEY,
    writers: Sequence[bytes] = tuple(KEYS),
    repairers: Sequence[bytes] = (REPAIRER,),
) -> AsyncIterator[RunningOperator]:
    """Over what is in the home, as after a start."""
    make_folder_durably(home)
    engine = DirectoryEngine(home / "shards") if engine is None else engine
    index, shelf = ShardIndex(home), Shelf(engine)
    served = {
        writer: ServedWriter(writer, None if hub else account_of(KEYS[writer]), most_bytes, writer in repairers)
        for writer in writers
    }
    door: HubDoor | None = hub
    log = OperatorLog(index)
    parts = OperatorParts(
        identity,
        Signer.in_memory(key),
        index,
        shelf,
        log,
        Writers(served, door, lambda: now_s),
        door,
        lambda: now_s,
        bounds or Bounds(),
    )
    desk, answering = OperatorDesk(parts), Answering(identity.operator, log, index, shelf)

    async def status() -> OperatorStatus:
        return OperatorStatus({"version": 1, "damaged": index.totals().damaged}, None)

    app = OperatorApp(Doors(desk, answering, status, CollectorRegistry(), True))
    transport = httpx.ASGITransport(app)
    work = None if hub is None else HubWork(desk, answering, hub)
    async with httpx.AsyncClient(transport=transport, base_url="http://operator") as client:
        try:
            yield RunningOperator(home, engine, hub, client, desk, answering, index, work, account_of(key))
        finally:
            index.close()
