"""docs/identity/conformance.md names a test for every module: each is there, under the name that it has."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "identity" / "conformance.md"
FOLDERS = ("relay/services/identity", "docs", "nodes/identity")


def names_in_the_tree() -> set[str]:
    files = [file for folder in FOLDERS for file in (ROOT / "tests" / folder).rglob("test_*.py")]
    trees = [ast.parse(file.read_bytes()) for file in files]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name for tree in trees for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_")
    }


@pytest.mark.long
def test_every_test_that_the_page_names_is_there():
    named = set(re.findall(r"`(test_[^`\s/]*)`", PAGE.read_text()))
    assert len(named) > 50
    assert not {name for name in named if name.endswith(".py")} - {"test_conformance.py"}
    assert sorted(named - names_in_the_tree() - {"test_conformance.py"}) == []


def test_no_row_of_a_module_is_without_a_test():
    """A module's row ends with a test, or says that it is not applicable, not supported, or skipped by the module."""
    excused = ("not applicable", "not supported", "skipped by the module")
    rows = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `[a-z]", line)]
    without = [row for row in rows if "test_" not in row and not any(word in row for word in excused)]
    plans = [row for row in without if re.match(r"\| `oid4v[cp]", row)]
    assert sorted(set(without) - set(plans)) == []
    assert len(rows) > 60
