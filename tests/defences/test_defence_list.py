"""The list of defences fits the code: each text stands once, each named test is there."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.defences import DEFENCES
from tests.defences.defence import ROOT

ALL = [(group, defence) for group, defences in DEFENCES.items() for defence in defences]


@cache
def functions_of(file: Path) -> frozenset[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("group", "defence"), ALL, ids=[f"{group}: {defence.name}" for group, defence in ALL])
def test_defence_stands_where_the_list_says(group, defence):
    assert defence.places == 1
    assert defence.replacement != defence.source
    assert defence.tests
    for test in defence.tests:
        path, _, name = test.partition("::")
        file = ROOT / "tests" / path
        assert file.is_file(), path
        assert not name or name in functions_of(file), name


def test_names_are_unique_in_their_group():
    for defences in DEFENCES.values():
        assert len({defence.name for defence in defences}) == len(defences)
