"""Figures that show which way the house goes: sizes, parameters, docstrings, folders, circles."""

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.house.rules import imports, strongly_connected
from tests.house.sources import PACKAGES, Module, Named

MANY_PARAMETERS = 8


def table(modules: Iterable[Module]) -> list[str]:
    """One column a package, as text."""
    by_package = {name: [module for module in modules if module.path.parts[0] == name] for name in PACKAGES}
    rows: dict[str, list[str]] = {}
    for listed in by_package.values():
        for label, figure in _figures(listed).items():
            rows.setdefault(label, []).append(figure)
    width = max(map(len, rows))
    lines = [" " * width + "".join(f"{name:>22}" for name in by_package)]
    lines += [label.ljust(width) + "".join(f"{figure:>22}" for figure in figures) for label, figures in rows.items()]
    return lines


def _figures(modules: Sequence[Module]) -> dict[str, str]:
    functions = [named for module in modules for named in module.functions]
    public = [named for named in functions if named.is_public and not named.name.startswith("test_")]
    documented = [named.docstring for named in public if named.docstring]
    one_line = [text for text in documented if "\n" not in text]
    folders = Counter(module.path.parent.as_posix() for module in modules if module.path.name != "__init__.py")
    folder, files = folders.most_common(1)[0]
    circles = strongly_connected(imports(modules))
    return {
        "files": str(len(modules)),
        "lines of a module: median / p90 / max": _spread(len(module.lines) for module in modules),
        "lines of a function: median / p90 / max": _spread(named.lines for named in functions),
        f"functions with {MANY_PARAMETERS} parameters or more": str(_wide(functions)),
        "modules with a docstring": _share(
            sum(1 for module in modules if ast.get_docstring(module.tree)), len(modules)
        ),
        "public functions with a docstring": _share(len(documented), len(public)),
        "  of these one line": _share(len(one_line), len(documented)),
        "comment lines": _share(sum(map(_comments, modules)), sum(len(module.lines) for module in modules), digits=1),
        "largest flat folder": f"{files} ({folder.rpartition('/')[2]})",
        "circles of imports (largest)": f"{len(circles)} ({max(map(len, circles), default=0)})",
        "`if TYPE_CHECKING`": str(sum(module.text.count("if TYPE_CHECKING") for module in modules)),
    }


def _wide(functions: Iterable[Named]) -> int:
    return sum(1 for named in functions if named.parameters >= MANY_PARAMETERS)


def _comments(module: Module) -> int:
    """Lines that are a comment alone, without `noqa` and the like."""
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    return sum(1 for token in tokens if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#"))


def _spread(values: Iterable[int]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]} / {ordered[len(ordered) * 9 // 10]} / {ordered[-1]}"


def _share(part: int, whole: int, digits: int = 0) -> str:
    return f"{100 * part / max(whole, 1):.{digits}f} %"
