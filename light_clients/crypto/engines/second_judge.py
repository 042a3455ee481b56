"""Bulk work by the fastest engine, with a second judgement of what it refuses.

Fast code for SM2 has refused one good signature in some 10^5 (GmSSL#951), and only on some processors. What is accepted is not
judged again: an engine that accepts what is wrong must be found before it is used, by known answers and by `hutong accel
--differential`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hutong.light_clients.crypto.engines.engine import REFUSALS, Algorithm, Answer, Engine, NotInstalled, Question, Use
from hutong.light_clients.crypto.engines.self_test import EngineContradicted, try_engine

MOST_SECOND_JUDGEMENTS = 64
"""Second judgements that may be owed at once. A plain path is a hundred times slower, and strangers choose what is refused."""
ACCEPTED_FOR_ONE = 64
"""So many accepted answers give the right to one more."""

OnContradiction = Callable[[EngineContradicted], None]
"""Told of a contradiction: keeps the question, raises an alarm."""

Ask = Callable[[Engine, Sequence[Question]], list[Answer]]


def _ask(engine: Engine, questions: Sequence[Question]) -> list[Answer]:
    return engine.answering()(questions)


@dataclass(slots=True)
class BulkEngine:
    """Answers by the fastest engine that is installed and not contradicted. For one thread at a time.

    Attributes:
        algorithm: of bulk use.
        on_contradiction: called once for each engine that is turned off.
        off: what contradicted each engine that is not used any more, by its name.
        unjudged: refusals that stand without a second judgement, since too many came, or since no judge is installed.
    """

    algorithm: Algorithm
    on_contradiction: OnContradiction
    off: dict[str, EngineContradicted] = field(default_factory=dict)
    unjudged: int = 0
    _tried: set[str] = field(default_factory=set)
    _right: int = MOST_SECOND_JUDGEMENTS
    _accepted: int = 0

    def __post_init__(self) -> None:
        if self.algorithm.use is not Use.BULK:
            raise ValueError(f"{self.algorithm.name} is of consensus: no node chooses its engine")

    def answer(self, questions: Sequence[Question], ask: Ask = _ask) -> list[Answer]:
        """Answers in the order of the questions.

        An engine that fails its self-test, or refuses what the judge accepts, is turned off, and the whole batch goes to the next.

        Args:
            ask: how an engine is asked, such as over several processes.

        Raises:
            NotInstalled: no engine is left, nor a judge in its place.
        """
        while True:
            engine = self.engine()
            answers = ask(engine, questions)
            found = None if engine in self.algorithm.judges else self._contradiction(engine, questions, answers)
            if found is None:
                return answers
            self._turn_off(found)

    def engine(self) -> Engine:
        """The one that is asked next: self-tested, and a judge where every engine is off or missing.

        Raises:
            NotInstalled: none is there.
        """
        missing: NotInstalled | None = None
        for engine in (*self.algorithm.engines, *self.algorithm.judges):
            if engine.name in self.off:
                continue
            try:
                if engine.name not in self._tried:
                    try_engine(self.algorithm, engine)
                    self._tried.add(engine.name)
            except NotInstalled as error:
                missing = missing or error
            except EngineContradicted as error:
                self._turn_off(error)
            else:
                return engine
        raise missing or NotInstalled(
            self.algorithm.name, "every engine of it was turned off: see the evidence that was kept"
        )

    def _turn_off(self, found: EngineContradicted) -> None:
        self.off[found.engine] = found
        self.on_contradiction(found)

    def _contradiction(
        self, engine: Engine, questions: Sequence[Question], answers: Sequence[Answer]
    ) -> EngineContradicted | None:
        judge = self._judge()
        for question, answer in zip(questions, answers, strict=True):
            if answer not in REFUSALS:
                self._gain()
            elif judge is None or self._right == 0:
                self.unjudged += 1
            else:
                self._right -= 1
                (second,) = judge.answering()([question])
                if second not in REFUSALS:
                    return EngineContradicted(
                        self.algorithm.name, engine.name, question, answer, second, f"the engine {judge.name}"
                    )
        return None

    def _gain(self) -> None:
        self._accepted += 1
        if self._accepted % ACCEPTED_FOR_ONE == 0 and self._right < MOST_SECOND_JUDGEMENTS:
            self._right += 1

    def _judge(self) -> Engine | None:
        for judge in self.algorithm.judges:
            try:
                judge.answering()
            except NotInstalled:
                continue
            return judge
        return None
