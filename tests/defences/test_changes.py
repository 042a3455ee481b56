"""Which defences are due: those of files that do something else, wherever they stand."""

import pytest

from tests.defences.changes import same_code, same_place

CODE = """
from hutong.relay.core import one

def f(x):
    return one(x)
"""


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("relay.core", "hutong.relay.core.route"),
        CODE.replace("    return one(x)", '    """What it gives."""\n    return one(x)  # and why'),
        '"""A module."""' + CODE,
    ],
    ids=["imports", "docstring", "of a module"],
)
def test_another_room_and_other_words_do_the_same(other):
    assert same_code(CODE, other)


@pytest.mark.parametrize("other", [CODE.replace("one(x)", "one(x + 1)"), CODE.replace("f(x)", "f(x, y)"), ""])
def test_other_code_does_something_else(other):
    assert not same_code(CODE, other)


def test_dots_and_a_docstring_are_equal_bodies():
    assert same_code("def f(): ...", 'def f():\n    """Says what."""')
    assert not same_code("def f(): ...", "def f(): return 1")


def test_a_place_is_its_function():
    other = CODE + "\ndef g(x):\n    return x\n"
    assert same_place(CODE, other, "return one(x)")
    assert not same_place(CODE, other, "return x")
    assert not same_place(CODE, CODE.replace("f(x)", "f(x, y)"), "return one(x)")
