"""The tables: which rows can be run, which are chosen, and that every test has a row."""

import subprocess
import sys

import pytest

from tests.gate.rows import Row, faults
from tests.gate.sections import GATE, ROOT, WHOLE, Section, UnusableTable, chosen, load

ROWS = """
[[section]]
name = "first"
run = "true"
limit_minutes = 1

[[section]]
name = "second"
pytest = "-q tests/gate"
selects = ["tests/gate/test_sections.py::test_names_choose_with_what_they_need"]
needs = ["first"]
limit_minutes = 1
"""


@pytest.fixture(scope="module")
def gate():
    return load(GATE.read_text())


@pytest.fixture(scope="module")
def whole():
    return load(WHOLE.read_text())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('"second"', '"first"'), "first: listed twice"),
        (('run = "true"\n', ""), "first: has one of `run` and `pytest`"),
        (('run = "true"\n', 'run = "true"\npytest = "tests"\n'), "first: has one of"),
        (
            ('selects = ["tests/gate/test_sections.py::test_names_choose_with_what_they_need"]\n', ""),
            "says by `selects`",
        ),
        (('run = "true"\n', 'run = "true"\nselects = ["x"]\n'), "says by `selects`"),
        (('needs = ["first"]', 'needs = ["third"]'), "needs 'third'"),
        (("limit_minutes = 1\n", ""), "limit_minutes"),
        (('run = "true"\n', 'run = "true"\nevery = 3\n'), "every"),
    ],
)
def test_a_table_that_cannot_be_run_is_refused(change, why):
    assert len(load(ROWS)) == 2
    with pytest.raises(UnusableTable, match=why):
        load(ROWS.replace(*change))


def test_names_choose_with_what_they_need():
    sections = load(ROWS)
    assert [one.name for one in chosen(sections, [])] == ["first", "second"]
    assert [one.name for one in chosen(sections, ["seco"])] == ["first", "second"]
    assert [one.name for one in chosen(sections, ["first"])] == ["first"]
    with pytest.raises(UnusableTable, match=r"no section is called 'third'; there are\n  first\n  second"):
        chosen(sections, ["third"])


def test_a_row_that_does_not_select_its_test_is_found():
    good = load(ROWS)[1]
    assert faults(good) == []

    def with_(arguments, test):
        return faults(Section("row", 1, pytest=arguments, selects=(f"tests/gate/test_sections.py::{test}",)))

    name = "test_names_choose_with_what_they_need"
    assert with_("-q tests/gate -k nothing", name) == [f"row: does not select tests/gate/test_sections.py::{name}"]
    assert with_("-q -m long", name)[0].startswith("row: does not select")
    assert with_("-q tests/docs", name) == ["row: its paths do not reach tests/gate/test_sections.py"]
    assert with_("-q tests --ignore tests/gate", name) == ["row: its paths do not reach tests/gate/test_sections.py"]
    assert with_("-q tests/nowhere", name) == ["row: tests/nowhere is not there"]


def test_the_gate_has_the_readmes_command_and_fixes_what_it_draws(gate):
    readme = (ROOT / "README.md").read_text()
    assert any(f"pytest {section.pytest}" in readme for section in gate if section.pytest)
    assert all("$SEED" not in section.script for section in gate), "the gate draws nothing"
    assert sum(section.minutes for section in gate) <= 20


@pytest.mark.parametrize("mark", ["long", "nodes"])
def test_every_test_outside_of_the_readmes_command_has_a_row(gate, whole, mark):
    rows = [
        Row.of(Section(one.name, 1, pytest=line.partition("pytest ")[2] or one.pytest))
        for one in (*gate, *whole)
        for line in (one.script.splitlines())
        if "pytest " in line and f"-m {mark}" in line and not one.environment
    ]
    files = [file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("test_*.py")]
    marked = [file for file in files if f"mark.{mark}" in (ROOT / file).read_text()]
    own = {"tests/gate/test_sections.py"}
    alone = {"tests/relay/hub/network/test_hub_network.py", "tests/relay/cases/test_cases_in_a_city.py"}
    assert [file for file in marked if file not in own | alone and not any(row.reaches(file) for row in rows)] == []


def test_sources_of_proofs_are_there(whole):
    for section in whole:
        assert section.sources, section.name
        for source in section.sources:
            assert (ROOT / source).exists(), f"{section.name}: {source}"


@pytest.mark.parametrize("table", ["run", "whole"])
def test_names_are_told_before_anything_is_installed(table):
    """A bare machine has no pytest yet."""
    without_pytest = (
        "import runpy, sys; sys.modules['pytest'] = None; runpy.run_module('tests.gate', run_name='__main__')"
    )
    command = [sys.executable, "-c", without_pytest, "--list", table]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
