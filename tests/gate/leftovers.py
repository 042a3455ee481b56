"""What a section leaves on the machine: processes, mounts, and files outside of its tests' own folders."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.gate import marked_processes

EXPECTED = ("pytest-of-", "hutong-ports-")
"""What may stay in the temporary folder: where pytest keeps the folders of tests, and the one file of relay/local/ports.py."""
MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True, slots=True)
class Leftover:
    test: str | None
    """Whoever made it; None where that is not known."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Ground:
    """How the machine looked before a section."""

    root: Path
    """Of the tree that is tested."""
    mounts: frozenset[str]
    changed: frozenset[str]
    """Files of the tree that differ from its commit, by git's lines."""

    @classmethod
    def now(cls, root: Path) -> "Ground":
        return cls(root, _mounts(), _changed(root))


@dataclass(frozen=True, slots=True)
class Traces:
    """By what a section's remains are known."""

    mark: str
    """Of its processes."""
    temporary: Path
    """The folder that it had as TMPDIR, empty before it."""
    made: Mapping[str, str]
    """Test by path, as pytest saw temporary files being made."""
    patience_s: float


def _mounts() -> frozenset[str]:
    return frozenset(line.split()[1] for line in MOUNTS.read_text().splitlines()) if MOUNTS.exists() else frozenset()


def _changed(root: Path) -> frozenset[str]:
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return frozenset(done.stdout.splitlines())


def left(before: Ground, traces: Traces) -> list[Leftover]:
    """What is there that was not. Ends the processes among it."""
    processes = marked_processes.still_running(traces.mark, traces.patience_s)
    found = [Leftover(process.test, process.sentence) for process in processes]
    marked_processes.end(processes)
    found += [Leftover(None, f"{mount} is still mounted") for mount in sorted(_mounts() - before.mounts)]
    found += [
        Leftover(None, f"the tree has changed: {line}") for line in sorted(_changed(before.root) - before.changed)
    ]
    for entry in sorted(traces.temporary.iterdir()):
        if not entry.name.startswith(EXPECTED):
            found.append(Leftover(traces.made.get(str(entry)), f"left in the temporary folder: {entry.name}"))
    return found
