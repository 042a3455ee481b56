"""What happens in one run, drawn from its seed: delays, losses, partitions, crashes, liars. From `calm_ns` on all is well."""

import random
from dataclasses import dataclass
from enum import StrEnum

MS = 1_000_000
SECOND = 1_000 * MS


class Mode(StrEnum):
    """What a liar does."""

    SILENT = "silent"
    TWINS = "twins"
    """Two validators with one key, each known to some of the others."""
    EQUIVOCATES = "equivocates"
    """Each vote and proposal has a second one for another block, sent to the other half."""
    STALE = "stale votes"
    """Old messages again, votes for rounds that are over, proofs of lock that are none."""
    FORGETFUL = "forgetful"
    """Votes as if it had never been locked."""


@dataclass(frozen=True)
class Partition:
    start_ns: int
    end_ns: int
    group_of: tuple[int, ...]


@dataclass(frozen=True)
class Crash:
    """`at_signature`: not at the time but at the next signature after it, -1 before the record, 1 after it, 0 at the time."""

    at_ns: int
    number: int
    down_ns: int
    at_signature: int
    log_lost: bool


@dataclass(frozen=True)
class Schedule:
    seed: int
    powers: tuple[int, ...]
    liars: dict[int, Mode]
    sides: tuple[int, ...]
    """Which of a pair of twins a validator knows."""
    calm_ns: int
    max_delay_ns: int
    loss: float
    skews_ns: tuple[int, ...]
    partitions: tuple[Partition, ...]
    crashes: tuple[Crash, ...]
    mutes_one: bool
    """One validator a height is not heard, though it hears, and another sees no prevotes in round 0."""
    liars_reach_all: bool
    """Partitions are between the honest only."""


def most_faulty(members: int) -> int:
    return (members - 1) // 3


def schedule_of(seed: int, *, too_many: bool = False) -> Schedule:
    """`too_many`: one liar more than is tolerated, and twins all of them."""
    rng = random.Random(seed)
    members = rng.choice((4, 4, 7))
    f = most_faulty(members)
    # The greatest liars' share stays below a third with any of these.
    powers = (1,) * members if rng.random() < 0.8 else (10,) * (members - f) + (9,) * f
    numbers = list(range(members))
    rng.shuffle(numbers)
    faulty = numbers[: f + 1 if too_many else f]
    amnesiacs = 0 if too_many else rng.choice((0, 0, 1))
    liars = faulty if too_many else faulty[: rng.randint(0, f - amnesiacs)] if f > amnesiacs else []
    mutes_one = not too_many and rng.random() < 0.4
    choices = [*Mode, *(Mode.FORGETFUL for _ in range(3 * mutes_one))]
    modes = {number: Mode.TWINS if too_many else rng.choice(choices) for number in liars}
    unlogged = {number for number in faulty if number not in modes} if amnesiacs else set()
    calm_ns = rng.randint(2, 6) * SECOND
    partitions = []
    for _ in range(rng.choice((0, 1, 2, 3))):
        start = rng.randrange(calm_ns)
        group_of = tuple(rng.randrange(2) for _ in range(members))
        partitions.append(Partition(start, min(calm_ns, start + rng.randint(200, 3_000) * MS), group_of))
    sides = tuple(rng.randrange(2) for _ in range(members))
    if too_many:
        # Two groups of the honest that hear of each other late.
        partitions = [Partition(0, calm_ns, sides)]
    crashes = []
    for _ in range(rng.choice((0, 1, 2, 4))):
        number = rng.choice([number for number in range(members) if number not in modes])
        at_ns, down_ns = rng.randrange(calm_ns), rng.randint(10, 1_500) * MS
        crashes.append(Crash(at_ns, number, down_ns, rng.choice((-1, 0, 1, 1)), number in unlogged))
    crashes += [
        Crash(rng.randrange(calm_ns), number, rng.randint(10, 300) * MS, rng.choice((0, 1)), True)
        for number in sorted(unlogged)
    ]
    return Schedule(
        seed,
        powers,
        modes,
        sides,
        calm_ns,
        rng.choice((20, 60, 200, 500, 900)) * MS,
        rng.choice((0.0, 0.02, 0.1, 0.3)),
        tuple(rng.randint(-300, 300) * MS for _ in range(members)),
        tuple(partitions),
        tuple(crashes),
        mutes_one,
        too_many,
    )
