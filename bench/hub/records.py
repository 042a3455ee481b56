"""Observations through one hub over a real store, at several sizes of state: what opening and renewing cost, in a call of one
place and of many and alone in a block and beside others, what is written for a record, and blocks over a state of a million
records. One process a size, no network. Then bundles of records, judged offline.

The observed chain is the tests' QBFT chain of four validators with 1 024 slots in use.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from bench import record_bundles
from bench.hub.filled_state import fill_state_with, filler
from bench.hub.recorded_state import records
from hutong.light_clients.records import SlotPlace
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application.admin import name_writer_action
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.chain.ledger import HubLedger

SLOTS = 1_024
BATCHES = (1, 16, 64)
SINGLY = (16, 60)
"""Calls of one place each in a block: as few as there may be, and as many as the default block's gas lets in."""
GAS_OF_ONE = 279_000
BLOCK_OF_CALLS = 4
"""Of 64 places: what 256 renewals take in one block."""
OBSERVER = bytes([0x0B]) * 20
"""Who opened the records that are there beforehand."""
OBSERVED = 256
"""Places of each measurement."""
ROUNDS = 3
MAP_BYTES = 64 * 1024**3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keys", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--records", type=int, nargs="*", default=[1_000_000], help="sizes of a state of records alone")


def main(console: Console, arguments: argparse.Namespace) -> None:
    table = Table(title=f"observations of a QBFT chain of four, {OBSERVED} slots a measurement")
    table.add_column("records/s of processor time unless said otherwise")
    columns: list[dict[str, float]] = []
    sizes = [("keys", keys) for keys in arguments.keys] + [("records", number) for number in arguments.records]
    for what, size in sizes:
        table.add_column(f"{size:,} {what}", justify="right")
        with tempfile.TemporaryDirectory(prefix="hutong-bench-") as home:
            filled = _in_process_of_its_own(_fill, Path(home), what, size)
            columns.append(filled | _in_process_of_its_own(_measure, Path(home)))
        print(json.dumps({what: size} | {name: round(figure, 3) for name, figure in columns[-1].items()}), flush=True)
    for name in columns[0] if columns else ():
        table.add_row(name, *(f"{column[name]:,.1f}" for column in columns))
    console.print(table)
    for name, rate in record_bundles.rates().items():
        console.print(f"{name}: {rate:,.0f} bundles/s")


def _in_process_of_its_own(work: Callable[..., Any], *arguments: Any) -> Any:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(run_with_evm_stack, partial(work, *arguments)).result()


def _fill(home: Path, what: str, size: int) -> dict[str, float]:
    """Lay the state down; what each of its entries takes."""
    from tests.light_clients.bft_evm.simulated_chain import GENESIS_TIME_S, ROUTER
    from tests.relay.hub.simulated_hub import hub_genesis

    entries: Iterator[tuple[bytes, bytes]] = map(filler, range(size))
    if what == "records":
        slots = range(SLOTS, SLOTS + size)
        entries = records("bft-evm-0", ROUTER, slots, OBSERVER, GENESIS_TIME_S * 10**9)
    store = LmdbStore(home, map_bytes=MAP_BYTES)
    with _written() as written:
        fill_state_with(store, lambda: HubLedger(store, hub_genesis()), entries)
    store.close()
    disk = sum(file.stat().st_blocks for file in home.iterdir()) * 512
    return {
        "state of each that is there beforehand, rows in bytes": sum(written) / size,
        "  on disk, bytes": disk / size,
    }


def _measure(home: Path) -> dict[str, float]:
    return _Measure(home).run()


class _Counting:
    """A batch that tells how long the rows are that it writes."""

    def __init__(self, writer: Any, written: list[int]) -> None:
        self._writer, self._written = writer, written

    def put(self, key: bytes, value: bytes) -> None:
        self._written.append(len(key) + len(value))
        self._writer.put(key, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


@contextmanager
def _written() -> Iterator[list[int]]:
    batch: Callable[..., Any] = LmdbStore.batch
    written: list[int] = []

    @contextmanager
    def counted(store: LmdbStore) -> Iterator[Any]:
        with batch(store) as writer:
            yield _Counting(writer, written)

    with patch.object(LmdbStore, "batch", counted):
        yield written


@dataclass
class _Measure:
    home: Path
    figures: dict[str, list[float]] = field(default_factory=dict)

    def run(self) -> dict[str, float]:
        from tests.light_clients.bft_evm.simulated_chain import ROUTER
        from tests.relay.hub.application.observations.observed_chains import WRITER, ObservedBft
        from tests.relay.hub.simulated_hub import SimulatedHub, address_of, hub_genesis

        store = LmdbStore(self.home, map_bytes=MAP_BYTES)
        hub = SimulatedHub(store, hub_genesis())
        assert hub.execute(name_writer_action(hub.next_salt(), address_of(WRITER), SLOTS)).ok
        chain = ObservedBft(hub)
        self._slots = [number.to_bytes(32, "big") for number in range(SLOTS)]
        self._hub, self._chain, self._contract, self._writer = hub, chain, ROUTER, WRITER
        with _written() as written:
            for index in range(SLOTS // OBSERVED):
                self._observe("opened", 1 + index, 64, index * OBSERVED)
        self._note("written for an opened record with its share of the blocks, bytes", sum(written) / SLOTS)
        for batch in BATCHES:
            for turn in range(ROUNDS):
                self._observe("renewed", 10_000 * (batch + 1) + turn * SLOTS, batch, 0)
        for together in SINGLY:
            for turn in range(ROUNDS):
                self._observe("renewed", 1_000_000 * together + turn * SLOTS, 1, 0, together)
        for turn in range(ROUNDS):
            self._observe("renewed", 100_000_000 + turn * SLOTS, 64, 0, BLOCK_OF_CALLS)
        for _ in range(ROUNDS):
            self._note("a block without transactions, ms", self._block([])[0] * 1_000)
        store.close()
        return {name: statistics.median(found) for name, found in self.figures.items()}

    def _observe(self, label: str, word: int, batch: int, first: int, together: int = 1) -> None:
        """A block of the observed chain, then OBSERVED of its slots in calls of `batch`, `together` of them in a block."""
        storage = {slot: (word + number).to_bytes(32, "big") for number, slot in enumerate(self._slots)}
        self._chain.remote.chain.storage = storage
        height = self._chain.remote.update()
        starts = range(first, first + OBSERVED, batch)
        places = [tuple(SlotPlace(self._contract, slot) for slot in self._slots[at : at + batch]) for at in starts]
        calls = [self._chain.call(height, some) for some in places]
        name = f"{label}, {batch} a call" + (f", {together} calls a block" if together > 1 else "")
        spent_s = whole_s = 0.0
        gas = blocks = 0
        for at in range(0, len(calls), together):
            applied_s, decided_s, used = self._block(calls[at : at + together], together)
            spent_s, whole_s, gas, blocks = spent_s + applied_s, whole_s + applied_s + decided_s, gas + used, blocks + 1
        self._note(name, OBSERVED / spent_s)
        if together == 1:
            self._note(f"  gas of each, {name}", gas / OBSERVED)
            self._note(f"  calldata of each, bytes, {name}", sum(map(len, calls)) / OBSERVED)
            return
        self._note(f"  with senders, proposal and votes, {name}", OBSERVED / whole_s)
        self._note(f"  a block of them, ms, {name}", spent_s / blocks * 1_000)

    def _block(self, calls: list[bytes], together: int = 1) -> tuple[float, float, int]:
        """Seconds of processor time to execute and commit a block with the calls, and to make and vote it; its gas."""
        hub, gas_limit = self._hub, 16_000_000 if together <= BLOCK_OF_CALLS else GAS_OF_ONE
        raws = [hub.raw(OBSERVATIONS_ADDRESS, call, self._writer, gas=gas_limit // _fits(together)) for call in calls]
        began = time.process_time()
        decided = hub.decide(*raws)
        decided_s = time.process_time() - began
        began = time.process_time()
        hub.ledger.apply(*decided)
        applied_s = time.process_time() - began
        outcomes = hub.outcomes(hub.height)
        assert all(outcome.events(interface.OBSERVED_EVENT) for outcome in outcomes), outcomes
        return applied_s, decided_s, sum(outcome.gas_used for outcome in outcomes)

    def _note(self, name: str, figure: float) -> None:
        self.figures.setdefault(name, []).append(figure)


def _fits(together: int) -> int:
    """Of several large calls each has its share of a block's gas."""
    return together if together <= BLOCK_OF_CALLS else 1
