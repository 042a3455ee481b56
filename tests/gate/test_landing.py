"""`.ci/land` on a small repository whose gate does what a file of it says."""

import os
import select
import signal
import subprocess
import sys

import pytest

from tests.gate.landing import MAIN, WORK, Refused, Tree, environment, land
from tests.gate.marked_processes import MARK, end, marked
from tests.gate.sections import ROOT

GATE = """#!/usr/bin/env bash
test -f ../shared/vector && ! test -w ../shared/vector || test "$(id -u)" = 0 || exit 9
test "$CI" = true && test "$(readlink /proc/self/fd/0)" = /dev/null && test -z "${HUTONG_VECTORS:-}" || exit 8
echo '{"green": true, "failed": [], "unsteady": ["tests: a test"]}' >"$HUTONG_GATE_VERDICT"
. ./verdict
"""


def nobody():
    return []


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "main"
    (folder / ".ci").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "vector").touch()
    (folder / ".ci" / "run").write_text(GATE)
    (folder / "verdict").write_text("exit 0\n")
    made = Tree(folder)
    for words in (
        ("init", "-q", "-b", MAIN),
        ("config", "user.name", "nobody"),
        ("config", "user.email", "nobody@example.invalid"),
        ("add", "-A"),
        ("commit", "-qm", "first"),
        ("checkout", "-qb", WORK),
    ):
        made.git(*words)
    return made


def commit(tree, verdict):
    (tree.folder / "verdict").write_text(verdict)
    tree.git("commit", "-qam", "next")
    return tree.commit(WORK)


def test_a_green_commit_moves_main_to_it_and_tells_what_was_unsteady(tree, capsys):
    head = commit(tree, "exit 0 # green\n")
    assert land(tree, nobody) == 0
    assert tree.commit(MAIN) == head
    assert "UNSTEADY, mend it before the next landing: tests: a test" in capsys.readouterr().out
    assert land(tree, nobody) == 0, "nothing to do"


def test_a_red_commit_leaves_main_where_it_stood(tree, capsys):
    before = tree.commit(MAIN)
    commit(tree, "exit 1\n")
    assert land(tree, nobody) == 1
    assert tree.commit(MAIN) == before
    assert "has not passed" in capsys.readouterr().out


def test_a_dirty_tree_is_refused_with_its_files(tree):
    commit(tree, "exit 0 # x\n")
    (tree.folder / "verdict").write_text("exit 0 # y\n")
    (tree.folder / "new.py").touch()
    with pytest.raises(Refused, match=r"(?s)commit them on 'work'.*verdict.*new\.py"):
        land(tree, nobody)


def test_main_that_is_checked_out_or_ahead_is_refused(tree):
    commit(tree, "exit 0 # x\n")
    tree.git("checkout", "-q", MAIN)
    with pytest.raises(Refused, match="git checkout work"):
        land(tree, nobody)
    (tree.folder / "other").touch()
    tree.git("add", "-A")
    tree.git("commit", "-qm", "on main")
    tree.git("checkout", "-q", WORK)
    with pytest.raises(Refused, match="has commits that 'work' lacks"):
        land(tree, nobody)


def test_processes_of_an_earlier_run_are_named_and_refused(tree):
    commit(tree, "exit 0 # x\n")
    mark = f"landing-{os.getpid()}/"
    child = subprocess.Popen(["sleep", "300"], env={**os.environ, MARK: mark})
    try:
        with pytest.raises(Refused, match=rf"(?s)still live; end them first:\n  {child.pid}  sleep 300"):
            land(tree, lambda: marked(mark))
    finally:
        child.kill()
        child.wait()
    assert land(tree, lambda: marked(mark)) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_landing_that_is_killed_leaves_main_where_it_stood(tree, tmp_path, number):
    before = tree.commit(MAIN)
    os.mkfifo(tmp_path / "begun")
    os.mkfifo(tmp_path / "never")
    begun = os.open(tmp_path / "begun", os.O_RDONLY | os.O_NONBLOCK)
    commit(tree, f"echo $$ >{tmp_path}/begun; read -r word <{tmp_path}/never; exit 0\n")
    mark = f"killed-{os.getpid()}-{int(number)}/"
    code = (
        "import sys; from pathlib import Path; from tests.gate import landing as l;"
        "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(1));"
        f"sys.exit(l.land(l.Tree(Path({str(tree.folder)!r})), list))"
    )
    variables = {**os.environ, MARK: mark, "TMPDIR": str(tmp_path)}
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=variables)
    try:
        assert select.select([begun], [], [], 60)[0], "its gate runs"
        child.send_signal(number)
        child.wait(timeout=60)
        assert tree.commit(MAIN) == before
    finally:
        os.close(begun)
        child.kill()
        child.wait()
        end(marked(mark))


def test_the_gate_runs_as_on_a_fresh_machine(tmp_path):
    own = {
        "HOME": "/home/x",
        "PATH": f"/usr/bin{os.pathsep}/x/venv/bin",
        "VIRTUAL_ENV": "/x/venv",
        "HUTONG_HUB_KILLS": "50",
        "PYTEST_ADDOPTS": "-x",
        "PYTHONPATH": "/x",
    }
    kept = environment(own, tmp_path / "verdict")
    assert kept == {
        "HOME": "/home/x",
        "PATH": "/usr/bin",
        "CI": "true",
        "HUTONG_GATE_VERDICT": str(tmp_path / "verdict"),
    }
