"""Pruning: what is kept answers as if nothing had gone, what is gone says so, and the disk holds nothing else."""

import json
import random
import urllib.request

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.tendermint.hashing import header_hash
from hutong.relay.evm.chain.log_index import INDEX_TABLE, INDEXED_FROM, PROGRESS_TABLE
from hutong.relay.evm.errors import StatePruned
from hutong.relay.evm.store.database import MemoryStore, Table, WritableTable
from hutong.relay.evm.vm.state_traversal import StateTraversal
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.application.abci import CODE_OK, CODE_UNKNOWN_HEIGHT, FinalizeBlockRequest
from hutong.relay.hub.application.application import STATE_TABLE
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.application.machine.evm_pruning import EVM_PRUNING_TABLE, EVM_TABLE, counts_places
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.chain.pruning import KEEP_ALL, Pruner, Retention, TooFewBlocks, retention_of
from hutong.relay.hub.consensus.blocks import ConsensusParams
from hutong.relay.hub.consensus.evidence import AccountableUntil
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import Kept, Ports, open_node, prune_node, run_node, serve_node
from hutong.relay.hub.state import GENESIS_KEY, SparseMerkleTree
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.tree import EMPTY_ROOT, Inner
from hutong.relay.hub.state.versions import VersionedState, node_row, prune_version
from tests.relay.hub.hub_process import new_home
from tests.relay.hub.joining.snapshot_chain import JoiningNode, Taken
from tests.relay.hub.simulated_hub import SimulatedHub

KEPT = 6


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr("hutong.relay.hub.chain.pruning.LEAST_STATES", KEPT)


def prune(hub, states_s=1, blocks=None):
    ledger = hub.ledger
    ledger.pruner = Pruner(hub.store, ledger.application, ledger.records, Retention(states_s, blocks))
    return hub.ledger.pruner


def write(hub, choice: random.Random) -> None:
    """A block that sets, clears and sets again slots of two contracts with equal code, so that nodes go and come back."""
    transactions = []
    for _ in range(choice.randrange(4)):
        recorder = choice.choice(hub.recorders)
        transactions.append(
            hub.raw(
                recorder, choice.randrange(5).to_bytes(32, "big") + choice.randrange(3).to_bytes(32, "big"), gas=200_000
            )
        )
    if choice.randrange(6) == 0:
        transactions.append(hub.raw(None, SETTER_INIT))
    hub.advance(*transactions)


# SSTORE(CALLDATALOAD(0), CALLDATALOAD(32)); its constructor sets slot 7 to 1, so that fresh ones share a storage trie
_SETTER = bytes.fromhex("602035600035550000")[:8]
SETTER_INIT = (
    bytes.fromhex("600160075560" + f"{len(_SETTER):02x}" + "601160003960" + f"{len(_SETTER):02x}" + "6000f3") + _SETTER
)


LOGGING_INIT = bytes.fromhex("600760006000a1")
"""Logs topic 7 and leaves no code."""


def setters(hub, count=2):
    hub.recorders = []
    for _ in range(count):
        (outcome,) = hub.advance(hub.raw(None, SETTER_INIT))
        assert outcome.ok
        hub.recorders.append(hub.application.blocks.receipts(hub.height)[0].contract_address)
    return hub


def reachable(hub, versions):
    """Rows of the tree and of the EVM that these versions have."""
    state, evm = hub.application.state, Table(hub.store, EVM_TABLE)
    tree = SparseMerkleTree(Table(hub.store, STATE_TABLE + node_row(b"")), cached_nodes=0)
    nodes, records = set(), set()
    for version in versions:
        stack = [state.require_root(version)]
        while stack:
            node_hash = stack.pop()
            if node_hash == EMPTY_ROOT or node_hash in nodes:
                continue
            nodes.add(node_hash)
            node = tree.node(node_hash)
            if isinstance(node, Inner):
                stack += (node.left, node.right)
        traversal = StateTraversal(state.view_at(version).get(EVM_STATE_ROOT_KEY))
        while (expected := traversal.expected) is not None:
            traversal.feed(evm.get(expected.hash))
            records.add(expected.hash)
    return nodes, records


def stored(hub):
    nodes = {key for key, _ in Table(hub.store, STATE_TABLE + node_row(b"")).items()}
    return nodes, {key for key, _ in Table(hub.store, EVM_TABLE).items()}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_what_stays_is_what_the_kept_states_need_and_answers_as_before(seed):
    choice, twin_choice = random.Random(seed), random.Random(seed)
    hub, twin = setters(SimulatedHub()), setters(SimulatedHub())
    prune(hub)
    for _ in range(40):
        write(hub, choice)
        write(twin, twin_choice)
    assert hub.app_hash == twin.app_hash
    versions = range(hub.application.state.oldest_version(), hub.height + 1)
    assert versions[0] == hub.height - KEPT + 1
    assert stored(hub) == reachable(hub, versions)
    for version in versions:
        ours, theirs = hub.application.state.view_at(version), twin.application.state.view_at(version)
        assert list(ours.with_prefix(b"")) == list(theirs.with_prefix(b""))
        for key in (GENESIS_KEY, EVM_STATE_ROOT_KEY, b"absent"):
            answers = [one.application.query("/key", key, version, prove=True) for one in (hub, twin)]
            assert answers[0] == answers[1]
            assert answers[0].code == CODE_OK


def test_a_pruned_height_is_named_by_every_query():
    hub = setters(SimulatedHub())
    prune(hub)
    for _ in range(20):
        hub.advance()
    oldest = hub.application.state.oldest_version()
    assert hub.application.query("/key", GENESIS_KEY, oldest, prove=True).code == CODE_OK
    answer = hub.application.query("/key", GENESIS_KEY, oldest - 1, prove=True)
    assert answer.code == CODE_UNKNOWN_HEIGHT
    assert answer.log == f"no state at height {oldest - 1}: states before {oldest} are pruned on this node"
    assert hub.application.state_after(hub.application.blocks.block(oldest)) is not None
    with pytest.raises(StatePruned) as refused:
        hub.application.state_after(hub.application.blocks.block(oldest - 1))
    assert refused.value == StatePruned(oldest - 1, oldest)


def test_states_younger_than_asked_stay_and_keeping_all_deletes_nothing():
    hub = setters(SimulatedHub())
    prune(hub, states_s=20)
    for _ in range(40):
        hub.advance()
    times = hub.application.block_time_ns
    oldest = hub.application.state.oldest_version()
    assert times(hub.height) - times(oldest + 1) < 20 * 10**9 <= times(hub.height) - times(oldest)
    everything = SimulatedHub()
    everything.ledger.pruner = Pruner(everything.store, everything.application, everything.ledger.records, KEEP_ALL)
    for _ in range(30):
        everything.advance()
    assert everything.application.state.oldest_version() == 0
    assert everything.ledger.records.first_height() == 1


def test_blocks_go_with_every_row_that_they_brought_and_not_before_their_states():
    hub = setters(SimulatedHub())
    (logged,) = hub.advance(hub.raw(None, LOGGING_INIT))
    assert logged.ok
    before = [key for key, _ in hub.store.items()]
    prune(hub, states_s=1, blocks=10)
    for _ in range(30):
        write(hub, random.Random(hub.height))
    first = hub.ledger.records.first_height()
    assert first == hub.height - 10
    assert (hub.application.blocks.first_number(), hub.application.blocks.block(first - 1)) == (first, None)
    gone = [key for key in before if hub.store.get(key) is None]
    left = [key for key in before if hub.store.get(key) is not None]
    of_blocks = (b"hub-blocks/", b"hub-commits/", b"hub-results/", b"evm-blocks/")
    assert [key for key in left if key.startswith(of_blocks)] == [PROGRESS_TABLE + INDEXED_FROM]
    assert [key for key in gone if key.startswith(INDEX_TABLE)], "the blocks had logs"
    assert [key for key in gone if key.startswith(b"hub-heights/")]
    # The last number of blocks is still there for the node to start from.
    assert HubLedger(hub.store, hub.genesis).tip == hub.ledger.tip
    unpruned = setters(SimulatedHub())
    unpruned.ledger.pruner = Pruner(unpruned.store, unpruned.application, unpruned.ledger.records, Retention(None, 10))
    for _ in range(30):
        unpruned.advance()
    assert unpruned.ledger.records.first_height() == 1


def test_a_home_from_before_is_counted_once_and_then_pruned_without_losing_a_shared_node():
    choice = random.Random(9)
    hub = setters(SimulatedHub(), count=3)
    for _ in range(10):
        write(hub, choice)
    with hub.store.batch() as batch:
        for key, _ in list(hub.store.items()):
            if key.startswith(EVM_PRUNING_TABLE):
                batch.delete(key)
    assert not counts_places(hub.store)
    pruner = prune(hub)
    hub.advance()
    assert hub.application.state.oldest_version() == 0  # nothing is pruned on counts that are not there
    assert (pruner.prepare(), pruner.prepare()) == (True, False)
    for _ in range(40):
        write(hub, choice)
    versions = range(hub.application.state.oldest_version(), hub.height + 1)
    assert versions[0] == hub.height - KEPT + 1
    nodes, records = reachable(hub, versions)
    assert records <= stored(hub)[1]


def test_a_restored_node_prunes_without_losing_a_shared_node(tmp_path):
    choice = random.Random(3)
    hub = setters(SimulatedHub(), count=3)
    while hub.height < 12:
        write(hub, choice)
    taken = Taken.of(hub, 11)
    node = JoiningNode(hub.genesis, tmp_path)
    node.restore(taken, hub.application.state.require_root(11))
    assert counts_places(node.store)
    assert [key for key, _ in Table(node.store, EVM_PRUNING_TABLE).items() if key.startswith(b"c")]


class Crash(Exception):
    pass


class FailingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.writes_left = 10**9

    def batch(self):
        if self.writes_left == 0:
            raise Crash
        self.writes_left -= 1
        return super().batch()


@pytest.mark.long
def test_a_crash_at_any_write_while_pruning_leaves_a_whole_chain():
    for writes in range(1, 40, 3):
        store = FailingStore()
        hub = setters(SimulatedHub(store=store))
        for _ in range(12):
            hub.advance()
        prune(hub, blocks=4)
        store.writes_left = writes
        choice = random.Random(writes)
        try:
            while True:
                write(hub, choice)
        except Crash:
            pass
        store.writes_left = 10**9
        ledger = HubLedger(store, hub.genesis)  # checks that block, state and results agree
        nonces, recorders = hub.nonces, hub.recorders
        again = SimulatedHub(store=store)
        assert again.ledger.tip == ledger.tip
        again.nonces, again.recorders = nonces, recorders
        prune(again, blocks=4)
        oldest = again.application.state.oldest_version()
        reachable(again, range(oldest, again.height + 1))
        for _ in range(8):
            again.advance()
        versions = range(again.application.state.oldest_version(), again.height + 1)
        assert stored(again) == reachable(again, versions)


def test_retention_from_the_commands_numbers():
    params = HubParams()
    assert retention_of(params, None, None) == Retention(params.trusting_period_s, 1_814_400, 21 * 86_400, 64 * 1024**3)
    assert retention_of(params, 0, 0, 0) == KEEP_ALL
    assert retention_of(params, 24, 1_814_401) == Retention(86_400, 1_814_401, 21 * 86_400, 64 * 1024**3)
    for blocks in (1, 1_814_399):
        with pytest.raises(TooFewBlocks) as refused:
            retention_of(params, None, blocks)
        assert (refused.value.got, refused.value.expected) == (blocks, 1_814_400)


def test_what_is_kept_by_default_covers_all_evidence_that_counts():
    """Of both bounds of the consensus params the later one decides, as `AccountableUntil` has it."""
    kept, params = retention_of(HubParams(), None, None), ConsensusParams()
    assert kept.blocks >= params.evidence_max_age_blocks
    assert kept.blocks_s * 10**9 >= params.evidence_max_age_ns


@pytest.mark.parametrize(("interval_s", "blocks"), [(1, 12), (2, 8), (4, 8)])
def test_a_block_goes_when_evidence_about_it_is_over_and_not_before(interval_s, blocks):
    """Eight blocks and twelve seconds: with a block a second it is the time that decides, else the number."""
    hub = SimulatedHub()
    ledger = hub.ledger
    ledger.pruner = Pruner(hub.store, ledger.application, ledger.records, Retention(1, 8, 12))
    times_ns = {1: ledger.tip.time_ns}
    for _ in range(30):
        hub.advance(time_s=hub.time_s + interval_s)
        tip, first = ledger.tip, ledger.records.first_height()
        times_ns[tip.height] = tip.time_ns
        accountable = AccountableUntil(tip.height, tip.time_ns, 8, 12 * 10**9)
        assert all(height >= first for height, time_ns in times_ns.items() if not accountable.is_over(height, time_ns))
    assert first == tip.height - blocks


@pytest.mark.long
def test_a_number_that_is_too_small_is_refused_at_the_start(tmp_path):
    home = new_home(tmp_path)
    with pytest.raises(NodeRefused) as refused:
        run_node(home, Ports("127.0.0.1", 0, 0), kept=Kept(blocks=1_024))
    assert str(refused.value) == (
        "keeping 1024 blocks is too few: evidence against a validator counts for 1814400 blocks, and a node without them"
        " cannot judge it; keep 1814400 or more, or 0 for all"
    )


@pytest.mark.long
def test_pruned_heights_answer_an_error_at_both_rpc_doors(tmp_path):
    """A node as `hutong hub start` runs it: eth_* and CometBFT's RPC over sockets."""
    home = new_home(tmp_path, block_interval_ms=100, proof_block_delay_ms=50)
    node = open_node(home)
    prune_node(node, Kept())
    assert node.ledger.pruner is not None
    prune(node, blocks=10)

    def ask(url, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)

    async def scenario():
        async with trio.open_nursery() as nursery:
            ports = await nursery.start(serve_node, node, Ports("127.0.0.1", 0, 0))
            with trio.fail_after(60):
                while node.ledger.records.first_height() < 3:
                    await trio.testing.wait_all_tasks_blocked(0.05)
                eth, cometbft = (f"http://127.0.0.1:{port}" for port in (ports.eth, ports.cometbft))
                run = trio.to_thread.run_sync
                call = await run(ask, eth, "eth_getBalance", "0x" + "11" * 20, "0x1")
                block = await run(ask, eth, "eth_getBlockByNumber", "0x1", False)
                commit = await run(ask, cometbft, "commit", "1")
                status = await run(ask, cometbft, "status")
                newest = await run(ask, eth, "eth_getBalance", "0x" + "11" * 20, "latest")
            nursery.cancel_scope.cancel()
        return call, block, commit, status, newest

    try:
        call, block, commit, status, newest = trio.run(scenario)
    finally:
        node.store.close()
    assert (call["error"]["code"], block["error"]["code"]) == (4444, 4444)
    assert "pruned history unavailable" in call["error"]["message"]
    assert "the first block of this node is" in block["error"]["message"]
    assert "height 1 is not available, lowest height is" in commit["error"]["data"]
    assert int(status["result"]["sync_info"]["earliest_block_height"]) >= 3
    assert newest["result"] == "0x0"


def test_under_another_engine_states_are_pruned_alike():
    hub = setters(SimulatedHub())
    choice = random.Random(1)
    while hub.height < 30:
        write(hub, choice)
    machine = HubMachine(MemoryStore(), hub.genesis)
    machine.pruner = Pruner(machine.store, machine.application, BlockRecords(machine.store), Retention(1, None))
    for height in range(1, 31):
        block = hub.ledger.records.block(height).block
        header = block.header
        machine.finalize_block(
            FinalizeBlockRequest(
                height,
                header.time_ns,
                header_hash(header),
                header.proposer_address,
                block.transactions,
                header.version_app,
            )
        )
        assert machine.commit() == height
    assert machine.info().last_block_app_hash == hub.app_hash
    assert machine.application.oldest_state() == 30 - KEPT + 1
    assert machine.application.blocks.block(1) is not None


CHANGES = st.dictionaries(
    st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), st.sampled_from([None, b"1", b"2"]), max_size=3
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CHANGES, min_size=4, max_size=14), st.integers(1, 4))
def test_nodes_and_values_that_go_and_come_back_outlive_the_pruning(blocks, kept):
    store = MemoryStore()
    state = VersionedState(Table(store, STATE_TABLE))
    model: list[dict[bytes, bytes]] = []
    for version, changes in enumerate([{b"always": b"0"}, *blocks]):
        with store.batch() as batch:
            state.commit(WritableTable(batch, STATE_TABLE), version, changes)
        values = {**(model[-1] if model else {}), **changes}
        model.append({key: value for key, value in values.items() if value is not None})
        if version >= kept:
            with store.batch() as batch:
                prune_version(batch, STATE_TABLE, version - kept)
    oldest = len(model) - kept
    assert state.oldest_version() == oldest
    tree = SparseMerkleTree(Table(store, STATE_TABLE + node_row(b"")), cached_nodes=0)
    needed: set[bytes] = set()
    for version in range(oldest, len(model)):
        assert dict(state.view_at(version).with_prefix(b"")) == model[version]
        stack = [state.require_root(version)]
        while stack:
            node_hash = stack.pop()
            if node_hash == EMPTY_ROOT or node_hash in needed:
                continue
            needed.add(node_hash)
            node = tree.node(node_hash)
            stack += (node.left, node.right) if isinstance(node, Inner) else ()
    assert {key for key, _ in Table(store, STATE_TABLE + node_row(b"")).items()} == needed
    rows = sum(1 for _ in Table(store, STATE_TABLE + b"v").items())
    assert rows <= sum(len(values) for values in model[oldest:]) + 5 * kept
