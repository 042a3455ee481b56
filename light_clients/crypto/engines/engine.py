"""What an engine is: one library's way to do one algorithm, many questions at a call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Question: TypeAlias = tuple[Any, ...]
"""The arguments of one use of the algorithm, bytes and whole numbers alone, so that they go to another process and into evidence."""
Answer: TypeAlias = bool | bytes | tuple[bytes, ...] | None
"""A verdict, a digest or a key, shards; None where the algorithm gives nothing."""
Answering: TypeAlias = Callable[[Sequence[Question]], list[Answer]]
"""Answers of many questions, in their order. Total: what is wrong with a question is its answer, False or None."""

PYTHON = "python"
"""In place of a distribution: the standard library."""
REFUSALS = (False, None)
"""Answers by which something is refused."""


class Use(StrEnum):
    """Whether nodes of one chain must agree about each answer."""

    CONSENSUS = "consensus"
    """One engine, that of the rules: another one may differ at an edge and fork the chain."""
    BULK = "bulk"
    """Any engine that answers rightly."""


class Runs(StrEnum):
    """How two processors are used at once; `tests/light_clients/crypto/engines/test_lock.py` shows it of each engine."""

    THREAD = "thread"
    """It releases the interpreter's lock while it works: threads pay."""
    PROCESS = "process"
    """It holds the lock: threads gain nothing, other processes do."""
    INLINE = "inline"
    """A call is shorter than what handing it over takes."""


class NotInstalled(ImportError):
    """The engine's library is not there."""

    def __init__(self, engine: str, remedy: str) -> None:
        super().__init__(f"not supported: {engine} is not installed; {remedy}")
        self.engine = engine
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Engine:
    """One library for one algorithm. Nothing is imported before `load` is called.

    Attributes:
        name: of the code that does the work.
        distribution: what brings it, by whose version it is named; `PYTHON` for the standard library.
        install: what to say to who lacks it.
        runs: how several processors are used.
        features: CPU features, as /proc/cpuinfo has them, for which its code has a path of its own. Whether the library takes it
            is the library's choice; it is not asked.
        pays_from: so many questions make other threads or processes worth their start.
        load: imports the library.
    """

    name: str
    distribution: str
    install: str
    runs: Runs
    features: tuple[str, ...]
    pays_from: int
    load: Callable[[], Answering]

    def answering(self) -> Answering:
        """What answers, with the library imported.

        Raises:
            NotInstalled: the library is not there.
        """
        try:
            return self.load()
        except ImportError as error:
            raise NotInstalled(self.name, self.install) from error

    def is_installed(self) -> bool:
        """Whether the library is there; it is imported."""
        try:
            self.answering()
        except NotInstalled:
            return False
        return True


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A question whose answer is known: published, or reached by two libraries of different authors."""

    name: str
    question: Question
    answer: Answer


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm, its engines, and the libraries that judge them.

    Attributes:
        engines: the fastest first. Of an algorithm of consensus exactly one.
        judges: slow and by other authors, the plain path first. They answer the same questions as the engines.
        known: what each engine must answer before it is used.
    """

    name: str
    use: Use
    engines: tuple[Engine, ...]
    judges: tuple[Engine, ...]
    known: tuple[KnownAnswer, ...]

    def __post_init__(self) -> None:
        if self.use is Use.CONSENSUS and len(self.engines) != 1:
            raise ValueError(f"{self.name} is of consensus: it has one engine, not {len(self.engines)}")
        if not self.engines or not self.known:
            raise ValueError(f"{self.name} has no engine, or no known answer to try it with")


def one_by_one(answer: Callable[..., Answer]) -> Answering:
    """For a library that takes one question at a call."""

    def answering(questions: Sequence[Question]) -> list[Answer]:
        return [answer(*question) for question in questions]

    return answering
