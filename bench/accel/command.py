"""Where two cores pay: committees of Ethereum, a period of bundles, a catalogue. And wrong engines, found by a differential run.

`python -m bench accel`: each work with one process or thread and with two, in turns, by the clock and by processor time. On a busy
machine the clock says little: the command prints the load, and what two endless loops have of two cores at the same time.
`python -m bench accel --differential N`: N random questions to libsecp256k1 and OpenSSL, and to engines made wrong on purpose, as
libraries have been; which question finds each.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from bench import audit as period_bench
from hutong.light_clients.crypto.engines import ALGORITHMS, EngineContradicted
from hutong.light_clients.ethereum import MAINNET_PRESET
from hutong.light_clients.ethereum.committee import decode_committee
from hutong.light_clients.ethereum.roots import sync_committee_root
from hutong.relay.acceleration.batches import Batches
from hutong.relay.acceleration.differential import CHUNK, judge_of
from hutong.relay.acceleration.machine import this_machine, usable_cores
from hutong.relay.acceleration.random_questions import question
from hutong.relay.base.child_processes import worker_pool
from hutong.relay.verify.ethereum import Served, Trust
from hutong.relay.verify.ethereum_runs import verdicts_of
from tests.light_clients.crypto.engines.wrong_engines import Change, accepts_zero_s, refuses_one_in
from tests.light_clients.ethereum.simulated_beacon import SimulatedBeacon, network_of

ROUNDS = 2
WRONG: dict[str, Change] = {
    "accepts s = 0": accepts_zero_s,
    "refuses one good signature in 10^5": refuses_one_in(100_000),
    "refuses one good signature in 10^3": refuses_one_in(1_000),
}
ECDSA = "secp256k1 verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench accel`."""
    parser.add_argument("--periods", type=int, default=64, help="of Ethereum, each with 512 keys of its own")
    parser.add_argument("--deliveries", type=int, default=2_000, help="in the audited period")
    parser.add_argument("--objects", type=int, default=400, help="of 1 MiB in the catalogue")
    parser.add_argument("--differential", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)


@dataclass(frozen=True, slots=True)
class Took:
    """Of one round, in seconds. `processor_s` is of this process and its children together."""

    clock_s: float
    processor_s: float


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Two cores against one, or the differential run."""
    console.print(f"{this_machine()}, nice {os.nice(0)}")
    if arguments.differential:
        _differential(console, arguments.differential, arguments.seed)
        return
    table = Table(title="one against two, the best of rounds that take turns", title_justify="left")
    for name in ("what", "one, s", "two, s", "times by the clock", "processor time: one, s", "two, s"):
        table.add_column(name, justify="left" if name == "what" else "right")
    works = {
        f"updates of {arguments.periods} periods of Ethereum, 512 keys each": _committees(arguments.periods),
        f"hutong audit replay, {arguments.deliveries} deliveries": _replays(console, arguments.deliveries),
        f"SHA-256 of {arguments.objects} objects of 1 MiB": _hashes(arguments.objects),
        "two loops of this machine, for comparison": _loops(),
    }
    for what, work in works.items():
        one, two = _in_turns(work)
        times = f"{one.clock_s / two.clock_s:.2f}"
        processor = (f"{one.processor_s:.2f}", f"{two.processor_s:.2f}")
        table.add_row(what, f"{one.clock_s:.2f}", f"{two.clock_s:.2f}", times, *processor)
    console.print(table)


def _in_turns(work: Callable[[int], None]) -> tuple[Took, Took]:
    rounds: dict[int, list[Took]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for jobs, taken in rounds.items():
            taken.append(_timed(work, jobs))
    one, two = (
        Took(min(one.clock_s for one in taken), min(one.processor_s for one in taken)) for taken in rounds.values()
    )
    return one, two


def _processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _timed(work: Callable[[int], None], jobs: int) -> Took:
    began, used = time.monotonic(), _processor_s()
    work(jobs)
    return Took(time.monotonic() - began, _processor_s() - used)


def _committees(periods: int) -> Callable[[int], None]:
    slots = MAINNET_PRESET.period_slots
    chain = SimulatedBeacon(network_of(preset=MAINNET_PRESET), first_slot=2 * slots + 10)
    first = chain.blocks[chain.slot]
    blocks = [chain.propose((2 + period) * slots + 20, label="period") for period in range(periods)]
    served = [Served("bootstrap", chain.bootstrap(chain.slot))]
    served += [Served(f"update[{at}]", chain.update(one, with_committee=True)) for at, one in enumerate(blocks)]
    trust, now_ns = Trust(chain.network, first.root, 10**9, 10), chain.time_ns(blocks[-1].slot + 100)

    def work(jobs: int) -> None:
        decode_committee.cache_clear()
        sync_committee_root.cache_clear()
        if not all(verdict.held for verdict in verdicts_of(served, trust, now_ns, jobs)):
            raise AssertionError("the simulated chain is honest")

    return work


def _replays(console: Console, deliveries: int) -> Callable[[int], None]:
    folder = period_bench.period_folder(console, deliveries, 25)

    def work(jobs: int) -> None:
        if period_bench.replay(folder, folder / "bundles", jobs).code != 0:
            raise AssertionError("the simulated period is clean")

    return work


def _hashes(objects: int) -> Callable[[int], None]:
    questions = [(bytes([at % 256]) * 1_048_576,) for at in range(16)] * (objects // 16)

    def work(jobs: int) -> None:
        with Batches(jobs, _stop) as batches:
            if len(batches.answer(ALGORITHMS["sha256"], questions)) != len(questions):
                raise AssertionError("one digest an object")

    return work


def _stop(found: EngineContradicted) -> None:
    raise found


def _loops() -> Callable[[int], None]:
    def work(jobs: int) -> None:
        with worker_pool(jobs, _start, (0,)) as pool:
            list(pool.map(_loop, [4_000_000] * 4))

    return work


def _loop(steps: int) -> int:
    return sum(range(steps)) + sum(range(steps))


_seed = 0
"""Of a worker process."""


def _start(seed: int) -> None:
    global _seed  # noqa: PLW0603  a process pool has no other place for what each process keeps
    _seed = seed


def _differences(numbers: range) -> dict[str, list[int]]:
    """Questions that the engine, and each that was made wrong, answer otherwise than the judge."""
    algorithm = ALGORITHMS[ECDSA]
    questions = [question(ECDSA, _seed, number) for number in numbers]
    right = algorithm.engines[0].answering()(questions)
    judged = judge_of(algorithm).answering()(questions)
    found: dict[str, list[int]] = {}
    for name, change in {"as it is": lambda _, answer: answer, **WRONG}.items():
        answered = [change(asked, answer) for asked, answer in zip(questions, right, strict=True)]
        found[name] = [
            number for number, got, expected in zip(numbers, answered, judged, strict=True) if got != expected
        ]
    return found


def _differential(console: Console, count: int, seed: int) -> None:
    bounds = [*range(0, count, CHUNK), count]
    chunks = [range(start, end) for start, end in pairwise(bounds)]
    found: dict[str, list[int]] = {}
    began, used = time.monotonic(), _processor_s()
    with worker_pool(usable_cores(), _start, (seed,)) as pool:
        for differences in pool.map(_differences, chunks):
            for name, numbers in differences.items():
                found.setdefault(name, []).extend(numbers)
    algorithm = ALGORITHMS[ECDSA]
    console.print(
        f"{ECDSA}: {algorithm.engines[0].name} and {judge_of(algorithm).name}, {count:,} questions, seed {seed}, in "
        f"{time.monotonic() - began:.0f} s ({_processor_s() - used:.0f} s of processor time)"
    )
    for name, numbers in found.items():
        first = f", the first by question {numbers[0]:,}" if numbers else ""
        console.print(f"the engine {name}: {len(numbers)} answered differently{first}")
    if found["as it is"]:
        raise SystemExit("engine and judge differ: hutong accel --differential keeps the question")
