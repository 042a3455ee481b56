"""The keeper's list of the city's processes: each is started again when it ends, and the record says which runs."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio

from hutong.relay.city.process_identity import ProcessIdentity, running
from hutong.relay.city.record import CityProcess, ProcessRecord, write_record
from hutong.relay.local.processes import Daemon, children_by_parent, keep_running

LOOK_S = 1.0
Say = Callable[[str], None]


@dataclass
class Keeper:
    """Owns the processes through a nursery, and writes `record_file` whenever another one runs."""

    nursery: trio.Nursery
    record_file: Path
    say: Say
    kept: list[tuple[Daemon, str]] = field(default_factory=list)
    parts: dict[str, tuple[ProcessIdentity, ...]] = field(default_factory=dict)
    """By name, children that still run, also of a process that was killed: the next one may not have ended them yet."""

    async def start(self, daemon: Daemon, purpose: str) -> None:
        """Start it, and return when it serves. From then on it is started again when it ends.

        Raises:
            DemoFailed: raised in the nursery: it ended, or did not serve in time.
        """
        self.note(daemon, purpose)
        await self.nursery.start(self.run, daemon)

    def note(self, daemon: Daemon, purpose: str) -> None:
        """Put it on the list; somebody else starts it, with `run`."""
        self.kept.append((daemon, purpose))

    async def run(self, daemon: Daemon, /, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """As `keep_running`."""
        await keep_running(daemon, self.say, task_status=task_status)

    async def keep_record(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write the record at once, and after each change, until cancelled.

        Raises:
            OSError: it cannot be written.
        """
        written = self.record()
        write_record(self.record_file, written)
        task_status.started()
        while True:
            await trio.sleep(LOOK_S)
            now = await trio.to_thread.run_sync(self.record)
            if now != written:
                await trio.to_thread.run_sync(partial(write_record, self.record_file, now))
                written = now

    def record(self) -> ProcessRecord:
        """What runs now. Blocks."""
        keeper = ProcessIdentity.of(os.getpid())
        assert keeper is not None  # this process
        children = children_by_parent()
        return ProcessRecord(keeper, tuple(self._process(*one, children) for one in list(self.kept)))

    def _process(self, daemon: Daemon, purpose: str, children: Mapping[int, Sequence[int]]) -> CityProcess:
        identity = None if daemon.pid is None else ProcessIdentity.of(daemon.pid)
        newest = () if identity is None else filter(None, map(ProcessIdentity.of, children.get(identity.pid, ())))
        known = (*self.parts.get(daemon.name, ()), *newest)
        self.parts[daemon.name] = tuple(running(dict.fromkeys(known)))
        return CityProcess(daemon.name, purpose, str(daemon.log), identity, self.parts[daemon.name])
