"""The table of CI's checks: what is due, what waits for its turn, and that nothing waits for ever."""

import importlib.util
import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.defences import Defence
from tests.defences.__main__ import in_turn, is_over
from tests.defences.changes import Changes

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / ".ci" / "checks.py"

specification = importlib.util.spec_from_file_location("ci_checks", FILE)
ci = importlib.util.module_from_spec(specification)
sys.modules["ci_checks"] = ci
specification.loader.exec_module(ci)

TURNS = """
[[check]]
name = "first"
run = "echo first >> $WORK/ran"
minutes = 1

[[check]]
name = "beside"
run = "{beside}"
beside = 19
minutes = 1

[[check]]
name = "by turns"
run = "echo turns >> $WORK/ran"
needs = ["beside"]
every = 3
sources = ["relay/hub"]
minutes = 1
"""


@pytest.fixture
def table():
    return ci.load(ci.TABLE.read_text())


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Calls `.ci/checks.py` with a table of its own."""

    def run(text, *arguments, day=0):
        file = tmp_path / "checks.toml"
        file.write_text(text)
        (tmp_path / "landed").write_text("HEAD\n")
        monkeypatch.setenv("WORK", str(tmp_path))
        code = (
            f"import sys; sys.path.insert(0, {str(FILE.parent)!r}); import checks; from pathlib import Path\n"
            f"checks.TABLE, checks.LANDED, checks.PASSED = (Path({str(tmp_path)!r}, name)"
            " for name in ('checks.toml', 'landed', 'passed'))\n"
            f"checks.changed_files = lambda: []\nchecks.reason = lambda check, index, day, changed, old=checks.reason:"
            f" old(check, index, {day}, changed)\n"
            f"checks.next_turn = lambda check, index, day, old=checks.next_turn: old(check, index, {day})\nsys.argv = ['checks', *{list(arguments)!r}]\nchecks.main()"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        ran = tmp_path / "ran"
        lines = ran.read_text().split() if ran.exists() else []
        ran.unlink(missing_ok=True)
        return done, lines

    return run


def test_every_check_comes_round_within_its_days(table):
    for index, check in enumerate(table):
        due = [day for day in range(12) if ci.reason(check, index, day, []) is not None]
        assert len(due) == 12 // check.every, check.name


def test_a_changed_source_makes_a_check_due_whatever_the_day(table):
    for index, check in enumerate(table):
        for source in check.sources:
            assert (ROOT / source).exists(), f"{check.name}: {source}"
            for day in range(check.every):
                assert ci.reason(check, index, day, [f"{source}/any.py"]) is not None
                assert ci.reason(check, index, day, [source]) is not None
            waits = next(day for day in range(9) if (day + index) % check.every)
            assert ci.reason(check, index, waits, [f"{source}_of_another_name/any.py"]) is None


def test_where_nobody_knows_what_changed_everything_is_due(table):
    assert all(ci.reason(check, index, day, None) for index, check in enumerate(table) for day in range(3))


def test_the_readmes_command_comes_first_and_each_run(table):
    assert table[0].run in (ROOT / "README.md").read_text() and table[0].every == 1


def test_what_the_row_of_whole_networks_leaves_out_another_row_runs(table):
    rows = {check.name: check.run.replace("\\\n", " ").split() for check in table}
    words = rows["whole networks of processes, and what else takes long"]
    left_out = {word for before, word in itertools.pairwise(words) if before == "--ignore"}
    others = [run for run in rows.values() if run is not words and "long" in run]
    assert left_out and all((ROOT / path).exists() and any(path in run for run in others) for path in left_out)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('name = "beside"', 'name = "first"'), "listed twice"),
        (('needs = ["beside"]', 'needs = ["first"]'), "starts beside others"),
        (("every = 3\n", ""), "names its sources"),
    ],
)
def test_a_table_that_cannot_be_run_is_refused(change, why):
    with pytest.raises(ValueError, match=why):
        ci.load(TURNS.replace(*change))


def test_what_is_due_runs_and_what_waits_is_named(run):
    done, ran = run(TURNS.format(beside="echo beside >> $WORK/ran"), day=1)
    assert done.returncode == 0, done.stderr
    assert ran == ["first", "beside", "turns"] and "by turns: its turn" in done.stdout
    done, ran = run(TURNS.format(beside="echo beside >> $WORK/ran"), day=2)
    assert sorted(ran) == ["beside", "first"] and "waits     1 min  by turns: its turn comes in 2 days" in done.stdout
    done, ran = run(TURNS.format(beside="echo beside >> $WORK/ran"), "--all", day=2)
    assert ran == ["first", "beside", "turns"]


def test_a_failure_is_the_runs_and_what_does_not_need_it_runs_and_a_resumed_one_takes_what_is_left(run):
    text = TURNS + '[[check]]\nname = "last"\nrun = "echo last >> $WORK/ran"\nminutes = 1\n'
    done, ran = run(text.format(beside="echo what went wrong; exit 3"), day=1)
    assert done.returncode == 1 and "FAILED: beside, by turns" in done.stderr and ran == ["first", "last"]
    assert "=== FAILED: beside (exit code 3" in done.stdout and done.stdout.count("what went wrong") == 2
    assert "=== FAILED: by turns (not begun, since it needs 'beside')" in done.stdout
    done, ran = run(text.format(beside="echo beside >> $WORK/ran"), "--resume", day=1)
    assert done.returncode == 0 and ran == ["beside", "turns"]
    done, ran = run(text.replace("echo first", "echo once; false; echo first").format(beside="true"), day=1)
    assert done.returncode == 1 and ran == ["turns", "last"] and done.stdout.count("once") == 2


def test_what_goes_as_far_as_the_time_does_learns_how_much_is_left(run):
    text = TURNS.format(beside="true").replace("echo first", "echo $MINUTES_LEFT")
    _, (minutes, *_) = run(text)
    assert 1 <= float(minutes) <= ci.LIMIT_MINUTES


def test_what_comes_by_turns_is_put_off_where_it_would_end_too_late_unless_it_was_asked_for(run):
    text = TURNS.format(beside="true").replace("minutes = 1\n", f"minutes = {ci.PUT_OFF_MINUTES + 1}\n")
    done, ran = run(text, day=1)
    assert done.returncode == 0 and ran == ["first"], "what runs each time is never put off"
    assert "put off for want of time, and still due: bash .ci/run 'by turns'" in done.stdout
    assert run(text, "by turns", day=1)[1] == ["turns"]
    assert run(text, "--all", day=1)[1] == ["first", "turns"]


def test_what_computes_by_turns_is_no_more_than_its_minutes_and_each_day_begins_with_another(run, table):
    row = TURNS.split("[[check]]")[2].replace(
        "minutes = 1", f'minutes = {ci.BESIDE_MINUTES - 1}\nevery = 3\nsources = ["relay"]'
    )
    text = "".join(
        "[[check]]" + row.replace('"beside"', f'"{name}"').format(beside=f"echo {name} >> $WORK/ran") for name in "xyz"
    )
    due = ci.load(text)
    kept = [[check.name for check in due if check.name not in ci.crowded_out(due, day)] for day in range(3)]
    assert kept == [["x"], ["y"], ["z"]]
    done, ran = run(text, "--all")
    assert sorted(ran) == ["x", "y", "z"] and "put off" not in done.stdout
    assert not ci.crowded_out([], 5)
    longest = max(check.minutes for check in table if check.every > 1 and check.beside is not None)
    assert longest <= ci.BESIDE_MINUTES, "or it would always be put off"


def test_a_list_runs_nothing_and_names_choose(run):
    assert run(TURNS.format(beside="true"), "--list")[1] == []
    assert run(TURNS.format(beside="true"), "first")[1] == ["first"]


def test_defences_that_nothing_touched_take_turns_and_the_others_do_not_wait():
    rows = [("x", Defence(str(n), f"relay/{n}.py", "a", "b", (f"relay/test_{n}.py::test",))) for n in range(14)]
    touched = Changes({"relay/3.py": None, "tests/relay/test_8.py": None})  # with nothing to compare with
    names = [[defence.name for _, defence in in_turn(rows, touched, f"{day}/7")] for day in range(7)]
    assert all({"3", "8"} <= set(day) for day in names)
    assert {name for day in names for name in day} == {str(n) for n in range(14)}
    assert [defence.name for _, defence in in_turn(rows, touched, None)] == ["3", "8"]
    assert in_turn(rows, None, None) == rows
    assert in_turn(rows, None, "3/7") == [rows[3], rows[10]]


def test_defences_begin_until_their_minutes_are_over():
    assert not is_over(0, None) and not is_over(time.monotonic(), 30)
    assert is_over(time.monotonic() - 61, 1)


def test_a_test_is_touched_by_itself_and_by_what_is_no_test_alone():
    """Another test of the file makes no defence weaker; a helper or a fixture may."""
    file = "tests/ci/test_checks.py"
    now = (ROOT / file).read_text()
    name = "test_a_list_runs_nothing_and_names_choose"
    others = now.replace("def test_a_test_is_touched", "def test_by_another_name")
    own = now.replace('"--list")[1] == []', '"--list")[1] == [""]', 1)
    helper = now.replace("TURNS = ", "TURNS: str = ", 1)
    assert len({now, others, own, helper}) == 4
    assert not Changes({file: others}).touch_test(f"{file}::{name}")
    assert not Changes({}).touch_test(f"{file}::{name}")
    for before in (own, helper, None):
        assert Changes({file: before}).touch_test(f"{file}::{name}")
    assert Changes({file: others}).touch_test(file), "a defence of a whole file"
