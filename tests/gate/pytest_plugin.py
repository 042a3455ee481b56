"""The part of the gate inside pytest: `tests/conftest.py` registers it where the gate has started pytest."""

import os
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.gate import report as gate
from tests.gate.marked_processes import TEST

WORKER_INPUT = "hutong_gate_report"
SHORT_S = 0.1


class _Writer:
    """In the process that prints: failures as they come, all figures at the end."""

    def __init__(self, path: Path, selects: list[str]) -> None:
        self._path = path
        self._selects = selects
        self._seconds: dict[str, float] = defaultdict(float)
        self._outcomes: dict[str, int] = defaultdict(int)
        self._passed: set[str] = set()
        self._failed: set[str] = set()

    def _fail(self, test: str, said: str, fixed: bool) -> None:
        if test in self._failed:
            return
        self._failed.add(test)
        lines = said.splitlines()[-gate.MAX_SAID_LINES :]
        gate.append(self._path, {"kind": gate.FAILED, "test": test, "said": "\n".join(lines)[-20_000:], "fixed": fixed})

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node) -> None:
        """Of xdist: what a worker is told. The variable itself is not for processes that tests start."""
        node.workerinput[WORKER_INPUT] = str(self._path)

    def pytest_collectreport(self, report) -> None:
        if report.failed:
            self._fail(report.nodeid or "collection", report.longreprtext, True)

    def pytest_internalerror(self, excrepr) -> None:
        self._fail("pytest itself", str(excrepr), True)

    def pytest_runtest_logreport(self, report) -> None:
        test = report.nodeid
        self._seconds[test] += report.duration
        if report.failed:
            if test not in self._failed:
                self._outcomes["failed"] += 1
            said = report.longreprtext + "".join(f"\n--- {title}\n{text}" for title, text in report.sections)
            self._fail(test, said, gate.is_fixed(test, frozenset(report.keywords)))
        elif report.skipped:
            self._outcomes["skipped"] += 1
        elif report.when == "call":
            self._outcomes["passed"] += 1
            self._passed.update(one for one in self._selects if gate.selected_by(test, one))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session) -> None:
        areas: dict[str, tuple[float, int]] = {}
        for test, seconds in self._seconds.items():
            before = areas.get(gate.area(test), (0.0, 0))
            areas[gate.area(test)] = (before[0] + seconds, before[1] + 1)
        gate.append(
            self._path,
            {
                "kind": gate.ENDED,
                "outcomes": self._outcomes,
                "passed": sorted(self._passed),
                "seconds": {test: round(spent, 3) for test, spent in self._seconds.items() if spent > SHORT_S},
                "areas": {name: (round(spent, 1), tests) for name, (spent, tests) in areas.items()},
            },
        )


class _MadeFolders:
    """In the process that runs tests: temporary folders and files, with the test that made each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made: dict[str, str] = {}
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: tuple) -> None:
        if event in ("tempfile.mkdtemp", "tempfile.mkstemp"):
            self._made[os.fsdecode(arguments[0])] = os.environ.get(TEST, "collection").rpartition(" (")[0]

    def pytest_sessionfinish(self, session) -> None:
        for made, test in self._made.items():
            if os.path.lexists(made):
                gate.append(self._path, {"kind": gate.MADE, "path": made, "test": test})


def register(config: pytest.Config) -> None:
    """Nothing where the gate did not start this run. Tests that start pytest themselves start it without the gate."""
    given = os.environ.pop(gate.REPORT, None)
    selects = os.environ.pop(gate.SELECTS, "").splitlines()
    worker = getattr(config, "workerinput", None)
    path = worker.get(WORKER_INPUT) if worker is not None else given
    if path is None:
        return
    config.pluginmanager.register(_MadeFolders(Path(path)), "hutong-gate-folders")
    if worker is None:
        config.pluginmanager.register(_Writer(Path(path), selects), "hutong-gate-report")
