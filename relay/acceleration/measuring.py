"""Rates by processor time, engine and plain path in turns, so that a busy machine slows both alike."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from platform import python_version

from hutong.light_clients.crypto.engines import (
    PYTHON,
    Algorithm,
    EngineContradicted,
    NotInstalled,
    try_engine,
)
from hutong.relay.acceleration.workloads import MEASURED, Run, Side

ROUNDS = 3
ROUND_S = 0.12
"""Of processor time, for the quicker sides; a slow one takes a call a round."""
TWO_AT_ONCE_S = 0.2


@dataclass(frozen=True, slots=True)
class SideRate:
    """One library's rate in `unit` of its row, the best of the rounds; None with the reason where it could not be measured."""

    name: str
    version: str
    rate: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the table.

    Attributes:
        self_test: how many known answers the engine gave, or None with the reason.
        self_test_ms: of processor time.
        others: the plain path first.
        two_threads: how many times the rate of one thread two have at once, by the clock; None where it was not measured.
        two_processes: the same of two processes: what this machine gives just now to whom no lock holds up.
    """

    algorithm: Algorithm
    workload: str
    unit: str
    self_test: int | None
    self_test_ms: float
    reason: str
    ours: SideRate
    others: tuple[SideRate, ...]
    two_threads: float | None
    two_processes: float | None

    @property
    def gain(self) -> float | None:
        """The engine's rate over the plain path's; None where one of them is missing."""
        plain = self.others[0].rate if self.others else None
        return None if not plain or self.ours.rate is None else self.ours.rate / plain


def version_of(distribution: str) -> str:
    """As installed; the interpreter's for the standard library, empty where it is missing."""
    if distribution == PYTHON:
        return python_version()
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def measure(algorithm: Algorithm, pool: Executor | None = None) -> Measured:
    """Known answers, rates in turns, and two at once against one. For seconds: a plain path may be that slow.

    Args:
        pool: of two processes (`worker_pool(2, start_process, ())`); None leaves two at once unmeasured.
    """
    workload, engine = MEASURED[algorithm.name], algorithm.engines[0]
    began = time.process_time()
    asked, reason = None, ""
    try:
        asked = try_engine(algorithm, engine)
    except (EngineContradicted, NotInstalled) as error:
        reason = str(error)
    took_ms = (time.process_time() - began) * 1_000
    sides = (workload.ours, *workload.others)
    prepared = [_prepared(side) for side in sides]
    best = _best_rates([run for run, _ in prepared])
    rates = [
        SideRate(side.name, version_of(side.distribution), None if rate is None else rate * workload.amount, why)
        for side, rate, (_, why) in zip(sides, best, prepared, strict=True)
    ]
    ours = prepared[0][0]
    threads, processes = (None, None) if ours is None or pool is None else _two_at_once(ours, algorithm.name, pool)
    others = tuple(rates[1:])
    return Measured(
        algorithm, workload.name, workload.unit, asked, took_ms, reason, rates[0], others, threads, processes
    )


def _prepared(side: Side) -> tuple[Run | None, str]:
    try:
        run = side.prepare()
        run()
    except ImportError:
        return None, f"not supported: {side.install}"
    return run, ""


def _best_rates(runs: Sequence[Run | None]) -> list[float | None]:
    """Calls a second of processor time, each the best of the rounds."""
    best: list[float | None] = [None] * len(runs)
    for _ in range(ROUNDS):
        for at, run in enumerate(runs):
            if run is not None:
                best[at] = max(best[at] or 0.0, _rate(run, time.process_time, ROUND_S))
    return best


def _rate(run: Run, clock: Callable[[], float], least_s: float) -> float:
    calls, began = 0, clock()
    while True:
        run()
        calls += 1
        took = clock() - began
        if took >= least_s:
            return calls / took


def _two_at_once(run: Run, name: str, processes: Executor) -> tuple[float, float]:
    """The rates of two threads and of two processes over that of one, by the clock, the medians of rounds that take turns.

    A busy machine gives less than two cores: what two processes have is the most that two threads can.
    """
    found = []
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            one = _rate(run, time.perf_counter, TWO_AT_ONCE_S)
            of_threads = [threads.submit(_rate, run, time.perf_counter, TWO_AT_ONCE_S) for _ in range(2)]
            both = sum(rate.result() for rate in of_threads)
            of_processes = [processes.submit(_rate_of, name) for _ in range(2)]
            found.append((both / one, sum(rate.result() for rate in of_processes) / one))
    two_threads, two_processes = (sorted(column)[len(found) // 2] for column in zip(*found, strict=True))
    return two_threads, two_processes


def start_process() -> None:
    """A process imports what it measures at its first task."""


@cache
def _prepared_here(name: str) -> Run:
    return MEASURED[name].ours.prepare()


def _rate_of(name: str) -> float:
    return _rate(_prepared_here(name), time.perf_counter, TWO_AT_ONCE_S)
