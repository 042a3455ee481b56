"""The hub alone, in one process over a real store, at several sizes of state: a message's execution, the app hash, a commit,
a proof, a read, a start, disk and memory. No network, no other process at work: what is left is the hub's own work.

Each size has a process of its own, and its state is laid down by another one: the memory told is that of the hub at work.
"""

import argparse
import cProfile
import json
import pstats
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from bench.hub.filled_state import fill_state, filler
from hutong.light_clients.ibc.abi import packet_from_tuple
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import ROUTER_ADDRESS
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.state import VersionedState

BATCH = 40
ROUNDS = 5
QUERIES = 200
MAP_BYTES = 64 * 1024**3
PROFILE_LINES = 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keys", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--clients", type=int, default=2, help="chains registered")
    parser.add_argument("--profile", action="store_true", help="what execution of batches spends its time on")


def main(console: Console, arguments: argparse.Namespace) -> None:
    table = Table(title=f"the hub alone, {arguments.clients} chains registered, batches of {BATCH}")
    table.add_column("CPU-ms unless said otherwise")
    columns: list[dict[str, float]] = []
    for keys in arguments.keys:
        table.add_column(f"{keys:,} keys", justify="right")
        with tempfile.TemporaryDirectory(prefix="hutong-bench-") as home:
            fill_s = _in_process_of_its_own(_fill, Path(home), keys)
            column = _in_process_of_its_own(_measure, Path(home), keys, arguments.clients, arguments.profile)
        column["laying the state down, CPU-s"] = fill_s
        columns.append(column)
        print(json.dumps({"keys": keys} | {name: round(figure, 3) for name, figure in column.items()}), flush=True)
    steps = list(pairwise(columns))
    for _ in steps:
        table.add_column("ratio", justify="right")
    for name in columns[0]:
        figures = [f"{column[name]:,.3f}" for column in columns]
        table.add_row(name, *figures, *(f"{larger[name] / smaller[name]:.2f}" for smaller, larger in steps))
    console.print(table)


def _in_process_of_its_own(work: Callable[..., Any], *arguments: Any) -> Any:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(run_with_evm_stack, partial(work, *arguments)).result()


def _fill(home: Path, keys: int) -> float:
    """CPU-s."""
    from tests.relay.hub.simulated_hub import hub_genesis

    began = time.process_time()
    store = LmdbStore(home, map_bytes=MAP_BYTES)
    fill_state(store, lambda: HubLedger(store, hub_genesis()), keys)
    store.close()
    return time.process_time() - began


def _measure(home: Path, keys: int, clients: int, profile: bool) -> dict[str, float]:
    return _Measure(home, keys, clients).run(profile=profile)


class _Measure:
    def __init__(self, home: Path, keys: int, clients: int) -> None:
        self._home = home
        self._keys = keys
        self._clients = clients
        self._rounds: dict[str, list[float]] = {}

    def run(self, *, profile: bool) -> dict[str, float]:
        from tests.relay.hub.application.clients.attested_remote import AttestedRemote
        from tests.relay.hub.simulated_hub import SimulatedHub, hub_genesis

        store = LmdbStore(self._home, map_bytes=MAP_BYTES)
        hub = SimulatedHub(store, hub_genesis())
        remotes = [AttestedRemote(hub, number, attestors=1, threshold=1) for number in range(self._clients)]
        profiler = cProfile.Profile()
        self._blocks(hub, remotes[0], remotes[-1], profiler if profile else None)
        self._queries(hub)
        with self._timed("a start"):
            HubLedger(store, hub.genesis)
        memory_mb = _anonymous_mb()
        disk_mb = sum(file.stat().st_blocks for file in self._home.iterdir()) * 512 / 1e6
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        store.close()
        if profile:
            pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(PROFILE_LINES)
            pstats.Stats(profiler, stream=sys.stdout).sort_stats("cumtime").print_stats(PROFILE_LINES)
        figures = {name: statistics.median(found) for name, found in self._rounds.items()}
        return figures | {
            "disk, MB": disk_mb,
            "memory at most, with pages of the store, MB": peak_mb,
            "memory at the end, without them, MB": memory_mb,
        }

    def _blocks(self, hub: Any, a: Any, b: Any, profiler: cProfile.Profile | None) -> None:
        """Full ones: batches of messages from A, and of B's answers to them; then empty ones."""
        from tests.relay.hub.simulated_hub import ANSWER

        for _ in range(ROUNDS):
            packets = [a.send_forward(b.client) for _ in range(BATCH)]
            height = a.update()
            calls = [a.receive_call(packet, height) for packet in packets]
            self._batch(hub, calls, "receive and forward", profiler)
            (outcome,) = hub.outcomes(hub.height)
            sent = [packet_from_tuple(value) for (value,) in outcome.events(abi.SEND_PACKET_EVENT)]
            for packet in sent:
                b.receive(packet, Acknowledgement((ANSWER,)))
            height = b.update()
            calls = [b.acknowledge_call(packet, height) for packet in sent]
            self._batch(hub, calls, "acknowledge and pass back", profiler)
        for _ in range(ROUNDS):
            with self._timed("an empty block"):
                hub.advance()

    def _batch(self, hub: Any, calls: list[bytes], what: str, profiler: cProfile.Profile | None) -> None:
        """One block with a batch in it, simulated first as a relay does."""
        from tests.relay.hub.simulated_hub import RELAYER, address_of

        data = abi.RELAY_BATCH.call([(400_000, call) for call in calls])
        message = CallMessage(address_of(RELAYER), ROUTER_ADDRESS, data, gas=16_000_000)
        if profiler is not None:
            profiler.enable()
        with self._timed(f"{what}, simulated", BATCH):
            state = hub.application.state_after(hub.application.blocks.head())
            assert state.call(message).success
        raw = hub.raw(ROUTER_ADDRESS, data, gas=16_000_000)
        with self._timed(f"{what}, in a block", BATCH), self._block_parts_timed():
            (outcome,) = hub.advance(raw)
        if profiler is not None:
            profiler.disable()
        assert outcome.ok
        assert not outcome.events(abi.BATCH_CALL_FAILED_EVENT)

    def _queries(self, hub: Any) -> None:
        """Of keys throughout the state, and of keys that are not in it."""
        keys = [filler(number * (self._keys // QUERIES))[0] for number in range(QUERIES)]
        height = hub.height
        with self._timed("a value", QUERIES):
            for key in keys:
                hub.application.query("/key", key, height, prove=False)
        with self._timed("a proof", QUERIES):
            for key in keys:
                hub.application.query("/key", key, height, prove=True)
        with self._timed("a proof of absence", QUERIES):
            for number in range(QUERIES):
                key = path_key("client-8", PathKind.RECEIPT, number + 1)
                hub.application.query("/key", key, height, prove=True)

    @contextmanager
    def _block_parts_timed(self) -> Iterator[None]:
        """Shares of a block: the tree's nodes, values and root, and the batch that brings everything to the disk."""
        commit: Callable[..., bytes] = VersionedState.commit
        batch: Callable[..., Any] = LmdbStore.batch

        def timed_commit(*arguments: Any) -> bytes:
            with self._timed("  app hash of such a block", BATCH):
                return commit(*arguments)

        @contextmanager
        def timed_batch(store: LmdbStore) -> Iterator[Any]:
            with self._timed("  commit of such a block", BATCH), batch(store) as writer:
                yield writer

        with patch.object(VersionedState, "commit", timed_commit), patch.object(LmdbStore, "batch", timed_batch):
            yield

    @contextmanager
    def _timed(self, name: str, over: int = 1) -> Iterator[None]:
        began = time.process_time()
        yield
        self._rounds.setdefault(name, []).append((time.process_time() - began) * 1000 / over)


def _anonymous_mb() -> float:
    text = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon:")) / 1024
