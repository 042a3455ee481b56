"""The modules that the rules are about, parsed once, and what is counted in them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("light_clients", "adapters", "relay")
"""The product. The figures are about these three alone."""
CHECKED = (*PACKAGES, "bench", "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Named:
    """A function or class with its dotted name below the module, such as `Worker._submit`."""

    name: str
    node: Function | ast.ClassDef
    is_member: bool

    @property
    def lines(self) -> int:
        """Without decorators."""
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def is_public(self) -> bool:
        return not any(part.startswith("_") for part in self.name.split("."))

    @property
    def docstring(self) -> str | None:
        return ast.get_docstring(self.node)

    @property
    def parameters(self) -> int:
        """Of a function, without `self` and without `*` and `**`."""
        if isinstance(self.node, ast.ClassDef):
            return 0
        arguments = self.node.args
        names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        return len(names) - (1 if names[:1] in (["self"], ["cls"]) else 0)


@dataclass(frozen=True)
class Module:
    path: Path
    """Below the root."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def dotted(self) -> str:
        """As it is imported."""
        parts = self.path.with_suffix("").parts
        dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return f"hutong.{dotted}" if parts[0] in PACKAGES else dotted

    @cached_property
    def definitions(self) -> tuple[Named, ...]:
        """Functions and classes at every depth, but no function inside a function."""
        return tuple(_definitions(self.tree, "", False))

    @property
    def functions(self) -> Iterator[Named]:
        return (named for named in self.definitions if not isinstance(named.node, ast.ClassDef))

    def where(self, node: ast.AST) -> str:
        return f"{self.path.as_posix()}:{getattr(node, 'lineno', 1)}"


def _definitions(node: ast.AST, prefix: str, inside_class: bool) -> Iterator[Named]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield Named(prefix + child.name, child, inside_class)
            yield from _definitions(child, f"{prefix}{child.name}.", True)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Named(prefix + child.name, child, inside_class)
        elif isinstance(child, ast.If | ast.Try | ast.With):
            yield from _definitions(child, prefix, inside_class)


def modules(folders: tuple[str, ...] = CHECKED) -> list[Module]:
    """In order of their paths, without what protoc writes."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [
        Module(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
        for path in paths
        if not path.stem.endswith("_pb2")
    ]
