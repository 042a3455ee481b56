"""The application's socket: genesis that must agree, a pool that CometBFT does not order, and whoever else connects."""

import threading
from hashlib import sha256

import pytest
import trio
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.vm import transaction as transaction_module
from hutong.relay.evm.vm.transaction import decode_cached
from hutong.relay.hub.abci.calls import AbciCalls
from hutong.relay.hub.abci.framing import encode_message
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.abci.pool import MAX_BLOCKS_WAITING
from hutong.relay.hub.abci.server import MAX_CONNECTIONS, ApplicationHalted
from hutong.relay.hub.application.abci import CODE_UNKNOWN_PATH, FinalizeBlockRequest
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.chain.ledger import ChainDamaged
from hutong.relay.hub.home.params import consensus_params
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.joining.state_sync import StateSync
from hutong.relay.hub.state import GENESIS_KEY
from tests.relay.hub.abci.abci_client import AbciClient, Refused, init_chain, request, serving
from tests.relay.hub.hub_process import transfer
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID, GENESIS_TIME_S, hub_genesis

GENESIS = hub_genesis()
POOR = Account.from_key(sha256(b"poor").digest())
RECHECK = 1


def machine() -> HubMachine:
    return HubMachine(MemoryStore(), GENESIS)


def signed(nonce: int, **changes) -> bytes:
    fields = {
        "chainId": EVM_CHAIN_ID,
        "nonce": nonce,
        "gas": 21_000,
        "gasPrice": 0,
        "value": 1,
        "to": POOR.address,
    }
    account = changes.pop("account", DAPP)
    return bytes(account.sign_transaction({**fields, **changes}).raw_transaction)


async def start(client: AbciClient) -> None:
    await client.call("init_chain", **{field.name: value for field, value in init_chain(GENESIS).ListFields()})


async def block(client: AbciClient, height: int, txs) -> list[int]:
    """Finalize and commit; the results' codes."""
    time = {"seconds": GENESIS_TIME_S + height, "nanos": 0}
    answer = await client.call("finalize_block", height=height, txs=txs, hash=bytes([height]) * 32, time=time)
    await client.call("commit")
    return [one.code for one in answer.tx_results]


def test_the_database_of_another_genesis_is_refused():
    store = MemoryStore()
    HubMachine(store, GENESIS)
    assert HubMachine(store, GENESIS).height == 0
    with pytest.raises(ChainDamaged, match="another genesis"):
        HubMachine(store, hub_genesis(block_interval_ms=900))


# --- genesis


def other_chain(asked):
    asked.chain_id = "hutong-2"


def other_time(asked):
    asked.time.nanos += 1


def later_start(asked):
    asked.initial_height = 2


def larger_blocks(asked):
    asked.consensus_params.block.max_bytes += 1


def more_gas(asked):
    asked.consensus_params.block.max_gas = -1


def shorter_evidence(asked):
    asked.consensus_params.evidence.max_age_num_blocks -= 1


def earlier_evidence(asked):
    asked.consensus_params.evidence.max_age_duration.seconds -= 1


def less_evidence(asked):
    asked.consensus_params.evidence.max_bytes -= 1


def other_keys(asked):
    asked.consensus_params.validator.pub_key_types.append("ed25519")


def other_rules(asked):
    asked.consensus_params.version.app += 1


def vote_extensions(asked):
    asked.consensus_params.abci.vote_extensions_enable_height = 2


def stronger_validator(asked):
    asked.validators[0].power += 1


def ed25519_validator(asked):
    asked.validators[0].pub_key.ed25519 = bytes(32)


def one_validator_more(asked):
    asked.validators.add(power=1).pub_key.secp256k1 = b"\x02" * 33


def other_digest(asked):
    asked.app_state_bytes = asked.app_state_bytes.replace(b"0", b"1")


def no_digest(asked):
    asked.app_state_bytes = b"{}"


def unreadable_digest(asked):
    asked.app_state_bytes = b""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (other_chain, "chain_id"),
        (other_time, "genesis_time"),
        (later_start, "initial_height"),
        (larger_blocks, "consensus_params.block.max_bytes"),
        (more_gas, "consensus_params.block.max_gas"),
        (shorter_evidence, "consensus_params.evidence.max_age_num_blocks"),
        (earlier_evidence, "consensus_params.evidence.max_age_duration"),
        (less_evidence, "consensus_params.evidence.max_bytes"),
        (other_keys, "consensus_params.validator.pub_key_types"),
        (other_rules, "consensus_params.version.app"),
        (vote_extensions, "consensus_params.abci.vote_extensions_enable_height"),
        (stronger_validator, "validators"),
        (ed25519_validator, "validators"),
        (one_validator_more, "validators"),
        (other_digest, "app_state.hutong_genesis_sha256"),
        (no_digest, "app_state.hutong_genesis_sha256"),
        (unreadable_digest, "app_state.hutong_genesis_sha256"),
    ],
)
async def test_another_genesis_in_cometbft_is_refused_by_the_field_and_the_process_ends(change, field):
    asked = init_chain(GENESIS)
    change(asked)
    with pytest.RaisesGroup(
        pytest.RaisesExc(ApplicationHalted, match=f"genesis.json: {field} is "), flatten_subgroups=True
    ):
        async with serving(machine()) as application:
            client = await application.connect()
            with pytest.raises(Refused, match=f"genesis.json: {field} is "):
                await client.call("init_chain", **{one.name: value for one, value in asked.ListFields()})
            await trio.sleep_forever()


async def test_genesis_is_asked_again_until_the_first_block_is_there_and_never_after():
    hub = machine()
    params = consensus_params(GENESIS)
    assert (params.block_max_bytes, params.pub_key_types) == (4 * 1024 * 1024, ("secp256k1",))
    with pytest.RaisesGroup(pytest.RaisesExc(ApplicationHalted, match="starts the chain anew"), flatten_subgroups=True):
        async with serving(hub) as application:
            client = await application.connect()
            await start(client)
            await start(client)
            await block(client, 1, [])
            with pytest.raises(Refused, match="starts the chain anew"):
                await start(client)
            await trio.sleep_forever()


# --- halting


async def test_a_block_out_of_order_halts_the_process_with_its_reason_and_tells_cometbft():
    hub = machine()
    with pytest.RaisesGroup(
        pytest.RaisesExc(ApplicationHalted, match="block 2 cannot follow 0"), flatten_subgroups=True
    ):
        async with serving(hub) as application:
            client = await application.connect()
            with pytest.raises(Refused, match="block 2 cannot follow 0"):
                await client.call("finalize_block", height=2, time={"seconds": GENESIS_TIME_S + 2})
            await trio.sleep_forever()
    assert hub.height == 0


async def test_other_connections_stay_until_cometbft_has_read_why_and_hangs_up():
    with pytest.RaisesGroup(pytest.RaisesExc(ApplicationHalted, match="cannot follow 0"), flatten_subgroups=True):
        async with serving(machine()) as application:
            consensus, snapshots = await application.connect(), await application.connect()
            consensus.hangs_up = False
            with pytest.raises(Refused, match="cannot follow 0"):
                await consensus.call("finalize_block", height=2, time={"seconds": GENESIS_TIME_S + 2})
            assert (await snapshots.call("echo", message="there")).message == "there"
            await consensus.stream.send_eof()
            await trio.sleep_forever()


async def test_an_application_that_fails_halts_also_where_its_engine_is_gone_already(monkeypatch):
    hub = machine()
    failing, gone = threading.Event(), threading.Event()

    def fail(_):
        failing.set()
        gone.wait(30)
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(hub, "finalize_block", fail)
    with pytest.RaisesGroup(pytest.RaisesExc(ApplicationHalted, match="a defect"), flatten_subgroups=True):
        async with serving(hub) as application:
            client = await application.connect()
            await client.send(request("finalize_block", height=1, time={"seconds": GENESIS_TIME_S + 1}))
            await trio.to_thread.run_sync(failing.wait)
            client.stream.socket.close()
            gone.set()
            with trio.fail_after(30):
                await trio.sleep_forever()


@pytest.mark.parametrize("kind", ["extend_vote", "verify_vote_extension"])
async def test_vote_extensions_are_refused(kind):
    with pytest.RaisesGroup(pytest.RaisesExc(ApplicationHalted, match="not enabled"), flatten_subgroups=True):
        async with serving(machine()) as application:
            with pytest.raises(Refused, match="NotEnabled: vote extensions"):
                await (await application.connect()).call(kind, height=1)
            await trio.sleep_forever()


async def test_commit_without_a_block_halts():
    with pytest.RaisesGroup(
        pytest.RaisesExc(ApplicationHalted, match="without a finalized block"), flatten_subgroups=True
    ):
        async with serving(machine()) as application:
            with pytest.raises(Refused, match="OutOfOrder"):
                await (await application.connect()).call("commit")
            await trio.sleep_forever()


# --- pool


async def test_a_block_takes_a_senders_transactions_by_nonce_whatever_order_cometbft_has_them_in():
    hub = machine()
    async with serving(hub) as application:
        pool, consensus = await application.connect(), await application.connect()
        await start(consensus)
        arrived = [signed(nonce) for nonce in (2, 4, 1, 0)]
        for raw in arrived:
            answer = await pool.call("check_tx", tx=raw)
            assert (answer.code, answer.gas_wanted) == (0, 21_000)
        sender = bytes.fromhex(DAPP.address[2:])
        assert hub.pool.mempool.next_nonce(sender, 0) == 3
        proposed = (await consensus.call("prepare_proposal", txs=arrived, max_tx_bytes=10_000)).txs
        assert list(proposed) == [signed(0), signed(1), signed(2)]  # 4 waits for 3
        few = (await consensus.call("prepare_proposal", txs=arrived, max_tx_bytes=len(signed(0)) + 8)).txs
        assert list(few) == [signed(0)]
        assert await block(consensus, 1, proposed) == [0, 0, 0]
        # What remains in CometBFT's pool is checked again; what was executed could not be.
        assert (await pool.call("check_tx", tx=signed(4), type=RECHECK)).code == 0
        assert "nonce too low" in (await pool.call("check_tx", tx=signed(2), type=RECHECK)).log
        assert hub.pool.mempool.statistics().transactions == 1


async def test_a_transaction_that_was_replaced_leaves_cometbfts_pool_at_the_next_recheck():
    hub = machine()
    async with serving(hub) as application:
        pool, consensus = await application.connect(), await application.connect()
        await start(consensus)
        old, new = signed(0, gasPrice=100), signed(0, gasPrice=110)
        assert (await pool.call("check_tx", tx=old)).code == 0
        assert "underpriced" in (await pool.call("check_tx", tx=signed(0, gasPrice=109))).log
        assert (await pool.call("check_tx", tx=new)).code == 0
        assert list((await consensus.call("prepare_proposal", txs=[old, new], max_tx_bytes=10_000)).txs) == [new]
        await block(consensus, 1, [])
        assert "underpriced" in (await pool.call("check_tx", tx=old, type=RECHECK)).log
        assert (await pool.call("check_tx", tx=new, type=RECHECK)).code == 0


async def test_a_transaction_that_its_sender_can_no_longer_pay_leaves_both_pools():
    hub = machine()
    async with serving(hub) as application:
        pool, consensus = await application.connect(), await application.connect()
        await start(consensus)
        assert await block(consensus, 1, [signed(0, value=1_000)]) == [0]
        taken = signed(0, account=POOR, value=500, to=DAPP.address)
        later = signed(1, account=POOR, value=500, to=DAPP.address)
        for raw in (taken, later):
            assert (await pool.call("check_tx", tx=raw)).code == 0
        more = (await pool.call("check_tx", tx=signed(2, account=POOR, value=1, to=DAPP.address))).log
        assert "together with this sender's waiting ones; expected 1001, got 1000" in more
        # Another proposer had another one of the same nonce.
        assert await block(consensus, 2, [signed(0, account=POOR, value=1_000, to=DAPP.address)]) == [0]
        assert "insufficient funds" in (await pool.call("check_tx", tx=later, type=RECHECK)).log
        assert hub.pool.mempool.statistics().transactions == 0


async def test_what_was_in_a_block_for_nothing_is_forgotten():
    hub = machine()
    async with serving(hub) as application:
        pool, consensus = await application.connect(), await application.connect()
        await start(consensus)
        assert (await pool.call("check_tx", tx=signed(1))).code == 0
        assert await block(consensus, 1, [signed(1), b"junk"]) == [2, 2]
        assert hub.pool.mempool.statistics().transactions == 0


async def test_the_pool_is_that_of_one_mempool_connection():
    """A CometBFT that starts anew has an empty pool: what the one before held would be pending for ever."""
    hub = machine()
    async with serving(hub) as application:
        first = await application.connect()
        assert (await first.call("check_tx", tx=signed(0))).code == 0
        second = await application.connect()
        assert (await second.call("check_tx", tx=signed(1))).code == 0
        assert hub.pool.mempool.statistics().transactions == 1
        await second.stream.send_eof()
        assert await second.ended()
        assert hub.pool.mempool.statistics().transactions == 0


async def test_checks_refuse_with_the_reason_and_do_not_fill_the_pool():
    hub = machine()
    async with serving(hub) as application:
        pool = await application.connect()
        for raw, reason in (
            (b"junk", "unsupported type"),
            (bytes.fromhex(transfer(0, EVM_CHAIN_ID + 1)[2:]), "wrong chain id"),
            (signed(0, account=POOR), "insufficient funds"),
            (signed(5_000), "nonce too high"),
        ):
            answer = await pool.call("check_tx", tx=raw)
            assert answer.code != 0
            assert reason in answer.log
        assert hub.pool.mempool.statistics().transactions == 0


async def test_a_defect_that_a_stranger_finds_refuses_his_request_and_halts_nothing(monkeypatch):
    hub = machine()

    def defect(*args, **kwargs):
        raise ZeroDivisionError("secret detail")

    async with serving(hub) as application:
        client = await application.connect()
        monkeypatch.setattr(hub.application, "query", defect)
        monkeypatch.setattr(hub.application, "check_sender", defect)
        query, check = await client.call("query", path=b"/key"), await client.call("check_tx", tx=signed(0))
        assert (query.code, query.log) == (4, "internal error")
        assert (check.code, check.log) == (2, "internal error")
        monkeypatch.undo()
        assert (await client.call("check_tx", tx=signed(0))).code == 0


def test_attack_H_abci_a_full_pool_costs_each_block_little(monkeypatch):
    """CometBFT asks again for all that waits before it goes on; transactions behind a gap wait for ever and cost nothing."""
    hub = machine()
    opened: list[int] = []
    recovered: list[bytes] = []
    state_after, decode = hub.application.state_after, transaction_module.decode_transaction
    monkeypatch.setattr(hub.application, "state_after", lambda head: opened.append(head.number) or state_after(head))
    monkeypatch.setattr(
        transaction_module, "decode_transaction", lambda raw, chain: recovered.append(raw) or decode(raw, chain)
    )
    waiting = [signed(nonce) for nonce in range(1, 9)]
    decode_cached.cache_clear()
    for raw in waiting:
        assert hub.pool.check(raw).code == 0
    for height in (1, 2):
        hub.finalize_block(
            FinalizeBlockRequest(height, GENESIS.genesis_time_ns + height, bytes(32), b"", (), rules_versions.NEWEST)
        )
        hub.commit()
        decode_cached.cache_clear()
        for raw in waiting:
            assert hub.pool.check(raw).code == 0
    assert opened == [0, 1, 2]
    assert len(recovered) == len(waiting)
    assert hub.pool.mempool.statistics().transactions == len(waiting)


def test_attack_H_abci_nothing_waits_behind_a_gap_for_ever():
    """While one does, CometBFT makes blocks without a pause (4.6 a second instead of one), and free transactions fill its pool."""
    hub = machine()
    waits, runs = signed(1), signed(0, account=POOR, value=0)
    assert hub.pool.check(waits).code == hub.pool.check(runs).code == 0
    for _ in range(MAX_BLOCKS_WAITING):
        hub.pool.settle((), ())
        assert hub.pool.check(waits).code == hub.pool.check(runs).code == 0
    hub.pool.settle((), ())
    assert "waited 301 blocks" in hub.pool.check(waits).log
    assert hub.pool.check(runs).code == 0
    assert [item.raw for item in hub.pool.candidates()] == [runs]
    # It may come again, and then waits anew; one that has become executable stays.
    assert hub.pool.check(waits).code == hub.pool.check(signed(0)).code == 0
    for _ in range(MAX_BLOCKS_WAITING + 1):
        hub.pool.settle((), ())
    assert hub.pool.check(waits).code == 0


async def test_attack_H_abci_a_query_whose_path_is_no_text_is_answered():
    """CometBFT's RPC passes on any bytes (`abci_query?path=0xff`), and ends where its application hangs up."""
    async with serving(machine()) as application:
        client = await application.connect()
        for path in (b"\xff\xfe", b"/key\xff", b"\xed\xa0\x80", b""):
            assert (await client.call("query", path=path, data=b"x")).code == CODE_UNKNOWN_PATH
        assert (await client.call("query", path=b"/key", data=GENESIS_KEY)).value == GENESIS.digest


def test_attack_H_abci_a_peer_that_asks_for_snapshots_halts_nothing(tmp_path):
    """Whoever is a peer of CometBFT may ask; an operator may have taken the directory away."""
    hub = machine()
    directory = tmp_path / "snapshots"
    calls = AbciCalls(hub, StateSync(hub.application, hub.store, SnapshotFiles(directory)))
    directory.rmdir()
    assert not calls.answer(request("list_snapshots")).list_snapshots.snapshots
    assert calls.answer(request("load_snapshot_chunk", height=2**64 - 1, format=1)).load_snapshot_chunk.chunk == b""


# --- connections


async def test_requests_of_a_connection_are_answered_in_order_also_when_they_come_at_once():
    async with serving(machine()) as application:
        client = await application.connect()
        sent = [request("check_tx", tx=signed(nonce)) for nonce in range(5)] + [request("info"), request("flush")]
        sent.insert(2, request("echo", message="between"))
        await client.send(*sent)
        answers = [await client.receive() for _ in sent]
        assert [one.WhichOneof("value") for one in answers] == [one.WhichOneof("value") for one in sent]
        assert answers[2].echo.message == "between"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=400), st.booleans())
def test_attack_H_abci_strangers_bytes_end_their_connection_and_nothing_else(data, after_a_request):
    async def run() -> None:
        async with serving(SHARED) as application:
            stranger, engine = await application.connect(), await application.connect()
            prefix = encode_message(request("echo", message="x")) if after_a_request else b""
            await stranger.stream.send_all(prefix + b"\x02\x22\x00" + data)
            assert await stranger.ended()
            assert (await engine.call("echo", message="still here")).message == "still here"
            cut = await application.connect()
            await cut.stream.send_all(encode_message(request("check_tx", tx=b"\x01" * 50))[: 1 + len(data) % 50])
            await cut.stream.send_eof()
            assert await cut.ended()
            assert (await engine.call("info")).last_block_height == 0

    trio.run(run)


SHARED = machine()


async def test_attack_H_abci_connections_are_bounded():
    async with serving(machine()) as application:
        clients = [await application.connect() for _ in range(MAX_CONNECTIONS)]
        for client in clients:
            await client.call("echo", message="here")
        assert await (await application.connect()).ended()
        await clients[0].stream.send_eof()
        assert await clients[0].ended()
        assert (await (await application.connect()).call("echo", message="room")).message == "room"
