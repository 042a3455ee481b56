"""Every path of code that a page names is there, and so is the symbol that follows it (`relay/core/route/worker.py:RouteWorker`)."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("adapters", "bench", "contracts", "docs", "light_clients", "relay", "tests")
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
REFERENCE = re.compile(
    rf"`((?:{'|'.join(FOLDERS)})(?:/[A-Za-z0-9_\-.{{}},*]+)+/?)(?:::?([A-Za-z_][A-Za-z0-9_.]*))?[`# ]"
)
STATE_OF_A_RELAY = frozenset({"relay/evidence", "relay/ledger.sqlite"})
"""The pages of operators call a relay's home `relay`."""


def references(text: str) -> list[tuple[str, str | None]]:
    return [(match[1], match[2]) for match in REFERENCE.finditer(text)]


def files_of(path: str) -> list[Path]:
    """What a path names: a file or folder, with braces and stars as a shell has them."""
    braces = re.search(r"\{([^{}]*)\}", path)
    if braces is not None:
        return [
            file
            for part in braces[1].split(",")
            for file in files_of(path[: braces.start()] + part + path[braces.end() :])
        ]
    if "*" in path:
        return sorted(ROOT.glob(path))
    return [ROOT / path.rstrip("/")]


@cache
def names_in(path: Path) -> frozenset[str]:
    """Functions, classes, their members and assigned names of a module, dotted below their class."""
    found: set[str] = set()

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(prefix + child.name)
                visit(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.Assign | ast.AnnAssign):
                targets = child.targets if isinstance(child, ast.Assign) else [child.target]
                found.update(prefix + target.id for target in targets if isinstance(target, ast.Name))
            elif isinstance(child, ast.If | ast.Try | ast.With):
                visit(child, prefix)

    visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return frozenset(found)


def has_symbol(path: Path, symbol: str) -> bool:
    if path.suffix == ".py":
        return symbol in names_in(path)
    return re.search(rf"\b{re.escape(symbol.rpartition('.')[2])}\b", path.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_that_a_page_names_is_there(page):
    wrong = []
    for path, symbol in references(page.read_text(encoding="utf-8")):
        if path in STATE_OF_A_RELAY:
            continue
        files = files_of(path)
        missing = [file for file in files if not file.exists()]
        if missing or not files:
            wrong.append(path)
        elif symbol is not None and not any(has_symbol(file, symbol) for file in files):
            wrong.append(f"{path}:{symbol}")
    assert not wrong, f"{page.relative_to(ROOT)} names what is not there: {', '.join(wrong)}"


def test_references_are_seen():
    text = "`relay/core/route/worker.py:RouteWorker`, `tests/docs/test_x.py::test_y`, `light_clients/{a,b}`, `relay`, `docs/a b`"
    assert references(text) == [
        ("relay/core/route/worker.py", "RouteWorker"),
        ("tests/docs/test_x.py", "test_y"),
        ("light_clients/{a,b}", None),
        ("docs/a", None),
    ]
    assert has_symbol(ROOT / "relay/core/route/worker.py", "RouteWorker")
    assert not has_symbol(ROOT / "relay/core/route/worker.py", "NoSuchWorker")
