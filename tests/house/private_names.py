"""Whose private names a module uses: those of itself and of what it inherits belong to it, all others do not."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.house.sources import Module

OWN = frozenset({"self", "cls"})
NAMED_TUPLES = frozenset({"_asdict", "_fields", "_field_defaults", "_make", "_replace"})
"""Public, whatever they look like."""
FOLDERS = ("bench", "tests")
"""In the product ruff refuses each use (SLF001)."""


def uses_of_private_names(module: Module) -> Iterator[ast.Attribute]:
    """`thing._name`, but for `self._name`, `cls._name`, `super()._name`, those of a class in the module, and `__dict__`."""
    own = OWN | {named.name for named in module.definitions if isinstance(named.node, ast.ClassDef)}
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.startswith("__"):
            continue
        owner = node.value
        if node.attr in NAMED_TUPLES or (isinstance(owner, ast.Name) and owner.id in own):
            continue
        if isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "super":
            continue
        if "noqa: SLF001" not in module.lines[node.lineno - 1]:
            yield node


def counted(modules: Iterable[Module]) -> Counter[str]:
    """Uses by file, without the files that have none."""
    found: Counter[str] = Counter()
    for module in modules:
        if module.path.parts[0] in FOLDERS:
            uses = sum(1 for _ in uses_of_private_names(module))
            if uses:
                found[module.path.as_posix()] = uses
    return found
