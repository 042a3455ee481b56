"""Each rule finds the places that break it: (name of the place, sentence). A place that has a reason is in `exceptions.py`."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tests.house.exceptions import BEHIND
from tests.house.private_names import counted
from tests.house.sources import PACKAGES, ROOT, Module

MAX_FILES = 20
MAX_FUNCTION_LINES = 60
MAX_CONSTRUCTOR_PARAMETERS = 6
MAX_README_CHARS = 120
CHANGELOG_GROUPS = ("Added", "Changed", "Fixed", "Not in this version")
PROSE_SUFFIXES = frozenset({".py", ".md", ".js", ".mjs", ".go", ".sol", ".toml", ".yml"})
PROSE_FOLDERS = (*PACKAGES, "bench", "contracts/src", "docs", "tests")
DURATION = re.compile(r"in about ([a-z ]+) minutes on two cores|takes about ([a-z ]+) minutes on two cores")


@dataclass(frozen=True, slots=True)
class Breach:
    """`place` is what an exception names; it has no folder and no line, so that moving code keeps it."""

    place: str
    sentence: str


def full_folders(modules: Iterable[Module]) -> Iterator[Breach]:
    counted = Counter(module.path.parent.as_posix() for module in modules if module.path.name != "__init__.py")
    for folder, files in sorted(counted.items()):
        if files > MAX_FILES:
            yield Breach(folder, f"{folder} has {files} files, at most {MAX_FILES} stand in one folder")


def _shipped(modules: Iterable[Module]) -> Iterator[Module]:
    """Without tests: a scenario tells one story from top to bottom, and a model takes its whole setting."""
    return (module for module in modules if module.path.parts[0] != "tests")


def long_functions(modules: Iterable[Module]) -> Iterator[Breach]:
    for module in _shipped(modules):
        for named in module.functions:
            if named.lines > MAX_FUNCTION_LINES:
                yield Breach(
                    f"{module.path.stem}.{named.name}",
                    f"{module.where(named.node)}: {named.name} has {named.lines} lines, at most {MAX_FUNCTION_LINES}",
                )


def wide_constructors(modules: Iterable[Module]) -> Iterator[Breach]:
    for module in _shipped(modules):
        for named in module.functions:
            if named.name.endswith(".__init__") and named.parameters > MAX_CONSTRUCTOR_PARAMETERS:
                yield Breach(
                    f"{module.path.stem}.{named.name.removesuffix('.__init__')}",
                    f"{module.where(named.node)}: {named.parameters} parameters, at most {MAX_CONSTRUCTOR_PARAMETERS};"
                    " pass a context value",
                )


def stray_docstrings(modules: Iterable[Module]) -> Iterator[Breach]:
    """A text on its own says something of the constant directly above it, or of nothing."""
    for module in modules:
        bodies = [
            module.tree.body,
            *(named.node.body for named in module.definitions if isinstance(named.node, ast.ClassDef)),
        ]
        for body in bodies:
            for before, text in zip(body, body[1:], strict=False):
                if not (isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)):
                    continue
                if not isinstance(text.value.value, str):
                    continue
                follows = isinstance(before, ast.Assign | ast.AnnAssign) and before.end_lineno == text.lineno - 1
                if not follows:
                    yield Breach(
                        f"{module.path.stem}.{text.value.value[:40]}",
                        f"{module.where(text)}: this docstring does not stand directly below a constant",
                    )


def circles(modules: Iterable[Module]) -> Iterator[Breach]:
    """Modules that import each other, imports inside functions included, those for types alone not."""
    graph = imports(module for module in modules if module.path.parts[0] in PACKAGES)
    for circle in strongly_connected(graph):
        names = sorted(circle)
        yield Breach(names[0], f"these modules import each other: {', '.join(names)}")


def wrong_behind(modules: Iterable[Module]) -> Iterator[Breach]:
    """`behind` is for place and for lateness. For time and order it reads as the opposite of what is meant."""
    del modules  # documents and comments of other languages are read as well
    for where, line in uses_of_behind():
        if says_wrong_behind(line):
            yield Breach(
                where.partition(":")[0],
                f"{where}: write `after` or `later`, or name the use in BEHIND: {line.strip()[:90]}",
            )


def says_wrong_behind(line: str) -> bool:
    """Whether the word is left when every right use is taken out."""
    for pattern in BEHIND:
        line = re.sub(pattern, "", line, flags=re.IGNORECASE)
    return re.search(r"\bbehind\b", line, re.IGNORECASE) is not None


def unused_patterns(patterns: Iterable[str]) -> list[str]:
    """Right uses that no text has any more."""
    lines = [line for _, line in uses_of_behind()]
    return [pattern for pattern in patterns if not any(re.search(pattern, line, re.IGNORECASE) for line in lines)]


def readme(modules: Iterable[Module]) -> Iterator[Breach]:
    del modules
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MAX_README_CHARS:
            yield Breach("README.md", f"README.md:{number} has {len(line)} characters, at most {MAX_README_CHARS}")
    start = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    here, there = (DURATION.search(page) for page in (text, start))
    if here is None or there is None or set(filter(None, here.groups())) != set(filter(None, there.groups())):
        yield Breach("docs/start.md", "README.md and docs/start.md do not give the test command the same time")


def changelog(modules: Iterable[Module]) -> Iterator[Breach]:
    """Git merges this page by taking both sides, so an entry may come twice, or outside of every group."""
    del modules
    yield from changelog_breaches((ROOT / "docs" / "CHANGELOG.md").read_text(encoding="utf-8"))


def changelog_breaches(text: str) -> Iterator[Breach]:
    group, seen = "", set[str]()
    for number, line in enumerate(text.splitlines(), 1):
        where = f"docs/CHANGELOG.md:{number}"
        if line.startswith("## "):
            group = ""
        elif line.startswith("### "):
            group = line.removeprefix("### ")
            if group not in CHANGELOG_GROUPS:
                yield Breach(line, f"{where}: a group is one of {', '.join(CHANGELOG_GROUPS)}, not {group}")
        elif line.startswith("- "):
            if not group:
                yield Breach(line[:60], f"{where}: the entry stands in no group")
            if line in seen:
                yield Breach(line[:60], f"{where}: the entry stands here a second time")
            seen.add(line)


def private_uses(modules: Iterable[Module]) -> Iterator[Breach]:
    """By file and number: where one is added, and where one is gone, the exception does not hold any more."""
    for file, uses in sorted(counted(modules).items()):
        yield Breach(f"{file}: {uses}", f"{file} uses private names of others {uses} times; use what is public")


RULES = {
    "folders": full_folders,
    "functions": long_functions,
    "constructors": wide_constructors,
    "docstrings": stray_docstrings,
    "circles": circles,
    "behind": wrong_behind,
    "readme": readme,
    "changelog": changelog,
    "private": private_uses,
}


@cache
def uses_of_behind() -> tuple[tuple[str, str], ...]:
    """(path and line, text) in everything that people read in the repository."""
    return tuple((where, line) for where, line in prose() if "behind" in line.lower())


def prose() -> Iterator[tuple[str, str]]:
    """(path and line, text) of everything that people read in the repository."""
    files = [
        path
        for folder in PROSE_FOLDERS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in PROSE_SUFFIXES and "_pb2" not in path.stem and "node_modules" not in path.parts
    ]
    for path in [*sorted(ROOT.glob("*.md")), *files]:
        if path.is_relative_to(ROOT / "tests" / "house"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT).as_posix()}:{number}", line


def imports(modules: Iterable[Module]) -> Mapping[str, frozenset[str]]:
    """Module → the modules of the product that it imports; a name that is not a module is its package's own."""
    listed = list(modules)
    known = {module.dotted for module in listed}
    graph: dict[str, frozenset[str]] = {}
    for module in listed:
        targets = {
            f"{source}.{name}" if f"{source}.{name}" in known else source for source, name in _imported(module.tree)
        } & known
        graph[module.dotted] = frozenset(targets - {module.dotted})
    return graph


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from ((node.module, alias.name) for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child)


def strongly_connected(graph: Mapping[str, frozenset[str]]) -> list[set[str]]:
    """Sets of two or more that all reach each other."""
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(graph[name])
        reach[start] = seen
    groups: dict[str, set[str]] = defaultdict(set)
    for name, reached in reach.items():
        if name in reached:
            groups[min(other for other in reached if name in reach[other])].add(name)
    return [group for group in groups.values() if len(group) > 1]
