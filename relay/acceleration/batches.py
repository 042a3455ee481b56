"""Many questions over threads or processes: threads for engines that release the interpreter's lock, processes for the others.

Neither is started before a batch pays for it. In a daemon no call holds the lock for long: an engine answers question by
question, the longest (a BLS signature under 512 keys) in some 40 ms of many calls, between which other threads have their turn.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

from hutong.light_clients.crypto.engines import (
    ALGORITHMS,
    Algorithm,
    Answer,
    BulkEngine,
    Engine,
    OnContradiction,
    Question,
    Runs,
    Use,
)
from hutong.relay.base.child_processes import worker_pool

SLICES_A_WORKER = 4
"""So that one that is kept waiting by the system does not keep the others."""


class Batches:
    """Answers by the engines of algorithms. Pools are started by need, kept, and ended with the block. For one thread.

    Of bulk algorithms what an engine refuses is judged again, and an engine that is contradicted is turned off until the
    block ends (`BulkEngine`).
    """

    def __init__(self, jobs: int, on_contradiction: OnContradiction) -> None:
        """`jobs`: threads or processes at once. `on_contradiction` is told when an engine of bulk use is turned off."""
        self.jobs = jobs
        self._told = on_contradiction
        self._opened = ExitStack()
        self._pools: dict[Runs, Executor] = {}
        self._bulk: dict[str, BulkEngine] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()
        self._pools.clear()

    def runs(self, engine: Engine, count: int) -> Runs:
        """How so many questions would be answered: INLINE where another thread or process does not pay."""
        return Runs.INLINE if self.jobs <= 1 or count < engine.pays_from else engine.runs

    def answer(self, algorithm: Algorithm, questions: Sequence[Question]) -> list[Answer]:
        """Answers in the order of the questions.

        Raises:
            NotInstalled: no engine of the algorithm is there.
            WorkersDied: the system ended a process.
        """
        if algorithm.use is Use.CONSENSUS:
            return self._asked(algorithm.name, algorithm.engines[0], questions)
        bulk = self._bulk.setdefault(algorithm.name, BulkEngine(algorithm, self._told))
        return bulk.answer(questions, partial(self._asked, algorithm.name))

    def _asked(self, name: str, engine: Engine, questions: Sequence[Question]) -> list[Answer]:
        runs = self.runs(engine, len(questions))
        if runs is Runs.INLINE:
            return engine.answering()(questions)
        size = -(-len(questions) // (self.jobs * SLICES_A_WORKER))
        slices = [questions[start : start + size] for start in range(0, len(questions), size)]
        pool = self._pool(runs)
        if runs is Runs.THREAD:
            answered = pool.map(engine.answering(), slices)
        else:
            answered = pool.map(_answer, [(name, engine.name)] * len(slices), slices)
        return [answer for answers in answered for answer in answers]

    def _pool(self, runs: Runs) -> Executor:
        if runs not in self._pools:
            self._pools[runs] = (
                self._opened.enter_context(ThreadPoolExecutor(self.jobs, "engine"))
                if runs is Runs.THREAD
                else self._opened.enter_context(worker_pool(self.jobs, _start, ()))
            )
        return self._pools[runs]


def _start() -> None:
    """A process needs nothing but its imports."""


def _answer(engine: tuple[str, str], questions: Sequence[Question]) -> list[Answer]:
    """By the engine or judge of that name, of the algorithm of that name, as the table of this process has it."""
    algorithm = ALGORITHMS[engine[0]]
    (found,) = (one for one in (*algorithm.engines, *algorithm.judges) if one.name == engine[1])
    return found.answering()(questions)
