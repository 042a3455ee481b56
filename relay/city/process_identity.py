"""Which process a number means: the same number goes to another process later, so the time of its start belongs to it."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hutong.relay.base.child_processes import output_of

PS_LIMIT_S = 10


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process id, and when that process began, in the system's own words."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """Of a process that runs; None for one that has ended, also where its parent has not taken note yet."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    @property
    def runs(self) -> bool:
        """Whether it still does."""
        return _started(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.runs:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(self.pid, number)


def _started(pid: int) -> str | None:
    """From /proc, ticks since the system's start; elsewhere from `ps`."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except OSError:
        if Path("/proc/self").exists():
            return None
    said = output_of(["ps", "-o", "stat=,lstart=", "-p", str(pid)], PS_LIMIT_S).decode(errors="replace").split(None, 1)
    return None if len(said) < 2 or said[0].startswith("Z") else said[1].strip()


def running(processes: Iterable[ProcessIdentity]) -> list[ProcessIdentity]:
    """Those that still run."""
    return [process for process in processes if process.runs]
