"""The search for the worst second and the worst MiB per gas on the hub's machine: `python -m bench worst_program`.

Climbs from each kind of program by itself, by small changes, keeping what is worse than its origin. A candidate is executed
in a process of its own, with bounds of memory and processor time: one that meets them is the worst there is. Each figure
is of the same process's core; beside it stands the block full of JUMPDEST on py-evm as it is, which was the stated worst.
"""

import argparse
import multiprocessing
import random
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from rich.console import Console
from rich.table import Table

from bench.hub.costly_programs import OPCODES, Candidate, Draws, Piece
from bench.hub.machine import BLOCK_GAS, EVERYTHING, MENDS, Cost, Machine, machine
from hutong.relay.hub.application.revision import rules_versions

SEARCH_GAS = 2**20
"""What a candidate is tried with; the worst are then executed with a whole block."""
CHILD_MEMORY_BYTES = 4 * 2**30
CHILD_CPU_S = 60
MOST_WAIT_S = 3_600
"""On a machine with much else to do."""
KEPT = 12
MAX_BLOCK_S = 4.0
MAX_BLOCK_MIB = 512
MAX_RATIO = 2.0
"""Of the worst block to the block full of JUMPDEST on py-evm as it is."""
JUMPDESTS = Candidate((Piece("opcode", OPCODES.index(0x5B)),))


MOST_CALLS_PER_GAS = 3.0
MOST_COPIED_BYTES_PER_GAS = 40.0
MOST_ALLOCATED_BYTES_PER_GAS = 12.0
MOST_JOURNAL_STEPS_PER_GAS = 0.03
"""Bounds of what can be counted: the block full of JUMPDEST on py-evm as it is calls 5 functions for a unit of gas."""


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate and its score; infinite where the child was ended."""

    candidate: Candidate
    score: float


def seconds_score(cost: Cost) -> float:
    return cost.s_per_block


def memory_score(cost: Cost) -> float:
    return cost.mib_per_block


def counted_score(cost: Cost) -> float:
    """Above 1 where a bound is exceeded. The same on every machine."""
    return (
        max(
            cost.function_calls / MOST_CALLS_PER_GAS,
            cost.copied_bytes / MOST_COPIED_BYTES_PER_GAS,
            cost.peak_bytes / MOST_ALLOCATED_BYTES_PER_GAS,
            cost.journal_steps / MOST_JOURNAL_STEPS_PER_GAS,
        )
        / cost.gas
    )


def in_child(measure: Callable[[], Cost]) -> Cost | None:
    """What `measure` returns, from a child; None where that died of a bound. Raises what it raises."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_bounded, args=(measure, there), daemon=True)
    child.start()
    there.close()
    try:
        answer = here.recv() if here.poll(MOST_WAIT_S) else None
    except EOFError:
        answer = None
    child.kill()
    child.join()
    here.close()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _bounded(measure: Callable[[], Cost], there: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY_BYTES, CHILD_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CHILD_CPU_S, CHILD_CPU_S))
    try:
        there.send(measure())
    except MemoryError:
        there.send(None)
    except Exception as error:  # a bug of the machine: the search ends with it
        there.send(error)


class Search:
    """One climb. The same seed draws the same candidates as long as the same ones are kept."""

    def __init__(self, measure: Callable[[Candidate], Cost | None], score: Callable[[Cost], float], seed: int) -> None:
        self._measure, self._score = measure, score
        self._draws, self._random = Draws(seed), random.Random(seed)
        self.kept: list[Found] = []
        self.tried = 0

    def catalogue(self) -> Iterator[Found]:
        """Try each kind by itself."""
        return map(self.try_out, self._draws.catalogue())

    def step(self) -> Found:
        """Try one neighbour of what is kept, or something new now and then."""
        if self._random.random() < 0.1:
            return self.try_out(self._draws.candidate())
        origin = self.kept[min(int(self._random.expovariate(0.4)), len(self.kept) - 1)]
        return self.try_out(self._draws.changed(origin.candidate, self._random.choice(self.kept).candidate))

    def try_out(self, candidate: Candidate) -> Found:
        self.tried += 1
        cost = self._measure(candidate)
        found = Found(candidate, float("inf") if cost is None else self._score(cost))
        if all(found.candidate != kept.candidate for kept in self.kept):
            self.kept = sorted([*self.kept, found], key=lambda kept: kept.score, reverse=True)[:KEPT]
        return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=0.1, help="of the two searches together")
    parser.add_argument("--rules-version", type=int, default=rules_versions.NEWEST)
    parser.add_argument(
        "--without", action="append", default=[], choices=[*MENDS, "everything"], help="mends to turn off"
    )


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Exit code 1 if a whole block of what was found exceeds the bounds."""
    without = EVERYTHING if "everything" in arguments.without else frozenset(arguments.without)
    tested = Machine(machine(arguments.rules_version, without))
    usual = Machine(machine(rules_versions.FIRST, EVERYTHING)).seconds(JUMPDESTS, BLOCK_GAS).s_per_block
    console.print(
        f"block full of JUMPDEST on py-evm as it is: {usual:.2f} s; here {tested.seconds(JUMPDESTS, BLOCK_GAS).s_per_block:.2f} s"
    )
    seconds = _search(console, tested.seconds, seconds_score, "s", arguments)
    mib = _search(console, tested.peak, memory_score, "MiB", arguments)
    console.print(f"worst block: {seconds:.2f} s, {seconds / usual:.2f} times JUMPDEST before; {mib:.0f} MiB")
    if seconds > MAX_BLOCK_S or mib > MAX_BLOCK_MIB or seconds > MAX_RATIO * usual:
        raise SystemExit(1)


def _search(
    console: Console,
    measure: Callable[[Candidate, int], Cost],
    score: Callable[[Cost], float],
    unit: str,
    arguments: argparse.Namespace,
) -> float:
    """Half of the hours; returns the worst score of a whole block."""

    def with_little(candidate: Candidate) -> Cost | None:
        gas = BLOCK_GAS if candidate.is_long else SEARCH_GAS
        return in_child(lambda: measure(candidate, gas))

    search = Search(with_little, score, arguments.seed)
    ends = time.monotonic() + arguments.hours * 1_800
    for _ in search.catalogue():
        pass
    while time.monotonic() < ends:
        search.step()
    table = Table(title=f"{unit} a block, seed {arguments.seed}, {search.tried} candidates", title_justify="left")
    table.add_column(unit, justify="right")
    table.add_column("block", overflow="fold")
    worst = 0.0
    for kept in search.kept:
        cost = in_child(lambda candidate=kept.candidate: measure(candidate, BLOCK_GAS))
        whole = float("inf") if cost is None else score(cost)
        worst = max(worst, whole)
        table.add_row(f"{whole:.2f}", str(kept.candidate))
    console.print(table)
    return worst
