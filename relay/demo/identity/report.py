"""What the demo of identity did: each step with its time, its verdict, and whether it is as it should be."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from rich.console import Console
from rich.table import Table

Figure = int | float | str | bool
UNSAID = "it broke off"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `figures` are what it measured, with units in their names."""

    name: str
    verdict: str
    is_as_it_should_be: bool
    duration_s: float
    figures: Mapping[str, Figure]

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        said = {"step": self.name, "as_it_should_be": self.is_as_it_should_be, "verdict": self.verdict}
        return said | {"duration_s": round(self.duration_s, 1)} | dict(self.figures)


@dataclass(slots=True)
class Outcome:
    """What a step says of itself while it runs; a step that says nothing is not as it should be."""

    verdict: str = UNSAID
    is_as_it_should_be: bool = False
    figures: dict[str, Figure] = field(default_factory=dict)

    def say(self, verdict: str, *, good: bool = True, **figures: Figure) -> None:
        """The verdict in one sentence, and what was measured."""
        self.verdict, self.is_as_it_should_be = verdict, good
        self.figures |= figures


class Report:
    """Steps in their order. `say` is told each step's verdict as it ends."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = monotonic) -> None:
        self._say = say
        self._clock = clock
        self._begun_s = clock()
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Outcome]:
        """A step, which is kept however it ends; what it raises is its verdict, and comes through."""
        begun_s, outcome = self._clock(), Outcome()
        try:
            yield outcome
        except BaseException as error:
            sentence = str(error) if isinstance(error, Exception) and str(error) else UNSAID
            outcome.say(sentence, good=False)
            raise
        finally:
            step = Step(
                name, outcome.verdict, outcome.is_as_it_should_be, self._clock() - begun_s, dict(outcome.figures)
            )
            self.steps.append(step)
            self._say(f"{name}: {step.verdict}{'' if step.is_as_it_should_be else ' (NOT as it should be)'}")

    @property
    def duration_s(self) -> float:
        """Since the report was begun."""
        return self._clock() - self._begun_s

    def is_good(self, steps: int) -> bool:
        """Whether so many steps were taken, each as it should be."""
        return len(self.steps) == steps and all(step.is_as_it_should_be for step in self.steps)

    def fields(self, steps: int) -> dict[str, Any]:
        """The fields that scripts read; docs/identity/demo.md names them.

        Args:
            steps: how many there should be.
        """
        taken = [step.fields() for step in self.steps]
        return {"good": self.is_good(steps), "duration_s": round(self.duration_s, 1), "steps": taken}


def print_report(console: Console, report: Report) -> None:
    """The steps as a table, for a person."""
    table = Table(title="What happened", title_justify="left")
    for name in ("step", "verdict", "measured"):
        table.add_column(name, overflow="fold")
    table.add_column("s", justify="right")
    for step in report.steps:
        mark = "" if step.is_as_it_should_be else "NOT as it should be: "
        measured = ", ".join(f"{name} {value}" for name, value in step.figures.items())
        table.add_row(step.name, f"{mark}{step.verdict}", measured, f"{step.duration_s:.1f}")
    console.print(table)
    console.print(f"{report.duration_s:.0f} s in all.")
