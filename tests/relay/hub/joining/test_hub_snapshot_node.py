"""Snapshots around the application: files, the thread that takes them, the command, and what a restored node answers."""

import json
import threading
from dataclasses import replace

import pytest
import trio
import trio.testing
from typer.testing import CliRunner

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.tendermint.rpc_json import header_to_rpc
from hutong.relay.cli.hub.command import app
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.rpc.json_params import Params
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.subscriptions import Subscriptions
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.application.abci import ChunkVerdict
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.application.snapshot.making import SnapshotMaker
from hutong.relay.hub.joining.engine_headers import EngineHeaders
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.joining.snapshot_taker import (
    HeaderUnavailable,
    Pace,
    SnapshotSchedule,
    SnapshotTaker,
    Stopped,
    headers_of_records,
)
from hutong.relay.hub.rpc.chain import HubChain
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from tests.relay.hub.joining.snapshot_chain import JoiningNode, RecordingHub, Taken, maker_of
from tests.relay.hub.simulated_hub import DAPP, SimulatedHub, address_of

HEIGHT = 10


@pytest.fixture(scope="module")
def hub():
    hub = RecordingHub()
    while hub.height < 14:
        hub.advance()
    return hub


# --- a restored node's JSON-RPC


class Rpc:
    def __init__(self, application) -> None:
        chain = HubChain(application, Mempool())
        self._service = JsonRpcService(chain, HutongMethods(application).methods())

    def __call__(self, method, *params):
        """The result, or (code, message)."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = json.loads(trio.run(self._service.answer, json.dumps(request).encode()))
        return answer["result"] if "error" not in answer else (answer["error"]["code"], answer["error"]["message"])


def pruned(first):
    return 4444, f"pruned history unavailable: the first block of this node is {first}"


@pytest.fixture
def restored(hub, tmp_path):
    node = JoiningNode(hub.genesis, tmp_path)
    assert node.restore(Taken.of(hub, HEIGHT), hub.app_hash_at(HEIGHT)).verdict is ChunkVerdict.ACCEPT
    return node


BY_BLOCK = [
    ("eth_getBlockByNumber", False),
    ("eth_getBlockTransactionCountByNumber",),
    ("eth_getBlockReceipts",),
    ("eth_getTransactionByBlockNumberAndIndex", "0x0"),
]


@pytest.mark.parametrize("call", BY_BLOCK)
def test_blocks_up_to_the_restored_one_are_said_to_be_gone(hub, restored, call):
    rpc, (method, *rest) = Rpc(restored.application), call
    for number in (1, HEIGHT - 1, HEIGHT):
        assert rpc(method, hex(number), *rest) == pruned(HEIGHT + 1)
    assert rpc(method, "latest", *rest) == pruned(HEIGHT + 1)
    assert rpc(method, hex(HEIGHT + 1), *rest) is None
    restored.execute(hub.request(HEIGHT + 1))
    whole = Rpc(hub.application)
    for tag in (hex(HEIGHT + 1), "earliest"):
        assert rpc(method, tag, *rest) == whole(method, hex(HEIGHT + 1), *rest)


def test_state_calls_answer_at_the_restored_height_and_above(hub, restored):
    rpc, whole = Rpc(restored.application), Rpc(hub.application)
    account, recorder = (f"0x{one.hex()}" for one in (address_of(DAPP), hub.recorders[0]))
    calls = [
        ("eth_getBalance", account),
        ("eth_getCode", recorder),
        ("eth_getStorageAt", recorder, hex(10**6)),
        ("eth_getProof", recorder, [hex(10**6)]),
        ("eth_call", {"to": recorder, "data": "0x"}),
    ]
    for method, *params in calls:
        assert rpc(method, *params, hex(HEIGHT)) == whole(method, *params, hex(HEIGHT))
        assert rpc(method, *params, hex(HEIGHT - 1)) == pruned(HEIGHT + 1)
    assert rpc("eth_blockNumber") == hex(HEIGHT)
    assert rpc("hutong_chain") == whole("hutong_chain") | {"height": hex(HEIGHT)}


def test_logs_below_the_first_block_are_refused_by_name(hub, restored):
    rpc = Rpc(restored.application)
    for first in (hex(0), hex(1), hex(HEIGHT)):
        assert rpc("eth_getLogs", {"fromBlock": first, "toBlock": "latest"}) == pruned(HEIGHT + 1)
    assert rpc("eth_getLogs", {"blockHash": "0x" + hub.request(HEIGHT).hash.hex()}) == pruned(HEIGHT + 1)
    restored.execute(hub.request(HEIGHT + 1))
    assert rpc("eth_getLogs", {"fromBlock": "earliest", "toBlock": "latest"}) == []
    history = rpc("eth_feeHistory", "0x5", "latest", [])
    assert history["oldestBlock"] == hex(HEIGHT + 1)
    assert len(history["gasUsedRatio"]) == 1


def test_heads_are_announced_from_the_first_block_on(hub, restored):
    chain = HubChain(restored.application, Mempool())
    restored.execute(hub.request(HEIGHT + 1))

    async def follow():
        sent = []

        async def send(message):
            sent.append(json.loads(message)["params"]["result"])

        async with trio.open_nursery() as nursery:
            chain.heads.publish(0)
            subscriptions = Subscriptions(chain, nursery, send)
            await subscriptions.session("eth_subscribe", Params(["newHeads"]))
            await trio.testing.wait_all_tasks_blocked()
            chain.heads.publish(HEIGHT)
            chain.heads.publish(HEIGHT + 1)
            with trio.fail_after(600):
                while not sent:
                    await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        return sent

    assert [head["number"] for head in trio.run(follow)] == [hex(HEIGHT + 1)]


# --- files


def test_a_snapshot_on_disk_is_offered_and_served_whole(hub, tmp_path):
    files, taken = SnapshotFiles(tmp_path), Taken.of(hub, HEIGHT)
    assert files.list() == ()
    assert files.write(HEIGHT, maker_of(hub, HEIGHT)) == taken.manifest
    assert files.list() == (taken.offer,)
    assert files.chunk(HEIGHT, 1, 0) == taken.chunks[0]
    for missing in ((HEIGHT, 1, 1), (HEIGHT + 1, 1, 0), (HEIGHT, 2, 0), (HEIGHT, 1, 2**32 - 1)):
        assert files.chunk(*missing) == b""
    files.write(HEIGHT, maker_of(hub, HEIGHT))
    assert files.list() == (taken.offer,)


def test_a_damaged_snapshot_is_not_served(hub, tmp_path):
    files = SnapshotFiles(tmp_path)
    files.write(HEIGHT, maker_of(hub, HEIGHT))
    chunk = tmp_path / str(HEIGHT) / "00000"
    good = chunk.read_bytes()
    for bad in (good[:-1], good + b"\x00", b"", bytes(len(good))):
        chunk.write_bytes(bad)
        assert files.chunk(HEIGHT, 1, 0) == b""
    chunk.unlink()
    assert files.chunk(HEIGHT, 1, 0) == b""
    manifest = tmp_path / str(HEIGHT) / "manifest"
    (tmp_path / str(HEIGHT)).rename(tmp_path / str(HEIGHT + 1))
    assert files.list() == ()
    (tmp_path / str(HEIGHT + 1)).rename(tmp_path / str(HEIGHT))
    manifest.write_bytes(b"junk")
    assert files.list() == ()


def test_the_newest_are_kept_and_leftovers_go(hub, tmp_path):
    files = SnapshotFiles(tmp_path)
    for height in (2, 10, 9):
        files.write(height, maker_of(hub, height))
    (tmp_path / ".unfinished-7").mkdir()
    (tmp_path / ".unfinished-7" / "00000").write_bytes(b"half")
    assert files.heights() == [10, 9, 2]
    files.prune(2)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["10", "9", "lock"]


def test_nothing_is_left_of_a_snapshot_that_could_not_be_made(hub, tmp_path):
    files = SnapshotFiles(tmp_path)
    forged = replace(hub.ledger.records.block(3).block.header, time_ns=5)
    real = headers_of_records(hub.ledger.records)

    def engine(height):
        return forged if height == 3 else real(height)

    with pytest.raises(PredicateFailed, match="headers_are_linked"):
        files.write(HEIGHT, SnapshotMaker(hub.store, hub.genesis, HEIGHT, engine))
    with pytest.raises(HeaderUnavailable):
        files.write(hub.height, maker_of(hub, hub.height))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["lock"]


def test_two_processes_do_not_write_at_once(hub, tmp_path):
    first, second = SnapshotFiles(tmp_path), SnapshotFiles(tmp_path)

    def meanwhile():
        with pytest.raises(BlockingIOError):
            second.write(3, maker_of(hub, 3))
        with pytest.raises(BlockingIOError):
            second.prune(1)

    maker = SnapshotMaker(hub.store, hub.genesis, 2, headers_of_records(hub.ledger.records), meanwhile)
    first.write(2, maker)
    assert first.heights() == [2]


# --- taking


def taker_of(hub, home, **schedule):
    headers = headers_of_records(hub.ledger.records)
    return SnapshotTaker(home, hub.store, hub.genesis, headers, SnapshotSchedule(**schedule))


def test_snapshots_are_taken_at_every_interval_and_the_newest_kept(hub, tmp_path):
    taker = taker_of(hub, tmp_path, interval=3, keep=2)

    async def follow():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(taker.run)
            for height in range(1, hub.height + 1):
                taker.committed(height)
                if height > 1 and (height - 1) % 3 == 0:
                    with trio.fail_after(600):
                        while (height - 1) not in taker.files.heights():
                            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

    trio.run(follow)
    assert taker.files.heights() == [12, 9]
    assert taker.files.list()[0] == Taken.of(hub, 12).offer


def test_no_interval_takes_nothing_and_a_failure_is_left_out(hub, tmp_path, caplog):
    taker = taker_of(hub, tmp_path, interval=0)
    for height in range(1, hub.height + 1):
        taker.committed(height)
    assert taker.files.heights() == []
    assert not taker.take(hub.height)
    assert f"no snapshot of height {hub.height}" in caplog.text
    assert not taker.take(hub.height + 5)
    assert taker.take(hub.height - 1)


def test_a_node_that_ends_does_not_wait_for_its_snapshot(hub, tmp_path):
    stop = threading.Event()
    stop.set()
    pace = Pace(stop)
    with pytest.raises(Stopped):
        while True:
            pace()
    files = SnapshotFiles(tmp_path)

    def end():
        raise Stopped

    maker = SnapshotMaker(hub.store, hub.genesis, HEIGHT, headers_of_records(hub.ledger.records), end)
    with pytest.raises(Stopped):
        files.write(HEIGHT, maker)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["lock"]


@pytest.fixture
def engine_rpc(hub):
    """CometBFT's /header over HTTP, as far as a snapshot asks."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            height = int(self.path.rpartition("=")[2])
            stored = hub.ledger.records.block(height)
            if height == 1_000:
                body = b"x" * 100_000
            elif height == 1_001:
                body = b"{"
            elif stored is None:
                body = json.dumps({"jsonrpc": "2.0", "id": -1, "error": {"code": -32603}}).encode()
            else:
                header = {"header": header_to_rpc(stored.block.header)}
                body = json.dumps({"jsonrpc": "2.0", "id": -1, "result": header}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_headers_come_from_the_engine_and_its_refusals_are_named(hub, engine_rpc):
    headers = EngineHeaders(engine_rpc)
    for height in (1, HEIGHT):
        assert headers(height) == hub.ledger.records.block(height).block.header
    for height, reason in ((500, "does not serve header 500"), (1_000, "too long"), (1_001, "header 1001")):
        with pytest.raises(HeaderUnavailable, match=reason):
            headers(height)
    headers.close()
    gone = EngineHeaders("http://127.0.0.1:9")
    with pytest.raises(HeaderUnavailable):
        gone(1)
    gone.close()


# --- the command


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a short chain, not running."""
    home = tmp_path_factory.mktemp("home")
    hub = SimulatedHub(store=LmdbStore(home / "data", sync=False))
    while hub.height < 5:
        hub.advance()
    (home / "genesis.json").write_bytes(encode_genesis(hub.genesis))
    hashes = {height: hub.application.state.require_root(height).hex() for height in range(6)}
    next_hash = hub.ledger.records.block(5).block_id.hash.hex()
    hub.store.close()
    return home, hashes, next_hash


def run(*arguments):
    done = CliRunner().invoke(app, ["snapshot", *map(str, arguments)])
    return done.exit_code, done.output


def test_make_list_and_verify(home):
    home, hashes, next_hash = home
    assert run("list", "--home", home) == (0, "no snapshots\n")
    code, output = run("make", "--home", home)
    assert code == 0, output
    assert "snapshot of height 4: 1 chunks" in output
    assert run("make", "--home", home, "--height", 2)[0] == 0
    code, output = run("list", "--home", home)
    assert [line.split()[0] for line in output.splitlines()] == ["4", "2"]
    code, output = run("verify", "--home", home, "--app-hash", "0x" + hashes[4].upper())
    assert (code, next_hash in output) == (0, True)
    assert run("verify", "--home", home, "--app-hash", hashes[2], "--height", 2)[0] == 0
    chunk = home / "snapshots" / "4" / "00000"
    good = chunk.read_bytes()
    chunk.write_bytes(good[:-1])
    code, output = run("verify", "--home", home, "--app-hash", hashes[4])
    assert (code, "chunk_is_the_manifests" in output) == (1, True)
    chunk.write_bytes(good)


def test_what_the_command_refuses(home, tmp_path):
    home, hashes, _ = home
    code, output = run("make", "--home", home, "--height", 5)
    assert (code, "block 6 is not stored" in output) == (1, True)
    code, output = run("make", "--home", home, "--height", 9)
    assert (code, "no version 9" in output) == (1, True)
    assert run("make", "--home", home, "--cometbft-rpc", "http://127.0.0.1:9")[0] == 1
    assert run("make", "--home", tmp_path)[0] == 2
    assert run("verify", "--home", home, "--app-hash", "00" * 32, "--height", 4)[0] == 1
    assert run("verify", "--home", home, "--app-hash", "zz", "--height", 4)[0] == 2
    assert run("verify", "--home", home, "--app-hash", hashes[3], "--height", 3)[0] == 2
    assert run("verify", "--home", tmp_path, "--app-hash", hashes[3])[0] == 2
    assert run("list", "--home", tmp_path / "none")[0] == 2
