"""Which defences `--since` and `--share` take, and for how long."""

import time
from pathlib import Path

from tests.defences import Defence
from tests.defences.__main__ import in_turn, is_over
from tests.defences.changes import Changes

ROOT = Path(__file__).resolve().parents[2]


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
    """Another test of the file makes no defence weaker; a constant or a fixture may."""
    file = "tests/defences/test_changes_since.py"
    now = (ROOT / file).read_text()
    name = "test_defences_begin_until_their_minutes_are_over"
    others = now.replace("def test_a_test_is_touched", "def test_by_another_name")
    own = now.replace("is_over(0, None)", "is_over(1, None)", 1)
    constant = now.replace("ROOT = ", "ROOT: Path = ", 1)
    assert len({now, others, own, constant}) == 4
    assert not Changes({file: others}).touch_test(f"{file}::{name}")
    assert not Changes({}).touch_test(f"{file}::{name}")
    for before in (own, constant, None):
        assert Changes({file: before}).touch_test(f"{file}::{name}")
    assert Changes({file: others}).touch_test(file), "a defence of a whole file"
