"""Each rule of the house finds what breaks it, and passes what does not."""

from pathlib import Path

import pytest

from tests.house.__main__ import judge
from tests.house.rules import (
    Breach,
    changelog_breaches,
    circles,
    full_folders,
    long_functions,
    private_uses,
    says_wrong_behind,
    stray_docstrings,
    wide_constructors,
)
from tests.house.sources import Module


def module(text: str, path: str = "relay/core/thing.py") -> Module:
    return Module(Path(path), text)


def places(rule, *modules: Module) -> list[str]:
    return [breach.place for breach in rule(modules)]


def test_function_of_61_lines_is_found_and_one_of_60_is_not():
    body = "    pass\n"
    assert places(long_functions, module("class A:\n    def b(self):\n" + 4 * " " + body * 60)) == []
    assert places(long_functions, module("def b():\n" + body * 59)) == []
    assert places(long_functions, module("class A:\n    def b(self):\n" + "        pass\n" * 60)) == ["thing.A.b"]
    assert places(long_functions, module("def b():\n" + body * 60, "tests/relay/test_thing.py")) == []


def test_constructor_of_seven_parameters_is_found_and_one_of_six_is_not():
    def constructor(parameters: str) -> Module:
        return module(f"class A:\n    def __init__(self, {parameters}): ...\n")

    assert places(wide_constructors, constructor("a, b, c, *, d, e, f=1")) == []
    assert places(wide_constructors, constructor("a, b, c, *, d, e, f=1, g=2")) == ["thing.A"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""Of the module."""\nA = 1\n"""Of A."""\nB = 2\n', False),
        ('A = 1\nB = 2\n"""Of B."""\n"""Of A, which slid."""\n', True),
        ('A = 1\n\n"""Of what?"""\n', True),
        ('class C:\n    """Of C."""\n\n    a: int\n    """Of a."""\n', False),
        ('class C:\n    a: int\n\n    """Of a, one line too far."""\n', True),
    ],
)
def test_docstring_that_is_not_below_its_constant_is_found(text, found):
    assert bool(places(stray_docstrings, module(text))) is found


def test_folder_of_21_files_is_found_and_one_of_20_is_not():
    files = [module("", f"relay/full/m{number}.py") for number in range(20)]
    assert places(full_folders, *files, module("", "relay/full/__init__.py")) == []
    assert places(full_folders, *files, module("", "relay/full/m20.py")) == ["relay/full"]


def test_circle_of_late_imports_is_found_and_one_for_types_is_not():
    one = module("from hutong.relay.core import two\n", "relay/core/one.py")
    late = module("def f():\n    from hutong.relay.core.one import g\n    g()\n", "relay/core/two.py")
    types = module("if TYPE_CHECKING:\n    from hutong.relay.core.one import g\n", "relay/core/two.py")
    assert places(circles, one, late) == ["hutong.relay.core.one"]
    assert places(circles, one, types) == []


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("thing._name\n", 1),
        ("thing.part._name = thing._other\n", 2),
        ("class A:\n    def f(self):\n        self._name = super()._other = A._third\n", 0),
        ("thing.__dict__, point._replace(x=1), thing.name\n", 0),
        ("thing._name  # noqa: SLF001  why\n", 0),
    ],
)
def test_private_names_of_others_are_counted_by_file(text, uses):
    found = [f"tests/thing.py: {uses}"] if uses else []
    assert places(private_uses, module(text, "tests/thing.py")) == found
    assert places(private_uses, module(text, "relay/core/thing.py")) == [], "there ruff refuses them"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("only forks behind its newest header may differ", True),
        ("bytes behind the value", True),
        ("Those behind it wait in vain.", True),
        ("What a finalized header leaves behind.", False),
        ("the relay reads alpha 300 blocks behind its head", False),
        ("several servers behind a proxy", False),
        ("transactions that wait behind a gap", False),
    ],
)
def test_behind_for_order_is_found_and_for_place_or_lateness_is_not(line, wrong):
    assert says_wrong_behind(line) is wrong


def test_entry_that_a_merge_doubled_or_left_outside_is_found():
    whole = "# Changelog\n\n## 0.1.0\n\n### Added\n- one\n\n### Fixed\n- two\n"
    assert list(changelog_breaches(whole)) == []
    assert len(list(changelog_breaches(whole + "- one\n"))) == 1
    assert len(list(changelog_breaches(whole + "\n## 0.0.9\n- three\n"))) == 1
    assert len(list(changelog_breaches(whole + "\n### Mended\n"))) == 1


def test_breach_without_a_reason_and_reason_without_a_breach_are_both_said():
    breaches = [Breach("a.A", "a.A is long"), Breach("b.B", "b.B is long")]
    assert judge("functions", breaches, {"a.A": "why", "b.B": "why"}) == []
    assert judge("functions", breaches, {"a.A": "why"}) == ["b.B is long"]
    (spare,) = judge("functions", breaches, {"a.A": "why", "b.B": "why", "gone.C": "why"})
    assert "gone.C" in spare
