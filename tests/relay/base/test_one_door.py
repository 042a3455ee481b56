"""Processes are started in one place, which makes their import path safe; any other way of starting one is refused."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ("adapters", "contracts", "light_clients", "relay")
DOOR = {"relay/base/child_processes.py", "relay/base/trio_processes.py"}
DEVELOPERS_ONLY = {"contracts/compile.py"}
"""Calls npm in the checkout; no command of hutong imports it."""
MODULES = {"multiprocessing", "pty", "subprocess", "popen2", "concurrent.futures.process"}
NAMES = {
    "ProcessPoolExecutor",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "open_process",
    "run_process",
    "to_process",
    "subprocess_exec",
    "subprocess_shell",
}
SUSPECT = re.compile(r"process|popen|spawn|\bpty\b|\bos\b", re.IGNORECASE)
"""Each of these names has one of these words; a module without any need not be parsed."""
OF_OS = ("exec", "fork", "popen", "posix_spawn", "spawn", "startfile", "system")


def starts_processes(source: str) -> list[int]:
    """Lines that name a way of starting a process."""
    lines: list[int] = []
    if not SUSPECT.search(source):
        return lines
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found = any(alias.name in MODULES or alias.name.partition(".")[0] in MODULES for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = {alias.name for alias in node.names}
            found = (
                module in MODULES
                or module.partition(".")[0] in MODULES
                or (module != "hutong.relay.base.trio_processes" and bool(names & NAMES))
                or (module == "os" and any(name.startswith(OF_OS) for name in names))
            )
        elif isinstance(node, ast.Attribute):
            of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            found = node.attr in NAMES or (of_os and node.attr.startswith(OF_OS))
        else:
            continue
        if found:
            lines.append(node.lineno)
    return lines


@pytest.mark.long
def test_trial_T1_processes_are_started_through_one_door():
    found = {}
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name not in DOOR | DEVELOPERS_ONLY and (lines := starts_processes(path.read_text())):
                found[name] = lines
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "import multiprocessing.pool",
        "from concurrent.futures import ProcessPoolExecutor",
        "import concurrent.futures\nconcurrent.futures.ProcessPoolExecutor(2)",
        "import trio\nasync def f():\n    await trio.run_process(['ls'])",
        "import os\nos.execv('a', [])",
        "from os import system",
        "from anyio import to_process",
    ],
)
def test_other_doors_are_seen(source):
    assert starts_processes(source)


@pytest.mark.parametrize(
    "source", ["import os\nos.getpid()", "from hutong.relay.base.trio_processes import open_child, run_child"]
)
def test_what_starts_nothing_is_not(source):
    assert not starts_processes(source)


@pytest.mark.parametrize("name", sorted(MODULES | NAMES))
def test_a_module_with_any_of_the_names_is_parsed(name):
    assert SUSPECT.search(name)
