"""Engines of consensus held against other authors' libraries while a daemon runs: a few random questions a minute.

Known answers at the start do not meet a fault that is one in 10^5, nor a machine that begins to compute wrongly. A stranger has
no part in the questions, so nobody can make the daemon spend more on them: 40 ms of processor time a minute, and where a
genesis names the library of SM2 and SM3 120 ms.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from hutong.light_clients.crypto.engines import (
    ALGORITHMS,
    Algorithm,
    Engine,
    EngineContradicted,
    NotInstalled,
    Question,
    Use,
)
from hutong.relay.acceleration.differential import JudgeFailed, compare
from hutong.relay.acceleration.evidence import EvidenceFolder
from hutong.relay.acceleration.machine import this_machine
from hutong.relay.acceleration.measuring import version_of
from hutong.relay.acceleration.random_questions import MADE
from hutong.relay.telemetry import get_logger

EVERY_S = 60.0
QUESTIONS = 4
"""Of each algorithm in a round."""
FEW_QUESTIONS = {"sm2 verify": 1}
"""Of those whose judge takes long: gmalg some 25 to 70 ms for a verdict."""
TOO_SLOW = frozenset({"bls12-381 verify"})
"""Its judge takes a third of a second for one answer."""
EVIDENCE_DIRECTORY = "engine-evidence"

_log = get_logger("engines")


class EngineWrong(Exception):
    """An engine of consensus answered otherwise than another author's library; the text says where the question is.

    Attributes:
        found: what was answered.
    """

    def __init__(self, found: EngineContradicted, path: Path) -> None:
        super().__init__(f"{found}; the question is in {path}: try `hutong accel` here and on another machine")
        self.found = found


class EngineWatch:
    """Rounds of questions, numbered on from a seed that is drawn at the start."""

    def __init__(self, home: Path, chosen: Collection[str] = ()) -> None:
        """`home` gets the folder EVIDENCE_DIRECTORY at the first contradiction.

        Args:
            chosen: names of bulk algorithms that are of consensus here, as a genesis says.
        """
        self._evidence = EvidenceFolder(home / EVIDENCE_DIRECTORY)
        self._seed = int.from_bytes(os.urandom(8), "big")
        self._next = 0
        self._unfit: set[tuple[str, str]] = set()
        self.wrong: set[str] = set()
        """Algorithms whose engine was contradicted: it is asked no more."""
        self._asked = tuple(
            algorithm
            for algorithm in (ALGORITHMS[name] for name in MADE if name not in TOO_SLOW)
            if algorithm.use is Use.CONSENSUS or algorithm.name in chosen
        )

    def ask(self) -> int:
        """One round; how many questions it had. Algorithms without a judge that answers are left out. Blocking.

        A judge that fails, or that every other judge contradicts, is asked no more and its name is logged: the libraries of
        judges are not of the rules, so a fault of theirs is no reason to halt.

        Raises:
            EngineWrong: an answer differs; the question is kept.
            OSError: it could not be kept.
        """
        first, self._next = self._next, self._next + QUESTIONS
        return sum(self._ask(algorithm, first) for algorithm in self._asked if algorithm.name not in self.wrong)

    def _ask(self, algorithm: Algorithm, first: int) -> int:
        numbers = range(first, first + FEW_QUESTIONS.get(algorithm.name, QUESTIONS))
        for judge in self._judges_of(algorithm):
            try:
                chunk = compare(algorithm, algorithm.engines[0], judge, self._seed, numbers)
            except JudgeFailed as error:
                self._leave_out(algorithm, judge, str(error))
                continue
            for _, found in chunk.found:
                self._weigh(algorithm, judge, found)
            return len(numbers)
        return 0

    def _judges_of(self, algorithm: Algorithm) -> Iterator[Engine]:
        """The fastest first: they are listed from the plain path on."""
        for judge in reversed(algorithm.judges):
            if (algorithm.name, judge.name) not in self._unfit:
                try:
                    judge.answering()
                except NotInstalled:
                    continue
                yield judge

    def _weigh(self, algorithm: Algorithm, judge: Engine, found: EngineContradicted) -> None:
        engine = algorithm.engines[0]
        path = self._evidence.keep(found, version_of(engine.distribution), this_machine().name)
        second = self._second_answer(algorithm, judge, found.question)
        if second is not None and second[1] == found.got:
            self._leave_out(algorithm, judge, f"{found}; {second[0]} answers as {engine.name} does")
            return
        self.wrong.add(algorithm.name)
        raise EngineWrong(found, path)

    def _second_answer(self, algorithm: Algorithm, judge: Engine, question: Question) -> tuple[str, object] | None:
        """Of another judge, with its name. None where there is none."""
        for other in self._judges_of(algorithm):
            if other is not judge:
                try:
                    return other.name, other.answering()([question])[0]
                except Exception as error:  # a judge's refusals have no one type
                    self._leave_out(algorithm, other, f"{type(error).__name__}: {error}")
        return None

    def _leave_out(self, algorithm: Algorithm, judge: Engine, reason: str) -> None:
        if (algorithm.name, judge.name) not in self._unfit:
            self._unfit.add((algorithm.name, judge.name))
            _log.warning(
                "a judge of engines is asked no more", judge=judge.name, algorithm=algorithm.name, reason=reason
            )
