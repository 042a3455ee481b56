"""What a pytest run tells the gate, a JSON object a line: pytest writes it as it goes, the gate reads it afterwards."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPORT = "HUTONG_GATE_REPORT"
"""Variable with the file's path; only a run under the gate has it."""
SELECTS = "HUTONG_GATE_SELECTS"
"""Variable: the ids for which the row is there, one a line."""
MAX_SAID_LINES = 60
SAFETY_MARKS = ("safety", "vectors")
ATTACK = "test_attack_"
FAILED, MADE, ENDED = "failed", "made", "ended"
"""Kinds of lines: a test that failed; a folder or file that a test made outside its own; the end with all figures."""


def selected_by(test: str, wanted: str) -> bool:
    """An id without parameters stands for each of its parameters."""
    return test == wanted or test.startswith(f"{wanted}[")


def is_fixed(test: str, keywords: frozenset[str]) -> bool:
    """True for a test whose inputs are fixed, so that one failure is a finding: attacks, safety, vectors."""
    name = test.rpartition("::")[2]
    return name.startswith(ATTACK) or any(mark in keywords for mark in SAFETY_MARKS)


@dataclass(frozen=True, slots=True)
class FailedTest:
    test: str
    """Its id, or the path of a file that cannot be collected."""
    said: str
    """The end of what it printed."""
    fixed: bool
    """It is not run again."""


@dataclass(slots=True)
class TestReport:
    """All lines of one pytest run."""

    failed: list[FailedTest] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    """Test by path."""
    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    passed: frozenset[str] = frozenset()
    """Of the ids that the row is there for."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By test, for those over a tenth of a second."""
    areas: dict[str, tuple[float, int]] = field(default_factory=dict)
    ended: bool = False
    """False where pytest was killed or broke before its end."""


def area(test: str) -> str:
    """Where a test belongs in the table of areas: `tests/relay/hub`, `tests/contracts`."""
    folders = test.partition("::")[0].split("/")[:-1]
    depth = 4 if folders[1:3] == ["relay", "services"] else 3
    return "/".join(folders[:depth])


def append(path: Path, line: dict[str, object]) -> None:
    """One write a line, so that the lines of several processes do not mix."""
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(line).encode() + b"\n")


def _lines(path: Path) -> Iterator[dict]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # cut short by whoever ended the process


def read(path: Path) -> TestReport:
    """What stands in the file; an empty report where there is none."""
    report = TestReport()
    for line in _lines(path):
        if line["kind"] == FAILED:
            report.failed.append(FailedTest(line["test"], line["said"], line["fixed"]))
        elif line["kind"] == MADE:
            report.made[line["path"]] = line["test"]
        elif line["kind"] == ENDED:
            report.ended = True
            report.outcomes.update(line["outcomes"])
            report.passed = frozenset(line["passed"])
            report.seconds = dict(line["seconds"])
            report.areas = {name: (spent[0], spent[1]) for name, spent in line["areas"].items()}
    return report
