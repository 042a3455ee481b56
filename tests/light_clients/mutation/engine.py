"""Honest inputs changed and judged: how far each came, how long it took, and that nothing false was taken."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import FrameType

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from tests.light_clients.mutation.forms import Form, mutated

CASE_LIMIT_S = 2.0
"""Processor time of one case; the dearest honest one takes a few milliseconds."""


class FalseAcceptance(Exception):
    """A verifier took a statement that the simulated chain does not make."""


class Hang(Exception):
    """A case used more processor time than `CASE_LIMIT_S`."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One door of a verifier. `first_decoder` alone reads the outer form; `judge` is the whole door.

    `judge` returns where the input was taken and the statement is true, raises VerificationError where it was refused, and
    FalseAcceptance where it was taken and is not true.
    """

    name: str
    form: Form
    seeds: tuple[bytes, ...]
    first_decoder: Callable[[bytes], object]
    judge: Callable[[bytes], object]


@dataclass(slots=True)
class Tally:
    """`refusals` by predicate, or by kind of error."""

    cases: int = 0
    past_first_decoder: int = 0
    past_all_decoders: int = 0
    accepted: int = 0
    slowest_s: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.cases += other.cases
        self.past_first_decoder += other.past_first_decoder
        self.past_all_decoders += other.past_all_decoders
        self.accepted += other.accepted
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.refusals.update(other.refusals)


@dataclass(frozen=True, slots=True)
class Failure:
    """`data` is the input; `seed` and `number` make it again."""

    subject: str
    seed: int
    number: int
    data: bytes
    problem: str


def _overdue(_signal: int, _frame: FrameType | None) -> None:
    raise Hang(f"more than {CASE_LIMIT_S} s of processor time")


@contextmanager
def case_limits() -> Iterator[None]:
    """Makes a case that computes too long raise `Hang`; main thread only."""
    before = signal.signal(signal.SIGPROF, _overdue)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def case_of(subject: Subject, seed: int, number: int) -> bytes:
    """Input `number` of a run: the same on every machine."""
    random = Random(f"{seed}/{subject.name}/{number}")
    data, donor = random.choice(subject.seeds), random.choice(subject.seeds)
    return mutated(subject.form, data, donor, random)


def judge_case(subject: Subject, data: bytes, tally: Tally) -> str | None:
    """Counts one input; the problem where the verifier failed it."""
    started = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, CASE_LIMIT_S)
    problem = None
    try:
        problem = judged(subject, data, tally)
    except Hang as error:
        problem = f"hang: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    tally.cases += 1
    tally.slowest_s = max(tally.slowest_s, time.process_time() - started)
    return problem


def judged(subject: Subject, data: bytes, tally: Tally) -> str | None:
    """The problem that the verifier has with one input, if any; no limit of time is set here."""
    try:
        subject.first_decoder(data)
        tally.past_first_decoder += 1
    except VerificationError:
        pass
    except Hang:
        raise
    except Exception as error:
        return f"the first decoder raised {type(error).__name__}: {error}"
    try:
        subject.judge(data)
    except MalformedInput:
        tally.refusals["malformed"] += 1
    except VerificationError as error:
        tally.past_all_decoders += 1
        tally.refusals[getattr(error, "predicate", type(error).__name__)] += 1
    except (Hang, FalseAcceptance) as error:
        if isinstance(error, Hang):
            raise
        return f"false acceptance: {error}"
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    else:
        tally.past_all_decoders += 1
        tally.accepted += 1
    return None


def check_seeds(subjects: Sequence[Subject]) -> None:
    """Every honest input is read, and taken or (as evidence of nothing) refused by a rule; else the run would show nothing."""
    for subject in subjects:
        for data in subject.seeds:
            subject.first_decoder(data)
            try:
                subject.judge(data)
            except PredicateFailed as error:
                if error.predicate != "headers_conflict":
                    raise


def run(subjects: Sequence[Subject], count: int, seed: int, first: int = 0) -> tuple[dict[str, Tally], list[Failure]]:
    """`count` inputs, the subjects in turn. Input `number` belongs to subject `number % len(subjects)`."""
    tallies = {subject.name: Tally() for subject in subjects}
    failures: list[Failure] = []
    with case_limits():
        for number in range(first, first + count):
            subject = subjects[number % len(subjects)]
            data = case_of(subject, seed, number)
            problem = judge_case(subject, data, tallies[subject.name])
            if problem is not None:
                failures.append(Failure(subject.name, seed, number, data, problem))
    return tallies, failures
