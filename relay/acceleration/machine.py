"""The machine that figures are of: a rate without its machine says nothing."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """A CPU by name, the cores that this process may use, its features by the names of /proc/cpuinfo, and how busy it is."""

    cpu: str
    cores: int
    features: frozenset[str]
    load: float
    """Of the last minute, as the system counts it."""

    @property
    def name(self) -> str:
        """Without how busy it is."""
        return f"{self.cpu}, {self.cores} cores"

    def __str__(self) -> str:
        return f"{self.name}, load {self.load:.1f}"


def this_machine() -> Machine:
    """What the system says; without /proc/cpuinfo no features are known."""
    fields: dict[str, str] = {}
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    cpu = fields.get("model name") or platform.processor() or platform.machine()
    return Machine(cpu, usable_cores(), frozenset(fields.get("flags", "").split()), os.getloadavg()[0])


def usable_cores() -> int:
    """As many as there are processors for this process, at least one."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
