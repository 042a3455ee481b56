"""Which files do something else since a commit. A file that moved, or that has other imports and docstrings alone, does the same."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEAST_ALIKE = "-M30%"
"""How much of a file is still there where git calls it moved."""


def changed_since(commit: str) -> set[str] | None:
    """The tracked files that differ in what they do; None where git does not know the commit."""
    listed = _git("diff", "--name-status", "-z", LEAST_ALIKE, commit)
    if listed is None:
        return None
    return {now for before, now in _pairs(listed) if not _does_the_same(_git("show", f"{commit}:{before}"), ROOT / now)}


def _pairs(listed: str) -> Iterator[tuple[str, str]]:
    """(path then, path now) of `git diff --name-status -z`; both are the same but for renames and copies."""
    fields = iter(listed.rstrip("\0").split("\0") if listed else [])
    for status in fields:
        before = next(fields)
        yield before, next(fields) if status[0] in "RC" else before


def _does_the_same(before: str | None, now: Path) -> bool:
    if before is None or now.suffix != ".py" or not now.is_file():
        return False
    return same_code(before, now.read_text(encoding="utf-8"))


def same_code(one: str, other: str) -> bool:
    """Whether two modules are equal without imports, docstrings and comments."""
    return _code(one) == _code(other)


def _code(text: str) -> str:
    class Bare(ast.NodeTransformer):
        def visit_Import(self, node: ast.Import) -> None:
            del node

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            del node

        def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
            does_nothing = isinstance(node.value, ast.Constant)  # a text, or the dots of a protocol's method
            return None if does_nothing else node

        def visit_Pass(self, node: ast.Pass) -> None:
            del node

    return ast.dump(Bare().visit(ast.parse(text)))


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None
