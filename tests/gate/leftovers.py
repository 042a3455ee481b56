"""What a section leaves on the machine: processes, mounts, and files outside of its tests' own folders."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.gate import marked_processes
from tests.gate.sections import ROOT

PATIENCE_S = 5.0
"""For what was told to stop and is about to."""
PYTESTS_OWN = "pytest-of-"
"""Folders below the temporary one in which pytest keeps those of each test."""
MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True, slots=True)
class Leftover:
    test: str | None
    """Whoever made it; None where that is not known."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Ground:
    """How the machine looked before a section."""

    mounts: frozenset[str]
    untracked: frozenset[str]

    @classmethod
    def now(cls) -> "Ground":
        return cls(_mounts(), _untracked())


def _mounts() -> frozenset[str]:
    return frozenset(line.split()[1] for line in MOUNTS.read_text().splitlines()) if MOUNTS.exists() else frozenset()


def _untracked() -> frozenset[str]:
    """Changes of the tree that git would show, by their lines."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return frozenset(done.stdout.splitlines())


def left(before: Ground, mark: str, temporary: Path, made: dict[str, str]) -> list[Leftover]:
    """What is there that was not, and ends the processes among it.

    Args:
        mark: Of the section's processes.
        temporary: The folder that the section had as TMPDIR, empty before it.
        made: Test by path, as pytest saw temporary files being made.
    """
    processes = marked_processes.still_running(mark, PATIENCE_S)
    found = [Leftover(process.test, process.sentence) for process in processes]
    marked_processes.end(processes)
    found += [Leftover(None, f"{mount} is still mounted") for mount in sorted(_mounts() - before.mounts)]
    found += [Leftover(None, f"the tree has changed: {line}") for line in sorted(_untracked() - before.untracked)]
    for entry in sorted(temporary.iterdir()):
        if not entry.name.startswith(PYTESTS_OWN):
            found.append(Leftover(made.get(str(entry)), f"left in the temporary folder: {entry.name}"))
    return found
