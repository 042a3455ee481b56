"""Known answers before an engine is used: good ones, refusals, and the edges at which libraries differ."""

from collections.abc import Collection, Iterable
from typing import Any

from hutong.light_clients.crypto.engines.engine import Algorithm, Answer, Engine, Question, Use


class EngineContradicted(Exception):
    """An engine answers otherwise than it must. In consensus nothing goes on with it; in bulk it is turned off.

    Attributes:
        by: who gives the other answer: a known one, or an engine's name.
    """

    def __init__(self, algorithm: str, engine: str, question: Question, got: Answer, expected: Answer, by: str) -> None:
        super().__init__(
            f"the engine {engine} answers {_short(got)} where {by} gives {_short(expected)} for {algorithm}:"
            " this machine or its library computes wrongly, and nothing is judged with it"
        )
        self.algorithm = algorithm
        self.engine = engine
        self.question = question
        self.got = got
        self.expected = expected
        self.by = by

    def __reduce__(self) -> tuple[Any, ...]:
        # it comes from other processes too, which make it anew of its parts
        return type(self), (self.algorithm, self.engine, self.question, self.got, self.expected, self.by)


def _short(answer: Answer) -> str:
    if isinstance(answer, tuple):
        return ", ".join(part.hex()[:16] for part in answer)
    return answer.hex()[:64] if isinstance(answer, bytes) else str(answer)


def try_engine(algorithm: Algorithm, engine: Engine) -> int:
    """Ask `engine` everything whose answer is known; how many questions that were.

    One at a time and all in one call, since a batch may have a path of its own.

    Raises:
        EngineContradicted: at the first other answer.
        NotInstalled: its library is not there.
    """
    answering = engine.answering()
    together = answering([known.question for known in algorithm.known])
    if len(together) != len(algorithm.known):
        known = algorithm.known[0]
        raise EngineContradicted(
            algorithm.name, engine.name, known.question, None, known.answer, "the number of questions"
        )
    for known, in_batch in zip(algorithm.known, together, strict=True):
        for got in (in_batch, *answering([known.question])):
            if got != known.answer or type(got) is not type(known.answer):
                by = f"the known answer {known.name!r}"
                raise EngineContradicted(algorithm.name, engine.name, known.question, got, known.answer, by)
    return len(algorithm.known)


def try_engines_of_consensus(algorithms: Iterable[Algorithm], chosen: Collection[str] = ()) -> int:
    """Known answers of every algorithm of consensus; how many questions that were. Blocking, for 0.1 s.

    Which version of a library must be there is the hub's rules' to say (`unfit_library`).

    Args:
        chosen: names of bulk algorithms that are of consensus here, as a genesis says.

    Raises:
        EngineContradicted: at the first other answer.
        NotInstalled: a library is not there, so what it would judge cannot be judged.
    """
    tried = (one for one in algorithms if one.use is Use.CONSENSUS or one.name in chosen)
    return sum(try_engine(algorithm, algorithm.engines[0]) for algorithm in tried)
