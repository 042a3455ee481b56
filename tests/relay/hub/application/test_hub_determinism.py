"""Rule 11: the self-test, the runtime that genesis demands, replay under two hash seeds, and the idle hub."""

import base64
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.table import clients_without_extras
from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.store.database import MemoryStore, WriteBatch
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.hub.application import self_test
from hutong.relay.hub.application.abci import ProposalVerdict
from hutong.relay.hub.application.application import OutOfOrder
from hutong.relay.hub.application.genesis import (
    UnfitRuntime,
    check_runtime,
    decode_genesis,
    encode_genesis,
    runtime_rules,
)
from hutong.relay.hub.application.governance.coming import UnknownRulesVersion
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.client_types import offered
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.consensus.blocks import make_block
from hutong.relay.hub.engine.alone import Alone
from hutong.relay.hub.engine.driver import ConsensusDriver, DrivenValidator
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import WriteAheadLog
from hutong.relay.hub.home.last_signed import decode_last_signed
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.application.self_test_corpus import (
    corpus,
    corpus_3,
    corpus_4,
    corpus_5,
    corpus_6,
    corpus_7,
    corpus_8,
    precompiles_of_released_rules,
)
from tests.relay.hub.hub_process import new_home, transfer
from tests.relay.hub.recorded_chain import FILE, record_chain, replay
from tests.relay.hub.simulated_hub import (
    EVM_CHAIN_ID,
    VALIDATOR,
    RemoteChain,
    SimulatedHub,
    hub_genesis,
)


@pytest.mark.long
def test_the_corpus_passes_and_is_what_its_script_writes():
    first, released, third, fourth = corpus(), precompiles_of_released_rules(), corpus_3(), corpus_4()
    fifth = corpus_5(fourth)
    sixth = corpus_6(fifth)
    seventh = corpus_7(sixth)
    eighth = corpus_8(seventh)
    assert json.loads(self_test.corpus(1)) == first
    assert json.loads(self_test.corpus(3)) == third
    assert json.loads(self_test.corpus_file("self_test_precompiles.json")) == released
    assert json.loads(self_test.corpus(4)) == fourth
    assert json.loads(self_test.corpus(5)) == fifth
    assert json.loads(self_test.corpus(6)) == sixth
    assert json.loads(self_test.corpus(7)) == seventh
    assert json.loads(self_test.corpus(8)) == eighth

    def distinct(*documents):
        return {json.dumps(vector, sort_keys=True) for one in documents for vector in one["vectors"]}

    assert self_test.run_self_test() == len(distinct(first, released, third, fourth, fifth, sixth, seventh, eighth))
    assert self_test.run_self_test(3) == len(distinct(third, fourth, fifth, sixth, seventh, eighth))
    assert self_test.run_self_test(4) == len(distinct(fourth, fifth, sixth, seventh, eighth))
    assert self_test.run_self_test(5) == len(distinct(fifth, sixth, seventh, eighth))
    assert self_test.run_self_test(6) == len(distinct(sixth, seventh, eighth))
    assert self_test.run_self_test(7) == len(distinct(seventh, eighth))
    assert self_test.run_self_test(8) == len(eighth["vectors"])


@pytest.mark.parametrize("version", [1, 2])
def test_the_corpus_and_table_of_released_rules_never_change(version):
    expected = "1504ef65581cf6b810477c0f2e5d985e0c207fe6c6f57442fd042bcc5147acda"
    assert self_test.corpus_hash(version).hex() == expected
    recorded = decode_genesis(json.loads(FILE.read_text())["genesis"].encode())
    assert runtime_rules(version) == recorded.runtime
    check_runtime(replace(recorded, rules_version=version))


@pytest.mark.long
@pytest.mark.parametrize(
    "algorithm",
    [
        "ed25519",
        "secp256k1",
        "secp256k1_recover",
        "keccak256",
        "ics23_smt",
        "qbft",
        "ed25519_strict",
        "log_update",
        "identity_key",
        "storage_answers",
        "directory_head",
    ],
)
def test_a_library_that_judges_otherwise_stops_the_start(monkeypatch, algorithm):
    runners = {**self_test.RUNNERS, algorithm: lambda vector: "something else"}
    monkeypatch.setattr(self_test, "RUNNERS", runners)
    with pytest.raises(self_test.SelfTestFailed, match="would fork off the chain"):
        self_test.run_self_test()


def test_genesis_fixes_the_runtime():
    genesis = hub_genesis()
    check_runtime(genesis)
    rules = runtime_rules(genesis.rules_version)
    for changed in (
        replace(genesis, rules_version=rules_versions.NEWEST + 1),
        replace(genesis, rules_version=rules_versions.FIRST),
        replace(genesis, runtime=replace(rules, self_test_corpus=bytes(32))),
        replace(genesis, runtime=replace(rules, recursion_limit=1_000)),
        replace(genesis, runtime=replace(rules, thread_stack_bytes=2**20)),
        replace(genesis, runtime=replace(rules, libraries=(("ed25519", "another"),))),
    ):
        with pytest.raises(UnfitRuntime) as refused:
            check_runtime(changed)
        assert "\n" not in str(refused.value)


def test_a_wrong_corpus_hash_refuses_to_start_with_one_sentence(tmp_path):
    home = new_home(tmp_path / "hub")
    genesis = json.loads((home / "genesis.json").read_bytes())
    genesis["rules"]["self_test_corpus"] = "ab" * 32
    write_durably(home / "genesis.json", json.dumps(genesis).encode())
    with pytest.raises(NodeRefused, match="self-test corpus"):
        open_node(home)


def test_genesis_survives_its_encoding_and_names_what_is_wrong():
    genesis = hub_genesis()
    assert decode_genesis(encode_genesis(genesis)) == genesis
    document = json.loads(encode_genesis(genesis))
    for path, value, field in (
        (("chain_id",), "hutong", "chain_id"),
        (("chain_id",), "hutong-0", "chain_id"),
        (("evm_chain_id",), 0, "evm_chain_id"),
        (("evm_chain_id",), True, "evm_chain_id"),
        (("evm_chain_id",), 1.5, "evm_chain_id"),
        (("format",), "other", "format"),
        (("genesis_time_ns",), "01", "genesis_time_ns"),
        (("validators",), [], "validators"),
        (("validators", 0, "power"), 2**63, "validators[0].power"),
        (("validators", 0, "public_key"), "04" * 33, "validators[0].public_key"),
        (("validators", 0, "name"), "x", "validators[0].name"),
        (("admins", "threshold"), 4, "admins"),
        (("admins", "threshold"), 0, "admins.threshold"),
        (("admins", "addresses"), [], "admins"),
        (("params", "block_interval_ms"), 6_000, "params.block_interval_ms"),
        (("params", "trusting_period_s"), 21 * 86_400, "params.trusting_period_s"),
        (("rules", "self_test_corpus"), "00", "rules.self_test_corpus"),
        (("alloc",), {"0x" + "11" * 20: "-1"}, "alloc.0x" + "11" * 20),
        (("alloc",), [], "alloc"),
        (("alloc",), {"0x" + "00" * 18 + "1001": "1"}, "alloc"),
        (("surprise",), 1, "surprise"),
    ):
        changed = json.loads(json.dumps(document))
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        with pytest.raises(MalformedInput) as refused:
            decode_genesis(json.dumps(changed).encode())
        assert refused.value.field == field
    for missing in set(document) - {"code"}:
        changed = {name: value for name, value in document.items() if name != missing}
        with pytest.raises(MalformedInput, match=missing):
            decode_genesis(json.dumps(changed).encode())
    with pytest.raises(MalformedInput, match="twice|repeats a key"):
        decode_genesis(b'{"format":1,"format":1}')


@given(st.binary(max_size=200))
def test_attack_H_hub_genesis_decoder_is_total(data):
    with pytest.raises(MalformedInput):
        decode_genesis(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_attack_H_hub_genesis_fields_of_any_shape_are_refused_or_parsed(value):
    document = json.loads(encode_genesis(hub_genesis()))
    for name in document:
        try:
            decode_genesis(json.dumps({**document, name: value}).encode())
        except MalformedInput as error:
            assert error.field


REPLAY = """
import json, sys
sys.path.insert(0, {root!r})
from tests.relay.hub.recorded_chain import FILE, record_chain, replay
ledger = replay(json.loads(FILE.read_text()))
print(ledger.tip.app_hash.hex(), ledger.tip.block_id.hash.hex())
"""


@pytest.mark.long
def test_replay_of_the_recorded_chain_under_two_hash_seeds_gives_the_same_app_hashes():
    ledger = replay(json.loads(FILE.read_text()))
    expected = f"{ledger.tip.app_hash.hex()} {ledger.tip.block_id.hash.hex()}"
    root = str(FILE.parents[3])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", REPLAY.format(root=root)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    for process in running:
        printed, errors = process.communicate(timeout=120)
        assert printed.strip() == expected, errors[-500:]


def test_replay_notices_a_changed_transaction():
    recorded = json.loads(FILE.read_text())
    height = next(i for i, item in enumerate(recorded["blocks"]) if len(item["block"]) > 2_000)
    block = bytearray(base64.b64decode(recorded["blocks"][height]["block"]))
    block[len(block) // 2] ^= 1
    recorded["blocks"][height]["block"] = base64.b64encode(block).decode()
    with pytest.raises(MalformedInput):
        replay(recorded)


@pytest.mark.long
def test_a_recorded_chain_replays_into_an_empty_store():
    """Block by block from the records alone, as another engine would feed the application."""
    hub = record_chain()
    again = HubLedger(MemoryStore(), hub.genesis)
    for height in range(1, hub.height + 1):
        stored = hub.ledger.records.block(height)
        assert again.accepts(stored.block)
        again.apply(stored.block, stored.block_id, hub.ledger.records.commit(height))
        assert again.tip.app_hash == hub.ledger.records.results(height).app_hash
        assert again.application.blocks.block(height).hash == stored.block_id.hash
    assert again.tip == hub.ledger.tip


def test_the_application_refuses_what_is_out_of_order_or_unknown():
    hub = SimulatedHub()
    ledger = hub.ledger
    application = ledger.application
    with pytest.raises(OutOfOrder):
        application.commit(None)
    with pytest.raises(OutOfOrder):
        application.init_chain()
    block = make_block(ledger.tip, ledger.last_commit(), (), VALIDATOR.public_key.address)
    with pytest.raises(UnknownRulesVersion):
        ledger.apply(
            replace(block, header=replace(block.header, version_app=2)), ledger.tip.block_id, ledger.last_commit()
        )
    with pytest.raises(OutOfOrder):
        ledger.apply(replace(block, header=replace(block.header, height=9)), ledger.tip.block_id, ledger.last_commit())
    assert application.process_proposal((), 2) is ProposalVerdict.REJECT
    assert application.process_proposal((b"junk",), rules_versions.NEWEST) is ProposalVerdict.REJECT
    assert application.process_proposal((), rules_versions.NEWEST) is ProposalVerdict.ACCEPT
    assert application.check_tx(b"junk").code != 0
    assert application.check_tx(bytes.fromhex(transfer(0, EVM_CHAIN_ID)[2:])).code == 0
    assert application.check_tx(bytes.fromhex(transfer(0, EVM_CHAIN_ID + 1)[2:])).code != 0
    assert application.query("/nothing", b"k", 0, prove=False).code != 0
    assert application.query("/key", b"", 0, prove=False).code != 0
    assert application.query("/key", b"hub/genesis", 10**6, prove=True).code != 0


def test_a_transaction_that_cannot_run_has_no_effect_in_its_block():
    hub = SimulatedHub()
    good, early = (bytes.fromhex(transfer(nonce, EVM_CHAIN_ID)[2:]) for nonce in (0, 5))
    before = hub.app_hash
    (refused,) = hub.advance(early)
    assert (refused.code, refused.gas_used) == (2, 0)
    assert "nonce" in refused.log
    assert hub.app_hash == before
    (done,) = hub.advance(good)
    assert done.ok
    assert hub.app_hash != before


def test_a_database_of_another_genesis_is_refused():
    hub = SimulatedHub()
    with pytest.raises(ChainDamaged, match="another genesis"):
        HubLedger(hub.store, replace(hub.genesis, evm_chain_id=5))


def test_an_untyped_error_in_a_module_halts_instead_of_reverting(monkeypatch):
    """Rule 11: only typed refusals become reverts."""
    hub = SimulatedHub()
    chain_a = RemoteChain(hub)

    def broken(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(type(hub.application.light_clients["bft-evm"]), "verify_header", broken)
    before = hub.ledger.tip
    with pytest.raises(ZeroDivisionError):
        hub.send(ROUTER_ADDRESS, chain_a.update_call(chain_a.seal()))
    assert hub.ledger.tip == before
    assert hub.ledger.application.info().last_block_height == before.height


class DriverRun:
    """A driver on trio's mock clock, in one thread, over a home."""

    def __init__(self, home, store, genesis) -> None:
        self.ledger = HubLedger(store, genesis)
        self.mempool = Mempool()
        self.blocks: list[tuple[float, int]] = []
        self.waiting: list[str] = []
        self.home = home
        self.signer = FileSigner(home, VALIDATOR, genesis.chain_id)

    async def drive(self, seconds: float, at: dict[float, bytes] | None = None) -> None:
        start = trio.current_time()

        async def on_block(height: int) -> None:
            self.blocks.append((round(trio.current_time() - start, 3), height))

        async def in_line(function):
            return function()

        validator = DrivenValidator(
            self.ledger,
            self.signer,
            VALIDATOR.public_key.address,
            self.mempool,
            WriteAheadLog(self.home),
            on_block,
            Timeouts.without_peers(),
            now_ns=lambda: self.ledger.genesis.genesis_time_ns + int((trio.current_time() - start) * 10**9),
            run_blocking=in_line,
        )
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ConsensusDriver(validator, Alone(self.waiting.append)).run)
                for moment, raw in sorted((at or {}).items()):
                    await trio.sleep_until(start + moment)
                    self.mempool.add(decode_transaction(raw, EVM_CHAIN_ID), 0)


async def test_idle_hub_makes_one_proof_block_and_then_one_an_interval(tmp_path, autojump_clock):
    home = new_home(tmp_path / "hub")
    run = DriverRun(home, MemoryStore(), hub_genesis())
    await run.drive(10.5, {3.5: bytes.fromhex(transfer(0, EVM_CHAIN_ID)[2:])})
    moments = [moment for moment, _ in run.blocks]
    # Transaction in the block at 4 s; proof block 200 ms later; then one an interval.
    assert moments == [0.0, 1.0, 2.0, 3.0, 4.0, 4.2, 5.2, 6.2, 7.2, 8.2, 9.2, 10.2]
    hashes = [run.ledger.records.results(height).app_hash for _, height in run.blocks]
    assert len(set(hashes[:4])) == 1
    assert len(set(hashes[4:])) == 1
    assert hashes[3] != hashes[4]
    proving = run.ledger.records.block(6).block.header
    assert proving.app_hash == hashes[4]


async def test_a_restarted_validator_proposes_the_block_that_it_signed(tmp_path, autojump_clock):
    """Killed after its proposal left, with its pool lost: the same block is decided, none is signed twice."""
    home = new_home(tmp_path / "hub")
    store, genesis = MemoryStore(), hub_genesis()
    run = DriverRun(home, store, genesis)
    await run.drive(2.5)
    height = run.ledger.tip.height

    class Killed(Exception):
        pass

    def die(_vote):
        raise Killed

    run.mempool.add(decode_transaction(bytes.fromhex(transfer(0, EVM_CHAIN_ID)[2:]), EVM_CHAIN_ID), 0)
    run.signer.sign_vote = die
    with pytest.raises(BaseExceptionGroup) as group:
        await run.drive(2.5)
    assert group.group_contains(Killed)
    after = DriverRun(home, store, genesis)
    assert after.ledger.tip.height == height
    assert after.signer.record.height == height + 1
    await after.drive(2.5)
    block = after.ledger.records.block(height + 1)
    assert len(block.block.transactions) == 1
    assert after.ledger.tip.height > height + 1


class Crash(Exception):
    pass


class CrashingDisk:
    """Counts every durable write of node and database; the n-th kills the process before or after it lands."""

    def __init__(self, fatal: int, *, lands: bool) -> None:
        self.fatal = fatal
        self.lands = lands
        self.count = 0
        self.records: list[bytes] = []

    def write(self, path, data, mode=0o600) -> None:
        self.count += 1
        if self.count == self.fatal and not self.lands:
            raise Crash
        write_durably(path, data, mode)
        if path.name == "last_signed.json":
            self.records.append(data)
        if self.count == self.fatal:
            raise Crash

    def land(self, store, batch) -> None:
        self.count += 1
        if self.count == self.fatal and not self.lands:
            raise Crash
        with store.batch() as real:
            for key, value in batch.pending():
                if value is None:
                    real.delete(key)
                else:
                    real.put(key, value)
        if self.count == self.fatal:
            raise Crash


class CrashingStore:
    """A store whose batches land through the disk above."""

    def __init__(self, store: MemoryStore, disk: CrashingDisk) -> None:
        self._store = store
        self._disk = disk
        self.get, self.next, self.previous, self.items = store.get, store.next, store.previous, store.items

    @contextmanager
    def batch(self):
        batch = WriteBatch(self._store)
        yield batch
        self._disk.land(self._store, batch)


@pytest.mark.parametrize("lands", [False, True])
@pytest.mark.parametrize("fatal", range(1, 11))
async def test_attack_C45_hub_crash_at_each_write_point_never_signs_twice(
    tmp_path, autojump_clock, monkeypatch, fatal, lands
):
    """Two heights of five writes each (proposal file, three signatures, the block's batch), then a restart."""
    home = new_home(tmp_path / "hub")
    store, genesis = MemoryStore(), hub_genesis()
    HubLedger(store, genesis)
    disk = CrashingDisk(fatal, lands=lands)
    monkeypatch.setattr("hutong.relay.hub.engine.signer.write_durably", disk.write)
    run = DriverRun(home, CrashingStore(store, disk), genesis)
    run.mempool.add(decode_transaction(bytes.fromhex(transfer(0, EVM_CHAIN_ID)[2:]), EVM_CHAIN_ID), 0)
    with pytest.raises(BaseExceptionGroup) as group:
        await run.drive(3.5)
    assert group.group_contains(Crash)
    before = {
        height: run.ledger.records.block(height).block_id for height in range(1, run.ledger.records.latest_height() + 1)
    }
    disk.fatal = 0
    after = DriverRun(home, CrashingStore(store, disk), genesis)
    await after.drive(3.5)
    assert after.ledger.tip.height >= 3
    for height, block_id in before.items():
        assert after.ledger.records.block(height).block_id == block_id
    signed: dict[tuple, bytes] = {}
    for data in disk.records:
        record = decode_last_signed(data)
        for entry in record.signed:
            key = (record.height, record.round, entry.step)
            assert signed.setdefault(key, entry.sign_bytes) == entry.sign_bytes
    assert len(signed) >= 9


@pytest.mark.parametrize("version", rules_versions.ALL)
def test_hubs_of_a_rules_version_offer_these_clients_and_no_other(version):
    """A type more changes what a block of that version costs and does: it waits for the next rules version."""
    first = ["07-tendermint", "attestation", "bft-evm", "bitcoin", "clique", "ethereum", "fisco-bcos"]
    since = ["c2sp-tlog"] if version >= rules_versions.RECORDS else []
    assert sorted(offered(clients_without_extras(), version)) == sorted([*first, *since])
