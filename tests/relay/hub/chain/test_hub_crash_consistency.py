"""Database, write-ahead log and sign state cut at every write since the last sync: each prefix of the recorded writes is a
disk that the validator starts from."""

import json
import shutil
from contextlib import contextmanager

import pytest
import trio

from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.store.database import MemoryStore, WriteBatch
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.event_codec import encode_frame
from hutong.relay.hub.engine.alone import Alone
from hutong.relay.hub.engine.driver import ConsensusDriver, DrivenValidator
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import WAL_FILE, WriteAheadLog
from hutong.relay.hub.home.home import LAST_SIGNED_FILE
from tests.relay.hub.hub_process import new_home, transfer
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID, VALIDATOR, hub_genesis


class Disk:
    """What was written, in order: a file replaced, a batch of the database, bytes at the end of the log, the log synced."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, object]] = []

    def write_durably(self, path, data, mode=0o600) -> None:
        write_durably(path, data, mode)
        self.writes.append(("file", (path.name, data)))


class RecordedStore(MemoryStore):
    def __init__(self, disk: Disk | None) -> None:
        super().__init__()
        self.disk = disk

    @contextmanager
    def batch(self):
        with super().batch() as batch:
            yield batch
            if self.disk is not None:
                self.disk.writes.append(("batch", list(batch.pending())))


class RecordedLog(WriteAheadLog):
    def __init__(self, home, disk: Disk) -> None:
        super().__init__(home)
        self.disk = disk

    def append(self, event) -> None:
        super().append(event)
        self.disk.writes.append(("append", encode_frame(event)))

    def sync(self) -> None:
        super().sync()
        self.disk.writes.append(("sync", None))


async def drive(home, store, log, signer_home, seconds: float, start_ns: int, transactions=()) -> HubLedger:
    genesis = hub_genesis()
    ledger = HubLedger(store, genesis)
    mempool = Mempool()
    for raw in transactions:
        mempool.add(decode_transaction(raw, EVM_CHAIN_ID), 0)
    began = trio.current_time()

    async def on_block(_height: int) -> None:
        """Nobody listens."""

    async def in_line(function):
        return function()

    validator = DrivenValidator(
        ledger,
        FileSigner(signer_home, VALIDATOR, genesis.chain_id),
        VALIDATOR.public_key.address,
        mempool,
        log,
        on_block,
        Timeouts.without_peers(),
        now_ns=lambda: start_ns + int((trio.current_time() - began) * 10**9),
        run_blocking=in_line,
    )
    with trio.move_on_after(seconds):
        await ConsensusDriver(validator, Alone(pytest.fail)).run()
    log.close()
    return ledger


def signatures_in(records: list[bytes]) -> dict[tuple[int, int, str], set[str]]:
    """What was signed by (height, round, step), over all records that ever stood on the disk."""
    found: dict[tuple[int, int, str], set[str]] = {}
    for data in records:
        document = json.loads(data)
        for entry in document["signed"]:
            found.setdefault((document["height"], document["round"], entry["step"]), set()).add(entry["sign_bytes"])
    return found


@pytest.mark.long
async def test_attack_C45_hub_every_prefix_of_the_writes_is_a_disk_to_go_on_from(tmp_path, autojump_clock, monkeypatch):
    genesis = hub_genesis()
    start_ns = genesis.genesis_time_ns
    home = new_home(tmp_path / "hub")
    disk = Disk()
    store = RecordedStore(None)
    HubLedger(store, genesis)
    at_genesis = dict(store.items())
    first_record = (home / LAST_SIGNED_FILE).read_bytes()
    store.disk = disk
    monkeypatch.setattr("hutong.relay.hub.engine.signer.write_durably", disk.write_durably)
    raw = bytes.fromhex(transfer(0, EVM_CHAIN_ID)[2:])
    await drive(home, store, RecordedLog(home, disk), home, 0.9, start_ns, [raw])
    writes = list(disk.writes)
    kinds = [kind for kind, _ in writes]
    assert kinds.count("batch") == 2
    assert kinds.count("sync") == 6
    runs = 0
    for count in range(len(writes) + 1):
        done = writes[:count]
        files = {name: data for kind, value in done if kind == "file" for name, data in [value]}
        synced = max((index + 1 for index, (kind, _) in enumerate(done) if kind == "sync"), default=0)
        log_synced = b"".join(value for kind, value in done[:synced] if kind == "append")
        log_rest = b"".join(value for kind, value in done[synced:] if kind == "append")
        committed = kinds[:count].count("batch")
        records = [first_record] + [value[1] for kind, value in done if kind == "file" and value[0] == LAST_SIGNED_FILE]
        for kept in sorted({0, len(log_rest) // 2, len(log_rest)}):
            again = tmp_path / f"{count}-{kept}"
            shutil.copytree(home, again)
            (again / WAL_FILE).write_bytes(log_synced + log_rest[:kept])
            for name in ("last_proposal.bin", LAST_SIGNED_FILE):
                (again / name).unlink(missing_ok=True)
            (again / LAST_SIGNED_FILE).write_bytes(first_record)
            for name, data in files.items():
                (again / name).write_bytes(data)
            survived = MemoryStore()
            with survived.batch() as batch:
                for key, value in at_genesis.items():
                    batch.put(key, value)
            for kind, value in done:
                if kind == "batch":
                    with survived.batch() as batch:
                        for key, content in value:
                            batch.delete(key) if content is None else batch.put(key, content)
            before = {
                height: HubLedger(survived, genesis).records.block(height).block_id
                for height in range(1, committed + 1)
            }
            disk.writes = []
            ledger = await drive(again, survived, WriteAheadLog(again), again, 0.1, start_ns + 10**10)
            runs += 1
            assert ledger.tip.height >= committed + 1, (count, kept)
            assert all(ledger.records.block(height).block_id == block_id for height, block_id in before.items())
            later = [value[1] for kind, value in disk.writes if kind == "file" and value[0] == LAST_SIGNED_FILE]
            for place, signed in signatures_in(records + later).items():
                assert len(signed) == 1, (count, kept, place)
    assert runs > len(writes)


def test_the_recorded_batch_is_what_lands():
    disk = Disk()
    store = RecordedStore(disk)
    with store.batch() as batch:
        batch.put(b"a", b"1")
        batch.delete(b"b")
        assert isinstance(batch, WriteBatch)
    assert disk.writes == [("batch", [(b"a", b"1"), (b"b", None)])]
