"""A snapshot of a large hub: how long it takes to make and to restore, how big it is, and what it does to a busy thread.

`python -m bench.hub.snapshot [SMT keys] [EVM slots]` prints one line of JSON.
"""

import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import BLOCK_PROTOCOL, BlockId, Header, PartSetHeader
from hutong.relay.evm.store.database import WritableTable
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.evm.vm.accounts import GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.hub.application.abci import ChunkVerdict, OfferVerdict
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.application import STATE_TABLE, HubApplication
from hutong.relay.hub.application.genesis import Genesis, HubParams
from hutong.relay.hub.application.machine.evm_pruning import EVM_TABLE
from hutong.relay.hub.application.snapshot.making import SnapshotMaker
from hutong.relay.hub.home.home import validator_key
from hutong.relay.hub.home.initialise import NewHub, build_genesis
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.joining.snapshot_taker import Pace
from hutong.relay.hub.joining.state_sync import StateSync
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY

CONTRACT = b"\x77" * 20
VALIDATOR = validator_key(sha256(b"bench").digest())


def large_genesis() -> Genesis:
    hub = NewHub("hutong-1", 41_000, 1_700_000_000 * 10**9, AdminSet((bytes(19) + b"\x01",), 1), HubParams())
    return build_genesis(hub, (VALIDATOR,))


def fill(store: LmdbStore, genesis: Genesis, keys: int, slots: int) -> HubApplication:
    """Version 1: `keys` in the tree, `slots` in one contract of the EVM."""
    application = HubApplication(store, genesis)
    application.init_chain()
    with store.batch() as batch:
        application.commit(batch)
    genesis_block = application.blocks.head()
    assert genesis_block is not None
    context = BlockContext(1, 1_700_000_001, bytes(20), 2**24, bytes(32), lambda _: b"")
    with store.batch() as batch:
        evm = EvmState(
            WritableTable(batch, EVM_TABLE), genesis_block.header.state_root, EvmRules("prague", 41_000), context
        )
        storage = {slot: 2**255 + slot for slot in range(slots)}
        evm.set_account(CONTRACT, GenesisAccount(nonce=1, code=b"\x00" * 20_000, storage=storage))
        changes: dict[bytes, bytes | None] = {EVM_STATE_ROOT_KEY: evm.persist()}
        for sequence in range(1, keys // 2 + 1):
            changes[path_key("07-tendermint-0", PathKind.COMMITMENT, sequence)] = sha256(b"%d" % sequence).digest()
            changes[path_key("07-tendermint-1", PathKind.RECEIPT, sequence)] = b"\x02"
        application.state.commit(WritableTable(batch, STATE_TABLE), 1, changes)
    return application


def headers(application: HubApplication) -> Callable[[int], Header]:
    """Of blocks 1 and 2."""
    empty = sha256(b"").digest()

    def header(height: int, last: BlockId, app_hash: bytes) -> Header:
        return Header(
            version_block=BLOCK_PROTOCOL,
            version_app=1,
            chain_id="hutong-1",
            height=height,
            time_ns=(1_700_000_000 + height) * 10**9,
            last_block_id=last,
            last_commit_hash=empty,
            data_hash=empty,
            validators_hash=empty,
            next_validators_hash=empty,
            consensus_hash=empty,
            app_hash=app_hash,
            last_results_hash=empty,
            evidence_hash=empty,
            proposer_address=VALIDATOR.public_key.address,
        )

    first = header(1, BlockId(b"", PartSetHeader(0, b"")), application.state.require_root(0))
    second = header(2, BlockId(header_hash(first), PartSetHeader(1, empty)), application.state.require_root(1))
    return {1: first, 2: second}.__getitem__


class Busy(threading.Thread):
    """Counts how much pure Python gets done beside other work."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.rounds = 0
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            sum(range(1_000))
            self.rounds += 1

    def rate(self, work: Callable[[], object]) -> float:
        began, before = time.monotonic(), self.rounds
        work()
        return (self.rounds - before) / (time.monotonic() - began)


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(keys: int, slots: int, home: Path) -> dict[str, object]:
    genesis = large_genesis()
    store = LmdbStore(home / "data")
    application = fill(store, genesis, keys, slots)
    header_of, app_hash = headers(application), application.state.require_root(1)
    files = SnapshotFiles(home / "snapshots")
    filled_mib = peak_mib()

    began, cpu_began = time.monotonic(), time.process_time()
    manifest = files.write(1, SnapshotMaker(store, genesis, 1, header_of))
    made_s, made_cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    busy = Busy()
    busy.start()
    alone = busy.rate(lambda: time.sleep(2))
    began = time.monotonic()
    pace = Pace(threading.Event())
    beside = busy.rate(lambda: files.write(1, SnapshotMaker(store, genesis, 1, header_of, pace)))
    paced_s = time.monotonic() - began
    busy.ended = True
    busy.join()

    joining = LmdbStore(home / "joining")
    joiner = HubApplication(joining, genesis)
    joiner.init_chain()
    with joining.batch() as batch:
        joiner.commit(batch)
    sync = StateSync(joiner, joining, SnapshotFiles(home / "none"))
    (offer,) = files.list()
    before_mib = peak_mib()
    began, cpu_began = time.monotonic(), time.process_time()
    assert sync.offer_snapshot(offer, app_hash).verdict is OfferVerdict.ACCEPT
    for index in range(offer.chunks):
        answer = sync.apply_snapshot_chunk(index, files.chunk(1, 1, index), "peer")
        assert answer.verdict is ChunkVerdict.ACCEPT, answer
    restored_s, restored_cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    assert joiner.info().last_block_app_hash == app_hash
    return {
        "leaves": manifest.leaves,
        "evm_records": manifest.evm_records,
        "chunks": offer.chunks,
        "bytes": sum(len(files.chunk(1, 1, index)) for index in range(offer.chunks)),
        "made_s": round(made_s, 1),
        "made_cpu_s": round(made_cpu_s, 1),
        "made_paced_s": round(paced_s, 1),
        "busy_thread_keeps": round(beside / alone, 2),
        "restored_s": round(restored_s, 1),
        "restored_cpu_s": round(restored_cpu_s, 1),
        "peak_mib_after_filling": filled_mib,
        "peak_mib_before_restoring": before_mib,
        "peak_mib": peak_mib(),
    }


def main() -> None:
    keys, slots = (int(argument) for argument in (*sys.argv[1:], "100000", "100000")[:2])
    with tempfile.TemporaryDirectory() as directory:
        sys.stdout.write(json.dumps(measure(keys, slots, Path(directory))) + "\n")


if __name__ == "__main__":
    main()
