"""A small project with planted faults, and what one run of the gate says of them."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.gate.marked_processes import marked
from tests.gate.running import Runner, Setting
from tests.gate.sections import ROOT, Section
from tests.gate.verdict import closing, judge, table

CONFTEST = """
from tests.gate import pytest_plugin

def pytest_configure(config):
    config.addinivalue_line("markers", "safety: x")
    config.addinivalue_line("markers", "nodes: x")
    pytest_plugin.register(config)
"""
TESTS = """
import os, subprocess, tempfile
from pathlib import Path
import pytest

def first_time(name):
    file = Path(os.environ["HUTONG_PLANTED"]) / name
    if file.exists():
        return False
    file.touch()
    return True

def test_good():
    assert "HUTONG_GATE_REPORT" not in os.environ

def test_fails():
    assert 1 == 2, "always wrong"

def test_fails_among_others():
    assert not first_time("others"), "wrong once"

def test_attack_C1_fails_one_time_in_two():
    assert not first_time("attack"), "wrong once"

@pytest.mark.safety
def test_of_safety_fails_one_time_in_two():
    assert not first_time("safety"), "wrong once"

def test_leaves_a_process():
    subprocess.Popen(["sleep", "300"])

def test_leaves_a_folder():
    tempfile.mkdtemp(prefix="kept-")

def test_leaves_a_file_in_the_tree():
    Path("left.txt").touch()

def test_skipped():
    pytest.skip("today")
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "conftest.py").write_text(CONFTEST)
    (root / "test_planted.py").write_text(TESTS)
    (root / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:schemathesis -p no:anyio\n")
    (root / ".gitignore").write_text("__pycache__\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    return root


@pytest.fixture
def runner(project, tmp_path):
    def make(*sections: Section) -> tuple[Runner, list[str]]:
        lines: list[str] = []
        number = len(list(tmp_path.glob("work*")))
        work = tmp_path / f"work{number}"
        work.mkdir()
        name = f"planted-{os.getpid()}-{tmp_path.name}-{number}"
        made = Runner(Setting(work, 7, name, project, 0.3, lines.append))
        for section in sections:
            made.run(section)
        return made, lines

    return make


def row(name: str, tmp_path: Path, *tests: str, again: bool = False, selects: str | None = None) -> Section:
    ids = [f"test_planted.py::{test}" for test in tests]
    variables = {"HUTONG_PLANTED": str(tmp_path), "PYTHONPATH": str(ROOT)}
    wanted = (f"test_planted.py::{selects or tests[0]}",)
    return Section(name, 1, pytest=f"-q {' '.join(ids)}", selects=wanted, environment=variables, again=again)


def said(runner: Runner) -> tuple[bool, set[str], set[str]]:
    verdict = judge(runner)
    return (
        verdict.is_green,
        {failure.title for failure in verdict.failed},
        {failure.title for failure in verdict.unsteady},
    )


@pytest.mark.long
def test_one_run_tells_every_planted_fault(runner, tmp_path, project):
    """A stale page and a type error are sections that exit with 1; the others are tests."""
    sections = (
        Section("page", 1, run="echo the page is stale; exit 1"),
        Section("types", 1, run="echo a type error; exit 1"),
        row(
            "tests",
            tmp_path,
            *("test_good", "test_fails", "test_fails_among_others", "test_attack_C1_fails_one_time_in_two"),
            *("test_of_safety_fails_one_time_in_two", "test_leaves_a_process"),
        ),
        row("selects nothing", tmp_path, "test_good", selects="test_fails"),
        Section("after them", 1, run="echo goes on"),
        Section("stands on types", 1, run="true", needs=("types",)),
        Section("needs a tool", 1, run="true", tools=("no-such-program",)),
    )
    made, lines = runner(*sections)
    verdict = judge(made)
    assert not verdict.is_green
    assert {failure.title for failure in verdict.failed} == {
        "page",
        "types",
        "tests: test_planted.py::test_fails",
        "tests: test_planted.py::test_attack_C1_fails_one_time_in_two",
        "tests: test_planted.py::test_of_safety_fails_one_time_in_two",
        "tests: test_planted.py::test_leaves_a_process",
        "selects nothing: test_planted.py::test_fails",
        "stands on types",
        "needs a tool",
    }
    assert [failure.title for failure in verdict.unsteady] == ["tests: test_planted.py::test_fails_among_others"]
    assert not marked(made.setting.name), "what a test left is ended"
    again = [line for line in lines if "once more" in line]
    assert len(again) == 3, "neither attacks nor safety nor what cannot run is tried again"
    text = "\n".join([*table(made.outcomes), *closing(made.outcomes, verdict)])
    assert "always wrong" in text and "the page is stale" in text and "sleep 300" in text
    assert "cannot run: it needs no-such-program, which this machine lacks" in text
    assert "RED\n2 passed, 4 failed, 0 skipped" in text.replace("3 passed", "2 passed")


def test_what_passes_alone_leaves_the_run_green_and_is_told(runner, tmp_path):
    made, _ = runner(row("tests", tmp_path, "test_good", "test_fails_among_others"))
    verdict = judge(made)
    assert verdict.is_green
    text = "\n".join(closing(made.outcomes, verdict))
    assert "UNSTEADY, mend it before the next landing: tests: test_planted.py::test_fails_among_others" in text
    assert text.endswith("green\n2 passed, 0 failed, 0 skipped")


@pytest.mark.long
def test_each_leftover_fails_by_the_name_of_its_test(runner, tmp_path, project):
    made, _ = runner(row("tests", tmp_path, "test_leaves_a_folder"))
    assert said(made) == (False, {"tests: test_planted.py::test_leaves_a_folder"}, set())
    made, _ = runner(row("tests", tmp_path, "test_leaves_a_file_in_the_tree"))
    assert said(made) == (False, {"tests"}, set()), "git does not say who made it"
    (project / "left.txt").unlink()
    assert said(runner(row("tests", tmp_path, "test_good"))[0]) == (True, set(), set())


def test_what_is_skipped_is_not_what_a_row_is_there_for(runner, tmp_path):
    made, _ = runner(row("tests", tmp_path, "test_skipped"))
    assert said(made) == (False, {"tests: test_planted.py::test_skipped"}, set())


def test_a_section_that_waits_for_processes_may_be_run_once_more(runner, tmp_path):
    once = f"test -e {tmp_path}/been || {{ touch {tmp_path}/been; exit 1; }}"
    assert said(runner(Section("waits", 1, run=once, again=True))[0]) == (True, set(), {"waits"})
    (tmp_path / "been").unlink()
    assert said(runner(Section("is fixed", 1, run=once))[0]) == (False, {"is fixed"}, set())
    assert said(runner(Section("is broken", 1, run="false", again=True))[0]) == (False, {"is broken"}, set())


def test_more_than_three_unsteady_are_red(runner, tmp_path):
    def sections(count):
        for number in range(count):
            file = tmp_path / f"{count}-{number}"
            yield Section(f"{number}", 1, run=f"test -e {file} || {{ touch {file}; exit 1; }}", again=True)

    assert said(runner(*sections(3))[0])[0]
    assert not said(runner(*sections(4))[0])[0]


def test_what_hangs_is_ended_at_its_limit_and_the_run_goes_on(runner):
    made, _ = runner(Section("hangs", 0.01, run="sleep 300 & sleep 300"), Section("next", 1, run="true"))
    verdict = judge(made)
    assert [failure.why for failure in verdict.failed][:1] == ["ended after 0.01 minutes, its limit"]
    assert [outcome.section.name for outcome in made.outcomes if not outcome.failures] == ["next"]
    assert not marked(made.setting.name)


def test_a_file_that_cannot_be_collected_is_told_by_its_name(runner, tmp_path, project):
    (project / "test_planted.py").write_text("import nothing_of_this_name\n")
    made, lines = runner(row("tests", tmp_path, "test_good"))
    green, failed, _ = said(made)
    assert not green and "tests: test_planted.py" in failed
    assert not any("once more" in line for line in lines)
