"""What strangers can fill of a validator's disk, and what happens at its edge (audit M3)."""

import subprocess
import sys
from contextlib import suppress

import pytest

from hutong.light_clients.tendermint.codec import encode_commit
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.store.lmdb_store import LmdbStore, StoreFull
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.chain.bodies import LEAST_BODIES
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.chain.pruning import DEFAULT_BODIES_GIB, Pruner, Retention, retention_of
from hutong.relay.hub.chain.room import ALARM_SHARE, Room, RoomAlarm, Said, room_of
from hutong.relay.hub.home.process import halt_reason
from hutong.relay.hub.rpc.chain import HubChain
from hutong.relay.hub.rpc.cometbft_methods import CometBftMethods
from hutong.relay.hub.rpc.cometbft_parameters import Arguments
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID, STRANGER, VALIDATOR, SimulatedHub

LEAST = 6
BALLAST = bytes(16 * 1024)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr("hutong.relay.hub.chain.bodies.LEAST_BODIES", LEAST)


def filled(blocks: int, most_bytes: int | None, store: MemoryStore | None = None) -> SimulatedHub:
    """Blocks with 16 KiB of a stranger's zeros each."""
    hub = SimulatedHub() if store is None else SimulatedHub(store=store)
    ledger = hub.ledger
    ledger.pruner = Pruner(
        hub.store, ledger.application, ledger.records, Retention(None, None, bodies_bytes=most_bytes)
    )
    for _ in range(blocks):
        hub.advance(hub.raw(bytes(19) + b"\x05", BALLAST, account=STRANGER, gas=400_000))
    return hub


def bodies_bytes(hub) -> int:
    records, blocks = hub.ledger.records, hub.application.blocks
    return sum(records.body_bytes(n) + blocks.body_bytes(n) for n in range(blocks.first_number(), hub.height + 1))


def test_audit_M3_bodies_stay_below_their_budget_and_everything_else_stays():
    budget = 12 * 2 * len(BALLAST)
    hub, twin = filled(40, budget), filled(40, None)
    assert hub.app_hash == twin.app_hash
    blocks, records = hub.application.blocks, hub.ledger.records
    first = blocks.first_number()
    assert LEAST < hub.height - first < 14
    assert bodies_bytes(hub) <= budget + 2 * len(BALLAST) + 4_096, "the newest block comes before its step"
    assert records.first_body() == first
    assert records.first_height() == 1
    for height in range(1, hub.height + 1):
        ours, theirs = records.header(height), twin.ledger.records.header(height)
        assert (ours, records.validators(height)) == (theirs, twin.ledger.records.validators(height))
        assert blocks.header(height) == twin.application.blocks.header(height)
        assert hub.application.state_after(blocks.block(height)) is not None
        if height < hub.height:
            canonical = twin.ledger.records.block(height + 1).block.last_commit
            kept = records.block(height + 1)
            assert encode_commit(records.commit(height) if kept is None else kept.block.last_commit) == encode_commit(
                canonical
            )
    assert HubLedger(hub.store, hub.genesis).tip == hub.ledger.tip


def test_audit_M3_the_newest_bodies_stay_whatever_they_take():
    hub = filled(20, 1)
    assert hub.height - hub.application.blocks.first_number() == LEAST - 1


def test_what_is_counted_survives_a_crash_and_a_home_from_before_is_counted_bit_by_bit():
    store = MemoryStore()
    hub = filled(30, None, store)
    nonces = hub.nonces
    budget = 8 * 2 * len(BALLAST)
    again = SimulatedHub(store=store)
    again.nonces = nonces
    again.ledger.pruner = Pruner(
        again.store, again.ledger.application, again.ledger.records, Retention(None, None, bodies_bytes=budget)
    )
    for _ in range(4):
        again.advance()
    assert bodies_bytes(again) <= budget
    # Nothing is saved between saves: the next process counts those blocks again, neither twice nor never.
    third = SimulatedHub(store=store)
    third.nonces = again.nonces
    third.ledger.pruner = Pruner(
        third.store, third.ledger.application, third.ledger.records, Retention(None, None, bodies_bytes=budget)
    )
    for _ in range(4):
        third.advance()
    assert third.ledger.pruner.bodies_bytes() == bodies_bytes(third)


def test_the_default_prunes_bodies():
    assert retention_of(HubParams(), None, None).bodies_bytes == DEFAULT_BODIES_GIB * 1024**3
    assert LEAST_BODIES == 1_024


def test_doors_say_what_is_pruned_and_serve_what_is_not():
    hub = filled(20, 1)
    first = hub.application.blocks.first_number()
    methods = CometBftMethods(hub.ledger, VALIDATOR.public_key)

    def ask(name, height):
        return methods.table[name][1](Arguments({"height": str(height)}, from_uri=False))

    assert (ask("header", 3))["header"]["height"] == "3"
    commit = ask("commit", 3)
    assert commit["canonical"]
    assert commit["signed_header"]["commit"]["height"] == "3"
    for name in ("block", "block_results"):
        assert ask(name, first)
        with pytest.raises(
            Exception, match=f"block 3 is pruned to its header .* lowest height with transactions is {first}"
        ):
            ask(name, 3)


# --- the edge


def test_audit_M3_a_full_database_halts_with_its_remedy_and_loses_nothing(tmp_path):
    store = LmdbStore(tmp_path, map_bytes=2 * 1024 * 1024)
    hub = SimulatedHub(store=store)
    with pytest.raises(StoreFull) as full:
        for _ in range(200):
            hub.advance(hub.raw(bytes(19) + b"\x05", BALLAST, account=STRANGER, gas=400_000))
    said = halt_reason(full.value)
    assert "the database has its most of 2 MiB; nothing is lost, start again with more room (--database-gib" in said
    height = hub.ledger.tip.height
    assert height > 5
    store.close()
    larger = LmdbStore(tmp_path, map_bytes=64 * 1024 * 1024)
    again = SimulatedHub(store=larger)
    assert again.height == height
    again.nonces = {}
    again.advance()
    assert again.height == height + 1
    larger.close()


def ballast(nonce: int) -> str:
    """A transaction that does nothing with 100 KiB of zeros."""
    fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 2_000_000, "gasPrice": 0, "value": 0}
    signed = STRANGER.sign_transaction({**fields, "to": STRANGER.address, "data": bytes(100 * 1024)})
    return f"0x{bytes(signed.raw_transaction).hex()}"


@pytest.mark.long
def test_audit_M3_through_the_door_the_node_ends_with_one_sentence_and_starts_with_more_room(tmp_path):
    home = new_home(tmp_path / "hub", block_interval_ms=10, proof_block_delay_ms=0)
    hub = HubProcess(home).start("--database-gib", "0.01")
    process, nonce = hub.process, 0
    while process.poll() is None:
        with suppress(OSError, RuntimeError, ValueError):
            hub.rpc("eth_sendRawTransaction", ballast(nonce))
            nonce += 1
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert nonce > 20
    (sentence,) = [line for line in errors.splitlines() if line.startswith("hub halted")]
    assert "the database has its most of 10 MiB" in sentence
    assert "Traceback" not in errors
    again = HubProcess(home).start("--database-gib", "0.1")
    again.kill()


def test_a_disk_without_space_is_told_as_such(tmp_path):
    """On a file system of its own, of 4 MiB."""
    where = tmp_path / "small"
    where.mkdir()
    if (
        sys.platform != "linux"
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(where)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    try:
        store = LmdbStore(where / "data", map_bytes=256 * 1024 * 1024)
        hub = SimulatedHub(store=store)
        with pytest.raises(StoreFull, match="no space is left on the disk"):
            for _ in range(400):
                hub.advance(hub.raw(bytes(19) + b"\x05", BALLAST, account=STRANGER, gas=400_000))
        assert HubLedger(store, hub.genesis).tip.height == hub.ledger.tip.height
    finally:
        store.close()
        subprocess.run(["umount", str(where)], check=True)


# --- the alarm


def test_the_alarm_comes_at_four_fifths_is_repeated_once_an_hour_and_ends():
    alarm, below, above = RoomAlarm(), Room(799, 1000), Room(800, 1000)
    assert alarm.said_of(below) is None
    said = [alarm.said_of(above) for _ in range(121)]
    assert [index for index, word in enumerate(said) if word == Said.FILLS_UP] == [0, 60, 120]
    assert set(said) == {Said.FILLS_UP, None}
    assert [alarm.said_of(below), alarm.said_of(below), alarm.said_of(above)] == [Said.ROOM_AGAIN, None, Said.FILLS_UP]


def test_the_room_is_that_of_the_database_or_of_the_disk_where_that_is_less(tmp_path, monkeypatch):
    store = LmdbStore(tmp_path, map_bytes=1024 * 1024, sync=False)
    with store.batch() as batch:
        batch.put(b"row", bytes(500_000))
    room = room_of(store)
    assert 500_000 < room.used_bytes < 600_000
    assert room.most_bytes == 1024 * 1024
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100_000})())
    assert room_of(store).most_bytes == (tmp_path / "data.mdb").stat().st_size + 100_000
    assert room_of(store).share >= ALARM_SHARE
    store.close()


def test_pruned_bodies_give_their_room_back(tmp_path):
    store = LmdbStore(tmp_path, map_bytes=64 * 1024 * 1024, sync=False)
    hub = SimulatedHub(store=store)
    ledger = hub.ledger
    ledger.pruner = Pruner(store, ledger.application, ledger.records, Retention(None, None, bodies_bytes=1))
    used = []
    for _ in range(60):
        hub.advance(hub.raw(bytes(19) + b"\x05", BALLAST, account=STRANGER, gas=400_000))
        used.append(store.used_bytes())
    assert used[-1] - used[20] < 24 * len(BALLAST), "of the 40 that came"
    assert HubChain(hub.application, Mempool()).blocks.first_number() == hub.height - LEAST + 1
    store.close()
