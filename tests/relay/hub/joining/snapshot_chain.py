"""A hub with every kind of state in it, snapshots of it, and nodes that join from them."""

from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

from hutong.light_clients.tendermint.hashing import header_hash
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.abci import ChunkVerdict, FinalizeBlockRequest, OfferVerdict, Snapshot
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.snapshot.format import (
    FORMAT,
    MAX_CHUNK_BYTES,
    Manifest,
    RecordKind,
    encode_manifest,
    encode_record,
    records_of,
)
from hutong.relay.hub.application.snapshot.making import SnapshotMaker
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.joining.snapshot_taker import headers_of_records
from hutong.relay.hub.joining.state_sync import StateSync
from tests.relay.hub.simulated_hub import SimulatedHub

Records = list[tuple[RecordKind, bytes]]
HEIGHT = 15
"""Of the snapshots of `recording_hub`."""

# Stores BLOCKHASH(NUMBER - first word) at slot NUMBER, and 1 at the slot that the second word names:
#   CALLDATALOAD(0) NUMBER SUB BLOCKHASH NUMBER SSTORE  1 CALLDATALOAD(32) SSTORE  STOP
_RECORDER = bytes.fromhex("600035430340435560016020355500")
RECORDER_INIT = bytes.fromhex(f"60{len(_RECORDER):02x}600c60003960{len(_RECORDER):02x}6000f3") + _RECORDER


def recorder_call(depth: int, slot: int = 1) -> bytes:
    """Input of the recorder: which ancestor's hash to store, and a slot to set."""
    return depth.to_bytes(32, "big") + slot.to_bytes(32, "big")


class RecordingHub(SimulatedHub):
    """With two recorders of equal code, one of which has many slots."""

    def __init__(self, slots: int = 40, **options) -> None:
        super().__init__(**options)
        deployed = [self.advance(self.raw(None, RECORDER_INIT))[0] for _ in range(2)]
        assert all(one.ok for one in deployed)
        self.recorders = [
            self.application.blocks.receipts(height)[0].contract_address for height in (self.height - 1, self.height)
        ]
        for slot in range(0, slots, 10):
            calls = [
                self.raw(self.recorders[0], recorder_call(1, 10**6 + one), gas=200_000)
                for one in range(slot, slot + 10)
            ]
            assert all(outcome.ok for outcome in self.advance(*calls))
        assert self.send(self.recorders[1], recorder_call(1)).ok

    def request(self, height: int) -> FinalizeBlockRequest:
        """What any engine asks the application for the block of a height."""
        block = self.ledger.records.block(height).block
        header = block.header
        return FinalizeBlockRequest(
            height,
            header.time_ns,
            header_hash(header),
            header.proposer_address,
            block.transactions,
            header.version_app,
        )

    def app_hash_at(self, height: int) -> bytes:
        return self.application.state.require_root(height)


@cache
def recording_hub() -> RecordingHub:
    """Blocks 1 to 20, of which 16 to 20 read ancestors' hashes and write on. Shared: nobody adds to it."""
    hub = RecordingHub()
    while hub.height < HEIGHT:
        hub.advance()
    for depth in (1, 2, HEIGHT, HEIGHT + 3, 256):
        assert hub.send(hub.recorders[depth % 2], recorder_call(depth)).ok
    return hub


def maker_of(hub: SimulatedHub, height: int) -> SnapshotMaker:
    return SnapshotMaker(hub.store, hub.genesis, height, headers_of_records(hub.ledger.records))


@dataclass
class Taken:
    """A snapshot in memory."""

    manifest: Manifest
    chunks: list[bytes]

    @classmethod
    def of(cls, hub: SimulatedHub, height: int) -> "Taken":
        maker = maker_of(hub, height)
        return cls(chunks=list(maker.chunks()), manifest=maker.manifest())

    @classmethod
    def packed(cls, manifest: Manifest, records: Records, chunk_bytes: int = MAX_CHUNK_BYTES) -> "Taken":
        """As a liar makes it: a manifest that agrees with the records, whatever they are."""
        chunks, chunk = [], b""
        for kind, body in records:
            record = encode_record(kind, body)
            if chunk and len(chunk) + len(record) > chunk_bytes:
                chunks.append(chunk)
                chunk = b""
            chunk += record
        chunks.append(chunk)
        counts = {kind: sum(one is kind for one, _ in records) for kind in RecordKind}
        lie = replace(
            manifest,
            headers=counts[RecordKind.HEADER],
            leaves=counts[RecordKind.LEAF],
            evm_records=counts[RecordKind.EVM],
            chunk_hashes=tuple(sha256(one).digest() for one in chunks),
        )
        return cls(lie, chunks)

    @property
    def records(self) -> Records:
        return [record for chunk in self.chunks for record in records_of(chunk)]

    @property
    def offer(self) -> Snapshot:
        encoded = encode_manifest(self.manifest)
        return Snapshot(self.manifest.height, FORMAT, len(self.chunks), sha256(encoded).digest(), encoded)


class JoiningNode:
    """An application at genesis, with its state sync."""

    def __init__(self, genesis, directory, store=None) -> None:
        self.store = MemoryStore() if store is None else store
        self.application = HubApplication(self.store, genesis)
        if self.application.info().last_block_height < 0:
            self.application.init_chain()
            with self.store.batch() as batch:
                self.application.commit(batch)
        self.sync = StateSync(self.application, self.store, SnapshotFiles(directory))
        self.sync.discard_unfinished()

    @property
    def height(self) -> int:
        return self.application.info().last_block_height

    def restore(self, taken: Taken, app_hash: bytes):
        """Offer and apply everything; the first answer that does not accept, else the last."""
        offered = self.sync.offer_snapshot(taken.offer, app_hash)
        if offered.verdict is not OfferVerdict.ACCEPT:
            return offered
        for index, chunk in enumerate(taken.chunks):
            applied = self.sync.apply_snapshot_chunk(index, chunk, "peer")
            if applied.verdict is not ChunkVerdict.ACCEPT:
                break
        return applied

    def execute(self, request: FinalizeBlockRequest) -> bytes:
        response = self.application.finalize_block(request)
        with self.store.batch() as batch:
            self.application.commit(batch)
        return response.app_hash


def everything(node: JoiningNode) -> dict[bytes, bytes]:
    return dict(node.store.items())
