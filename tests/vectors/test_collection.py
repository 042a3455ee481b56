"""`pytest -m vectors` needs no extra: where the library of the browser tests is missing, those are left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
"""Each collects in a process of its own."""

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_PLAYWRIGHT = """
from importlib.machinery import PathFinder

found = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, path=None, target=None: None if name.partition(".")[0] == "playwright" else found(name, path, target)
)
"""


def collected(tmp_path: Path, expression: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_PLAYWRIGHT)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", expression, "-p", "no:cacheprovider"]
        + ["tests/browser", "tests/vectors"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("expression", ["vectors", "long"])
def test_without_the_browser_extra_everything_else_is_collected(tmp_path, expression):
    done = collected(tmp_path, expression)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [line for line in done.stdout.splitlines() if line.startswith("ERROR")], done.stdout
    assert ("test_vectors.py" in done.stdout) == (expression != "long")


def test_who_asks_for_node_tests_learns_that_the_extra_is_missing(tmp_path):
    done = collected(tmp_path, "nodes")
    assert done.returncode != 0 and "playwright" in done.stdout
