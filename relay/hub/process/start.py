"""Starting a hub node: every check that may refuse comes first, each with one sentence."""

import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import trio

from hutong.light_clients.crypto.engines import (
    ALGORITHMS,
    EngineContradicted,
    NotInstalled,
    try_engines_of_consensus,
)
from hutong.light_clients.interface import VerificationError
from hutong.relay.evm.chain.log_backfill import index_older_blocks
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.rpc.call_executor import CALL_DEADLINE_S
from hutong.relay.evm.rpc.call_processes import CallProcesses
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.server import JsonRpcApp, serve
from hutong.relay.evm.store.lmdb_store import LmdbStore, StoreFull
from hutong.relay.evm.vm.precompiles import SetupUnusable
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application.genesis import UnfitRuntime, check_runtime
from hutong.relay.hub.application.governance.coming import RevisionEnded, UnknownRulesVersion
from hutong.relay.hub.application.self_test import SelfTestFailed, run_self_test
from hutong.relay.hub.chain.engine_watch import algorithms_of_choice, watch_engines
from hutong.relay.hub.chain.execution_guard import DEFAULT_LIMITS, ExecutionGuard, ExecutionLimits
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.chain.pruning import Pruner, TooFewBlocks, retention_of
from hutong.relay.hub.chain.room import room_methods, watch_room
from hutong.relay.hub.engine.alone import Alone
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.driver import ConsensusDriver, DrivenValidator
from hutong.relay.hub.engine.following import begin_log_anew, executed_certified, follow
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.signing_record import why_not_sign
from hutong.relay.hub.engine.standing import why_no_blocks
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import WriteAheadLog
from hutong.relay.hub.home.home import REMOTE_KEY_FILE, SIGNER_FILE, VALIDATOR_KEY_FILE, UnusableHome, load_genesis
from hutong.relay.hub.home.key_file import Password, load_key, no_password
from hutong.relay.hub.home.process import (
    LEAST_OPEN_FILES,
    MAP_BYTES,
    NodeHalted,
    NodeRefused,
    halt_reason,
    innermost_cause,
    lock_home,
    open_store,
    refusal_at_open,
)
from hutong.relay.hub.joining.snapshot_taker import NO_SNAPSHOTS, SnapshotSchedule, SnapshotTaker, headers_of_records
from hutong.relay.hub.joining.state_sync import restoration_is_unfinished
from hutong.relay.hub.joining.sync_methods import SyncMethods
from hutong.relay.hub.network.link.node_key import NodeKey, load_node_key
from hutong.relay.hub.network.network_file import NETWORK_FILE, Network, load_network
from hutong.relay.hub.network.switchboard import NetworkedHome
from hutong.relay.hub.pool.known_relays import KnownRelays, governors, is_writer, pool_of
from hutong.relay.hub.process.call_process import call_command
from hutong.relay.hub.process.validator_among_peers import NodeNetwork
from hutong.relay.hub.remote_signer.client import NodeSigner, RemoteSigner
from hutong.relay.hub.remote_signer.key_place import load_key_table, source_signer_of
from hutong.relay.hub.remote_signer.places import load_signer_place
from hutong.relay.hub.rpc.chain import HubChain
from hutong.relay.hub.rpc.cometbft_http import CometBftRpcApp
from hutong.relay.hub.rpc.cometbft_methods import CometBftMethods
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from hutong.relay.hub.skipping.desk import SkipDesk
from hutong.relay.hub.skipping.files import SkipFiles
from hutong.relay.hub.state import StateDamaged
from hutong.relay.telemetry import configure_logs, get_logger

_log = get_logger("network")

SIGNER_LIMIT_S = 1.0
"""A signer that takes longer for one signature counts as away: consensus waits for it."""


SWITCH_S = 0.0005
"""A thread that executes gives way to the event loop after so long; Python's 5 ms would stall every answer and vote."""


@dataclass(frozen=True, slots=True)
class Ports:
    """0 lets the system choose."""

    host: str = "127.0.0.1"
    eth: int = 8545
    cometbft: int = 26657


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays on disk; None is the default, 0 is all."""

    states_h: int | None = None
    blocks: int | None = None
    bodies_gib: int | None = None
    """Of transactions, receipts and results."""


KEPT_BY_DEFAULT = Kept()


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """`map_bytes` is the most that the database takes; `named_relays` always find room in the pool; `limits` are of one block's
    execution."""

    map_bytes: int = MAP_BYTES
    named_relays: tuple[bytes, ...] = ()
    limits: ExecutionLimits = DEFAULT_LIMITS


DEFAULT_OPTIONS = NodeOptions()


@dataclass(slots=True)
class HubNode:
    """A checked home, opened: what `serve_node` runs."""

    ledger: HubLedger
    signer: NodeSigner
    log: WriteAheadLog
    mempool: Mempool
    store: LmdbStore
    vectors: int
    home: Path
    skips: SkipDesk
    peers: tuple[Network, NodeKey] | None = None
    """None for a validator that decides alone."""
    network: NodeNetwork | None = None
    """While it is served."""
    relays: KnownRelays | None = None


def open_node(home: Path, password: Password = no_password, options: NodeOptions = DEFAULT_OPTIONS) -> HubNode:
    """Load, check and open everything that `serve_node` runs; blocking, for seconds.

    The home stays locked until the process ends.

    Raises:
        NodeRefused: one sentence. Store and signer are closed then, and whatever else is raised.
    """
    raise_open_files()
    try:
        genesis = load_genesis(home)
        if (home / "cometbft").is_dir():
            raise NodeRefused(f"{home} is of a hub under CometBFT: run `hutong hub abci` and CometBFT")
        check_runtime(genesis)
        try_engines_of_consensus(ALGORITHMS.values(), algorithms_of_choice(genesis.runtime))
        vectors = run_with_evm_stack(lambda: run_self_test(genesis.rules_version, with_gm=genesis.runtime.has_gm))
        peers = _peers_of(home)
        signer = signer_of(home, genesis.chain_id, password)
    except (EngineContradicted, NotInstalled, UnusableHome, UnfitRuntime, SelfTestFailed, SetupUnusable) as error:
        raise NodeRefused(str(error)) from error
    with ExitStack() as opened:
        opened.callback(signer.close)
        store = open_store(home, options.map_bytes)
        opened.callback(store.close)
        try:
            ledger = run_with_evm_stack(lambda: HubLedger(store, genesis))
            if restoration_is_unfinished(store):
                raise NodeRefused(f"{home}: a snapshot is half restored here; run `hutong hub join` again")
            ledger = _followed(home, store, ledger, signer)
            ledger.guard = ExecutionGuard(home, options.limits)
            _check_record(signer, ledger)
            with suppress(RevisionEnded):
                ledger.application.coming.require_block(ledger.tip.height + 1)
            reason = why_no_blocks(ledger.tip.validators, ledger.tip.height + 1, signer.public_key.address)
            if reason is not None and ledger.tip.height == 0 and peers is None:
                raise NodeRefused(reason)
            log = WriteAheadLog(home)
            opened.callback(log.close)
        except (ChainDamaged, OSError, StateDamaged, StoreFull, UnknownRulesVersion, UnusableHome) as error:
            raise refusal_at_open(home, error) from error
        application = ledger.application
        known = (*governors(genesis), *options.named_relays)
        relays = KnownRelays(application.blocks, known, is_writer(application))
        skips = SkipDesk(home, ledger, lambda: signer.record)
        pool = pool_of(genesis, relays)
        opened.pop_all()
    return HubNode(ledger, signer, log, pool, store, vectors, home, skips, peers, relays=relays)


def _followed(home: Path, store: LmdbStore, ledger: HubLedger, signer: NodeSigner) -> HubLedger:
    """Where the newest block was executed here and counts as empty, it is taken back. Raises UnusableHome, NodeRefused."""
    certificate = SkipFiles(home).load(ledger.tip.height)
    try:
        if certificate is None or not executed_certified(ledger, certificate):
            return ledger
        begin_log_anew(home, ledger, certificate, signer.record, time.time_ns())
        followed = follow(store, ledger.genesis, ledger, certificate)
    except VerificationError as error:
        path = SkipFiles(home).path(ledger.tip.height)
        raise NodeRefused(f"{path}: {error}; remove it if it is not your hub's") from error
    _say(
        f"block {followed.tip.height} was executed here and counts as empty by certificate: it was taken back and follows so"
    )
    return followed


def signer_of(home: Path, chain_id: str, password: Password) -> NodeSigner:
    """The key of a home, under its lock, or a connection to the signer that has it.

    Raises:
        UnusableHome: the key, its record or the signer's place cannot be used, or the signer does not answer.
        NodeRefused: another process runs in the home.
    """
    if (home / SIGNER_FILE).exists():
        raise UnusableHome(f"{home} is a signer's home: run `hutong hub signer start`")
    table = load_key_table(home)
    if table is not None:
        _require_network(home)
        lock_home(home)
        return source_signer_of(home, table, chain_id)
    place = load_signer_place(home)
    if place is None:
        key = load_key(home, password)
        # Under the lock: another process may have signed until it was free.
        lock_home(home)
        return FileSigner(home, key, chain_id)
    if (home / VALIDATOR_KEY_FILE).exists():
        raise UnusableHome(
            f"{home / REMOTE_KEY_FILE} and {home / VALIDATOR_KEY_FILE}: a key must be in one place, remove the one that is not used"
        )
    _require_network(home)
    # A second start would take the signer from the node that runs here.
    lock_home(home)
    remote = RemoteSigner(home, place, chain_id, SIGNER_LIMIT_S)
    try:
        remote.connect()
    except SignerAway as error:
        raise UnusableHome(f"{error}; a node starts when its signer answers (`hutong hub signer start`)") from None
    return remote


def _require_network(home: Path) -> None:
    """Among peers a validator whose key is away is silent; alone it would have to halt. Raises UnusableHome."""
    if not (home / NETWORK_FILE).exists():
        raise UnusableHome(
            f"{home / REMOTE_KEY_FILE}: a key with a signer is not supported without {NETWORK_FILE} (`hutong hub network init`)"
        )


def _peers_of(home: Path) -> tuple[Network, NodeKey] | None:
    network = load_network(home)
    if network is None:
        return None
    node_key = load_node_key(home)
    if node_key.node_id in {peer.node_id for peer in network.peers}:
        raise UnusableHome(f"{home / NETWORK_FILE}: lists this node itself, {node_key.node_id}")
    return network, node_key


def raise_open_files() -> None:
    """Raise the process's limit of open files to LEAST_OPEN_FILES.

    Strangers at the ports must not take the descriptors that blocks need.

    Raises:
        NodeRefused: the system does not let it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < LEAST_OPEN_FILES:
        if hard != resource.RLIM_INFINITY and hard < LEAST_OPEN_FILES:
            raise NodeRefused(f"the process may open {hard} files, the hub needs {LEAST_OPEN_FILES} (ulimit -n)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (LEAST_OPEN_FILES, hard))


def _check_record(signer: NodeSigner, ledger: HubLedger) -> None:
    reason = why_not_sign(signer.record, ledger.records, signer.public_key.address)
    if reason is not None:
        raise NodeRefused(reason)


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


async def serve_node(
    node: HubNode,
    ports: Ports,
    snapshots: SnapshotTaker | None = None,
    *,
    call_deadline_s: float = CALL_DEADLINE_S,
    task_status: trio.TaskStatus[Ports] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run until cancelled; `task_status` is told the ports that are bound.

    Args:
        call_deadline_s: for one `eth_call` or `eth_estimateGas`; its process ends by itself after ORPHAN_S.

    Raises:
        ExceptionGroup: with NodeRefused where a port cannot be had, else with what made consensus halt (`halt_reason`).
    """

    async def on_block(height: int) -> None:
        chain.heads.publish(height)
        if node.relays is not None:
            await trio.to_thread.run_sync(node.relays.learn, height)
        if snapshots is not None:
            snapshots.committed(height)

    network = node.network = _network_of(node, on_block)
    application = node.ledger.application
    pass_on = None if network is None else network.gossip.pass_on
    chain = HubChain(application, node.mempool, pass_on, node.ledger.records.rules_version)
    methods = {
        **HutongMethods(application).methods(),
        **room_methods(node.store),
        **({} if network is None else network.methods()),
    }
    calls = CallProcesses(call_command(node.home, node.store.map_bytes), call_deadline_s)
    eth = JsonRpcApp(JsonRpcService(chain, methods, calls))
    syncing = SyncMethods(node.ledger.records, None if snapshots is None else snapshots.files)
    among_peers = {}
    if network is not None:
        switchboard = network.switchboard
        among_peers = {"node_id": switchboard.node_id, "listen_address": f"tcp://{switchboard.listen}"}
    cometbft = CometBftRpcApp(CometBftMethods(node.ledger, node.signer.public_key, syncing.table, **among_peers))
    async with trio.open_nursery() as nursery:
        await nursery.start(calls.run)
        with _listening("--port", ports.host, ports.eth):
            eth_port = await nursery.start(serve, eth, ports.host, ports.eth)
        with _listening("--cometbft-port", ports.host, ports.cometbft):
            cometbft_port = await nursery.start(serve, cometbft, ports.host, ports.cometbft)
        if network is None:
            validator = _validator_of(node, Timeouts.without_peers(), on_block)
            nursery.start_soon(ConsensusDriver(validator, Alone(_say)).run)
        else:
            await nursery.start(network.run)
        nursery.start_soon(index_older_blocks, node.store, chain.chain_id)
        nursery.start_soon(watch_room, node.store)
        nursery.start_soon(watch_engines, node.home, algorithms_of_choice(node.ledger.genesis.runtime))
        if snapshots is not None:
            nursery.start_soon(snapshots.run)
        task_status.started(Ports(ports.host, eth_port, cometbft_port))


@contextmanager
def _listening(option: str, host: str, port: int) -> Iterator[None]:
    """Says which port cannot be had. Raises NodeRefused."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise NodeRefused(
            f"{option} {port} cannot be used on {host}: {reason}; stop what listens there or give another port"
        ) from None


def _validator_of(node: HubNode, timeouts: Timeouts, on_block: Callable[[int], Awaitable[None]]) -> DrivenValidator:
    address = node.signer.public_key.address
    return DrivenValidator(
        node.ledger, node.signer, address, node.mempool, node.log, on_block, timeouts, skips=node.skips
    )


def _network_of(node: HubNode, on_block: Callable[[int], Awaitable[None]]) -> NodeNetwork | None:
    if node.peers is None:
        return None
    return NodeNetwork(
        NetworkedHome(node.home, *node.peers),
        _validator_of(node, Timeouts.among_peers(node.ledger.genesis.params), on_block),
        Random(),  # noqa: S311  spreads dials and statuses in time
        node.ledger.evidence.add,
    )


async def _until_signalled(node: HubNode, ports: Ports, snapshots: SnapshotTaker) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            bound = await nursery.start(serve_node, node, ports, snapshots)
            sys.stdout.write(
                f"hub {node.ledger.genesis.chain_id} ready at height {node.ledger.tip.height}:"
                f" eth_* http://{bound.host}:{bound.eth}, CometBFT http://{bound.host}:{bound.cometbft}"
                f" ({node.vectors} self-test vectors passed)\n"
            )
            sys.stdout.flush()
            async for number in signals:
                if number != signal.SIGHUP:
                    nursery.cancel_scope.cancel()
                    break
                take_peers(node)


def take_peers(node: HubNode) -> None:
    """Take up the peers of network.toml as it is now (SIGHUP).

    Where it cannot be used, that is logged and they stay.
    """
    try:
        peers = _peers_of(node.home)
        if node.network is None or peers is None:
            raise UnusableHome(f"a node takes up or leaves {node.home / NETWORK_FILE} at its start only")
        node.network.switchboard.take(*peers)
    except UnusableHome as error:
        _log.error("peers stay as they were", reason=str(error))


def run_node(
    home: Path,
    ports: Ports,
    schedule: SnapshotSchedule = NO_SNAPSHOTS,
    kept: Kept = KEPT_BY_DEFAULT,
    password: Password = no_password,
    options: NodeOptions = DEFAULT_OPTIONS,
) -> None:
    """Open and run until SIGTERM or SIGINT; SIGHUP takes up the peers anew. Sets the interpreter's switch interval.

    Raises:
        NodeRefused: the node did not start, or a port cannot be had.
        NodeHalted: it ran and must not go on.
    """
    sys.setswitchinterval(SWITCH_S)
    node = open_node(home, password, options)
    configure_logs()
    try:
        prune_node(node, kept)
        header_of = headers_of_records(node.ledger.records)
        taker = SnapshotTaker(home, node.store, node.ledger.genesis, header_of, schedule)
        trio.run(_until_signalled, node, ports, taker)
    except BaseExceptionGroup as group:
        cause = innermost_cause(group)
        if isinstance(cause, NodeRefused):
            raise cause from None
        raise NodeHalted(f"hub halted: {halt_reason(group)}") from group
    finally:
        node.log.close()
        node.store.close()


def prune_node(node: HubNode, kept: Kept) -> None:
    """Let the ledger delete what is older than `kept` says.

    Call it before a block is applied; the first time it walks over all of the state.

    Raises:
        NodeRefused: fewer blocks are kept than those for which evidence counts, the newest EVM state has a hole, or what
            was counted does not fit into the database.
    """
    ledger = node.ledger
    try:
        retention = retention_of(ledger.genesis.params, kept.states_h, kept.blocks, kept.bodies_gib)
    except TooFewBlocks as error:
        raise NodeRefused(str(error)) from error
    ledger.pruner = Pruner(node.store, ledger.application, ledger.records, retention)
    try:
        counted = ledger.pruner.prepare()
    except (StateDamaged, StoreFull) as error:
        raise refusal_at_open(node.home, error) from error
    if counted:
        _say("counted the places of the EVM state's nodes, which pruning needs once")
