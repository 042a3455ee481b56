"""One section after the other, each with a mark, a folder and a log of its own; what failed is run once more at the end."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.gate import marked_processes
from tests.gate.leftovers import Ground, Traces, left
from tests.gate.report import REPORT, SELECTS, FailedTest, TestReport, read
from tests.gate.sections import ROOT, Section

TAIL_LINES = 40
KILL_LIMIT_S = 10.0
LIMIT_REACHED = 124
"""Exit code of a section that was ended at its limit, as of `timeout`."""


@dataclass(frozen=True, slots=True)
class Failure:
    section: Section
    test: str | None
    """Its id; None for what is not a test's."""
    why: str
    said: str
    fixed: bool
    """One failure is a finding: it is not run again."""

    @property
    def title(self) -> str:
        return f"{self.section.name}: {self.test}" if self.test else self.section.name


@dataclass(frozen=True, slots=True)
class Outcome:
    section: Section
    seconds: float
    failures: tuple[Failure, ...]
    report: TestReport


@dataclass(frozen=True, slots=True)
class Setting:
    """What all sections of a run have in common."""

    work: Path
    """A short path: sockets stand below it, whose paths have at most 107 bytes."""
    seed: int
    """Below 2^31."""
    name: str
    """Begins the mark of all its processes."""
    root: Path = ROOT
    """Where sections run."""
    patience_s: float = 5.0
    """For processes that were told to stop and are about to."""
    say: Callable[[str], None] = field(default=lambda text: print(text, flush=True))


@dataclass(slots=True)
class Runner:
    """Runs sections, and knows what failed. `runs` numbers them, reruns included."""

    setting: Setting
    outcomes: list[Outcome] = field(default_factory=list)
    runs: int = 0

    def run(self, section: Section) -> Outcome:
        failed = {failure.section.name for outcome in self.outcomes for failure in outcome.failures}
        if lost := [need for need in section.needs if need in failed]:
            outcome = self._not_run(section, f"cannot run: it needs {lost[0]!r}, which failed")
        elif missing := section.missing_tools:
            outcome = self._not_run(section, f"cannot run: it needs {missing[0]}, which this machine lacks")
        else:
            self.setting.say(f"\n=== {section.name}")
            outcome = self._run(section, section.script, section.environment)
            failures = len(outcome.failures)
            end = "ok" if not failures else f"FAILED, {failures} {'failure' if failures == 1 else 'failures'}"
            self.setting.say(f"=== {section.name}: {end}, {outcome.seconds:.0f} s")
        self.outcomes.append(outcome)
        return outcome

    def again(self, failure: Failure) -> bool:
        """True if it passes alone now."""
        section = failure.section
        self.setting.say(f"\n=== once more, alone: {failure.title}")
        if failure.test is None:
            return not self._run(section, section.script, section.environment).failures
        command = shlex.join(["pytest", "-q", "-m", "nodes or not nodes", failure.test])
        selects = Section(section.name, section.limit_minutes, pytest=command, selects=(failure.test,))
        return not self._run(selects, command, section.environment).failures

    def _not_run(self, section: Section, why: str) -> Outcome:
        self.setting.say(f"\n=== {section.name}: {why}")
        return Outcome(section, 0.0, (Failure(section, None, why, "", True),), TestReport())

    def _run(self, section: Section, script: str, environment: Mapping[str, str]) -> Outcome:
        self.runs += 1
        mark = f"{self.setting.name}/{self.runs}/"
        temporary = self.setting.work / str(self.runs)
        temporary.mkdir()
        report_file = self.setting.work / f"{self.runs}.jsonl"
        log = self.setting.work / f"{self.runs}.log"
        variables = {
            **os.environ,
            **environment,
            marked_processes.MARK: mark,
            "WORK": str(self.setting.work),
            "SEED": str(self.setting.seed),
            "PYTHONHASHSEED": str(self.setting.seed),  # the order of sets, which is another in each process otherwise
            "TMPDIR": str(temporary),
        }
        if section.pytest:
            variables |= {REPORT: str(report_file), SELECTS: "\n".join(section.selects)}
        ground = Ground.now(self.setting.root)
        began_s = time.monotonic()
        code, tail = self._ends(section, script, variables, log)
        seconds = time.monotonic() - began_s
        report = read(report_file)
        leftovers = left(ground, Traces(mark, temporary, report.made, self.setting.patience_s))
        said = "\n".join(tail)
        failures = [*_test_failures(section, report), *_section_failures(section, code, said, report)]
        failures += [Failure(section, one.test, one.sentence, "", one.test is None) for one in leftovers]
        return Outcome(section, seconds, tuple(failures), report)

    def _ends(
        self, section: Section, script: str, variables: Mapping[str, str], log: Path
    ) -> tuple[int, Sequence[str]]:
        """Exit code and last lines. All that it prints goes to the terminal and to its log."""
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.setting.root,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        prints = threading.Thread(target=_copy, args=(process, tail, log), daemon=True)
        prints.start()
        with _ended_with_us(process):
            try:
                code = process.wait(section.limit_minutes * 60)
            except subprocess.TimeoutExpired:
                code = LIMIT_REACHED
        prints.join(timeout=KILL_LIMIT_S)  # a process that it left may hold the other end
        return code, list(tail)


def _copy(process: subprocess.Popen[bytes], tail: deque[str], log: Path) -> None:
    assert process.stdout is not None
    with log.open("wb") as file, process.stdout as output:
        for raw in output:
            file.write(raw)
            tail.append(raw.decode(errors="replace").rstrip("\n"))
            sys.stdout.write(tail[-1] + "\n")
            sys.stdout.flush()


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Its group gets SIGTERM, and SIGKILL if that does not end it."""
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, number)
                try:
                    process.wait(KILL_LIMIT_S)
                except subprocess.TimeoutExpired:
                    continue


def _test_failures(section: Section, report: TestReport) -> Iterator[Failure]:
    for failed in report.failed:
        yield Failure(section, failed.test, "failed", failed.said, failed.fixed or _is_no_test(failed))


def _is_no_test(failed: FailedTest) -> bool:
    """A file that cannot be collected, or pytest itself."""
    return "::" not in failed.test


def _section_failures(section: Section, code: int, said: str, report: TestReport) -> Iterator[Failure]:
    """What is not one test's failure."""
    if code == LIMIT_REACHED:
        yield Failure(
            section, None, f"ended after {section.limit_minutes:g} minutes, its limit", said, not section.again
        )
    elif not section.pytest:
        if code:
            yield Failure(section, None, f"exit code {code}", said, not section.again)
    elif not report.ended or (code and not report.failed):
        yield Failure(section, None, f"pytest ended with exit code {code}", said, True)
    if section.pytest and report.ended:
        broken = {failed.test.partition("[")[0] for failed in report.failed}
        for wanted in section.selects:
            if wanted not in report.passed and wanted.partition("[")[0] not in broken:
                why = "the row is there for this test, and did not run it, or skipped it"
                yield Failure(section, wanted, why, "", True)
