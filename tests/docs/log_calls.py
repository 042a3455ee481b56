"""Every call of a logger in sources, read from their syntax: level, event, fields."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEVELS = {"debug", "info", "warning", "error", "exception"}


@dataclass(frozen=True)
class LogCall:
    """`event` None: it is made at run time. `fields` are the names that the call itself gives."""

    where: str
    level: str
    event: str | None
    fields: frozenset[str]


def log_calls(folder: Path) -> Iterator[LogCall]:
    for file in sorted(folder.rglob("*.py")):
        tree = ast.parse(file.read_text())
        constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS):
                continue
            if not _is_logger(node.func.value):
                continue
            where = f"{file.relative_to(folder.parent)}:{node.lineno}"
            fields = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
            for event in _events(node.args[0], constants):
                yield LogCall(where, node.func.attr, event, fields)


def _is_logger(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "get_logger"
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in ("log", "_log")


def _events(node: ast.expr, constants: dict[str, ast.expr]) -> list[str | None]:
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.Name) and node.id in constants:
        return _events(constants[node.id], constants)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        table = constants.get(node.value.id)
        if isinstance(table, ast.Dict):
            return [event for value in table.values for event in _events(value, constants)]
    return [None]
