"""Processes that a run started and left, found by the mark in their environment."""

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "HUTONG_RUN_MARK"
"""Variable that every child of a run inherits: the run's name, then `/` and the worker's."""
TEST = "PYTEST_CURRENT_TEST"
"""Variable of pytest, which a child inherits too: which test had started it."""
END_LIMIT_S = 10.0
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class MarkedProcess:
    pid: int
    mark: str
    test: str | None
    """Id of the test during which it was started."""
    command: str

    @property
    def sentence(self) -> str:
        return f"process {self.pid} still runs: {self.command}"


def _ancestors() -> set[int]:
    """This process and those that it came from."""
    pids, pid = set(), os.getpid()
    while pid > 1 and pid not in pids:
        pids.add(pid)
        try:
            pid = int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            break
    return pids


def _read(pid: int) -> MarkedProcess | None:
    """None for a process that is gone, a zombie, another user's, or without a mark."""
    folder = PROC / str(pid)
    try:
        raw = (folder / "environ").read_bytes()
        if not raw or f"{MARK}=".encode() not in raw:
            return None
        if (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
            return None
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (OSError, IndexError):
        return None
    values = dict(entry.partition("=")[::2] for entry in raw.decode(errors="replace").split("\0"))
    test = values.get(TEST)
    return MarkedProcess(pid, values.get(MARK, ""), test.rpartition(" (")[0] if test else None, command[:300])


def marked(prefix: str = "") -> list[MarkedProcess]:
    """Those alive whose mark begins with the prefix, without this process and those that it came from.

    A process that was started with an empty environment has no mark and is not found.
    """
    if not PROC.is_dir():
        return []
    own = _ancestors()
    pids = sorted(int(entry) for entry in os.listdir(PROC) if entry.isdigit())
    found = [_read(pid) for pid in pids if pid not in own]
    return [process for process in found if process is not None and process.mark.startswith(prefix)]


def still_running(prefix: str, patience_s: float) -> list[MarkedProcess]:
    """Those that do not end by themselves within the patience: what was told to stop may need a moment."""
    until_s = time.monotonic() + patience_s
    while found := marked(prefix):
        if time.monotonic() >= until_s:
            return found
        time.sleep(0.05)
    return []


def end(processes: Iterable[MarkedProcess]) -> None:
    """SIGTERM, and SIGKILL for those that are still there after `END_LIMIT_S`."""
    waiting = {process.pid: process.mark for process in processes}
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in waiting:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        until_s = time.monotonic() + END_LIMIT_S
        while waiting and time.monotonic() < until_s:
            alive = {process.pid: process.mark for process in marked()}
            waiting = {pid: mark for pid, mark in waiting.items() if alive.get(pid) == mark}
            time.sleep(0.05)
