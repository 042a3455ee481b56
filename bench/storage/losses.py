"""What probes find: operators that lost a part of their leaves, at random or in a row, and how many of them one audit or thirty find.

Leaves are drawn by the rules' own function, under a seed of each epoch. Exits with 1 where a share is out of its bounds.
"""

import argparse
from dataclasses import dataclass
from random import Random

from rich.console import Console
from rich.table import Table

from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.commitments.entries import OperatorSet

LEAVES = 2**17
PROBES = 459


@dataclass(frozen=True, slots=True)
class Case:
    """A part that is lost, over how many epochs it is looked for, and the bounds of the share that is found."""

    title: str
    lost: float
    epochs: int
    least: float
    most: float
    is_clustered: bool


CASES = (
    Case("1 %, at random, one audit", 0.01, 1, 0.985, 0.995, is_clustered=False),
    Case("1 %, in a row, one audit", 0.01, 1, 0.985, 0.995, is_clustered=True),
    Case("0.033 %, at random, 30 audits", 0.00033, 30, 0.98, 1.0, is_clustered=False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--operators", type=int, default=2_000, help="simulated in each case")
    parser.add_argument("--seed", type=int, default=8)


def main(console: Console, arguments: argparse.Namespace) -> None:
    """A row a case."""
    table = Table(
        title=f"{arguments.operators} operators of {LEAVES:,} leaves, {PROBES} probes an audit", title_justify="left"
    )
    for name in ("lost", "found", "expected", "bounds"):
        table.add_column(name, justify="left" if name == "lost" else "right")
    random, holds = Random(arguments.seed), True
    for case in CASES:
        share = found_share(case, arguments.operators, random)
        expected = 1 - (1 - round(case.lost * LEAVES) / LEAVES) ** (PROBES * case.epochs)
        holds = holds and case.least <= share <= case.most
        table.add_row(case.title, f"{share:.2%}", f"{expected:.2%}", f"{case.least:.1%} to {case.most:.1%}")
    console.print(table)
    if not holds:
        raise SystemExit(1)


def found_share(case: Case, operators: int, random: Random) -> float:
    """Of so many operators, the part that is found."""
    return sum(is_found(case, random) for _ in range(operators)) / operators


def is_found(case: Case, random: Random) -> bool:
    """Whether a probe of one of the epochs falls on a leaf that one operator lost."""
    count = round(case.lost * LEAVES)
    if case.is_clustered:
        start = random.randrange(LEAVES)
        lost = {(start + at) % LEAVES for at in range(count)}
    else:
        lost = set(random.sample(range(LEAVES), count))
    held, operator = OperatorSet(random.randbytes(32), 1, LEAVES), random.randbytes(32)
    for _ in range(case.epochs):
        challenge = Challenge(random.randbytes(32), operator, held, PROBES)
        if any(probe_leaf(challenge, number) in lost for number in range(PROBES)):
            return True
    return False
