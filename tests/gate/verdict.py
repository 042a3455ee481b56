"""Green or red: which failures are run once more, what a run prints at its end, and what it leaves for whoever started it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.gate.running import Failure, Outcome, Runner

MAX_UNSTEADY = 3
MAX_AGAIN = 12
"""So many failures are more than a flaw of a test: nothing is run once more, and the run is red."""
SLOWEST = 50
VERDICT = "HUTONG_GATE_VERDICT"
"""Variable: a file for the verdict, in JSON."""


@dataclass(frozen=True, slots=True)
class Verdict:
    failed: tuple[Failure, ...]
    unsteady: tuple[Failure, ...]
    """They failed among others and passed alone."""

    @property
    def is_green(self) -> bool:
        return not self.failed and len(self.unsteady) <= MAX_UNSTEADY

    def document(self) -> dict[str, object]:
        return {
            "green": self.is_green,
            "failed": [failure.title for failure in self.failed],
            "unsteady": [failure.title for failure in self.unsteady],
        }

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.document()) + "\n", encoding="utf-8")


def _once_each(failures: Iterable[Failure]) -> list[Failure]:
    """A test that failed and left a process is one failure to be run again."""
    seen: dict[tuple[str, str | None], Failure] = {}
    for failure in failures:
        known = seen.setdefault((failure.section.name, failure.test), failure)
        if failure.fixed and not known.fixed:
            seen[failure.section.name, failure.test] = failure
    return list(seen.values())


def judge(runner: Runner) -> Verdict:
    """Runs once more, alone, what may be. Called after all sections are over."""
    failures = _once_each(failure for outcome in runner.outcomes for failure in outcome.failures)
    fixed = [failure for failure in failures if failure.fixed]
    waiting = [failure for failure in failures if not failure.fixed]
    if len(waiting) > MAX_AGAIN:
        runner.setting.say(f"{len(waiting)} failures are too many to be run once more")
        return Verdict(tuple(failures), ())
    unsteady = [failure for failure in waiting if runner.again(failure)]
    return Verdict((*fixed, *(failure for failure in waiting if failure not in unsteady)), tuple(unsteady))


def _failure_lines(word: str, failure: Failure) -> list[str]:
    said = failure.said.splitlines()[-40:]
    return ["", f"{word}: {failure.title}: {failure.why}", *(f"    {line}" for line in said)]


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Seconds of each section and their sum; seconds and tests by area; the slowest tests."""
    lines = ["", "seconds of each section:"]
    lines += [
        f"{outcome.seconds:7.0f}  {'FAILED ' if outcome.failures else ''}{outcome.section.name}" for outcome in outcomes
    ]
    lines.append(f"{sum(outcome.seconds for outcome in outcomes):7.0f}  together")
    areas: dict[str, tuple[float, int]] = {}
    slowest: list[tuple[float, str]] = []
    for outcome in outcomes:
        for name, (seconds, tests) in outcome.report.areas.items():
            before = areas.get(name, (0.0, 0))
            areas[name] = (before[0] + seconds, before[1] + tests)
        slowest += [(seconds, test) for test, seconds in outcome.report.seconds.items()]
    lines += ["", "seconds and tests by area:"]
    lines += [f"{seconds:7.1f} {tests:6}  {name}" for name, (seconds, tests) in sorted(areas.items())]
    lines += ["", f"the slowest {SLOWEST} tests, in seconds:"]
    lines += [f"{seconds:7.1f}  {test}" for seconds, test in sorted(slowest, reverse=True)[:SLOWEST]]
    return lines


def closing(outcomes: Sequence[Outcome], verdict: Verdict) -> list[str]:
    """Every failure with its last lines, the verdict, and how many tests ran."""
    lines: list[str] = []
    for failure in verdict.unsteady:
        lines += _failure_lines("UNSTEADY, mend it before the next landing", failure)
    for failure in verdict.failed:
        lines += _failure_lines("FAILED", failure)
    lines += ["", f"{len(verdict.failed)} failures, {len(verdict.unsteady)} unsteady"]
    lines += [f"UNSTEADY  {failure.title}" for failure in verdict.unsteady]
    lines += [f"FAILED    {failure.title}: {failure.why}" for failure in verdict.failed]
    if len(verdict.unsteady) > MAX_UNSTEADY:
        lines.append(f"more than {MAX_UNSTEADY} tests are unsteady")
    counts = {name: sum(outcome.report.outcomes.get(name, 0) for outcome in outcomes) for name in _COUNTED}
    failed = counts["failed"] if not verdict.is_green else 0
    passed = counts["passed"] + counts["failed"] - failed
    lines += ["green" if verdict.is_green else "RED"]
    lines += [f"{passed} passed, {failed} failed, {counts['skipped']} skipped"]
    return lines


_COUNTED = ("passed", "failed", "skipped")
