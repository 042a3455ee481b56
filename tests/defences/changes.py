"""Which files do something else since a commit. A file that moved, or that has other imports and docstrings alone, does the same."""

import ast
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEAST_ALIKE = "-M30%"
"""How much of a file is still there where git calls it moved."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The tracked files that do something else, each with its text before; None where there was none, or it is not Python."""

    before: Mapping[str, str | None]

    def touch(self, file: str, text: str) -> bool:
        """Whether the function of `file` that holds `text`, or what is outside of functions, does something else."""
        if file not in self.before:
            return False
        before = self.before[file]
        return before is None or not same_place(before, (ROOT / file).read_text(encoding="utf-8"), text)

    def touch_test(self, test: str) -> bool:
        """Whether a test (`file::function`, from the root) does something else, or what its file holds beside tests.

        A test that came to the file, or another one that changed, makes no defence of this one weaker.
        """
        file, _, name = test.partition("::")
        if file not in self.before:
            return False
        before = self.before[file]
        if before is None or not name or not (ROOT / file).is_file():
            return True
        name = name.partition("[")[0].rpartition("::")[2]
        return _beside_other_tests(before, name) != _beside_other_tests((ROOT / file).read_text(encoding="utf-8"), name)


def _beside_other_tests(text: str, name: str) -> str:
    """A module's code without the functions that are tests, but for the one of this name."""
    tree = ast.parse(text)
    tree.body = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or not node.name.startswith("test_")
        or node.name == name
    ]
    return _bare(tree)


def changed_since(commit: str) -> Changes | None:
    """None where git does not know the commit."""
    listed = _git("diff", "--name-status", "-z", LEAST_ALIKE, commit)
    if listed is None:
        return None
    texts = {now: _git("show", f"{commit}:{before}") for before, now in _pairs(listed)}
    return Changes(
        {
            now: text if now.endswith(".py") else None
            for now, text in texts.items()
            if not _does_the_same(text, ROOT / now)
        }
    )


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


def same_place(before: str, now: str, text: str) -> bool:
    """Whether the function or method that holds `text` now was there by this name, and did the same."""
    line = now[: now.index(text)].count("\n") + 1 + (len(text) - len(text.lstrip("\n")))
    for name, function in _functions(ast.parse(now)).items():
        if function.lineno <= line <= (function.end_lineno or 0):
            old = _functions(ast.parse(before)).get(name)
            return old is not None and _bare(old) == _bare(function)
    return same_code(before, now)


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    found = {}
    for node in tree.body:
        for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{node.name}.{inner.name}" if isinstance(node, ast.ClassDef) else inner.name] = inner
    return found


def same_code(one: str, other: str) -> bool:
    """Whether two modules are equal without imports, docstrings and comments."""
    return _code(one) == _code(other)


def _code(text: str) -> str:
    return _bare(ast.parse(text))


def _bare(tree: ast.AST) -> str:
    return ast.dump(_Bare().visit(tree))


class _Bare(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import) -> None:
        del node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        del node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        does_nothing = isinstance(node.value, ast.Constant)  # a text, or the dots of a protocol's method
        return None if does_nothing else node

    def visit_Pass(self, node: ast.Pass) -> None:
        del node


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None  # pictures change too
