"""Programs of the demo that are killed on purpose, and that say in a line where they serve."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from hutong.relay.base.child_processes import HUTONG
from hutong.relay.base.trio_processes import open_child
from hutong.relay.local.processes import POLL_INTERVAL_S, START_LIMIT_S, STOP_GRACE_S, DemoFailed, last_line

READY = " ready at "


@dataclass(frozen=True, slots=True)
class Program:
    """A process, and the log that it writes."""

    name: str
    process: trio.Process
    log: Path

    async def url(self) -> str:
        """Where it says that it serves.

        Raises:
            DemoFailed: it ended, or did not say it within START_LIMIT_S.
        """
        with trio.move_on_after(START_LIMIT_S):
            while self.process.poll() is None:
                said = self.log.read_text(errors="replace")
                if READY in said and "\n" in said.partition(READY)[2]:
                    return said.partition(READY)[2].split()[0].rstrip(":")
                await trio.sleep(POLL_INTERVAL_S)
        raise DemoFailed(f"{self.name} does not serve: {last_line(self.log)}")

    async def kill(self) -> None:
        """SIGKILL: as a machine that burns."""
        if self.process.poll() is None:
            self.process.kill()
            await self.process.wait()

    async def end(self) -> None:
        """SIGTERM, and after a while SIGKILL."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with trio.move_on_after(STOP_GRACE_S):
                await self.process.wait()
        await self.kill()


async def run_program(
    name: str,
    arguments: Sequence[str],
    log: Path,
    program: Sequence[str] = HUTONG,
    environment: Mapping[str, str] | None = None,
    *,
    task_status: trio.TaskStatus[Program] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Start it, and end it when this is cancelled. That it ends by itself, or is killed, ends nothing else.

    Raises:
        OSError: it cannot be started.
    """
    with log.open("ab") as output:
        process = await open_child([*program, *arguments], output=output, environment=environment)
    running = Program(name, process, log)
    try:
        task_status.started(running)
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await running.end()
