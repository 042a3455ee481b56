"""Engine against judge over random questions: what known answers do not meet, such as one wrong refusal in 10^5."""

from collections.abc import Callable
from dataclasses import dataclass

from hutong.light_clients.crypto.engines import (
    ALGORITHMS,
    REFUSALS,
    Algorithm,
    Engine,
    EngineContradicted,
    NotInstalled,
)
from hutong.relay.acceleration.random_questions import question
from hutong.relay.base.child_processes import worker_pool

CHUNK = 250
"""Questions of one task of a process."""

Advance = Callable[[int], None]
"""Told how many more questions are answered."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a run found. `contradictions` are counted, and the first one is kept whole."""

    algorithm: str
    engine: str
    judge: str
    asked: int
    refused: int
    contradictions: int
    first: EngineContradicted | None
    first_number: int | None
    """Of the question, by which and the seed it is asked again."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    refused: int
    found: tuple[tuple[int, EngineContradicted], ...]


class JudgeFailed(Exception):
    """A judge raised where it must answer: nothing is said about the engine by it."""

    def __init__(self, judge: str, algorithm: str, error: Exception) -> None:
        super().__init__(f"the judge {judge} of {algorithm} failed: {type(error).__name__}: {error}")
        self.judge = judge
        self.algorithm = algorithm
        self.error = error

    def __reduce__(self) -> tuple[object, ...]:
        # it comes from other processes too, which make it anew of its parts
        return type(self), (self.judge, self.algorithm, self.error)


def judge_of(algorithm: Algorithm) -> Engine:
    """The fastest judge that is installed: judges are listed from the plain path on.

    Raises:
        NotInstalled: none is.
    """
    missing = NotInstalled(f"a judge of {algorithm.name}", "none is offered")
    for judge in reversed(algorithm.judges):
        try:
            judge.answering()
        except NotInstalled as error:
            missing = error
        else:
            return judge
    raise missing


def compare(algorithm: Algorithm, engine: Engine, judge: Engine, seed: int, numbers: range) -> _Chunk:
    """Both answer the same questions; every difference, with its number.

    Raises:
        JudgeFailed: the judge raised, as libraries do whose host lacks what they stand on.
        NotInstalled: engine or judge is not there.
    """
    questions = [question(algorithm.name, seed, number) for number in numbers]
    found = []
    refused = 0
    answering = judge.answering()
    try:
        judged = answering(questions)
    except Exception as error:  # what a library raises beyond its documented refusals has no one type
        raise JudgeFailed(judge.name, algorithm.name, error) from error
    answers = zip(engine.answering()(questions), judged, strict=True)
    for number, asked, (got, expected) in zip(numbers, questions, answers, strict=True):
        refused += expected in REFUSALS
        if got != expected:
            by = f"the engine {judge.name}"
            found.append((number, EngineContradicted(algorithm.name, engine.name, asked, got, expected, by)))
    return _Chunk(refused, tuple(found))


def run_differential(name: str, count: int, seed: int, jobs: int, advance: Advance) -> Compared:
    """`count` questions to the first engine of an algorithm and to its judge, over `jobs` processes.

    Args:
        name: of ALGORITHMS, with random questions (`random_questions.MADE`).
        advance: called in this process.

    Raises:
        NotInstalled: engine or judge is not there.
        JudgeFailed: the judge raised where it must answer.
        WorkersDied: the system ended a process.
    """
    algorithm = ALGORITHMS[name]
    engine, judge = algorithm.engines[0], judge_of(algorithm)
    engine.answering()
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    refused, contradictions = 0, 0
    first: tuple[int, EngineContradicted] | None = None

    def take(numbers: range, chunk: _Chunk) -> None:
        nonlocal refused, contradictions, first
        refused += chunk.refused
        contradictions += len(chunk.found)
        first = first or next(iter(chunk.found), None)
        advance(len(numbers))

    if jobs <= 1 or len(chunks) == 1:
        for numbers in chunks:
            take(numbers, compare(algorithm, engine, judge, seed, numbers))
    else:
        with worker_pool(jobs, _start, (name, seed)) as pool:
            for numbers, chunk in zip(chunks, pool.map(_compare_chunk, chunks), strict=True):
                take(numbers, chunk)
    number, found = first or (None, None)
    return Compared(name, engine.name, judge.name, count, refused, contradictions, found, number)


_task: tuple[str, int] | None = None
"""Of a worker process: algorithm and seed."""


def _start(name: str, seed: int) -> None:
    global _task  # noqa: PLW0603  a process pool has no other place for what each process keeps
    _task = (name, seed)


def _compare_chunk(numbers: range) -> _Chunk:
    if _task is None:
        raise RuntimeError("the process was not started for this")
    name, seed = _task
    algorithm = ALGORITHMS[name]
    return compare(algorithm, algorithm.engines[0], judge_of(algorithm), seed, numbers)
