"""`hutong hub abci`: the application of one hub member, beside the CometBFT that drives it."""

import signal
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import trio

from hutong.light_clients.crypto.engines import (
    ALGORITHMS,
    EngineContradicted,
    NotInstalled,
    try_engines_of_consensus,
)
from hutong.relay.evm.chain.log_backfill import index_older_blocks
from hutong.relay.evm.rpc.call_processes import CallProcesses
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.server import JsonRpcApp, serve
from hutong.relay.evm.store.lmdb_store import LmdbStore, StoreFull
from hutong.relay.evm.vm.precompiles import SetupUnusable
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.abci.address import ListenAddress, listen_at
from hutong.relay.hub.abci.broadcast import CometBftPool
from hutong.relay.hub.abci.genesis import RevisionUnsupported
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.abci.server import AbciServer, ApplicationHalted
from hutong.relay.hub.application.genesis import UnfitRuntime, check_runtime
from hutong.relay.hub.application.self_test import SelfTestFailed, run_self_test
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.chain.engine_watch import algorithms_of_choice, watch_engines
from hutong.relay.hub.chain.execution_guard import DEFAULT_LIMITS, ExecutionGuard, ExecutionLimits
from hutong.relay.hub.chain.ledger import ChainDamaged
from hutong.relay.hub.chain.pruning import Pruner, retention_of
from hutong.relay.hub.chain.room import room_methods, watch_room
from hutong.relay.hub.home.home import UnusableHome, load_genesis
from hutong.relay.hub.home.process import MAP_BYTES, NodeHalted, NodeRefused, halt_reason, open_store, refusal_at_open
from hutong.relay.hub.joining.engine_headers import EngineHeaders
from hutong.relay.hub.joining.snapshot_files import SNAPSHOTS_DIRECTORY, SnapshotFiles
from hutong.relay.hub.joining.snapshot_taker import NO_SNAPSHOTS, SnapshotSchedule, SnapshotTaker
from hutong.relay.hub.joining.state_sync import StateSync
from hutong.relay.hub.process.call_process import call_command
from hutong.relay.hub.process.start import KEPT_BY_DEFAULT, Kept, raise_open_files
from hutong.relay.hub.rpc.chain import HubChain
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.hub.state import StateDamaged
from hutong.relay.hub.upkeep.skip_keys import skip_record_of


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the process listens and whom it asks. Port 0 lets the system choose."""

    abci: ListenAddress
    cometbft_rpc: str
    host: str = "127.0.0.1"
    eth_port: int = 8545


@dataclass(slots=True)
class AbciNode:
    """A checked home, opened."""

    home: Path
    machine: HubMachine
    store: LmdbStore
    state_sync: StateSync
    vectors: int


def open_abci_node(home: Path, map_bytes: int = MAP_BYTES, limits: ExecutionLimits = DEFAULT_LIMITS) -> AbciNode:
    """Load, check and open everything; blocking, for seconds. The database holds `map_bytes` at most.

    The home stays locked until the process ends. A restoration that did not end is taken back to genesis.

    Raises:
        NodeRefused: one sentence. The store is closed then, and whatever else is raised.
    """
    raise_open_files()
    try:
        genesis = load_genesis(home)
        check_runtime(genesis)
        try_engines_of_consensus(ALGORITHMS.values(), algorithms_of_choice(genesis.runtime))
        vectors = run_with_evm_stack(lambda: run_self_test(genesis.rules_version, with_gm=genesis.runtime.has_gm))
    except (EngineContradicted, NotInstalled, UnusableHome, UnfitRuntime, SelfTestFailed, SetupUnusable) as error:
        raise NodeRefused(str(error)) from error
    with ExitStack() as opened:
        store = open_store(home, map_bytes)
        opened.callback(store.close)
        try:
            machine = run_with_evm_stack(lambda: HubMachine(store, genesis))
            state_sync = StateSync(machine.application, store, SnapshotFiles(home / SNAPSHOTS_DIRECTORY))
            run_with_evm_stack(state_sync.discard_unfinished)
            record = skip_record_of(home)
            machine.guard, machine.desk = ExecutionGuard(home, limits), SkipDesk(home, machine, lambda: record)
        except (ChainDamaged, OSError, RevisionUnsupported, StateDamaged, StoreFull, UnusableHome) as error:
            raise refusal_at_open(home, error) from error
        opened.pop_all()
    return AbciNode(home, machine, store, state_sync, vectors)


async def serve_abci_node(
    node: AbciNode,
    doors: Doors,
    snapshots: SnapshotSchedule = NO_SNAPSHOTS,
    *,
    task_status: trio.TaskStatus[Doors] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run until cancelled; `task_status` is told the address and the port that are bound.

    Raises:
        ExceptionGroup: with OSError where an address or port cannot be had, else with what made the application halt.
    """
    machine = node.machine
    with CometBftPool(doors.cometbft_rpc, machine.pool) as pool, closing(EngineHeaders(doors.cometbft_rpc)) as headers:
        async with trio.open_nursery() as nursery:
            chain = HubChain(machine.application, machine.pool.mempool, pool.pass_on)

            taker = SnapshotTaker(node.home, node.store, machine.genesis, headers, snapshots)

            async def on_commit(height: int) -> None:
                chain.heads.publish(height)
                await trio.to_thread.run_sync(machine.pool.relays.learn, height)
                taker.committed(height)

            calls = CallProcesses(call_command(node.home, node.store.map_bytes))
            await nursery.start(calls.run)
            methods = {**HutongMethods(machine.application).methods(), **room_methods(node.store)}
            eth = JsonRpcApp(JsonRpcService(chain, methods, calls))
            eth_port = await nursery.start(serve, eth, doors.host, doors.eth_port)
            listener, address = listen_at(doors.abci)
            await nursery.start(AbciServer(machine, on_commit, node.state_sync).serve, [listener])
            nursery.start_soon(taker.run)
            nursery.start_soon(index_older_blocks, node.store, chain.chain_id)
            nursery.start_soon(watch_room, node.store)
            nursery.start_soon(watch_engines, node.home, algorithms_of_choice(machine.genesis.runtime))
            task_status.started(Doors(address, doors.cometbft_rpc, doors.host, eth_port))


async def _until_signalled(node: AbciNode, doors: Doors, snapshots: SnapshotSchedule) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            bound = await nursery.start(serve_abci_node, node, doors, snapshots)
            sys.stdout.write(
                f"hub {node.machine.genesis.chain_id} ready for CometBFT at height {node.machine.height}:"
                f" eth_* http://{bound.host}:{bound.eth_port}, ABCI {bound.abci}"
                f" ({node.vectors} self-test vectors passed)\n"
            )
            sys.stdout.flush()
            async for _ in signals:
                nursery.cancel_scope.cancel()
                break


def run_abci_node(
    home: Path,
    doors: Doors,
    snapshots: SnapshotSchedule,
    kept: Kept = KEPT_BY_DEFAULT,
    map_bytes: int = MAP_BYTES,
    limits: ExecutionLimits = DEFAULT_LIMITS,
) -> None:
    """Open and run until SIGTERM or SIGINT. Of `kept` the number of blocks is not used: CometBFT keeps them.

    Raises:
        NodeRefused: the node did not start.
        NodeHalted: it ran and must not go on, or an address cannot be had.
    """
    node = open_abci_node(home, map_bytes, limits)
    try:
        machine = node.machine
        # Blocks are CometBFT's, and so is what becomes of them; transactions and receipts for eth_* are kept here.
        retention = retention_of(machine.genesis.params, kept.states_h, 0, kept.bodies_gib)
        machine.pruner = Pruner(node.store, machine.application, BlockRecords(node.store), retention)
        try:
            machine.pruner.prepare()
        except (StateDamaged, StoreFull) as error:
            raise refusal_at_open(home, error) from error
        trio.run(_until_signalled, node, doors, snapshots)
    except BaseExceptionGroup as group:
        raise NodeHalted(f"hub halted: {_reason(group)}") from group
    finally:
        node.store.close()


def _reason(group: BaseException) -> str:
    halted = group
    while isinstance(halted, BaseExceptionGroup):
        halted = halted.exceptions[0]
    return str(halted) if isinstance(halted, ApplicationHalted) else halt_reason(group)
